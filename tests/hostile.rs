//! Files that are damaged, lie or mean harm: one line each, exit 1, little memory, nothing written.
//!
//! `PRUNEPHASE_BLESS=1 cargo test hostile` writes the lines anew: read them before they are committed.

#[path = "support/torch_file.rs"]
pub mod torch_file;

use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use torch_file::{Entry, dict, floats, pickle, tensor, text, torch_entries, torch_file, zip};

/// A safetensors file of a header and data.
fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// One of tensors (name, type, shape, data).
fn tensors(all: &[(&str, &str, &str, Vec<u8>)]) -> Vec<u8> {
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for (name, dtype, shape, bytes) in all {
        let ends = format!("[{},{}]", data.len(), data.len() + bytes.len());
        header.push(format!("\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{ends}}}"));
        data.extend(bytes);
    }
    safetensors(&format!("{{{}}}", header.join(",")), &data)
}

fn f32s(
    name: &'static str,
    shape: &'static str,
    values: &[f32],
) -> (&'static str, &'static str, &'static str, Vec<u8>) {
    (name, "F32", shape, floats(values))
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn weight() -> Vec<u8> {
    tensor("FloatStorage", "0", 6, 0, &[2, 3], &[3, 1])
}

/// A torch file whose state dict has one weight and what else is given.
fn state(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    torch_file(&pickle(&dict(items)), &[("0", floats(&[1.0; 6]))])
}

fn one(value: Vec<u8>) -> Vec<u8> {
    state(&[("fc.weight", value)])
}

type Files = Vec<(&'static str, Vec<u8>)>;

fn safetensors_files() -> Files {
    let good = tensors(&[f32s("fc.weight", "[2,3]", &[1.0; 6])]);
    let name = |name: &str| tensors(&[(name, "F32", "[2,3]", floats(&[1.0; 6]))]);
    let metadata = |json: &str| {
        let json = serde_json::to_string(json).unwrap();
        safetensors(&format!("{{\"__metadata__\":{{\"prunephase\":{json}}}}}"), &[])
    };
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(4000), "]".repeat(4000));
    let plain = [f32s("fc.weight", "[2,3]", &[1.0; 6])];
    let with = |more: (&'static str, &'static str, &'static str, Vec<u8>)| tensors(&[plain[0].clone(), more]);
    vec![
        ("st-empty", vec![]),
        ("st-seven-bytes", vec![0; 7]),
        ("st-header-of-2-to-the-63", [vec![255; 8], good[8..].to_vec()].concat()),
        ("st-header-longer-than-the-file", safetensors("{}", &[])[..9].to_vec()),
        ("st-header-no-json", safetensors("no json", &[])),
        ("st-header-nested-4000-deep", safetensors(&deep, &[])),
        ("st-cut-short", good[..good.len() - 1].to_vec()),
        ("st-bytes-added", [good.clone(), vec![0]].concat()),
        (
            "st-offsets-beyond-the-end",
            safetensors("{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", &[0; 4]),
        ),
        (
            "st-offsets-backwards",
            safetensors("{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}", &[0; 8]),
        ),
        (
            "st-tensors-overlap",
            safetensors(
                "{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                &[0; 4],
            ),
        ),
        (
            "st-shape-overflows",
            safetensors(
                "{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[18446744073709551615,2],\"data_offsets\":[0,0]}}",
                &[],
            ),
        ),
        (
            "st-size-is-not-the-shape",
            safetensors("{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", &[0; 8]),
        ),
        (
            "st-unknown-type",
            safetensors("{\"a.weight\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}", &[0; 4]),
        ),
        (
            "st-name-twice",
            safetensors(
                "{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[4,8]}}",
                &[0; 8],
            ),
        ),
        ("st-no-tensors", safetensors("{}", &[])),
        ("st-no-layers", tensors(&[f32s("fc.bias", "[2]", &[1.0; 2])])),
        ("st-control-in-name", name("fc\\n.weight")),
        ("st-name-of-4000-bytes", name(&format!("{}.weight", "n".repeat(4000)))),
        ("st-nan", tensors(&[f32s("fc.weight", "[1,2]", &[1.0, f32::NAN])])),
        ("st-infinity", tensors(&[f32s("fc.weight", "[1,2]", &[f32::NEG_INFINITY, 1.0])])),
        ("st-f64-beyond-f32", tensors(&[("fc.weight", "F64", "[1,1]", 1e300f64.to_le_bytes().to_vec())])),
        ("st-weight-of-integers", tensors(&[("fc.weight", "I32", "[1,1]", vec![1, 0, 0, 0])])),
        ("st-layer-without-outputs", with(f32s("x.weight", "[0,2]", &[]))),
        ("st-mask-holds-2", with(("fc.weight_mask", "U8", "[2,3]", vec![1, 1, 1, 1, 2, 1]))),
        ("st-mask-holds-one-half", with(f32s("fc.weight_mask", "[2,3]", &[0.5; 6]))),
        ("st-mask-of-another-shape", with(f32s("fc.weight_mask", "[3,2]", &[1.0; 6]))),
        ("st-mask-prunes-what-is-there", with(f32s("fc.weight_mask", "[2,3]", &[0.0; 6]))),
        ("st-mask-without-weight", with(f32s("x.weight_mask", "[2,3]", &[1.0; 6]))),
        ("st-orig-without-mask", tensors(&[f32s("fc.weight_orig", "[2,3]", &[1.0; 6])])),
        ("st-orig-beside-weight", with(f32s("fc.weight_orig", "[2,3]", &[1.0; 6]))),
        ("st-bias-of-another-length", with(f32s("fc.bias", "[3]", &[1.0; 3]))),
        ("st-layers-that-do-not-join", with(f32s("x.weight", "[2,5]", &[1.0; 10]))),
        (
            "st-two-orders",
            tensors(&[
                f32s("a.weight", "[2,2]", &[1.0; 4]),
                f32s("b.weight", "[2,2]", &[1.0; 4]),
                f32s("c.weight", "[2,1]", &[1.0; 2]),
            ]),
        ),
        ("st-convolution-in-1-dimension", with(f32s("x.weight", "[1,1,2]", &[1.0; 2]))),
        ("st-metadata-no-json", metadata("{")),
        ("st-metadata-without-network", metadata("{\"kind\":\"level\"}")),
        (
            "st-metadata-wiring-that-lies",
            metadata(
                "{\"network\":{\"architecture\":\"a\",\"width\":0,\"input\":{\"channels\":1,\"height\":1,\"width\":1},\"classes\":1,\"layers\":[],\
                 \"wiring\":{\"layers\":[],\"groups\":[{\"name\":\"a\",\"size\":99999999999,\"role\":\"input\"}],\"blocks\":[]}}}",
            ),
        ),
    ]
}

fn torch_files() -> Files {
    let good = one(weight());
    let storage = || vec![("0", floats(&[1.0; 6]))];
    let entries = || torch_entries(&pickle(&dict(&[("fc.weight", weight())])), &storage());
    let change = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut all = entries();
        change(&mut all);
        zip(&all, None)
    };
    let named = |name: &str| change(&|all| all.push(Entry::new(name, b"x")));
    let call = |module: &str, name: &str| {
        let mut bytes = format!("c{module}\n{name}\n(").into_bytes();
        bytes.extend(text("touch /tmp/owned"));
        bytes.extend(b"tR");
        torch_file(&pickle(&bytes), &[])
    };
    let raw = |bytes: &[u8]| torch_file(bytes, &storage());
    let view = |numbers, offset, shape: &[i64], strides: &[i64]| {
        one(tensor("FloatStorage", "0", numbers, offset, shape, strides))
    };
    // }q0 X"a" h0 s .
    let cyclic = [b"\x80\x02}q\x00".to_vec(), text("a"), b"h\x00s.".to_vec()].concat();
    // Each dict holds the one before twice.
    let mut doubled = b"\x80\x02".to_vec();
    doubled.extend(dict(&[("w", weight())]));
    for level in 0..14u8 {
        doubled.extend([b'q', level, b'0', b'}', b'(']);
        for key in ["a", "b"] {
            doubled.extend(text(key));
            doubled.extend([b'h', level]);
        }
        doubled.push(b'u');
    }
    doubled.push(b'.');
    let mut shared = b"\x80\x02}(".to_vec();
    shared.extend(text("t"));
    shared.extend(tensor("FloatStorage", "0", 2400, 0, &[40, 60], &[60, 1]));
    shared.extend(b"q\x00");
    for number in 0..200 {
        shared.extend(text(&format!("l{number}.weight")));
        shared.extend(b"h\x00");
    }
    shared.extend(b"u.");
    let mut bomb = Entry::new("archive/data/0", &[0; 50]);
    (bomb.method, bomb.length) = (8, Some(50));
    vec![
        ("pt-cut-short", good[..good.len() - 30].to_vec()),
        ("pt-only-a-signature", b"PK\x03\x04".to_vec()),
        ("pt-half", good[..good.len() / 2].to_vec()),
        ("pt-no-pickle", zip(&[Entry::new("archive/version", b"3")], None)),
        ("pt-two-pickles", named("other/data.pkl")),
        ("pt-npz", zip(&[Entry::new("a.npy", b"")], None)),
        ("pt-65000-entries-promised", zip(&entries(), Some(65000))),
        ("pt-entry-outside", change(&|all| all[2].at = Some(1 << 30))),
        ("pt-entry-too-long", change(&|all| all[2].length = Some(1 << 30))),
        ("pt-entries-overlap", change(&|all| all[3].at = Some(0))),
        ("pt-path-up", named("archive/../../etc/passwd")),
        ("pt-path-absolute", named("/etc/passwd")),
        ("pt-path-of-windows", named("archive\\..\\x")),
        ("pt-path-of-a-drive", named("C:x")),
        ("pt-entry-twice", named("archive/version")),
        ("pt-bomb", change(&|all| all[2] = bomb.clone())),
        ("pt-encrypted", change(&|all| all[2].flags = 1)),
        ("pt-wrong-checksum", change(&|all| all[2].bad_crc = true)),
        ("pt-big-endian", change(&|all| all[1].data = b"big".to_vec())),
        ("pt-script", named("archive/constants.pkl")),
        (
            "pt-legacy",
            [vec![0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e], vec![0; 40]]
                .concat(),
        ),
        ("pt-bare-pickle", pickle(&dict(&[("a", text("b")), ("c", text("d"))]))),
        ("pt-tar", [vec![b'a'; 257], b"ustar".to_vec(), vec![0; 300]].concat()),
        ("pt-calls-os-system", call("os", "system")),
        ("pt-calls-posix-system", call("posix", "system")),
        ("pt-calls-eval", call("builtins", "eval")),
        ("pt-calls-getattr", call("builtins", "getattr")),
        ("pt-calls-popen", call("subprocess", "Popen")),
        ("pt-calls-torch-hub", call("torch.hub", "load")),
        ("pt-calls-by-stack", raw(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.")),
        ("pt-calls-by-old-opcode", raw(b"(ios\nsystem\n.")),
        ("pt-calls-in-an-optimiser", state(&[("fc.weight", weight()), ("x", b"cos\nsystem\n)R".to_vec())])),
        ("pt-extension-opcode", raw(b"\x80\x02\x82\x01.")),
        ("pt-cyclic", raw(&cyclic)),
        ("pt-dicts-doubled", raw(&doubled)),
        ("pt-empty-pickle", raw(b"")),
        ("pt-no-stop", raw(b"\x80\x02}")),
        ("pt-stack-empty", raw(b"\x80\x02s.")),
        ("pt-no-mark", raw(b"\x80\x02}u.")),
        ("pt-memo-missing", raw(b"\x80\x02h\x07.")),
        ("pt-text-of-4-gigabytes", raw(b"\x80\x02X\xff\xff\xff\xffa.")),
        ("pt-text-not-utf8", raw(b"\x80\x02X\x01\x00\x00\x00\xff.")),
        ("pt-protocol-9", raw(b"\x80\x09}.")),
        ("pt-whole-model", raw(b"\x80\x02cproject\nNet\n)\x81}b.")),
        ("pt-a-list", raw(b"\x80\x02].")),
        ("pt-one-tensor", raw(&pickle(&weight()))),
        ("pt-no-tensors", raw(&pickle(&dict(&[("epoch", text("3"))])))),
        ("pt-optimiser-alone", raw(&pickle(&dict(&[("optimizer", dict(&[("a", weight())]))])))),
        (
            "pt-two-state-dicts",
            state(&[("state_dict", dict(&[("fc.weight", weight())])), ("model", dict(&[("fc.weight", weight())]))]),
        ),
        (
            "pt-two-dicts",
            state(&[("net", dict(&[("fc.weight", weight())])), ("ema", dict(&[("fc.weight", weight())]))]),
        ),
        ("pt-key-twice", state(&[("fc.weight", weight()), ("fc.weight", weight())])),
        ("pt-storage-missing", one(tensor("FloatStorage", "7", 6, 0, &[2, 3], &[3, 1]))),
        ("pt-storage-up", one(tensor("FloatStorage", "../../x", 6, 0, &[2, 3], &[3, 1]))),
        ("pt-storage-of-a-billion", view(1 << 30, 0, &[2, 3], &[3, 1])),
        ("pt-storage-negative", view(-1, 0, &[2, 3], &[3, 1])),
        ("pt-view-beyond", view(6, 1, &[2, 3], &[3, 1])),
        ("pt-view-expanded", view(6, 0, &[1 << 20, 1 << 10], &[0, 0])),
        ("pt-view-overflows", view(6, i64::MAX, &[2, 3], &[i64::MAX, i64::MAX])),
        ("pt-size-negative", view(6, 0, &[-2, 3], &[3, 1])),
        ("pt-sizes-and-strides", view(6, 0, &[2, 3], &[3])),
        ("pt-nine-dimensions", view(6, 0, &[1; 9], &[1; 9])),
        ("pt-quantised", one(tensor("QInt8Storage", "0", 6, 0, &[2, 3], &[3, 1]))),
        ("pt-complex", one(tensor("ComplexFloatStorage", "0", 6, 0, &[2, 3], &[3, 1]))),
        ("pt-untyped", one(tensor("UntypedStorage", "0", 24, 0, &[2, 3], &[3, 1]))),
        ("pt-integers", one(tensor("IntStorage", "0", 6, 0, &[2, 3], &[3, 1]))),
        ("pt-storage-shared-200-times", torch_file(&shared, &[("0", floats(&[1.0; 2400]))])),
        ("pt-tensor-without-storage", raw(&pickle(b"ctorch._utils\n_rebuild_tensor_v2\n(K\x00K\x00))tR"))),
        ("pt-tensor-of-one-argument", raw(&pickle(b"ctorch._utils\n_rebuild_tensor_v2\n(K\x00tR"))),
        ("pt-nan", torch_file(&pickle(&dict(&[("fc.weight", weight())])), &[("0", floats(&[f32::NAN; 6]))])),
    ]
}

fn npy_files() -> Files {
    let header =
        |descr: &str, shape: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let good = npy(&header("'<f4'", "(2, 3)"), &floats(&[1.0; 6]));
    vec![
        ("npy-not-numpy", b"hello".to_vec()),
        ("npy-cut-short", good[..good.len() - 4].to_vec()),
        ("npy-cut-in-header", good[..30].to_vec()),
        ("npy-version-9", [b"\x93NUMPY\x09\x00".to_vec(), vec![0; 20]].concat()),
        ("npy-header-of-4-gigabytes", [b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), vec![0; 20]].concat()),
        ("npy-objects", npy(&header("'|O'", "(2, 3)"), &[0; 48])),
        ("npy-big-endian", npy(&header("'>f4'", "(2, 3)"), &floats(&[1.0; 6]))),
        ("npy-fields", npy(&header("[('a', '<f4')]", "(2, 3)"), &floats(&[1.0; 6]))),
        ("npy-shape-lies", npy(&header("'<f4'", "(2, 300)"), &floats(&[1.0; 6]))),
        ("npy-shape-overflows", npy(&header("'<f4'", "(18446744073709551615, 3)"), &floats(&[1.0; 6]))),
        ("npy-shape-negative", npy(&header("'<f4'", "(-2, 3)"), &floats(&[1.0; 6]))),
        ("npy-no-shape", npy("{'descr': '<f4', 'fortran_order': False}\n", &floats(&[1.0; 6]))),
        ("npy-no-order", npy("{'descr': '<f4', 'shape': (2, 3)}\n", &floats(&[1.0; 6]))),
        ("npy-nan", npy(&header("'<f4'", "(1, 1)"), &floats(&[f32::NAN]))),
    ]
}

fn mask_files() -> Files {
    vec![
        ("mask-of-nothing-there", tensors(&[f32s("other.weight", "[2,3]", &[1.0; 6])])),
        ("mask-of-another-shape", tensors(&[f32s("fc.weight", "[3,2]", &[1.0; 6])])),
        ("mask-of-thirds", tensors(&[f32s("fc.weight", "[2,3]", &[0.3; 6])])),
        ("mask-file-cut-short", tensors(&[f32s("fc.weight", "[2,3]", &[1.0; 6])])[..40].to_vec()),
        ("mask-file-empty", safetensors("{}", &[])),
    ]
}

fn toml_files() -> Files {
    let parts = |layers: &str| format!("name = \"a\"\noutput = \"o\"\n[[parts]]\nlayers = [{layers}]\n").into_bytes();
    vec![
        ("toml-no-toml", b"name = ".to_vec()),
        ("toml-not-utf8", vec![0xff, 0xfe, b'=']),
        ("toml-neither", b"name = \"a\"\n".to_vec()),
        ("toml-nested-4000-deep", format!("a = {}1{}", "[".repeat(4000), "]".repeat(4000)).into_bytes()),
        ("toml-unknown-key", parts("{ tensor = \"fc.weight\", from = \"input\", to = \"o\", size = 3 }")),
        ("toml-no-target", parts("{ tensor = \"fc.weight\", from = \"input\" }")),
        ("toml-zero-parts", parts("{ tensor = \"fc.weight\", from = \"input\", to = \"o\", parts = 0 }")),
        ("toml-missing-tensor", parts("{ tensor = \"x\", from = \"input\", to = \"o\" }")),
        ("toml-reads-what-nothing-gives", parts("{ tensor = \"fc.weight\", from = \"x\", to = \"o\" }")),
        ("toml-odd-parts", parts("{ tensor = \"fc.weight\", from = \"input\", to = \"o\", parts = 4 }")),
        ("toml-heads-unknown", parts("{ tensor = \"fc.weight\", from = \"input\", to = \"o\", heads = true }")),
        ("toml-no-output", parts("{ tensor = \"fc.weight\", from = \"input\", to = \"x\" }")),
        ("toml-units", b"name = \"a\"\n[[layers]]\nkind = \"linear\"\nname = \"fc\"\nunits = \"W4\"\n".to_vec()),
        (
            "toml-kernel-too-large",
            b"name = \"a\"\n[[layers]]\nkind = \"convolution\"\nname = \"fc\"\nunits = 2\nkernel = 9\n".to_vec(),
        ),
    ]
}

fn csv_files() -> Files {
    vec![
        ("csv-empty", vec![]),
        ("csv-header-alone", b"x,y\n".to_vec()),
        ("csv-no-column", b"x,z\n1,2\n".to_vec()),
        ("csv-ragged", b"x,y\n1,2,3\n".to_vec()),
        ("csv-not-a-number", b"x,y\n1,two\n".to_vec()),
        ("csv-nan", b"x,y\n1,NaN\n".to_vec()),
        ("csv-column-twice", b"x,x,y\n1,2,3\n".to_vec()),
        ("csv-not-utf8", b"x,y\n1,\xff\n".to_vec()),
        ("csv-open-quote", b"x,y\n1,\"2\n".to_vec()),
        ("csv-long-field", [b"x,y\n1,".to_vec(), vec![b'9'; 100_000], b"\n".to_vec()].concat()),
    ]
}

fn idx_files() -> Files {
    let gzip = |bytes: &[u8]| {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let mut bomb = vec![0, 0, 8, 1, 0, 0, 0, 5];
    bomb.resize(4_000_000, 0);
    vec![
        ("idx-empty", vec![]),
        ("idx-no-idx", b"hello".to_vec()),
        ("idx-floats", vec![0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]),
        ("idx-nine-dimensions", vec![0, 0, 8, 9]),
        ("idx-cut-short", vec![0, 0, 8, 1, 0, 0, 0, 5, 1, 2]),
        ("idx-sizes-overflow", [vec![0, 0, 8, 4], vec![255; 16]].concat()),
        ("idx-bytes-added", vec![0, 0, 8, 1, 0, 0, 0, 1, 1, 2]),
        ("idx-bomb", gzip(&bomb)),
        ("idx-gzip-cut", gzip(&[0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5])[..20].to_vec()),
    ]
}

/// Runs the program with little memory, 600 MB of addresses with its threads, and gives its one line.
fn line(name: &str, folder: &Path, arguments: &[&str]) -> String {
    let before = listing(folder);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 600000; exec \"$0\" \"$@\""]).arg(cargo_bin!("prunephase")).args(arguments);
    let output = command.current_dir(folder).env("RUST_BACKTRACE", "0").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{name}: {err}");
    assert!(output.stdout.is_empty(), "{name}");
    assert_eq!(err.lines().count(), 1, "{name}: {err}");
    assert!(err.len() < 600, "{name}: {} bytes", err.len());
    assert_eq!(listing(folder), before, "{name}: something was written");
    err.trim_end().replace(&format!("{}/", folder.display()), "")
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    prunephase::files::below(folder).unwrap()
}

#[test]
fn hostile_files_are_one_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("good.safetensors"), tensors(&[f32s("fc.weight", "[2,3]", &[1.0; 6])])).unwrap();
    let mut lines = Vec::new();
    let mut run = |name: &str, file: &str, bytes: &[u8], arguments: &[&str]| {
        std::fs::create_dir_all(at(file).parent().unwrap()).unwrap();
        std::fs::write(at(file), bytes).unwrap();
        lines.push(format!("{name}: {}", line(name, folder.path(), arguments)));
        std::fs::remove_file(at(file)).unwrap();
    };
    for (name, bytes) in safetensors_files() {
        run(name, "bad.safetensors", &bytes, &["percolate", "bad.safetensors", "--out", "new/out.csv"]);
    }
    for (name, bytes) in torch_files() {
        run(name, "bad.pt", &bytes, &["percolate", "bad.pt", "--out", "out.csv"]);
    }
    for (name, bytes) in npy_files() {
        run(name, "bad/fc.weight.npy", &bytes, &["inspect", "bad"]);
    }
    run("npy-empty-folder", "bad/readme.txt", b"", &["inspect", "bad"]);
    run("npy-one-file", "bad.npy", &npy("{}", &[]), &["inspect", "bad.npy"]);
    for (name, bytes) in mask_files() {
        run(
            name,
            "bad.safetensors",
            &bytes,
            &["topology", "good.safetensors", "--masks", "bad.safetensors", "--out", "o.csv"],
        );
    }
    for (name, bytes) in toml_files() {
        run(
            name,
            "bad.toml",
            &bytes,
            &["graph", "good.safetensors", "--network", "bad.toml", "--format", "csv", "--out", "o.csv"],
        );
    }
    for (name, bytes) in csv_files() {
        run(name, "bad.csv", &bytes, &["fit", "bad.csv", "--control", "x", "--value", "y"]);
    }
    for (name, bytes) in idx_files() {
        lines.push(format!("{name}: {}", prunephase::data::Idx::parse(&bytes).unwrap_err()));
    }
    assert!(lines.len() >= 60, "{}", lines.len());
    let found = format!("{}\n", lines.join("\n"));
    let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile.txt");
    if std::env::var_os("PRUNEPHASE_BLESS").is_some() {
        std::fs::write(&snapshot, &found).unwrap();
    }
    let blessed = std::fs::read_to_string(&snapshot).unwrap_or_default();
    for (found, blessed) in found.lines().zip(blessed.lines()) {
        assert_eq!(found, blessed);
    }
    assert_eq!(found, blessed);
}
