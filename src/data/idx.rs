//! IDX, the format of MNIST: bytes 0, 0, type, number of dimensions; each size as a big-endian u32;
//! then the numbers, row by row. Gzipped or not, told by the first bytes.

use std::fmt::Write as _;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use md5::{Digest, Md5};

/// The type byte of unsigned bytes, the only one that is read.
const UNSIGNED_BYTE: u8 = 0x08;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Deflate never makes more than this many bytes out of one (1032, rounded up).
const LARGEST_EXPANSION: u64 = 1040;

/// An IDX file of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    dimensions: Vec<usize>,
    /// The decompressed file, header included.
    raw: Vec<u8>,
}

/// The sizes in a header, and the length of the whole file that they promise.
fn promise(header: &[u8]) -> Result<(Vec<usize>, u64), String> {
    let sizes = header.get(4..).unwrap_or_default().as_chunks::<4>().0;
    let dimensions: Vec<usize> = sizes.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
    let total = dimensions.iter().try_fold(1u64, |product, &size| product.checked_mul(size as u64));
    match total.and_then(|total| total.checked_add(header.len() as u64)) {
        Some(total) => Ok((dimensions, total)),
        None => Err(format!("its header promises {dimensions:?} bytes, more than any file holds")),
    }
}

fn exactly(reader: &mut impl Read, length: u64, raw: &mut Vec<u8>) -> Result<(), String> {
    let before = raw.len();
    reader.take(length).read_to_end(raw).map_err(|error| format!("damaged: {error}"))?;
    let found = (raw.len() - before) as u64;
    if found < length {
        return Err(format!("cut short: {found} bytes where {length} more are needed"));
    }
    Ok(())
}

impl Idx {
    /// Reads a file's bytes, gzipped or not. No more memory is taken than the file's length
    /// allows, whatever its header says.
    ///
    /// # Errors
    /// One line: not IDX, another type than unsigned bytes, fewer or more bytes than the header
    /// promises, damaged gzip.
    ///
    /// ```
    /// use prunephase::data::Idx;
    /// let idx = Idx::parse(&[0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9])?;
    /// assert_eq!((idx.dimensions(), idx.data()), (&[3][..], &[7, 8, 9][..]));
    /// assert!(Idx::parse(&[0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9, 0]).is_err());
    /// # Ok::<(), String>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(&GZIP) {
            Self::read(MultiGzDecoder::new(bytes), (bytes.len() as u64).saturating_mul(LARGEST_EXPANSION))
        } else {
            Self::read(bytes, bytes.len() as u64)
        }
    }

    /// Reads from `reader`, which gives at most `most` bytes.
    fn read(mut reader: impl Read, most: u64) -> Result<Self, String> {
        let mut raw = Vec::new();
        exactly(&mut reader, 4, &mut raw)?;
        let count = match raw[..] {
            [0, 0, UNSIGNED_BYTE, count @ 1..=4] => count,
            [0, 0, UNSIGNED_BYTE, count] => return Err(format!("IDX of {count} dimensions; 1 to 4 are read")),
            [0, 0, kind, _] => {
                return Err(format!("IDX of type {kind:#04x}; unsigned bytes ({UNSIGNED_BYTE:#04x}) are read"));
            }
            _ => return Err(format!("not an IDX file: it starts with {raw:?} instead of [0, 0, 8, dimensions]")),
        };
        exactly(&mut reader, 4 * u64::from(count), &mut raw)?;
        let (dimensions, total) = promise(&raw)?;
        if total > most {
            return Err(format!(
                "cut short: its header promises {dimensions:?}, {total} bytes, and at most {most} can be there"
            ));
        }
        exactly(&mut reader, total - raw.len() as u64, &mut raw)?;
        // Reading beyond the end also makes the decoder compare gzip's own checksum.
        let mut beyond = [0u8];
        match reader.read(&mut beyond) {
            Ok(0) => Ok(Self { dimensions, raw }),
            Ok(_) => Err(format!("its header promises {dimensions:?}, {total} bytes, but more follow")),
            Err(error) => Err(format!("damaged: {error}")),
        }
    }

    /// The sizes, images first.
    pub fn dimensions(&self) -> &[usize] {
        &self.dimensions
    }

    /// The numbers, row by row.
    pub fn data(&self) -> &[u8] {
        &self.raw[4 + 4 * self.dimensions.len()..]
    }

    /// The md5 of the decompressed file, in hexadecimal.
    pub fn md5(&self) -> String {
        md5_of(&self.raw)
    }
}

/// The md5 of some bytes, in hexadecimal.
pub(super) fn md5_of(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    #[test]
    fn gzip_and_plain_are_the_same() {
        let plain = idx(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        let read = Idx::parse(&plain).unwrap();
        assert_eq!(read.dimensions(), [2, 3]);
        assert_eq!(read.data(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(Idx::parse(&gzip(&plain)).unwrap(), read);
    }

    #[test]
    fn md5_by_its_published_values() {
        assert_eq!(md5_of(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_of(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn headers_that_lie_are_refused_before_memory_is_taken() {
        let huge = idx(&[u32::MAX, u32::MAX], &[0; 10]);
        assert!(Idx::parse(&huge).unwrap_err().contains("cut short"));
        assert!(Idx::parse(&gzip(&huge)).unwrap_err().contains("cut short"));
        assert!(Idx::parse(&idx(&[u32::MAX; 4], &[])).unwrap_err().contains("more than any file holds"));
        // A bomb: the header promises little and the stream goes on for 100 MB.
        let mut bomb = idx(&[5], &[0; 5]);
        bomb.resize(100_000_000, 0);
        assert!(Idx::parse(&gzip(&bomb)).unwrap_err().contains("but more follow"));
    }

    #[test]
    fn wrong_kinds_are_named() {
        assert!(Idx::parse(&[0, 0, 0x0d, 1, 0, 0, 0, 0]).unwrap_err().contains("type 0x0d"));
        assert!(Idx::parse(&[0, 0, 8, 9, 0, 0, 0, 0]).unwrap_err().contains("9 dimensions"));
        assert!(Idx::parse(b"<html>").unwrap_err().contains("not an IDX file"));
    }

    #[test]
    fn every_truncation_is_refused_and_no_flipped_bit_changes_what_gzip_holds() {
        let plain = idx(&[40, 5], &(0..200).collect::<Vec<u8>>());
        for bytes in [&plain, &gzip(&plain)] {
            for length in 0..bytes.len() {
                assert!(Idx::parse(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
            }
            let longer = [&bytes[..], &[0]].concat();
            assert!(Idx::parse(&longer).is_err());
        }
        let zipped = gzip(&plain);
        // A few bits of deflate do not matter; none may change the data unseen.
        let right = Idx::parse(&plain).unwrap();
        for bit in 0..8 * zipped.len() {
            let mut wrong = zipped.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = Idx::parse(&wrong) {
                assert_eq!(read, right, "bit {bit}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn random_bytes_never_panic(
            start in prop_oneof![Just(vec![]), Just(vec![0u8, 0, 8]), Just(vec![0x1f, 0x8b, 8]), Just(vec![0x1f, 0x8b, 8, 0])],
            rest in proptest::collection::vec(any::<u8>(), 0..200),
            zipped in any::<bool>(),
        ) {
            let bytes = [start, rest].concat();
            let bytes = if zipped { gzip(&bytes) } else { bytes };
            if let Ok(idx) = Idx::parse(&bytes) {
                prop_assert_eq!(idx.data().len(), idx.dimensions().iter().product::<usize>());
            }
        }
    }
}
