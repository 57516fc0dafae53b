//! Folders of NumPy arrays, one file a tensor: NAME.npy holds the tensor NAME.

use safetensors::Dtype;

use super::{Container, Dict, Held, check_name};
use crate::checkpoint::error::Problem;
use crate::checkpoint::read::one_line;
use crate::checkpoint::tensor::{RawTensor, bytes_of, count, gather};

/// How a file begins.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// NumPy writes headers of about 100 bytes.
const LONGEST_HEADER: usize = 4096;

/// The arrays of a folder.
pub(super) fn container(files: &[(String, Vec<u8>)]) -> Result<Container<'_>, Problem> {
    if files.is_empty() {
        return Err(Problem::Structure("a folder without .npy files; each tensor is a file NAME.npy".into()));
    }
    let mut tensors = Vec::with_capacity(files.len());
    for (name, bytes) in files {
        check_name(name)?;
        let tensor = array(bytes).map_err(|message| Problem::Numpy { file: format!("{name}.npy"), message })?;
        tensors.push((name.clone(), Held::Ready(tensor)));
    }
    let root = Dict { path: String::new(), tensors, others: Vec::new() };
    Ok(Container { dicts: vec![root], metadata: None, root: "a folder".into(), torch: None })
}

/// The header's value of a key, up to the next key.
fn field<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    let quoted = format!("'{key}':");
    let at = header.find(&quoted).ok_or_else(|| format!("its header has no {key}"))?;
    Ok(header[at + quoted.len()..].trim_start())
}

fn dtype(descr: &str) -> Result<Dtype, String> {
    let quoted = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(name, _)| name);
    Ok(match quoted {
        Some("<f2") => Dtype::F16,
        Some("<f4") => Dtype::F32,
        Some("<f8") => Dtype::F64,
        Some("|b1") => Dtype::BOOL,
        Some("|u1") => Dtype::U8,
        Some("|i1") => Dtype::I8,
        Some("<i2") => Dtype::I16,
        Some("<u2") => Dtype::U16,
        Some("<i4") => Dtype::I32,
        Some("<u4") => Dtype::U32,
        Some("<i8") => Dtype::I64,
        Some("<u8") => Dtype::U64,
        Some(other) => {
            let other: String = one_line(other).chars().take(20).collect();
            return Err(format!("its numbers are of type {other}; little-endian floats, integers and bools are read"));
        }
        None => return Err("its numbers are of a type with fields".into()),
    })
}

/// An array of bytes that are all there; its memory is the file's, but for Fortran's order.
fn array(bytes: &[u8]) -> Result<RawTensor<'_>, String> {
    if !bytes.starts_with(MAGIC) {
        return Err("it does not begin with \\x93NUMPY".into());
    }
    let version = bytes.get(6).copied();
    let (length, start) = match version {
        Some(1) => (bytes.get(8..10).map(|b| usize::from(b[0]) | usize::from(b[1]) << 8), 10),
        Some(2 | 3) => (bytes.get(8..).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b) as usize), 12),
        _ => return Err("its version is not 1, 2 or 3".into()),
    };
    let length = length.ok_or("cut short")?;
    if length > LONGEST_HEADER {
        return Err(format!("its first bytes promise a header of {length} bytes; at most {LONGEST_HEADER} are read"));
    }
    let header = bytes.get(start..start + length).ok_or("cut short within its header")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    let dtype = dtype(field(header, "descr")?)?;
    let fortran = match field(header, "fortran_order")? {
        text if text.starts_with("True") => true,
        text if text.starts_with("False") => false,
        _ => return Err("its header has no fortran_order of True or False".into()),
    };
    let shape = field(header, "shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (shape, _) = shape.ok_or("its header has no shape")?;
    let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: Vec<usize> =
        sizes.map(str::parse).collect::<Result<_, _>>().map_err(|_| "its shape is not of numbers".to_owned())?;
    if shape.len() > 8 {
        return Err(format!("it has {} dimensions; at most 8 are read", shape.len()));
    }
    let data = &bytes[start + length..];
    let expected = count(&shape).and_then(|numbers| numbers.checked_mul(bytes_of(dtype)));
    if expected != Some(data.len()) {
        return Err(format!("its header promises shape {shape:?} of type {dtype}, but {} bytes follow", data.len()));
    }
    let mut strides = vec![1usize; shape.len()];
    for axis in 1..shape.len() {
        if fortran {
            strides[axis] = strides[axis - 1].saturating_mul(shape[axis - 1]);
        } else {
            let axis = shape.len() - 1 - axis;
            strides[axis] = strides[axis + 1].saturating_mul(shape[axis + 1]);
        }
    }
    let data = gather(data, bytes_of(dtype), 0, &shape, &strides)?;
    Ok(RawTensor::new(dtype, shape, data))
}
