//! Which tensors of a file are the network's: the dictionary that holds them, and their names without
//! what wrappers put before them.

use super::container::{Container, Dict, check_name};
use super::error::Problem;
use super::tensor::Tensors;

/// The keys under which training scripts save a state dict.
const USUAL: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// What wrappers put before every name: DataParallel, and torch.compile.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];

/// Something in a file that is no part of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Its name, or the keys that lead to it.
    pub name: String,
    /// What it is.
    pub what: String,
}

/// The tensors of a state dict by name, and what else the file holds.
pub(super) struct Selected<'a> {
    pub tensors: Tensors<'a>,
    pub ignored: Vec<Ignored>,
    pub warnings: Vec<String>,
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "(the file itself)" } else { path }
}

fn list<'a>(dicts: impl Iterator<Item = &'a Dict<'a>>) -> String {
    let mut names: Vec<String> =
        dicts.map(|dict| format!("`{}` ({} tensors)", dict.path, dict.tensors.len())).collect();
    let more = names.len().saturating_sub(8);
    names.truncate(8);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// The place of the dictionary to read.
fn choose(container: &Container<'_>, key: Option<&str>) -> Result<(usize, Option<String>), Problem> {
    let dicts = &container.dicts;
    // Optimisers hold tensors too; they are never a network.
    let candidates = || dicts.iter().enumerate().filter(|(_, dict)| !dict.path.to_lowercase().contains("optim"));
    if let Some(key) = key {
        return dicts.iter().position(|dict| dict.path == key).map(|place| (place, None)).ok_or_else(|| {
            let there = list(candidates().map(|(_, dict)| dict).filter(|dict| !dict.path.is_empty()));
            let there = if there.is_empty() { "no dictionary under a key".to_owned() } else { there };
            Problem::Structure(format!("no tensors under the key `{}`; there are {there}", key.escape_debug()))
        });
    }
    if let Some(root) = dicts.iter().position(|dict| dict.path.is_empty()) {
        return Ok((root, None));
    }
    let last = |dict: &Dict<'_>| dict.path.rsplit('.').next().unwrap_or_default().to_owned();
    let usual: Vec<usize> =
        candidates().filter(|(_, dict)| USUAL.contains(&last(dict).as_str())).map(|(place, _)| place).collect();
    match usual[..] {
        [one] => return Ok((one, None)),
        [] => {}
        _ => {
            let there = list(usual.iter().map(|&place| &dicts[place]));
            return Err(Problem::Structure(format!("several state dicts: {there}; choose one with --key")));
        }
    }
    let all: Vec<usize> = candidates().map(|(place, _)| place).collect();
    match all[..] {
        [one] => {
            let path = &dicts[one].path;
            let word =
                format!("the tensors under the key `{path}` are read, the only ones there are (--key names others)");
            Ok((one, Some(word)))
        }
        [] if !dicts.is_empty() => {
            let there = list(dicts.iter());
            Err(Problem::Structure(format!(
                "holds no tensors but those of an optimiser: {there}; --key reads them all the same"
            )))
        }
        [] => Err(Problem::Structure(match container.root.as_str() {
            "a dict" | "a folder" => "holds no tensors; a checkpoint needs NAME.weight for every layer".into(),
            object if object.starts_with("an object") => {
                let object: String = object.chars().filter(|c| !c.is_control()).take(120).collect();
                format!("holds {object}, a whole pickled model; save its model.state_dict() instead")
            }
            other => format!("holds {other}, where a dict of tensors is needed"),
        })),
        _ => {
            let there = list(all.iter().map(|&place| &dicts[place]));
            Err(Problem::Structure(format!("several dictionaries of tensors: {there}; choose one with --key")))
        }
    }
}

/// The names without what stands before every one of them, and without torch.compile's component.
fn strip(names: Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = names
        .into_iter()
        .map(|name| if name.contains("._orig_mod.") { name.replace("._orig_mod.", ".") } else { name })
        .collect();
    while let Some(prefix) = PREFIXES.iter().find(|prefix| names.iter().all(|name| name.starts_with(**prefix))) {
        if names.is_empty() {
            break;
        }
        names = names.iter().map(|name| name[prefix.len()..].to_owned()).collect();
    }
    names
}

/// All tensors of a file without dictionaries, under their own names.
pub(super) fn all<'a>(mut container: Container<'a>) -> Result<Tensors<'a>, Problem> {
    let mut tensors = Tensors::new();
    let dicts = std::mem::take(&mut container.dicts);
    for (name, held) in dicts.into_iter().flat_map(|dict| dict.tensors) {
        check_name(&name)?;
        let tensor = container.tensor(&name, held)?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// The tensors to read. A key of a file without dictionaries is a prefix of its names.
///
/// The tensors together take at most twice the bytes of the file: tied ones share theirs, but a file
/// whose tensors are all the same storage would ask for its size again and again.
pub(super) fn select<'a>(
    mut container: Container<'a>,
    key: Option<&str>,
    file_bytes: usize,
) -> Result<Selected<'a>, Problem> {
    if let Some(key) = key
        && !container.is_nested()
    {
        let prefix = format!("{key}.");
        if let Some(root) = container.dicts.first_mut() {
            let all = std::mem::take(&mut root.tensors);
            let inside =
                all.into_iter().filter_map(|(name, held)| Some((name.strip_prefix(&prefix)?.to_owned(), held)));
            root.tensors = inside.collect();
            root.path = key.to_owned();
            if root.tensors.is_empty() {
                let key = key.escape_debug();
                return Err(Problem::Structure(format!("no tensor's name begins with `{key}.` (--key)")));
            }
        }
    }
    let (place, word) = choose(&container, key)?;
    let mut ignored = Vec::new();
    let mut dict = container.dicts.swap_remove(place);
    for other in &container.dicts {
        let what = format!("{} tensors under another key than `{}`", other.tensors.len(), shown(&dict.path));
        ignored.push(Ignored { name: shown(&other.path).to_owned(), what });
    }
    ignored.sort_by(|a, b| a.name.cmp(&b.name));
    ignored.extend(dict.others.drain(..).map(|(name, what)| Ignored { name, what }));
    let names = strip(dict.tensors.iter().map(|(name, _)| name.clone()).collect());
    let mut tensors = Tensors::new();
    let mut bytes = 0usize;
    for (name, (_, held)) in names.into_iter().zip(dict.tensors) {
        check_name(&name)?;
        let tensor = container.tensor(&name, held)?;
        bytes = bytes.saturating_add(tensor.data().len());
        if bytes > file_bytes.saturating_mul(2) {
            let message = "shares its storage with others so often that together they are more than twice the file";
            return Err(Problem::tensor(name, message));
        }
        if tensors.contains_key(&name) {
            return Err(Problem::tensor(name, "is there twice; each name must be there once"));
        }
        tensors.insert(name, tensor);
    }
    Ok(Selected { tensors, ignored, warnings: word.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_all_names_go() {
        let stripped = |names: &[&str]| strip(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(stripped(&["module.a.weight", "module.b"]), ["a.weight", "b"]);
        assert_eq!(stripped(&["_orig_mod.module.a", "_orig_mod.module.b"]), ["a", "b"]);
        assert_eq!(stripped(&["module.a", "b"]), ["module.a", "b"]);
        assert_eq!(stripped(&["net._orig_mod.a", "b"]), ["net.a", "b"]);
        assert!(stripped(&[]).is_empty());
    }
}
