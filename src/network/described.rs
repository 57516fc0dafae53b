//! A description of either kind, told by its keys.

use std::path::Path;

use super::{Architecture, NetworkError, WiringDescription};
use crate::files;

/// A description of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Described {
    /// A chain with feature maps: `[[layers]]`.
    Chain(Architecture),
    /// Groups of nodes joined by tensors: `[[parts]]`.
    Wired(WiringDescription),
}

impl Described {
    /// One built in by its name, or one from a file whose name ends in `.toml`.
    ///
    /// # Errors
    /// [`NetworkError::Unknown`] with the names there are; [`NetworkError::Description`]; a file that
    /// cannot be read.
    ///
    /// ```
    /// use prunephase::network::Described;
    /// assert!(matches!(Described::load("cnn5")?, Described::Chain(_)));
    /// assert!(matches!(Described::load("gpt2")?, Described::Wired(_)));
    /// # Ok::<(), prunephase::Error>(())
    /// ```
    pub fn load(name_or_path: &str) -> crate::Result<Self> {
        if name_or_path.ends_with(".toml") {
            let text = files::read_text(Path::new(name_or_path))?;
            return Ok(Self::parse(name_or_path, &text)?);
        }
        if let Some(wired) = WiringDescription::built_in(name_or_path) {
            return Ok(Self::Wired(wired?));
        }
        let chain = Architecture::built_in(name_or_path).map_err(|error| match error {
            NetworkError::Unknown { name, known } => {
                let wired: Vec<&str> = WiringDescription::built_in_names().collect();
                NetworkError::Unknown { name, known: format!("{known}, {}", wired.join(", ")) }
            }
            other => other,
        });
        Ok(Self::Chain(chain?))
    }

    /// Reads a description; `origin` is only named in errors.
    ///
    /// # Errors
    /// [`NetworkError::Description`].
    pub fn parse(origin: &str, text: &str) -> Result<Self, NetworkError> {
        let table: toml::Table = toml::from_str(text).map_err(|error| super::toml_error(origin, text, &error))?;
        if table.contains_key("parts") {
            return WiringDescription::parse(origin, text).map(Self::Wired);
        }
        if table.contains_key("layers") {
            return Architecture::parse(origin, text).map(Self::Chain);
        }
        let message = "neither [[layers]] (a chain) nor [[parts]] (groups joined by tensors)".to_owned();
        Err(NetworkError::Description { origin: origin.to_owned(), message })
    }
}
