//! What a file or folder holds, whatever its format: dictionaries of tensors, and what else there is.

mod npy;
mod torch;

use std::fs;
use std::io;
use std::path::Path;

use safetensors::SafeTensors;

use super::error::Problem;
use super::read::{self, one_line};
use super::tensor::{RawTensor, Tensors};
use crate::files::{self, FileError};

/// The bytes of a file, or of the .npy files of a folder by their names without the ending.
pub(super) enum Loaded {
    File(Vec<u8>),
    Folder(Vec<(String, Vec<u8>)>),
}

/// Only a file has a size that bounds what reading it takes.
fn read_regular(path: &Path) -> Result<Vec<u8>, FileError> {
    let metadata = fs::metadata(path).map_err(|source| FileError::read(path, source))?;
    if !metadata.is_file() {
        return Err(FileError::read(path, io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    files::read(path)
}

impl Loaded {
    /// Reads a file, or the .npy files of a folder; other files there are left alone.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        if !path.is_dir() {
            return read_regular(path).map(Self::File);
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(path).map_err(|source| FileError::read(path, source))? {
            let inside = entry.map_err(|source| FileError::read(path, source))?.path();
            let name = inside.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(name) = name.strip_suffix(".npy") {
                found.push((name.to_owned(), read_regular(&inside)?));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self::Folder(found))
    }

    /// What is inside.
    pub(super) fn parse(&self) -> Result<Container<'_>, Problem> {
        match self {
            Self::Folder(files) => npy::container(files),
            Self::File(bytes) => parse(bytes),
        }
    }

    /// The number of bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::File(bytes) => bytes.len(),
            Self::Folder(files) => files.iter().map(|(_, bytes)| bytes.len()).sum(),
        }
    }
}

/// The magic number with which torch.save began before it wrote zip files.
const LEGACY: [u8; 15] = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/// What a file's bytes are, told by its first ones.
pub(super) fn parse(bytes: &[u8]) -> Result<Container<'_>, Problem> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return torch::container(bytes);
    }
    let again = "load it in PyTorch 1.6 or newer and save it again with torch.save(model.state_dict(), FILE)";
    if bytes.starts_with(&LEGACY) {
        return Err(Problem::Structure(format!("a PyTorch file of the format before 1.6, which is not read; {again}")));
    }
    if bytes.len() > 262 && bytes[257..].starts_with(b"ustar") {
        return Err(Problem::Structure(format!("a tar archive, as PyTorch before 0.2 wrote them; {again}")));
    }
    // The header of a safetensors file begins with a brace at its ninth byte.
    let pickled = bytes.first() == Some(&0x80) && bytes.get(1).is_some_and(|version| (2..=5).contains(version));
    if pickled && bytes.get(8) != Some(&b'{') {
        return Err(Problem::Structure(format!("a bare pickle, which no version of PyTorch writes; {again}")));
    }
    if bytes.starts_with(npy::MAGIC) {
        let message = "one .npy array; give the folder that holds one file for each tensor (fc1.weight.npy, ...)";
        return Err(Problem::Structure(message.into()));
    }
    if bytes.starts_with(b"\x89HDF") {
        return Err(Problem::Structure("an HDF5 file; safetensors, .pt, .pth and folders of .npy are read".into()));
    }
    let (tensors, metadata) = safetensors_of(bytes)?;
    let tensors = tensors.into_iter().map(|(name, tensor)| (name, Held::Ready(tensor))).collect();
    let root = Dict { path: String::new(), tensors, others: Vec::new() };
    Ok(Container { dicts: vec![root], metadata, root: "a dict".into(), torch: None })
}

/// The tensors of a safetensors file, and our metadata where it has them.
pub(super) fn safetensors_of(bytes: &[u8]) -> Result<(Tensors<'_>, Option<String>), Problem> {
    let wrong = |error| read::format_problem(bytes, error);
    let file = SafeTensors::deserialize(bytes).map_err(wrong)?;
    let tensors: Tensors<'_> = file.tensors().into_iter().map(|(name, view)| (name, view.into())).collect();
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
    let metadata = header.metadata().as_ref().and_then(|metadata| metadata.get(read::KEY)).cloned();
    Ok((tensors, metadata))
}

/// A tensor that may still have to be taken out of its storage.
pub(super) enum Held<'a> {
    Ready(RawTensor<'a>),
    /// Its place in the pickle.
    Pickled(u32),
}

/// One dictionary that holds tensors, and its path in the file: the keys that lead there, with dots.
pub(super) struct Dict<'a> {
    pub path: String,
    pub tensors: Vec<(String, Held<'a>)>,
    /// What else is in it: key and what it is.
    pub others: Vec<(String, String)>,
}

/// The dictionaries of a file that hold tensors.
pub(super) struct Container<'a> {
    pub dicts: Vec<Dict<'a>>,
    /// The text of our header key.
    pub metadata: Option<String>,
    /// What the file as a whole is.
    pub root: String,
    torch: Option<torch::Archive<'a>>,
}

impl<'a> Container<'a> {
    /// Whether its tensors are in dictionaries that may hold each other.
    pub(super) fn is_nested(&self) -> bool {
        self.torch.is_some()
    }

    /// Takes a tensor out of its storage.
    pub(super) fn tensor(&self, name: &str, held: Held<'a>) -> Result<RawTensor<'a>, Problem> {
        match (held, &self.torch) {
            (Held::Ready(tensor), _) => Ok(tensor),
            (Held::Pickled(id), Some(archive)) => archive.tensor(name, id),
            (Held::Pickled(_), None) => Err(Problem::tensor(name, "has no storage")),
        }
    }
}

/// Names that could not be shown, or that no network has, are refused.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let shown = || one_line(name.escape_debug()).chars().take(60).collect::<String>();
    if name.chars().any(char::is_control) {
        return Err(Problem::tensor(shown(), "has control characters in its name"));
    }
    if name.len() > 512 {
        return Err(Problem::tensor(shown(), format!("... has a name of {} bytes; at most 512 are read", name.len())));
    }
    Ok(())
}
