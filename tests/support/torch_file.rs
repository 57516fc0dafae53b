//! Files of torch.save in code, right ones and wrong ones.

#![allow(dead_code)]

use flate2::Crc;

/// An entry of a zip file, and what is said about it.
#[derive(Clone)]
pub struct Entry {
    pub name: String,
    pub data: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    /// Instead of the length of the data.
    pub length: Option<u32>,
    /// Instead of where it is.
    pub at: Option<u32>,
    /// Whether its checksum is wrong.
    pub bad_crc: bool,
}

impl Entry {
    pub fn new(name: &str, data: &[u8]) -> Self {
        let (name, data) = (name.to_owned(), data.to_vec());
        Self { name, data, method: 0, flags: 0, length: None, at: None, bad_crc: false }
    }
}

/// The bytes of a zip file; `count` is the promised number of entries.
pub fn zip(entries: &[Entry], count: Option<u16>) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let mut crc = Crc::new();
        crc.update(&entry.data);
        let crc = crc.sum() ^ u32::from(entry.bad_crc);
        let length = entry.length.unwrap_or(entry.data.len() as u32);
        let at = entry.at.unwrap_or(file.len() as u32);
        let mut common = Vec::new();
        for field in [20u16, entry.flags, entry.method, 0, 0] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc, length, length] {
            common.extend(field.to_le_bytes());
        }
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend(0u16.to_le_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(entry.name.as_bytes());
        file.extend(&entry.data);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0u8; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let start = file.len() as u32;
    file.extend(&directory);
    let count = count.unwrap_or(entries.len() as u16);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

/// A text as a pickle holds it.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = vec![b'X'];
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

pub fn int(value: i64) -> Vec<u8> {
    let mut bytes = vec![0x8a, 8];
    bytes.extend(value.to_le_bytes());
    bytes
}

fn tuple(values: &[i64]) -> Vec<u8> {
    let mut bytes = vec![b'('];
    values.iter().for_each(|&value| bytes.extend(int(value)));
    bytes.push(b't');
    bytes
}

/// A tensor on a storage.
pub fn tensor(class: &str, storage: &str, numbers: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let mut bytes = b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec();
    bytes.extend(text("storage"));
    bytes.extend(format!("ctorch\n{class}\n").bytes());
    bytes.extend(text(storage));
    bytes.extend(text("cpu"));
    bytes.extend(int(numbers));
    bytes.extend(b"tQ");
    bytes.extend(int(offset));
    bytes.extend(tuple(shape));
    bytes.extend(tuple(strides));
    bytes.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    bytes
}

/// A dict of pickled values.
pub fn dict(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"}(".to_vec();
    for (key, value) in items {
        bytes.extend(text(key));
        bytes.extend(value);
    }
    bytes.push(b'u');
    bytes
}

/// A whole pickle of a value.
pub fn pickle(value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, 2];
    bytes.extend(value);
    bytes.push(b'.');
    bytes
}

/// A file of torch.save with this pickle and these storages.
pub fn torch_file(pickle: &[u8], storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    zip(&torch_entries(pickle, storages), None)
}

pub fn torch_entries(pickle: &[u8], storages: &[(&str, Vec<u8>)]) -> Vec<Entry> {
    let mut entries = vec![Entry::new("archive/data.pkl", pickle), Entry::new("archive/byteorder", b"little")];
    entries.extend(storages.iter().map(|(key, data)| Entry::new(&format!("archive/data/{key}"), data)));
    entries.push(Entry::new("archive/version", b"3\n"));
    entries
}

/// Floats as bytes.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
