//! What torch.save writes: a zip file with a pickle and one entry for each storage.

use super::{Container, Dict, Held};
use crate::checkpoint::error::Problem;
use crate::checkpoint::pickle::{self, Kind, Pickle, Value};
use crate::checkpoint::read::one_line;
use crate::checkpoint::tensor::{RawTensor, bytes_of, gather};
use crate::checkpoint::zip::Zip;

/// Dictionaries are followed so deep.
const DEEPEST: usize = 16;

/// The parts of a file that tensors are taken from.
pub(super) struct Archive<'a> {
    zip: Zip<'a>,
    /// The folder that all entries are in.
    folder: String,
    pickle: Pickle<'a>,
}

fn wrong(message: impl ToString) -> Problem {
    Problem::Torch(one_line(message))
}

/// The dictionaries of a file of torch.save.
pub(super) fn container(bytes: &[u8]) -> Result<Container<'_>, Problem> {
    let zip = Zip::read(bytes).map_err(wrong)?;
    let mut pickles =
        zip.names().filter_map(|name| name.strip_suffix("data.pkl").filter(|f| f.is_empty() || f.ends_with('/')));
    let Some(folder) = pickles.next() else {
        return Err(wrong(if zip.names().any(|name| name.ends_with(".npy")) {
            "a zip file of .npy arrays (.npz); unpack it and give the folder"
        } else {
            "a zip file without data.pkl, so not one of torch.save"
        }));
    };
    if pickles.next().is_some() {
        return Err(wrong("a zip file with more than one data.pkl"));
    }
    drop(pickles);
    let entry = |name: &str| zip.entry(&format!("{folder}{name}")).transpose().map_err(wrong);
    if zip.has(&format!("{folder}constants.pkl")) {
        return Err(Problem::Structure(
            "a TorchScript archive, a program with its weights; save model.state_dict() instead".into(),
        ));
    }
    if entry("byteorder")?.is_some_and(|order| order != b"little") {
        return Err(wrong("its numbers are not little-endian; save it again on a little-endian machine"));
    }
    let bytes = entry("data.pkl")?.unwrap_or_default();
    let pickle = pickle::parse(bytes).map_err(|message| wrong(format!("its pickle {message}")))?;
    let folder = folder.to_owned();
    let archive = Archive { zip, folder, pickle };
    let dicts = archive.dicts()?;
    let root = archive.pickle.describe(archive.pickle.root);
    Ok(Container { dicts, metadata: None, root, torch: Some(archive) })
}

impl<'a> Archive<'a> {
    /// The dictionaries that hold tensors, the outermost first.
    fn dicts(&self) -> Result<Vec<Dict<'a>>, Problem> {
        let mut found = Vec::new();
        // Dicts that hold each other more than once would be walked once for each way to them.
        let mut budget = self.pickle.len() + 1;
        self.walk(self.pickle.root, String::new(), 0, &mut budget, &mut found)?;
        Ok(found)
    }

    fn walk(
        &self,
        id: pickle::Id,
        path: String,
        depth: usize,
        budget: &mut usize,
        found: &mut Vec<Dict<'a>>,
    ) -> Result<(), Problem> {
        let Value::Dict(items) = self.pickle.get(id) else { return Ok(()) };
        if depth > DEEPEST || items.len() >= *budget {
            return Err(wrong("its dicts hold each other in a circle, or again and again"));
        }
        *budget -= items.len();
        let (mut tensors, mut others, mut inner) = (Vec::new(), Vec::new(), Vec::new());
        for &(key, value) in items {
            let key = match self.pickle.get(key) {
                Value::Text(text) => (*text).to_owned(),
                Value::Int(number) => number.to_string(),
                _ => continue,
            };
            super::check_name(&key)?;
            match self.pickle.get(value) {
                Value::Tensor(_) => tensors.push((key, Held::Pickled(value))),
                Value::Dict(_) => inner.push((key, value)),
                _ => others.push((key, self.pickle.describe(value))),
            }
        }
        if !tensors.is_empty() {
            found.push(Dict { path: path.clone(), tensors, others });
        }
        for (key, value) in inner {
            let path = if path.is_empty() { key } else { format!("{path}.{key}") };
            super::check_name(&path)?;
            self.walk(value, path, depth + 1, budget, found)?;
        }
        Ok(())
    }

    /// A tensor, out of its storage.
    pub(super) fn tensor(&self, name: &str, id: pickle::Id) -> Result<RawTensor<'a>, Problem> {
        let Value::Tensor(tensor) = self.pickle.get(id) else { return Err(Problem::tensor(name, "is no tensor")) };
        let dtype = match tensor.kind {
            Kind::Known(dtype) => dtype,
            Kind::Untyped => return Err(Problem::tensor(name, "has a storage without a type")),
            Kind::Other(class) => {
                let class: String = class.chars().filter(|c| !c.is_control()).take(60).collect();
                return Err(Problem::tensor(name, format!("has type `{class}`, which is not read")));
            }
        };
        let entry = format!("{}data/{}", self.folder, tensor.storage);
        let shown: String = tensor.storage.escape_debug().take(60).collect();
        let missing =
            || Problem::tensor(name, format!("has its numbers in entry `data/{shown}`, which the file has not"));
        let storage = self.zip.entry(&entry).ok_or_else(missing)?.map_err(wrong)?;
        // An untyped storage counts bytes; the view is then checked against the entry alone.
        let expected = tensor.numbers.checked_mul(bytes_of(dtype));
        if expected != Some(storage.len()) && tensor.numbers != storage.len() {
            let message = format!(
                "promises a storage of {} numbers of type {dtype}, but entry `data/{shown}` has {} bytes",
                tensor.numbers,
                storage.len()
            );
            return Err(Problem::tensor(name, message));
        }
        let data = gather(storage, bytes_of(dtype), tensor.offset, &tensor.shape, &tensor.strides);
        let data = data.map_err(|message| Problem::tensor(name, message))?;
        Ok(RawTensor::new(dtype, tensor.shape.clone(), data))
    }
}
