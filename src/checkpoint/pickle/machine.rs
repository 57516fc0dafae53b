//! The stack machine.

use std::collections::HashMap;

use super::{Id, Kind, Pickle, Storage, Value, call, opcode as op};

/// The values that every pickle has.
const NONE: Id = 0;
const TRUE: Id = 1;
const FALSE: Id = 2;

/// What is read, built and remembered.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    pub values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Where the stack stood at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

/// Reads a pickle. O(pickle).
///
/// One line, with the place, where it is cut short, breaks its own rules, uses an opcode that no state
/// dict needs, or calls what runs programs or code.
pub(crate) fn parse(bytes: &[u8]) -> Result<Pickle<'_>, String> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(format!("has {} bytes; at most 4294967295 are read", bytes.len()));
    }
    let mut machine = Machine {
        bytes,
        at: 0,
        values: vec![Value::None, Value::Bool, Value::Bool],
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        let start = machine.at;
        match machine.step() {
            Ok(None) => {}
            Ok(Some(root)) => return Ok(Pickle { values: machine.values, root }),
            Err(message) => return Err(format!("{message} (byte {start})")),
        }
    }
}

const EMPTY: &str = "takes a value from an empty stack";

impl<'a> Machine<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("is cut short: {length} bytes are needed"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A little-endian number of `width` bytes.
    fn number(&mut self, width: usize) -> Result<usize, String> {
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(self.take(width)?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| "has a length that no file has".to_owned())
    }

    fn text(&mut self, width: usize) -> Result<&'a str, String> {
        let length = self.number(width)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| "holds a text that is not UTF-8".to_owned())
    }

    /// The text up to the end of its line.
    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or("is cut short within a name")?;
        let line = self.take(length + 1)?;
        std::str::from_utf8(&line[..length]).map_err(|_| "holds a name that is not UTF-8".to_owned())
    }

    fn push(&mut self, value: Value<'a>) {
        // Growing by halves or doubles would hold up to three times the values while they move.
        if self.values.len() == self.values.capacity() {
            self.values.reserve_exact(self.values.len() / 4 + 64);
        }
        self.values.push(value);
        self.stack.push((self.values.len() - 1) as Id);
    }

    fn pop(&mut self) -> Result<Id, String> {
        // What stands below a mark is not this opcode's.
        let bottom = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= bottom {
            return Err(EMPTY.into());
        }
        self.stack.pop().ok_or_else(|| EMPTY.into())
    }

    fn top(&self) -> Result<Id, String> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        self.stack.last().copied().filter(|_| self.stack.len() > bottom).ok_or_else(|| EMPTY.into())
    }

    /// The values above the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("needs a mark that is not there")?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, length: usize) -> Result<(), String> {
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Value::Tuple(items));
        Ok(())
    }

    fn extend_list(&mut self, items: &[Id]) -> Result<(), String> {
        let list = self.top()?;
        match &mut self.values[list as usize] {
            Value::List(list) => list.extend(items),
            // An object whose class is not known may be a list.
            Value::Opaque(_) | Value::Other(_) => {}
            _ => return Err("appends to what is no list".into()),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Id]) -> Result<(), String> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("sets a key without a value".into());
        }
        let dict = self.top()?;
        match &mut self.values[dict as usize] {
            Value::Dict(dict) => dict.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            Value::Opaque(_) => {}
            _ => return Err("sets a key of what is no dict".into()),
        }
        Ok(())
    }

    fn remember(&mut self, place: u32) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Result<(), String> {
        let found = u32::try_from(place).ok().and_then(|place| self.memo.get(&place));
        self.stack.push(*found.ok_or_else(|| format!("recalls value {place}, which was never kept"))?);
        Ok(())
    }

    fn integer(&mut self, length: usize) -> Result<(), String> {
        let bytes = self.take(length)?;
        let value = if length <= 8 {
            let mut wide = [if bytes.last().is_some_and(|&byte| byte > 127) { 255 } else { 0 }; 8];
            wide[..length].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Other("a number of more than 64 bits")
        };
        self.push(value);
        Ok(())
    }

    /// A storage from its persistent id: ("storage", its class, key, device, numbers).
    fn storage(&mut self, id: Id) -> Result<Value<'a>, String> {
        let wrong = "names a storage in a way that torch.save does not";
        let Value::Tuple(parts) = &self.values[id as usize] else { return Err(wrong.into()) };
        let parts: Vec<&Value<'a>> = parts.iter().map(|&part| &self.values[part as usize]).collect();
        let [Value::Text("storage"), Value::Global(module, class), Value::Text(key), _, Value::Int(numbers)] =
            parts[..]
        else {
            return Err(wrong.into());
        };
        let known = matches!(*module, "torch" | "torch.storage" | "torch.cuda");
        let kind = if known { call::storage_kind(class) } else { Kind::Other(class) };
        let numbers = usize::try_from(*numbers).map_err(|_| format!("names a storage of {numbers} numbers"))?;
        Ok(Value::Storage(Box::new(Storage { key, numbers, kind })))
    }

    /// One opcode; the pickle's value where it was the last.
    fn step(&mut self) -> Result<Option<Id>, String> {
        let code = *self.take(1).map_err(|_| "is cut short: it ends without STOP")?.first().unwrap_or(&op::STOP);
        match code {
            op::PROTO => {
                let version = self.number(1)?;
                if version > 5 {
                    return Err(format!("is of pickle protocol {version}; 0 to 5 are known"));
                }
            }
            op::FRAME => {
                self.number(8)?;
            }
            op::MARK => self.marks.push(self.stack.len()),
            op::STOP => return self.pop().map(Some),
            op::POP => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            op::POP_MARK => {
                self.marked()?;
            }
            op::DUP => {
                let top = self.top()?;
                self.stack.push(top);
            }
            op::NONE => self.stack.push(NONE),
            op::NEWTRUE => self.stack.push(TRUE),
            op::NEWFALSE => self.stack.push(FALSE),
            op::BINFLOAT => {
                self.take(8)?;
                self.push(Value::Float);
            }
            op::BININT => self.integer(4)?,
            op::BININT1 => {
                let value = self.number(1)?;
                self.push(Value::Int(value as i64));
            }
            op::BININT2 => {
                let value = self.number(2)?;
                self.push(Value::Int(value as i64));
            }
            op::LONG1 => {
                let length = self.number(1)?;
                self.integer(length)?;
            }
            op::LONG4 => {
                let length = self.number(4)?;
                self.integer(length)?;
            }
            op::BINUNICODE => self.push_text(4)?,
            op::SHORT_BINUNICODE => self.push_text(1)?,
            op::BINUNICODE8 => self.push_text(8)?,
            op::BINSTRING | op::BINBYTES => self.push_bytes(4)?,
            op::SHORT_BINSTRING | op::SHORT_BINBYTES => self.push_bytes(1)?,
            op::BINBYTES8 => self.push_bytes(8)?,
            op::EMPTY_DICT => self.push(Value::Dict(Vec::new())),
            op::EMPTY_LIST => self.push(Value::List(Vec::new())),
            op::EMPTY_TUPLE => self.push(Value::Tuple(Vec::new())),
            op::EMPTY_SET => self.push(Value::Other("a set")),
            op::TUPLE1 => self.tuple(1)?,
            op::TUPLE2 => self.tuple(2)?,
            op::TUPLE3 => self.tuple(3)?,
            op::TUPLE => {
                let items = self.marked()?;
                self.push(Value::Tuple(items));
            }
            op::LIST => {
                let items = self.marked()?;
                self.push(Value::List(items));
            }
            op::DICT => {
                let items = self.marked()?;
                self.push(Value::Dict(Vec::new()));
                self.extend_dict(&items)?;
            }
            op::FROZENSET => {
                self.marked()?;
                self.push(Value::Other("a set"));
            }
            op::APPEND => {
                let item = self.pop()?;
                self.extend_list(&[item])?;
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.marked()?;
                self.extend_list(&items)?;
            }
            op::SETITEM => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(&[key, value])?;
            }
            op::SETITEMS => {
                let items = self.marked()?;
                self.extend_dict(&items)?;
            }
            op::BINPUT => {
                let place = self.number(1)? as u32;
                self.remember(place)?;
            }
            op::LONG_BINPUT => {
                let place = self.number(4)? as u32;
                self.remember(place)?;
            }
            op::MEMOIZE => self.remember(self.memo.len() as u32)?,
            op::BINGET => {
                let place = self.number(1)?;
                self.recall(place)?;
            }
            op::LONG_BINGET => {
                let place = self.number(4)?;
                self.recall(place)?;
            }
            op::GLOBAL => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(module, name));
            }
            op::STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (&self.values[module as usize], &self.values[name as usize]) {
                    (&Value::Text(module), &Value::Text(name)) => self.push(Value::Global(module, name)),
                    _ => return Err("names a function by what is no text".into()),
                }
            }
            op::BINPERSID => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(storage);
            }
            op::REDUCE | op::NEWOBJ => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let value = call::apply(self, function, arguments)?;
                self.push(value);
            }
            op::NEWOBJ_EX => {
                let (_, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                let value = call::apply(self, function, arguments)?;
                self.push(value);
            }
            // The state of an object: nothing of it is needed.
            op::BUILD => {
                self.pop()?;
                self.top()?;
            }
            other => return Err(format!("uses opcode {other:#04x}, which no state dict needs")),
        }
        Ok(None)
    }

    fn push_text(&mut self, width: usize) -> Result<(), String> {
        let text = self.text(width)?;
        self.push(Value::Text(text));
        Ok(())
    }

    /// Bytes; texts of Python 2 are bytes that may be names.
    fn push_bytes(&mut self, width: usize) -> Result<(), String> {
        let length = self.number(width)?;
        let bytes = self.take(length)?;
        self.push(std::str::from_utf8(bytes).map_or(Value::Other("bytes"), Value::Text));
        Ok(())
    }
}
