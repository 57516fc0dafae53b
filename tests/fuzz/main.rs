//! Valid files mutated by a seeded generator, for every reader: no panic, and memory bounded by the
//! file's size. A few thousand executions a reader; `PRUNEPHASE_FUZZ_SECONDS=300 cargo test --test fuzz
//! -- --nocapture --test-threads 1` goes on for so long with each. Files that once broke a reader are in
//! `corpus/` and run first.

#![allow(clippy::unwrap_used)]

#[path = "../support/torch_file.rs"]
mod torch_file;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use prunephase::checkpoint::{Checkpoint, ReadOptions};
use prunephase::data::Idx;
use prunephase::network::{Described, Shapes};
use prunephase::seed::{Seeds, Stream};
use prunephase::table::Table;
use torch_file::{dict, floats, pickle, tensor, torch_file};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Readers take turns: memory is counted for one at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Executions of each reader in the ordinary tests.
const EXECUTIONS: u64 = 4000;

/// Bytes of memory for each byte of a file, and beside them.
const MULTIPLE: usize = 128;
const BESIDE: usize = 1 << 20;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(root().join("fixtures").join(path)).unwrap()
}

/// Numbers that break bounds.
const ODD: [u64; 12] = [0, 1, 7, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, u64::MAX];

/// One to six changes: bits, bytes, odd numbers, runs copied, cut or moved, digits, pieces of another file.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], stream: &mut Stream) {
    for _ in 0..=stream.below(6) {
        if bytes.is_empty() {
            bytes.push(stream.below(256) as u8);
        }
        let at = stream.below(bytes.len() as u64) as usize;
        let run = (1 + stream.below(16)) as usize;
        let end = (at + run).min(bytes.len());
        match stream.below(10) {
            0 => bytes[at] ^= 1 << stream.below(8),
            1 => bytes[at] = stream.below(256) as u8,
            2 => {
                let number = ODD[stream.below(ODD.len() as u64) as usize].to_le_bytes();
                let width = [1, 2, 4, 8][stream.below(4) as usize];
                let width = width.min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = stream.below(bytes.len() as u64 + 1) as usize;
                bytes.splice(to..to, copy);
            }
            4 => {
                bytes.drain(at..end);
            }
            5 => bytes.truncate(at),
            6 => {
                if let Some(digit) = (at..bytes.len()).find(|&at| bytes[at].is_ascii_digit()) {
                    bytes[digit] = b'0' + stream.below(10) as u8;
                }
            }
            7 => bytes.splice(at..at, vec![b'9'; run]).for_each(drop),
            8 if !other.is_empty() => {
                let from = stream.below(other.len() as u64) as usize;
                let piece = other[from..(from + 4 * run).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes[at] = bytes[at].wrapping_add(1),
        }
    }
}

/// Runs a reader on mutations of `seeds`. `size` is what the reader is given for a mutation.
fn fuzz(name: &str, seeds: &[Vec<u8>], read: impl Fn(&[u8]) -> (usize, Result<(), String>)) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let seconds = std::env::var("PRUNEPHASE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (mut accepted, mut executions, mut most) = (0u64, 0u64, 0.0f64);
    let mut once = |bytes: &[u8]| {
        let measured = || {
            MEMORY.reset_peak_usage();
            let before = MEMORY.current_usage();
            let read = read(bytes);
            (MEMORY.peak_usage().saturating_sub(before), read)
        };
        let (mut used, (size, result)) = measured();
        let bound = MULTIPLE * size + BESIDE;
        // The count is that of the whole process, in which other tests begin and end: what a reader takes, it
        // takes every time.
        for _ in 0..8 {
            if used > bound {
                std::thread::sleep(Duration::from_millis(20));
                used = used.min(measured().0);
            }
        }
        if used > bound {
            std::fs::write(std::env::temp_dir().join(format!("prunephase-{name}.bin")), bytes).unwrap();
            panic!("{name}: {used} bytes for a file of {size}");
        }
        most = most.max(used.saturating_sub(BESIDE / 4) as f64 / size.max(1) as f64);
        match result {
            Ok(()) => accepted += 1,
            Err(message) => assert!(!message.contains('\n') && message.len() < 4000, "{name}: {message}"),
        }
    };
    let corpus = root().join("tests/fuzz/corpus");
    for path in prunephase::files::below(&corpus).unwrap_or_default() {
        if path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&format!("{name}-"))) {
            once(&std::fs::read(path).unwrap());
        }
    }
    seeds.iter().for_each(|seed| once(seed));
    loop {
        let done = until.map_or(executions >= EXECUTIONS, |until| Instant::now() >= until);
        if done {
            break;
        }
        let mut stream = Seeds::new(executions, 0).within(name).stream("fuzz");
        let mut bytes = seeds[stream.below(seeds.len() as u64) as usize].clone();
        let other = &seeds[stream.below(seeds.len() as u64) as usize];
        mutate(&mut bytes, other, &mut stream);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| once(&bytes)));
        if let Err(panic) = result {
            let path = std::env::temp_dir().join(format!("prunephase-{name}-{executions}.bin"));
            std::fs::write(&path, &bytes).unwrap();
            eprintln!("{name}: execution {executions}, in {}", path.display());
            std::panic::resume_unwind(panic);
        }
        executions += 1;
    }
    eprintln!("{name}: {executions} executions, {accepted} files read, at most {most:.1} bytes of memory a byte");
}

/// A reader on files that ask for as much memory as they can.
fn worst(name: &str, files: &[Vec<u8>], read: impl Fn(&[u8]) -> Result<(), String>) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (place, bytes) in files.iter().enumerate() {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let _ = read(bytes);
        let used = MEMORY.peak_usage().saturating_sub(before);
        let multiple = used as f64 / bytes.len() as f64;
        eprintln!("{name} {place}: {multiple:.1} bytes of memory a byte");
        assert!(used <= MULTIPLE * bytes.len() + BESIDE, "{name} {place}: {multiple}");
    }
}

#[test]
fn files_made_to_take_memory() {
    // Just above a power of two, where what grows by doubling holds the most.
    let many = |piece: &[u8]| pickle(&piece.repeat(((1 << 20) + 9) / piece.len()));
    let pickles =
        [&b"]"[..], b"}", b")", b"K\x01\x85", b"N", b"(", b"K\x01K\x02\x86", b"N\x94", b"ca\nb\n)R", b"X\0\0\0\0"];
    let mut files: Vec<Vec<u8>> = pickles.iter().map(|piece| torch_file(&many(piece), &[])).collect();
    let header: Vec<String> = (0..20_000)
        .map(|n| format!("\"{n}.weight\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"))
        .collect();
    let header = format!("{{{}}}", header.join(","));
    files.push([(header.len() as u64).to_le_bytes().to_vec(), header.into_bytes()].concat());
    let entries: Vec<torch_file::Entry> = (0..10_000).map(|n| torch_file::Entry::new(&n.to_string(), b"")).collect();
    files.push(torch_file::zip(&entries, None));
    worst("checkpoint", &files, checkpoint);
    let rows = [b"x\n".to_vec(), b"1\n".repeat((1 << 18) + 1)].concat();
    let columns = [b",".repeat(1 << 18), b"\n".to_vec(), b",".repeat(1 << 18)].concat();
    worst("csv", &[rows, columns], |bytes| {
        Table::parse(Path::new("a.csv"), bytes).map(|_| ()).map_err(|error| error.to_string())
    });
}

/// Reads a checkpoint; what is read can be written and read again.
fn checkpoint(bytes: &[u8]) -> Result<(), String> {
    let options = ReadOptions { heads: Some(4), ..ReadOptions::default() };
    let read = Checkpoint::from_bytes(bytes.to_vec(), &options).map_err(|error| error.to_string())?;
    read.mask.verify(&read.parameters).unwrap();
    assert!(read.parameters.layers.iter().flat_map(|layer| &layer.weight).all(|w| w.is_finite()));
    Ok(())
}

#[test]
fn safetensors() {
    let files = ["percolation/thin.safetensors", "pytorch/gpt2-masks.safetensors"];
    let mut seeds: Vec<Vec<u8>> = files.iter().map(|path| fixture(path)).collect();
    seeds.retain(|seed| seed.len() < 60_000);
    seeds.push(wired());
    fuzz("safetensors", &seeds, |bytes| (bytes.len(), checkpoint(bytes)));
}

/// A small file of ours with a wiring.
fn wired() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    Checkpoint::from_bytes(small_torch(), &ReadOptions::default()).unwrap().write(&path).unwrap();
    std::fs::read(path).unwrap()
}

fn small_pickle() -> Vec<u8> {
    let of = |storage: &str, shape: &[i64], strides: &[i64]| {
        tensor("FloatStorage", storage, shape.iter().product(), 0, shape, strides)
    };
    pickle(&dict(&[
        ("conv.weight", of("0", &[2, 1, 3, 3], &[9, 9, 3, 1])),
        ("fc.weight", of("1", &[3, 8], &[1, 3])),
        ("fc.bias", of("2", &[3], &[1])),
        ("norm.weight", of("2", &[3], &[1])),
    ]))
}

fn storages() -> [(&'static str, Vec<u8>); 3] {
    [("0", floats(&[0.5; 18])), ("1", floats(&[0.25; 24])), ("2", floats(&[1.0; 3]))]
}

fn small_torch() -> Vec<u8> {
    torch_file(&small_pickle(), &storages())
}

#[test]
fn torch_zip() {
    let seeds = ["prune-local.pt", "nested.pth", "zeros.pt", "whole.pt", "legacy.pt", "open-lth-mask.pth"];
    let mut seeds: Vec<Vec<u8>> = seeds.iter().map(|path| fixture(&format!("pytorch/{path}"))).collect();
    seeds.push(small_torch());
    fuzz("torch_zip", &seeds, |bytes| (bytes.len(), checkpoint(bytes)));
}

/// The pickle of a file of torch.save, which stands first in it.
fn pickle_of(file: &[u8]) -> Vec<u8> {
    let end =
        file.windows(4).skip(4).position(|window| window == b"PK\x03\x04" || window == b"PK\x07\x08").unwrap() + 4;
    let start = file.windows(2).position(|window| window == b"\x80\x02").unwrap();
    let whole = &file[start..end];
    let stop = whole.iter().rposition(|&byte| byte == b'.').unwrap();
    whole[..=stop].to_vec()
}

#[test]
fn torch_pickle() {
    let files = ["prune-local.pt", "nested.pth", "cnn.pt", "resnet.pth", "whole.pt"];
    let mut seeds: Vec<Vec<u8>> = files.iter().map(|path| pickle_of(&fixture(&format!("pytorch/{path}")))).collect();
    seeds.push(small_pickle());
    fuzz("torch_pickle", &seeds, |bytes| {
        // The checksums are right, so that every change reaches the machine.
        let file = torch_file(bytes, &storages());
        (file.len(), checkpoint(&file))
    });
}

#[test]
fn npy() {
    let folder = tempfile::tempdir().unwrap();
    let seeds = ["fc1.weight", "fc2.weight", "fc3.weight_mask", "fc1.bias"];
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|name| fixture(&format!("pytorch/arrays/{name}.npy"))).collect();
    fuzz("npy", &seeds, |bytes| {
        std::fs::write(folder.path().join("fc1.weight.npy"), bytes).unwrap();
        (bytes.len(), Checkpoint::read(folder.path()).map(|_| ()).map_err(|error| error.to_string()))
    });
}

#[test]
fn masks() {
    let folder = tempfile::tempdir().unwrap();
    let (file, mask) = (root().join("fixtures/pytorch/open-lth.pth"), folder.path().join("mask.pth"));
    let beside = std::fs::metadata(&file).unwrap().len() as usize;
    let options = ReadOptions { masks: Some(mask.clone()), ..ReadOptions::default() };
    fuzz("masks", &[fixture("pytorch/open-lth-mask.pth"), fixture("pytorch/gpt2-masks.safetensors")], |bytes| {
        std::fs::write(&mask, bytes).unwrap();
        let read = Checkpoint::read_with(&file, &options);
        (bytes.len() + beside, read.map(|_| ()).map_err(|error| error.to_string()))
    });
}

#[test]
fn idx() {
    let mut plain = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
    plain.extend(0..24);
    let seeds = [plain, fixture("digits/digits-labels-idx1-ubyte.gz")];
    // Deflate makes at most 1,040 bytes of one.
    fuzz("idx", &seeds, |bytes| {
        let zipped = bytes.starts_with(&[0x1f, 0x8b]);
        let size = if zipped { bytes.len() * 1040 / MULTIPLE } else { bytes.len() };
        (size, Idx::parse(bytes).map(|_| ()))
    });
}

#[test]
fn csv() {
    let seeds = [
        fixture("figure/run/tables/levels.csv")[..4000].to_vec(),
        b"x,y,\"z\"\n1,2.5,\"a \"\"b\"\"\"\n3,,c\n".to_vec(),
    ];
    fuzz("csv", &seeds, |bytes| {
        let read = Table::parse(Path::new("a.csv"), bytes).and_then(|table| {
            for column in table.columns().to_vec() {
                table.texts(&column)?;
                table.optional_numbers(&column)?;
            }
            Ok(())
        });
        (bytes.len(), read.map_err(|error| error.to_string()))
    });
}

#[test]
fn descriptions() {
    let folder = root().join("src/network/descriptions");
    let seeds: Vec<Vec<u8>> =
        prunephase::files::below(&folder).unwrap().iter().map(|path| std::fs::read(path).unwrap()).collect();
    let shapes: [(&str, &[usize]); 7] = [
        ("conv1.weight", &[4, 3, 3, 3]),
        ("layer1.0.conv1.weight", &[4, 4, 3, 3]),
        ("layer1.0.conv2.weight", &[4, 4, 3, 3]),
        ("fc.weight", &[2, 4]),
        ("linear.weight", &[2, 4]),
        ("h.0.attn.c_attn.weight", &[8, 24]),
        ("h.0.attn.c_proj.weight", &[8, 8]),
    ];
    let shapes: Shapes = shapes.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect();
    fuzz("descriptions", &seeds, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let read = Described::parse("a.toml", &text).and_then(|described| match described {
            Described::Wired(wired) => wired.wiring(&shapes, Some(4)).map(|wiring| wiring.check().unwrap()),
            Described::Chain(chain) => {
                chain.network(1, prunephase::network::FeatureShape::image(1, 28, 28), 10).map(|_| ())
            }
        });
        (bytes.len(), read.map_err(|error| error.to_string()))
    });
}
