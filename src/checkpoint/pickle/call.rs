//! Calls: the few functions that build what a state dict holds.

use safetensors::Dtype;

use super::machine::Machine;
use super::{Id, Kind, PickledTensor, Storage, Value};

/// Modules whose functions run programs or code, or reach files and networks. Nothing is ever called;
/// a pickle that asks for these is no checkpoint.
const HARMFUL: [&str; 30] = [
    "asyncio",
    "bdb",
    "code",
    "codeop",
    "commands",
    "concurrent",
    "cProfile",
    "ctypes",
    "http",
    "idlelib",
    "importlib",
    "marshal",
    "multiprocessing",
    "nt",
    "operator",
    "os",
    "pdb",
    "pickle",
    "pip",
    "posix",
    "profile",
    "pty",
    "requests",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "urllib",
    "webbrowser",
];

/// What Python's own functions are that only build data.
const HARMLESS_BUILTINS: [&str; 16] = [
    "set",
    "frozenset",
    "list",
    "dict",
    "tuple",
    "slice",
    "range",
    "complex",
    "bytearray",
    "bytes",
    "int",
    "float",
    "str",
    "bool",
    "object",
    "NoneType",
];

fn is_harmful(module: &str, name: &str) -> bool {
    let first = module.split('.').next().unwrap_or_default();
    match first {
        "builtins" | "__builtin__" => !HARMLESS_BUILTINS.contains(&name),
        "torch" => {
            matches!(name, "load" | "compile" | "system" | "eval" | "exec")
                || matches!(module, "torch.hub" | "torch.utils.cpp_extension" | "torch.utils.collect_env")
        }
        _ => HARMFUL.contains(&first),
    }
}

/// The type of a storage by its class.
pub(super) fn storage_kind(class: &str) -> Kind<'_> {
    Kind::Known(match class {
        "FloatStorage" => Dtype::F32,
        "DoubleStorage" => Dtype::F64,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        "ByteStorage" => Dtype::U8,
        "CharStorage" => Dtype::I8,
        "ShortStorage" => Dtype::I16,
        "IntStorage" => Dtype::I32,
        "LongStorage" => Dtype::I64,
        "BoolStorage" => Dtype::BOOL,
        "UntypedStorage" => return Kind::Untyped,
        other => return Kind::Other(other),
    })
}

/// The type by torch's name of it.
fn torch_type(name: &str) -> Kind<'_> {
    Kind::Known(match name {
        "float32" | "float" => Dtype::F32,
        "float64" | "double" => Dtype::F64,
        "float16" | "half" => Dtype::F16,
        "bfloat16" => Dtype::BF16,
        "uint8" => Dtype::U8,
        "int8" => Dtype::I8,
        "int16" | "short" => Dtype::I16,
        "uint16" => Dtype::U16,
        "int32" | "int" => Dtype::I32,
        "uint32" => Dtype::U32,
        "int64" | "long" => Dtype::I64,
        "uint64" => Dtype::U64,
        "bool" => Dtype::BOOL,
        other => return Kind::Other(other),
    })
}

/// The sizes or strides of a tensor.
fn sizes(machine: &Machine<'_>, id: Id) -> Result<Vec<usize>, String> {
    let (Value::Tuple(items) | Value::List(items)) = &machine.values[id as usize] else {
        return Err("builds a tensor whose sizes are no tuple".into());
    };
    if items.len() > 8 {
        return Err(format!("builds a tensor of {} dimensions; at most 8 are read", items.len()));
    }
    let size = |&item: &Id| match machine.values[item as usize] {
        Value::Int(size) => {
            usize::try_from(size).map_err(|_| format!("builds a tensor with a size or stride of {size}"))
        }
        _ => Err("builds a tensor with a size that is no number".into()),
    };
    items.iter().map(size).collect()
}

fn tensor<'a>(machine: &Machine<'a>, arguments: &[Id], kind: Option<Kind<'a>>) -> Result<Value<'a>, String> {
    let [storage, offset, shape, strides, ..] = arguments[..] else {
        return Err("builds a tensor from too few arguments".into());
    };
    let (Value::Storage(storage), &Value::Int(offset)) =
        (&machine.values[storage as usize], &machine.values[offset as usize])
    else {
        return Err("builds a tensor without a storage".into());
    };
    let Storage { key, numbers, kind: own } = **storage;
    let offset = usize::try_from(offset).map_err(|_| format!("builds a tensor at offset {offset}"))?;
    let (shape, strides) = (sizes(machine, shape)?, sizes(machine, strides)?);
    let kind = kind.unwrap_or(own);
    Ok(Value::Tensor(Box::new(PickledTensor { storage: key, numbers, kind, offset, shape, strides })))
}

/// The same tensor, for a call that wraps another.
fn wrapped<'a>(machine: &Machine<'a>, id: Option<&Id>) -> Option<Value<'a>> {
    match &machine.values[*id? as usize] {
        Value::Tensor(tensor) => Some(Value::Tensor(Box::new(PickledTensor {
            storage: tensor.storage,
            numbers: tensor.numbers,
            kind: tensor.kind,
            offset: tensor.offset,
            shape: tensor.shape.clone(),
            strides: tensor.strides.clone(),
        }))),
        _ => None,
    }
}

/// Pairs of a list of (key, value).
fn pairs(machine: &Machine<'_>, id: Id) -> Vec<(Id, Id)> {
    match &machine.values[id as usize] {
        Value::Dict(pairs) => pairs.clone(),
        Value::List(items) | Value::Tuple(items) => items
            .iter()
            .filter_map(|&item| match &machine.values[item as usize] {
                Value::Tuple(pair) | Value::List(pair) => {
                    <[Id; 2]>::try_from(&pair[..]).ok().map(|[key, value]| (key, value))
                }
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// What a call gives.
pub(super) fn apply<'a>(machine: &Machine<'a>, function: Id, arguments: Id) -> Result<Value<'a>, String> {
    let Value::Global(module, name) = machine.values[function as usize] else {
        return Err("calls what is no function".into());
    };
    let Value::Tuple(arguments) = &machine.values[arguments as usize] else {
        return Err(format!("calls `{module}.{name}` without a tuple of arguments"));
    };
    Ok(match (module, name) {
        ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => tensor(machine, arguments, None)?,
        ("torch._utils", "_rebuild_tensor_v3") => {
            let kind = arguments.get(6).and_then(|&id| match machine.values[id as usize] {
                Value::Global("torch", name) => Some(torch_type(name)),
                _ => None,
            });
            tensor(machine, arguments, kind)?
        }
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            wrapped(machine, arguments.first()).ok_or("builds a parameter without a tensor")?
        }
        ("torch._tensor", "_rebuild_from_type_v2") => match (arguments.first(), arguments.get(2)) {
            (Some(&inner), Some(&arguments)) if inner != function && is_rebuild(machine, inner) => {
                apply(machine, inner, arguments)?
            }
            _ => Value::Opaque(function),
        },
        // Pairs that the pickle holds are copied once: what it can ask for stays of its size, since
        // `pairs` of a list that is given again and again would not.
        ("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict") => match arguments.first() {
            Some(&given) => Value::Dict(few(pairs(machine, given))?),
            None => Value::Dict(Vec::new()),
        },
        ("collections", "defaultdict") => Value::Dict(Vec::new()),
        ("builtins" | "__builtin__", "set" | "frozenset") => Value::Other("a set"),
        ("torch", "Size") => match arguments.first().map(|&id| &machine.values[id as usize]) {
            Some(Value::Tuple(items) | Value::List(items)) if items.len() <= 8 => Value::Tuple(items.clone()),
            _ => Value::Opaque(function),
        },
        _ if is_harmful(module, name) => {
            return Err(format!(
                "calls `{}.{}`, which a checkpoint has no use for; nothing was executed",
                module.escape_debug(),
                name.escape_debug()
            ));
        }
        _ => Value::Opaque(function),
    })
}

/// The pairs of a dict that a call copies; pickles write long ones item by item.
fn few(pairs: Vec<(Id, Id)>) -> Result<Vec<(Id, Id)>, String> {
    if pairs.len() > 8 {
        return Err(format!("copies a dict of {} items; dicts of state dicts are written item by item", pairs.len()));
    }
    Ok(pairs)
}

fn is_rebuild(machine: &Machine<'_>, function: Id) -> bool {
    matches!(
        machine.values[function as usize],
        Value::Global("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor" | "_rebuild_tensor_v3")
    )
}
