use super::*;

fn shapes(tensors: &[(&str, &[usize])]) -> Shapes {
    tensors.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
}

fn built_in(name: &str) -> WiringDescription {
    WiringDescription::built_in(name).unwrap().unwrap()
}

#[test]
fn every_description_built_in_is_valid() {
    for name in WiringDescription::built_in_names() {
        assert_eq!(built_in(name).name, name);
    }
    assert!(WiringDescription::built_in("resnet1").is_none());
}

#[test]
fn a_residual_network_by_hand() {
    let shapes = shapes(&[
        ("conv1.weight", &[4, 3, 7, 7]),
        ("layer1.0.conv1.weight", &[4, 4, 3, 3]),
        ("layer1.0.conv2.weight", &[4, 4, 3, 3]),
        ("layer2.0.conv1.weight", &[8, 4, 3, 3]),
        ("layer2.0.conv2.weight", &[8, 8, 3, 3]),
        ("layer2.0.downsample.0.weight", &[8, 4, 1, 1]),
        ("fc.weight", &[10, 8]),
        ("bn1.weight", &[4]),
    ]);
    let wiring = built_in("resnet").wiring(&shapes, None).unwrap();
    let groups: Vec<(&str, usize)> = wiring.groups.iter().map(|group| (group.name.as_str(), group.size)).collect();
    let expected = [
        ("image", 3),
        ("stream.0", 4),
        ("layer1.0.inner", 4),
        ("stream.1", 4),
        ("layer2.0.inner", 8),
        ("stream.2", 8),
        ("classes", 10),
    ];
    assert_eq!(groups, expected);
    assert_eq!(wiring.skips, [Skip { name: "stream.0-1".into(), source: 1, target: 3, offset: 0, count: 4 }]);
    let ends: Vec<_> = wiring.blocks.iter().map(|block| (block.name.as_str(), block.source, block.target)).collect();
    assert_eq!(
        ends[3..],
        [("layer2.0.conv1", 3, 4), ("layer2.0.conv2", 4, 5), ("layer2.0.downsample.0", 3, 5), ("fc", 5, 6),]
    );
    assert_eq!(wiring.blocks[0].span, 49);
}

#[test]
fn heads_share_the_rows_of_a_fused_tensor() {
    let shapes = shapes(&[
        ("h.0.attn.c_attn.weight", &[8, 24]),
        ("h.0.attn.c_proj.weight", &[8, 8]),
        ("h.0.mlp.c_fc.weight", &[8, 32]),
        ("h.0.mlp.c_proj.weight", &[32, 8]),
    ]);
    let error = built_in("gpt2").wiring(&shapes, None).unwrap_err().to_string();
    assert!(error.contains("--heads"), "{error}");
    let wiring = built_in("gpt2").wiring(&shapes, Some(2)).unwrap();
    let sizes: Vec<usize> = wiring.groups.iter().map(|group| group.size).collect();
    assert_eq!(sizes, [8, 4, 4, 8, 32, 8]);
    assert_eq!(wiring.groups[2].name, "h.0.head.1");
    assert_eq!(wiring.blocks[1].rows, [4, 12, 20]);
    assert_eq!((wiring.blocks[3].first_column, wiring.blocks[3].span), (4, 1));
    assert_eq!(wiring.layers[0].shape, [24, 8]);
    assert_eq!(wiring.groups[5].role, GroupRole::Output);
    assert!(built_in("gpt2").wiring(&shapes, Some(3)).unwrap_err().to_string().contains("not 3 equal heads"));
}

#[test]
fn what_does_not_fit_is_named() {
    let refused = |text: &str, tensors: &[(&str, &[usize])], expected: &str| {
        let description = WiringDescription::parse("my.toml", text);
        let message = description.and_then(|found| found.wiring(&shapes(tensors), None)).unwrap_err().to_string();
        assert!(message.contains(expected), "`{message}` should contain `{expected}`");
    };
    let head = "name = \"a\"\noutput = \"out\"\n[[parts]]\nlayers = [";
    let one = |layers: &str| format!("{head}{layers}]\n");
    refused(&one("{ tensor = \"a\", from = \"input\" }"), &[], "my.toml: layer `a` needs either `to` or `add`");
    refused(&one("{ tensor = \"a\", from = \"input\", to = \"out\" }"), &[], "tensor `a` is missing");
    refused(&one("{ tensor = \"a\", form = \"input\" }"), &[], "my.toml: line 4: unknown field `form`");
    refused(&one("{ tensor = \"a\", from = \"x\", to = \"out\" }"), &[("a", &[2, 2])], "group `x` is read before");
    refused(&one("{ tensor = \"a\", from = \"input\", to = \"out\" }"), &[("a", &[2])], "tensor `a` has shape [2]");
    let two = "{ tensor = \"a\", from = \"input\", to = \"x\" }, { tensor = \"b\", from = \"x\", to = \"out\" }";
    refused(&one(two), &[("a", &[2, 2]), ("b", &[3, 5])], "joins groups of 2 and 3 nodes");
    let twice =
        "{ tensor = \"a\", from = \"input\", to = \"out\" }, { tensor = \"b\", from = \"input\", to = \"out\" }";
    refused(&one(twice), &[("a", &[2, 2]), ("b", &[2, 2])], "which another block joins already");
    refused("name = \"a\"\noutput = \"o\"\nparts = []", &[], "no layers");
}

#[test]
fn a_wiring_that_lies_is_refused() {
    let shapes = shapes(&[("a.weight", &[4, 3]), ("b.weight", &[2, 4])]);
    let text = "name = \"a\"\noutput = \"out\"\n[[parts]]\nlayers = [{ tensor = \"a.weight\", from = \"input\", to = \"x\" }, \
                { tensor = \"b.weight\", from = \"x\", to = \"out\" }]";
    let wiring = WiringDescription::parse("a", text).unwrap().wiring(&shapes, None).unwrap();
    wiring.check().unwrap();
    let refused = |change: &dyn Fn(&mut Wiring), expected: &str| {
        let mut wrong = wiring.clone();
        change(&mut wrong);
        let message = wrong.check().unwrap_err().to_string();
        assert!(message.contains(expected), "`{message}` should contain `{expected}`");
    };
    refused(&|w| w.blocks[0].rows = vec![0, 0], "hold each of its weights once");
    refused(&|w| w.blocks[0].rows = vec![], "hold each of its weights once");
    refused(&|w| w.blocks[0].rows = vec![usize::MAX], "does not fit the 4 outputs");
    refused(&|w| w.blocks[0].span = usize::MAX, "do not fit the 3 inputs");
    refused(&|w| w.blocks[0].span = 0, "do not fit the 3 inputs");
    refused(&|w| w.blocks[0].groups = 0, "has 0 groups");
    refused(&|w| w.blocks[0].source = 7, "does not run from a group to a later one");
    refused(&|w| w.blocks[0].layer = 7, "a layer that is not there");
    refused(&|w| w.groups[0].size = usize::MAX, "a size of");
    refused(&|w| w.groups[0].role = GroupRole::Hidden, "no group has the role `input`");
    refused(&|w| w.groups[1].name = "input".into(), "two of its groups are named `input`");
    refused(&|w| w.layers[0].shape = vec![4], "has shape [4]");
    refused(
        &|w| w.skips.push(Skip { name: "s".into(), source: 0, target: 2, offset: usize::MAX, count: 1 }),
        "does not fit its groups",
    );
}
