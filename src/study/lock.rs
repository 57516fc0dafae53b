//! Locks of tasks: the system's own file locks, which a killed runner loses.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::files::FileError;

/// A lock that is held until it is dropped, or its process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

fn open(path: &Path) -> Result<File, FileError> {
    let attempt = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        File::options().create(true).append(true).open(path)
    };
    attempt().map_err(|source| FileError::write(path, source))
}

impl Lock {
    /// Takes the lock; `None` where another runner holds it.
    pub(super) fn try_take(path: &Path) -> Result<Option<Self>, FileError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(FileError::write(path, source)),
        }
    }

    /// Takes the lock, and waits where another runner holds it.
    pub(super) fn take(path: &Path) -> Result<Self, FileError> {
        let file = open(path)?;
        file.lock().map_err(|source| FileError::write(path, source))?;
        Ok(Self { _file: file })
    }

    /// Whether a runner holds it now. Makes no file.
    pub(super) fn is_held(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/task.lock");
        assert!(!Lock::is_held(&path));
        let first = Lock::try_take(&path).unwrap().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none());
        assert!(Lock::is_held(&path));
        drop(first);
        assert!(!Lock::is_held(&path));
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
