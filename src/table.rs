//! Tidy CSV tables: a header, one row an observation, floats in their shortest exact form.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::files::{self, FileError, NewFile};

/// A table could not be read, or has the wrong columns or values.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not a CSV table.
    #[error("{}: not a CSV table: {source}", path.display())]
    Csv {
        /// The table.
        path: PathBuf,
        /// What the CSV reader said, with the line.
        source: csv::Error,
    },
    /// A column that is asked for is not there.
    #[error("{}: no column `{column}`; its columns are {columns}", path.display())]
    NoColumn {
        /// The table.
        path: PathBuf,
        /// The column that was asked for.
        column: String,
        /// The columns that are there.
        columns: String,
    },
    /// A value is not a finite number.
    #[error("{}: line {line}, column `{column}`: `{value}` is not a finite number", path.display())]
    NotANumber {
        /// The table.
        path: PathBuf,
        /// The line in the file, the header being line 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// Two columns have one name.
    #[error("{}: two columns are named `{column}`; each needs a name of its own", path.display())]
    Twice {
        /// The table.
        path: PathBuf,
        /// Their name.
        column: String,
    },
    /// The table has a header and nothing below it.
    #[error("{}: no rows below the header", path.display())]
    Empty {
        /// The table.
        path: PathBuf,
    },
}

/// A text of a file as a message shows it: on one line, and cut where it is long.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A CSV table in memory, as text, with typed access by column.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
    lines: Vec<u64>,
}

impl Table {
    /// Reads a table that has at least one row.
    ///
    /// # Errors
    /// [`TableError`] where the file cannot be read, is not CSV (rows of different lengths are
    /// not) or has no rows.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let bytes = files::read(path)?;
        Self::parse(path, &bytes)
    }

    /// As [`Table::read`], from bytes; `path` is only named in errors.
    ///
    /// # Errors
    /// As [`Table::read`].
    ///
    /// ```
    /// use prunephase::table::Table;
    /// let table = Table::parse("a.csv".as_ref(), b"density,accuracy\n0.5,0.97\n")?;
    /// assert_eq!(table.numbers("accuracy")?, [0.97]);
    /// assert!(table.numbers("loss").is_err());
    /// # Ok::<(), prunephase::table::TableError>(())
    /// ```
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, TableError> {
        let csv_error = |source| TableError::Csv { path: path.to_path_buf(), source };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let columns: Vec<String> = reader.headers().map_err(csv_error)?.iter().map(str::to_owned).collect();
        let mut names: Vec<&String> = columns.iter().filter(|name| !name.is_empty()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TableError::Twice { path: path.to_path_buf(), column: shown(pair[0]) });
        }
        let mut rows = Vec::new();
        let mut lines = Vec::new();
        for record in reader.records() {
            let record = record.map_err(csv_error)?;
            lines.push(record.position().map_or(0, csv::Position::line));
            rows.push(record);
        }
        if rows.is_empty() {
            return Err(TableError::Empty { path: path.to_path_buf() });
        }
        Ok(Self { path: path.to_path_buf(), columns, rows, lines })
    }

    /// The file this table came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether a column of that name exists.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// The number of rows, at least one.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    fn index(&self, column: &str) -> Result<usize, TableError> {
        self.columns.iter().position(|name| name == column).ok_or_else(|| TableError::NoColumn {
            path: self.path.clone(),
            column: shown(column),
            columns: self.columns.iter().take(40).map(|name| shown(name)).collect::<Vec<_>>().join(", "),
        })
    }

    /// A column as text.
    ///
    /// # Errors
    /// [`TableError::NoColumn`].
    pub fn texts(&self, column: &str) -> Result<Vec<&str>, TableError> {
        let index = self.index(column)?;
        Ok(self.rows.iter().map(|row| &row[index]).collect())
    }

    /// A column as finite numbers.
    ///
    /// # Errors
    /// [`TableError::NoColumn`]; [`TableError::NotANumber`] with the line of the first value that
    /// is empty, not a number, infinite or NaN.
    pub fn numbers(&self, column: &str) -> Result<Vec<f64>, TableError> {
        let texts = self.texts(column)?;
        texts.iter().zip(&self.lines).map(|(text, &line)| self.number(column, text, line)).collect()
    }

    /// A column as finite numbers, `None` where the cell is empty.
    ///
    /// # Errors
    /// As [`Table::numbers`], but for empty cells.
    pub fn optional_numbers(&self, column: &str) -> Result<Vec<Option<f64>>, TableError> {
        let texts = self.texts(column)?;
        texts
            .iter()
            .zip(&self.lines)
            .map(|(text, &line)| (!text.is_empty()).then(|| self.number(column, text, line)).transpose())
            .collect()
    }

    fn number(&self, column: &str, text: &str, line: u64) -> Result<f64, TableError> {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => {
                Err(TableError::NotANumber { path: self.path.clone(), line, column: shown(column), value: shown(text) })
            }
        }
    }
}

/// The bytes of a table with the fields of `rows` as its columns.
///
/// # Errors
/// [`TableError::Csv`] where a row does not serialise to a flat record; `path` is only named.
pub fn to_bytes<T: Serialize>(path: &Path, rows: impl IntoIterator<Item = T>) -> Result<Vec<u8>, TableError> {
    let csv_error = |source| TableError::Csv { path: path.to_path_buf(), source };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(csv_error)?;
    }
    writer.into_inner().map_err(|error| csv_error(csv::Error::from(error.into_error())))
}

/// Writes rows to `path`, whole or not at all, as they come; the columns are named after the fields of
/// `T`.
///
/// # Errors
/// [`TableError`] where the disk refuses.
pub fn write_rows<T: Serialize>(path: &Path, rows: impl IntoIterator<Item = T>) -> Result<(), TableError> {
    let mut writer = RowWriter::create(path)?;
    rows.into_iter().try_for_each(|row| writer.push(&row))?;
    writer.finish()
}

/// A table that is written row by row; it is there once it is finished, whole or not at all.
///
/// ```
/// use prunephase::table::RowWriter;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.csv");
/// #[derive(serde::Serialize)]
/// struct Row { density: f64 }
/// let mut writer = RowWriter::create(&path)?;
/// writer.push(&Row { density: 0.5 })?;
/// assert!(!path.exists());
/// writer.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "density\n0.5\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RowWriter {
    csv: csv::Writer<NewFile>,
    path: PathBuf,
    rows: usize,
}

impl RowWriter {
    /// Begins a table.
    ///
    /// # Errors
    /// [`TableError`] where the disk refuses.
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let csv = csv::Writer::from_writer(NewFile::create(path)?);
        Ok(Self { csv, path: path.to_path_buf(), rows: 0 })
    }

    fn error(path: &Path) -> impl FnOnce(csv::Error) -> TableError + '_ {
        move |source| {
            if source.is_io_error() {
                FileError::write(path, source.into()).into()
            } else {
                TableError::Csv { path: path.to_path_buf(), source }
            }
        }
    }

    /// Adds a row; the fields of the first name the columns.
    ///
    /// # Errors
    /// [`TableError::Csv`] where it does not serialise to a flat record, else where the disk refuses.
    pub fn push<T: Serialize>(&mut self, row: &T) -> Result<(), TableError> {
        self.csv.serialize(row).map_err(Self::error(&self.path))?;
        self.rows += 1;
        Ok(())
    }

    /// The number of rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Gives the table its name.
    ///
    /// # Errors
    /// [`TableError`] where the disk refuses; an old file stays.
    pub fn finish(self) -> Result<(), TableError> {
        let path = self.path;
        let file = self.csv.into_inner().map_err(|error| Self::error(&path)(csv::Error::from(error.into_error())))?;
        Ok(file.finish()?)
    }
}

/// Reads rows whose columns are named after the fields of `T`.
///
/// # Errors
/// [`TableError::Csv`] with the line where a column is missing or a value does not parse.
pub fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, TableError> {
    let bytes = files::read(path)?;
    csv::Reader::from_reader(bytes.as_slice())
        .deserialize()
        .collect::<Result<Vec<T>, csv::Error>>()
        .map_err(|source| TableError::Csv { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        name: String,
        value: f64,
    }

    #[test]
    fn floats_survive_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let rows: Vec<Row> =
            [0.1, 1.0 / 3.0, 5e-324, 1e300, -0.0].iter().map(|&value| Row { name: "a, \"b\"".into(), value }).collect();
        write_rows(&path, &rows).unwrap();
        let read: Vec<Row> = read_rows(&path).unwrap();
        assert_eq!(read, rows);
    }

    #[test]
    fn errors_name_file_line_and_column() {
        let table = Table::parse("t.csv".as_ref(), b"a,b\n1,2\n3,x\n").unwrap();
        assert_eq!(table.numbers("a").unwrap(), [1.0, 3.0]);
        assert_eq!(
            table.numbers("b").unwrap_err().to_string(),
            "t.csv: line 3, column `b`: `x` is not a finite number"
        );
        assert_eq!(table.numbers("c").unwrap_err().to_string(), "t.csv: no column `c`; its columns are a, b");
        let gaps = Table::parse("t.csv".as_ref(), b"a,b\n1,\n,x\n").unwrap();
        assert_eq!(gaps.optional_numbers("a").unwrap(), [Some(1.0), None]);
        assert!(gaps.optional_numbers("b").is_err());
        let nan = Table::parse("t.csv".as_ref(), b"a\nNaN\n").unwrap();
        assert!(nan.numbers("a").is_err());
        assert!(Table::parse("t.csv".as_ref(), b"a,b\n1\n").is_err());
        assert_eq!(
            Table::parse("t.csv".as_ref(), b"a,b\n").unwrap_err().to_string(),
            "t.csv: no rows below the header"
        );
    }
}
