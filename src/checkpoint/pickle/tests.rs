use super::*;

fn message(bytes: &[u8]) -> String {
    parse(bytes).unwrap_err()
}

/// torch.FloatStorage "0" of 6 numbers, as a 2 x 3 tensor.
const TENSOR: &[u8] = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQK\x00K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\n)RtR";

#[test]
fn a_state_dict_by_hand() {
    let mut bytes = b"\x80\x02ccollections\nOrderedDict\n)Rq\x00(X\x01\x00\x00\x00w".to_vec();
    bytes.extend(TENSOR);
    bytes.extend(b"X\x05\x00\x00\x00epochJ\xfe\xff\xff\xffu}b.");
    let pickle = parse(&bytes).unwrap();
    let Value::Dict(items) = pickle.get(pickle.root) else { panic!("{}", pickle.describe(pickle.root)) };
    assert_eq!(items.len(), 2);
    assert!(matches!(pickle.get(items[0].0), Value::Text("w")));
    let Value::Tensor(tensor) = pickle.get(items[0].1) else { panic!("{}", pickle.describe(items[0].1)) };
    assert_eq!((tensor.storage, tensor.numbers, tensor.kind), ("0", 6, Kind::Known(Dtype::F32)));
    assert_eq!((tensor.offset, &tensor.shape[..], &tensor.strides[..]), (0, &[2, 3][..], &[3, 1][..]));
    assert!(matches!(pickle.get(items[1].1), Value::Int(-2)));
}

#[test]
fn what_is_not_known_is_opaque() {
    let pickle = parse(b"\x80\x02cargparse\nNamespace\n)\x81}X\x01\x00\x00\x00aK\x01sb.").unwrap();
    assert_eq!(pickle.describe(pickle.root), "an object of `argparse.Namespace`");
}

#[test]
fn nothing_is_called() {
    for (module, name) in [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("subprocess", "Popen")] {
        let bytes = format!("c{module}\n{name}\n(X\u{4}\0\0\0truetR.");
        let expected = format!("calls `{module}.{name}`, which a checkpoint has no use for; nothing was executed");
        assert!(message(bytes.as_bytes()).starts_with(&expected), "{}", message(bytes.as_bytes()));
    }
    // The same by STACK_GLOBAL and by NEWOBJ.
    assert!(message(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.").contains("calls `os.system`"));
    assert!(message(b"cos\nsystem\n)\x81.").contains("calls `os.system`"));
    // Protocol 0's way to make objects is not known at all.
    assert!(message(b"(cos\nsystem\nX\x04\0\0\0trueo.").contains("opcode 0x6f"));
}

#[test]
fn broken_pickles_are_one_line() {
    assert!(message(b"").contains("ends without STOP"));
    assert!(message(b".").contains("empty stack"));
    assert!(message(b"(K\x01t0.").contains("empty stack"));
    assert!(message(b"t.").contains("needs a mark"));
    assert!(message(b"(0t.").contains("needs a mark"));
    assert!(message(b"h\x07.").contains("recalls value 7"));
    assert!(message(b"\x80\x09.").contains("protocol 9"));
    assert!(message(b"X\xff\xff\xff\xffabc").contains("cut short"));
    assert!(message(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc").contains("cut short"));
    assert!(message(b"NNs.").contains("empty stack"));
    assert!(message(b"NNNs.").contains("what is no dict"));
    assert!(message(b"}(Nu.").contains("a key without a value"));
    assert!(message(b"NN\x85R.").contains("calls what is no function"));
    assert!(message(b"X\x01\0\0\0aQ.").contains("in a way that torch.save does not"));
}

#[test]
fn values_stay_small() {
    assert!(size_of::<Value<'_>>() <= 40, "{}", size_of::<Value<'_>>());
}
