//! Files written whole or not at all, and their checksums.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// Reading failed.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed; nothing of the file was changed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FileError {
    /// A failure to read `path`.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_path_buf(), source }
    }

    /// A failure to write `path`.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_path_buf(), source }
    }
}

/// How the names of unfinished files begin.
const UNFINISHED: &str = ".writing-";

/// The folder that holds `path`, `.` for a bare name.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes `path` through a temporary name beside it, syncs it and renames it, so that a reader, or
/// the next run after a killed one, sees the old file or the new one and never a part. Missing
/// folders are made.
///
/// # Errors
/// [`FileError::Write`] where the folder cannot be made or the disk refuses; an old file stays.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("new/a.txt");
/// prunephase::files::write_atomically(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), FileError> {
    let mut file = NewFile::create(path)?;
    write(&mut file).map_err(|source| FileError::write(path, source))?;
    file.finish()
}

/// Writes `path` as [`write_atomically`] does, but leaves it to [`sync_all_below`] that it survives a
/// failure of power: for thousands of small files, each of which would otherwise wait for the disk.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_unsynced(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), FileError> {
    let mut file = NewFile::create(path)?;
    write(&mut file).map_err(|source| FileError::write(path, source))?;
    file.persist(false)
}

/// Waits until everything below `folder` is on its disk: all of its file system at once where the system can.
///
/// # Errors
/// [`FileError::Write`] where the disk refuses.
pub fn sync_all_below(folder: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::write(folder, source);
    #[cfg(target_os = "linux")]
    {
        let root = File::open(folder).map_err(failed)?;
        rustix::fs::syncfs(root).map_err(|error| failed(error.into()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        for path in below(folder)? {
            File::open(&path).and_then(|file| file.sync_all()).map_err(failed)?;
        }
        Ok(())
    }
}

/// A file that is written piece by piece under a temporary name, and is there under its own once it
/// is finished, as [`write_atomically`] does; dropped before, it leaves nothing.
#[derive(Debug)]
pub struct NewFile {
    buffered: io::BufWriter<tempfile::NamedTempFile>,
    path: PathBuf,
}

impl NewFile {
    /// Begins a file. Missing folders are made.
    ///
    /// # Errors
    /// [`FileError::Write`] where the folder cannot be made or the disk refuses.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let attempt = || -> io::Result<tempfile::NamedTempFile> {
            let parent = parent_of(path);
            fs::create_dir_all(parent)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(UNFINISHED);
            // tempfile makes files that only their owner reads; results are for everybody.
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(fs::Permissions::from_mode(0o644));
            }
            builder.tempfile_in(parent)
        };
        let temporary = attempt().map_err(|source| FileError::write(path, source))?;
        Ok(Self { buffered: io::BufWriter::new(temporary), path: path.to_path_buf() })
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the file and gives it its name, in place of an old one.
    ///
    /// # Errors
    /// [`FileError::Write`] where the disk refuses; an old file stays.
    pub fn finish(self) -> Result<(), FileError> {
        self.persist(true)
    }

    fn persist(self, sync: bool) -> Result<(), FileError> {
        let Self { buffered, path } = self;
        let attempt = || -> io::Result<()> {
            let temporary = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
            if sync {
                temporary.as_file().sync_all()?;
            }
            temporary.persist(&path).map_err(|error| error.error)?;
            // The rename itself is durable only once its folder is.
            #[cfg(unix)]
            if sync {
                File::open(parent_of(&path))?.sync_all()?;
            }
            Ok(())
        };
        attempt().map_err(|source| FileError::write(&path, source))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffered.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffered.flush()
    }
}

/// Every file below `folder`, sorted by path.
///
/// # Errors
/// [`FileError::Read`] where a folder cannot be read.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(|source| FileError::read(folder, source))?;
    for entry in entries {
        let path = entry.map_err(|source| FileError::read(folder, source))?.path();
        if path.is_dir() {
            found.extend(below(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name is that of a temporary file of [`write_atomically`].
pub fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
}

/// Removes what killed runs left unfinished in `folder` itself: temporary files of [`write_atomically`].
/// The caller sees to it that nobody writes there meanwhile. A folder that is not there holds none.
///
/// # Errors
/// [`FileError`] where the folder cannot be read or a file not removed.
pub fn remove_unfinished(folder: &Path) -> Result<(), FileError> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(|source| FileError::read(folder, source))? {
        let path = entry.map_err(|source| FileError::read(folder, source))?.path();
        if is_unfinished(&path) {
            fs::remove_file(&path).map_err(|source| FileError::write(&path, source))?;
        }
    }
    Ok(())
}

/// Reads a whole file.
///
/// # Errors
/// [`FileError::Read`] with the path.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| FileError::read(path, source))
}

/// Reads a whole text file.
///
/// # Errors
/// [`FileError::Read`] with the path, also where the bytes are not UTF-8.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|source| FileError::read(path, source))
}

/// The BLAKE3 checksum of a file, in hexadecimal.
///
/// # Errors
/// [`FileError::Read`] with the path.
pub fn checksum(path: &Path) -> Result<String, FileError> {
    let attempt = || -> io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(path)?;
        let mut buffer = vec![0u8; 1 << 16];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(hasher.finalize().to_hex().to_string());
            }
            hasher.update(&buffer[..read]);
        }
    };
    attempt().map_err(|source| FileError::read(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        write_atomically(&path, |file| file.write_all(b"old")).unwrap();
        let error = write_atomically(&path, |file| {
            file.write_all(b"new, but only a part")?;
            Err(io::Error::other("disk full"))
        })
        .unwrap_err();
        assert!(error.to_string().contains("table.csv"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a/.writing-1", "a/b/.writing-2", "a/table.csv"] {
            write_atomically(&at(name), |_| Ok(())).unwrap();
        }
        remove_unfinished(&at("a")).unwrap();
        remove_unfinished(&at("none")).unwrap();
        assert_eq!(below(folder.path()).unwrap(), [at("a/b/.writing-2"), at("a/table.csv")]);
    }

    #[test]
    fn checksum_is_blake3() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        write_atomically(&path, |_| Ok(())).unwrap();
        // The published hash of the empty input.
        assert_eq!(checksum(&path).unwrap(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }
}
