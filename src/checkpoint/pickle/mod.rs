//! A machine for the pickles of torch.save that executes nothing.
//!
//! It knows the opcodes that write data, and of the functions that a pickle may name those that build
//! tensors and dictionaries. Every other call becomes an [`Value::Opaque`] with the function's name,
//! and a call of what runs programs or code is refused.
//!
//! No opcode makes more than one value, and a value takes at most 40 bytes beside what it refers to in
//! the pickle, so that all together, with the room in which they grow, take at most 128 times the
//! pickle's size.

mod call;
mod machine;
mod opcode;

pub(super) use machine::parse;

use safetensors::Dtype;

/// The number of a value in its [`Pickle`].
pub(super) type Id = u32;

/// The type of a storage's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// One that is read.
    Known(Dtype),
    /// Bytes, whose type each tensor tells.
    Untyped,
    /// One that is not read, by its name.
    Other(&'a str),
}

/// A tensor as a pickle describes it; sizes count numbers.
#[derive(Debug)]
pub(super) struct PickledTensor<'a> {
    /// The name of the entry that holds its storage.
    pub storage: &'a str,
    /// How many numbers the storage has (bytes where it is untyped).
    pub numbers: usize,
    pub kind: Kind<'a>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// One value.
#[derive(Debug)]
pub(super) enum Value<'a> {
    None,
    Bool,
    Int(i64),
    /// Not looked at.
    Float,
    Text(&'a str),
    /// Bytes, numbers of more than 64 bits, sets: not looked at.
    Other(&'static str),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    /// In the order of insertion.
    Dict(Vec<(Id, Id)>),
    /// A function or class: module and name.
    Global(&'a str, &'a str),
    Storage(Box<Storage<'a>>),
    Tensor(Box<PickledTensor<'a>>),
    /// What a call or a class that is not known gave: the id of its global.
    Opaque(Id),
}

/// A storage as a persistent id names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage<'a> {
    pub key: &'a str,
    pub numbers: usize,
    pub kind: Kind<'a>,
}

/// A pickle's values and the one that it stands for.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    values: Vec<Value<'a>>,
    pub root: Id,
}

impl<'a> Pickle<'a> {
    /// The value of an id that this pickle gave.
    pub(super) fn get(&self, id: Id) -> &Value<'a> {
        &self.values[id as usize]
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// What a value is, in a few words.
    pub(super) fn describe(&self, id: Id) -> String {
        match self.get(id) {
            Value::None => "None".into(),
            Value::Bool => "a bool".into(),
            Value::Int(_) | Value::Float => "a number".into(),
            Value::Text(_) => "a text".into(),
            Value::Other(what) => (*what).into(),
            Value::List(_) => "a list".into(),
            Value::Tuple(_) => "a tuple".into(),
            Value::Dict(_) => "a dict".into(),
            Value::Global(module, name) => format!("`{module}.{name}`"),
            Value::Storage(_) => "a storage without a tensor".into(),
            Value::Tensor(_) => "a tensor".into(),
            Value::Opaque(of) => format!("an object of {}", self.describe(*of)),
        }
    }
}

#[cfg(test)]
mod tests;
