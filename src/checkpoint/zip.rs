//! The directory of a zip file, as torch.save writes one: entries that are stored, not compressed.
//!
//! Nothing is unpacked to a disk and nothing is inflated, so that names cannot lead anywhere and no
//! entry is larger than the file.

use std::collections::BTreeMap;
use std::ops::Range;

use flate2::Crc;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// Where each entry's bytes are.
#[derive(Debug)]
pub(super) struct Zip<'a> {
    bytes: &'a [u8],
    entries: BTreeMap<&'a str, Entry>,
}

#[derive(Debug)]
struct Entry {
    data: Range<usize>,
    crc: u32,
    /// Why its bytes cannot be read.
    refused: Option<&'static str>,
}

/// Little-endian numbers at places of a slice; `None` beyond its end.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn at(bytes: &'a [u8], at: usize, length: usize) -> Option<Self> {
        bytes.get(at..at.checked_add(length)?).map(Self)
    }

    fn u16(self, at: usize) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes(*self.0.get(at..)?.first_chunk()?)))
    }

    fn u32(self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    fn u64(self, at: usize) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(*self.0.get(at..)?.first_chunk()?)).ok()
    }
}

/// Number of entries, and the place and length of the directory.
fn directory(bytes: &[u8]) -> Option<(usize, usize, usize)> {
    // A comment of at most 65,535 bytes follows the record of 22.
    let from = bytes.len().saturating_sub(22 + usize::from(u16::MAX));
    let end = from + bytes[from..].windows(4).rposition(|window| window == END)?;
    let record = Fields::at(bytes, end, 22)?;
    let (count, size, start) = (record.u16(10)?, record.u32(12)?, record.u32(16)?);
    if count < usize::from(u16::MAX) && size < u32::MAX && start < u32::MAX {
        return Some((count, start as usize, size as usize));
    }
    let locator = Fields::at(bytes, end.checked_sub(20)?, 20).filter(|locator| locator.0.starts_with(&LOCATOR_64))?;
    let record = Fields::at(bytes, locator.u64(8)?, 56).filter(|record| record.0.starts_with(&END_64))?;
    Some((record.u64(32)?, record.u64(48)?, record.u64(40)?))
}

/// The sizes and the place of an entry, with those of its zip64 field where they are all ones.
fn extended(fields: Fields<'_>, extra: &[u8]) -> Option<(usize, usize, usize)> {
    let short = [fields.u32(24)?, fields.u32(20)?, fields.u32(42)?];
    let mut long = [0; 3];
    let mut wide: &[u8] = &[];
    let mut rest = extra;
    while rest.len() >= 4 {
        let (kind, length) = (Fields(rest).u16(0)?, Fields(rest).u16(2)?);
        let body = rest.get(4..4 + length)?;
        if kind == 1 {
            wide = body;
        }
        rest = &rest[4 + length..];
    }
    let mut at = 0;
    for (short, long) in short.into_iter().zip(&mut long) {
        if short < u32::MAX {
            *long = short as usize;
        } else {
            *long = Fields(wide).u64(at)?;
            at += 8;
        }
    }
    Some((long[0], long[1], long[2]))
}

impl<'a> Zip<'a> {
    /// Reads the directory. O(file), and about 100 bytes an entry, each of which takes at least 46.
    ///
    /// One line where the file is cut short, an entry lies outside it or over another's bytes, has a name
    /// twice or one that leads out of a folder.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let cut = || "cut short or damaged: the zip directory at its end cannot be read".to_owned();
        let (count, start, size) = directory(bytes).ok_or_else(cut)?;
        let mut rest = start.checked_add(size).and_then(|end| bytes.get(start..end)).ok_or_else(cut)?;
        if count > size / 46 {
            return Err(format!("its zip directory promises {count} entries in {size} bytes"));
        }
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let fields = Fields::at(rest, 0, 46).filter(|fields| fields.0.starts_with(&ENTRY)).ok_or_else(cut)?;
            let lengths = || Some((fields.u16(28)?, fields.u16(30)?, fields.u16(32)?));
            let (name, extra, comment) = lengths().ok_or_else(cut)?;
            let tail = rest.get(46..46 + name + extra + comment).ok_or_else(cut)?;
            let (name, extra) = (&tail[..name], &tail[name..name + extra]);
            rest = &rest[46 + tail.len()..];
            let name = std::str::from_utf8(name).map_err(|_| "a zip entry's name is not UTF-8".to_owned())?;
            let wrong = |what: &str| format!("zip entry `{}` {what}", name.escape_debug());
            let leads_out = name.starts_with('/')
                || name.contains(['\\', ':'])
                || name.split('/').any(|part| matches!(part, ".." | "."))
                || name.chars().any(char::is_control);
            if leads_out || name.is_empty() || name.len() > 1024 {
                return Err(wrong("has a name that no model file has"));
            }
            let (flags, method) = (fields.u16(8).ok_or_else(cut)?, fields.u16(10).ok_or_else(cut)?);
            let refused = match (flags & 1, method) {
                (1, _) => Some("is encrypted"),
                (_, 0) => None,
                _ => Some("is compressed; torch.save stores its entries as they are"),
            };
            let (length, stored, at) = extended(fields, extra).ok_or_else(|| wrong("has sizes that cannot be read"))?;
            if length != stored && refused.is_none() {
                return Err(wrong(&format!("is stored in {stored} bytes but has {length}")));
            }
            let outside = || wrong(&format!("({stored} bytes at {at}) lies outside the file of {}", bytes.len()));
            let local = Fields::at(bytes, at, 30).filter(|local| local.0.starts_with(&LOCAL)).ok_or_else(outside)?;
            let first = || at.checked_add(30)?.checked_add(local.u16(26)?)?.checked_add(local.u16(28)?);
            let first = first().ok_or_else(outside)?;
            let end = first.checked_add(stored).filter(|&end| end <= start).ok_or_else(outside)?;
            let crc = fields.u32(16).ok_or_else(cut)?;
            if entries.insert(name, Entry { data: first..end, crc, refused }).is_some() {
                return Err(wrong("is there twice"));
            }
        }
        let mut spans: Vec<(&Range<usize>, &str)> =
            entries.iter().map(|(name, entry)| (&entry.data, *name)).filter(|(data, _)| !data.is_empty()).collect();
        spans.sort_by_key(|(data, _)| data.start);
        if let Some(pair) = spans.windows(2).find(|pair| pair[0].0.end > pair[1].0.start) {
            return Err(format!("zip entries `{}` and `{}` lie over each other", pair[0].1, pair[1].1));
        }
        Ok(Self { bytes, entries })
    }

    /// Whether there is an entry of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The names of the entries.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.entries.keys().copied()
    }

    /// The bytes of an entry, once its checksum is right; `None` where there is none of that name. One line
    /// where it is compressed, encrypted or damaged.
    pub(super) fn entry(&self, name: &str) -> Option<Result<&'a [u8], String>> {
        let entry = self.entries.get(name)?;
        if let Some(refused) = entry.refused {
            return Some(Err(format!("zip entry `{name}` {refused}")));
        }
        let data = &self.bytes[entry.data.clone()];
        let mut crc = Crc::new();
        crc.update(data);
        Some(if crc.sum() == entry.crc {
            Ok(data)
        } else {
            Err(format!("damaged: zip entry `{name}` has not the checksum that the directory promises"))
        })
    }
}
