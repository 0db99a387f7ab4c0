//! The discrete space against the authors' own converters and counts (`golden/README.md`, folder `json`): strings,
//! DAGs and tokens both ways, exchanged branches, parameters.

use std::collections::BTreeSet;

use nao_space::network::{
    Block, CellPlan, Convention, FeatureShape, LanguageModelSkeleton, Layer, NetworkPlan, Skeleton,
    SupernetPlan, zoo_entry,
};
use nao_space::notation::{cnn_from_tf_dag, cnn_to_tf_dag};
use nao_space::{
    ActivationOrder, Border, Cell, CnnArch, CnnSpace, Encoding, Op, OpSet, RnnSpace, Space, Token,
};
use nao_tests::golden;
use serde_json::{Value, json};

/// The files in the repository's selection.
const SELECTION: [&str; 3] = ["converters_rnn.json", "published.json", "v2_param_weights.json"];

/// The files that the tests below read.
const READ: [&str; 7] = [
    "converters_rnn.json",
    "converters_tf_cnn.json",
    "converters_v1_v2_ws.json",
    "params.json",
    "published.json",
    "symmetry.json",
    "v2_param_weights.json",
];

/// Numbers of controllers and training: `golden_misc.rs` reads them.
const OF_OTHER_CRATES: [&str; 1] = ["misc.json"];

/// A file; tests of one that is not in the selection are ignored where only the selection is at hand.
fn read(file: &str) -> Value {
    assert!(READ.contains(&file), "{file} is not listed");
    let path = golden::folder().join("json").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a JSON file")
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a whole number")
}

fn size(value: &Value) -> usize {
    usize::try_from(count(value)).expect("a size")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn tokens(value: &Value) -> Vec<Token> {
    items(value).iter().map(|token| Token(u16::try_from(count(token)).expect("a token"))).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn cnn(ops: OpSet, encoding: Encoding) -> CnnSpace {
    CnnSpace::with_encoding(5, ops, encoding).unwrap()
}

fn rnn(order: ActivationOrder) -> RnnSpace {
    RnnSpace::new(11, order).unwrap()
}

/// String to tokens and tokens to string; gives the architecture.
fn both_ways<S: Space>(space: &S, string: &Value, sequence: &Value) -> S::Arch {
    let arch = space.parse(text(string)).unwrap();
    assert_eq!(space.encode(&arch), tokens(sequence), "tokens of {string}");
    let decoded = space.decode(&tokens(sequence)).unwrap();
    assert_eq!(space.format(&decoded), text(string));
    arch
}

/// Checks the authors' normalisation, `(value - min) / (max - min)` over the whole file.
fn normalised_differently(items: &[Value], value: &str) -> f64 {
    let values: Vec<f64> = items.iter().map(|item| number(&item[value])).collect();
    let (least, most) =
        values.iter().fold((f64::MAX, f64::MIN), |(least, most), &v| (least.min(v), most.max(v)));
    let differences = items.iter().zip(&values).map(|(item, value)| {
        let difference = ((value - least) / (most - least) - number(&item["target"])).abs();
        assert!(difference <= 1e-15, "{item}");
        difference
    });
    differences.fold(0.0, f64::max)
}

#[test]
#[cfg_attr(not(golden), ignore = "needs NAO_GOLDEN, the folder of the complete golden set")]
fn golden_strings_of_image_cells_and_their_tokens() {
    let file = read("converters_v1_v2_ws.json");
    let lists = [
        ("v1_branch2_5ops", OpSet::enas_5(), Encoding::Pairs),
        ("v1_branch3_5ops", OpSet::enas_5(), Encoding::OpPair),
        ("v2_10ops", OpSet::v2_10(), Encoding::Pairs),
        ("v2_5ops", OpSet::enas_5(), Encoding::Pairs),
        ("ws_branch2_5ops", OpSet::enas_5(), Encoding::Pairs),
        ("ws_branch3_5ops", OpSet::enas_5(), Encoding::OpPair),
    ];
    assert_eq!(keys(&file), lists.each_ref().map(|list| list.0), "the lists of the file");
    let mut pairs = 0;
    for (list, ops, encoding) in lists {
        let space = cnn(ops, encoding);
        for item in items(&file[list]) {
            both_ways(&space, &item["arch"], &item["seq"]);
            pairs += 1;
        }
    }
    println!("converters_v1_v2_ws.json: {pairs} strings and sequences, both ways");
}

/// The DAG notation of cells given as rows [input, input, operation, operation].
fn dag_of(rows: &Value) -> Value {
    let dag = |cell: &Value| {
        let mut dag = json!({});
        for name in ["node_1", "node_2"] {
            dag[name] = json!([name, null, null, null, null]);
        }
        for (row, number) in items(cell).iter().zip(3..) {
            let name = format!("node_{number}");
            dag[&name] = json!([name, row[0], row[1], row[2], row[3]]);
        }
        dag
    };
    json!({ "conv_dag": dag(&rows["conv"]), "reduc_dag": dag(&rows["reduc"]) })
}

/// DAG to tokens and tokens to DAG; gives the architecture.
fn dag_both_ways(space: &CnnSpace, dag: &Value, sequence: &Value) -> CnnArch {
    let arch = cnn_from_tf_dag(&dag.to_string()).unwrap();
    assert_eq!(space.encode(&arch), tokens(sequence), "tokens of {dag}");
    let decoded = space.decode(&tokens(sequence)).unwrap();
    let written: Value = serde_json::from_str(&cnn_to_tf_dag(&decoded).unwrap()).unwrap();
    assert_eq!(written, *dag);
    arch
}

#[test]
#[cfg_attr(not(golden), ignore = "needs NAO_GOLDEN, the folder of the complete golden set")]
fn golden_tensorflow_dags_and_their_tokens() {
    let file = read("converters_tf_cnn.json");
    let list = items(&file["items"]);
    let (paper, all) = (cnn(OpSet::v2_11(), Encoding::KindSize), cnn(OpSet::tf_19(), Encoding::KindSize));
    let mut ops = BTreeSet::new();
    for (place, item) in list.iter().enumerate() {
        let arch = dag_both_ways(&all, &dag_of(item), &item["seq"]);
        ops.extend(arch.cells().into_iter().flat_map(|(_, cell)| cell.edges().map(|edge| edge.op)));
        // The first 200 are of the paper's eleven operations.
        if place < 200 {
            assert_eq!(paper.decode(&tokens(&item["seq"])), Ok(arch));
        }
    }
    assert_eq!(ops, all.ops().ops().collect(), "the operations that occur");
    let difference = normalised_differently(list, "error_rate");
    println!(
        "converters_tf_cnn.json: {} DAGs and sequences, both ways; {} targets, largest difference {difference:.1e}",
        list.len(),
        list.len()
    );
}

#[test]
fn golden_recurrent_strings_and_their_tokens() {
    let file = read("converters_rnn.json");
    let list = items(&file["items"]);
    for item in list {
        // Ids become tokens alike in both code bases; only their meanings differ.
        both_ways(&rnn(ActivationOrder::Nao), &item["arch"], &item["seq"]);
        both_ways(&rnn(ActivationOrder::NaoWs), &item["arch"], &item["seq"]);
    }
    let difference = normalised_differently(list, "ppl");
    println!(
        "converters_rnn.json: {} strings and sequences, both ways; {} targets, largest difference {difference:.1e}",
        list.len(),
        list.len()
    );
}

fn exchanged(cell: &Cell, node: &Value) -> Cell {
    cell.with_branches_exchanged(size(node)).expect("the node exists")
}

#[test]
#[cfg_attr(not(golden), ignore = "needs NAO_GOLDEN, the folder of the complete golden set")]
fn golden_exchanged_branches() {
    let file = read("symmetry.json");
    assert_eq!(keys(&file), ["pytorch_40_token_pairs", "tf_30_token_cell_swaps"]);
    let both = items(&file["pytorch_40_token_pairs"]);
    for item in both {
        // V1's five operations have the first five of these tokens; what they mean does not matter here.
        let space = cnn(OpSet::v2_10(), Encoding::Pairs);
        let arch = space.decode(&tokens(&item["input"])).unwrap();
        let other = CnnArch {
            normal: exchanged(&arch.normal, &item["a"]),
            reduction: exchanged(&arch.reduction, &item["b"]),
        };
        let expected = space.encode(&other);
        assert_eq!(tokens(&item["encoder_input"]), expected);
        assert_eq!(tokens(&item["decoder_target"]), expected);
        assert_eq!(tokens(&item["decoder_input"]), [&[Token::START], &expected[..39]].concat());
        assert_eq!(space.key(&other), space.key(&arch));
    }
    let single = items(&file["tf_30_token_cell_swaps"]);
    for item in single {
        let space = cnn(OpSet::tf_19(), Encoding::KindSize);
        let cell = tokens(&item["cell"]);
        let arch = space.decode(&[&cell[..], &cell].concat()).unwrap();
        let other = CnnArch { normal: exchanged(&arch.normal, &item["i"]), ..arch };
        assert_eq!(space.encode(&other), [tokens(&item["swapped"]), cell].concat());
    }
    println!("symmetry.json: {} architectures and {} cells", both.len(), single.len());
}

/// The cell with pools whose border takes no part, as all of TensorFlow's.
fn with_tensorflow_pools(cell: &Cell) -> Cell {
    let mut nodes = cell.nodes().to_vec();
    for edge in nodes.iter_mut().flat_map(|node| &mut node.edges) {
        if let Op::MaxPool { border, .. } | Op::AvgPool { border, .. } = &mut edge.op {
            *border = Border::Ignored;
        }
    }
    Cell::new(nodes).unwrap()
}

#[test]
fn golden_published_architectures() {
    let file = read("published.json");
    let mut sequences = 0;
    let mut check = |name: &str, sequence: &str, ops, encoding| {
        let arch = both_ways(&cnn(ops, encoding), &file[name]["arch"], &file[name][sequence]);
        sequences += 1;
        if let Ok(entry) = zoo_entry(&name.replace('_', "-")) {
            assert_eq!(entry.arch, arch, "{name}");
        }
    };
    for name in ["NAONet_B", "NAO_WS_tf_final"] {
        check(name, "seq_branch2", OpSet::enas_5(), Encoding::Pairs);
        check(name, "seq_branch3", OpSet::enas_5(), Encoding::OpPair);
    }
    check("NAONet_V2", "seq", OpSet::enas_5(), Encoding::Pairs);
    for (name, order) in [("NAO_rnn", ActivationOrder::Nao), ("NAO_WS_rnn", ActivationOrder::NaoWs)] {
        both_ways(&rnn(order), &file[name]["arch"], &file[name]["seq"]);
        sequences += 1;
    }

    let tf = cnn(OpSet::tf_19(), Encoding::KindSize);
    let naonet = &file["NAONet_A"];
    let from_dag = dag_both_ways(&tf, &naonet["tf_dag"], &naonet["tf_seq60"]);
    // PyTorch's NAONet-A is that of TensorFlow up to the border of pools and the inputs of one node.
    let paper = CnnSpace::default();
    let torch = paper.parse(text(&naonet["arch"])).unwrap();
    assert_eq!(paper.format(&torch), text(&naonet["arch"]));
    assert_eq!(zoo_entry("NAONet-A").unwrap().arch, torch);
    assert_eq!(with_tensorflow_pools(&torch.normal), from_dag.normal);
    let mut reduction = with_tensorflow_pools(&torch.reduction).nodes().to_vec();
    assert_ne!(reduction, from_dag.reduction.nodes());
    let [x, y] = &mut reduction[2].edges;
    std::mem::swap(&mut x.input, &mut y.input);
    assert_eq!(reduction, from_dag.reduction.nodes());

    let zoo = keys(&file["tf_zoo"]);
    for name in &zoo {
        let entry = &file["tf_zoo"][name];
        let mut dag = dag_of(entry);
        dag_both_ways(&tf, &dag, &entry["seq60"]);
        if entry.get("conv_loose_ends").is_some() {
            // NASNet-A concatenates what its nodes read as well, so its lists make it no cell of this space.
            dag["conv_loose_ends"] = entry["conv_loose_ends"].clone();
            dag["reduc_loose_ends"] = entry["reduc_loose_ends"].clone();
            let error = cnn_from_tf_dag(&dag.to_string()).unwrap_err().to_string();
            assert!(error.contains("conv_loose_ends are node_1, node_3"), "{error}");
        }
    }

    // Their start symbol has another name.
    let words: Vec<&str> = items(&file["tf_vocab21"]).iter().map(text).collect();
    assert_eq!(tf.vocabulary().names()[1..], words[1..]);
    let per_op =
        items(&file["tf_vocab26_per_op"]).iter().skip(7).map(|name| text(name).replace([' ', '+'], "_"));
    assert_eq!(per_op.collect::<Vec<_>>(), OpSet::tf_19().ops().map(Op::name).collect::<Vec<_>>());

    let known = ["NAO_WS_rnn", "NAO_WS_tf_final", "NAO_rnn", "NAONet_A", "NAONet_B", "NAONet_V2"];
    let known = known.into_iter().chain(["tf_vocab21", "tf_vocab26_per_op", "tf_zoo"]);
    assert_eq!(keys(&file).into_iter().collect::<BTreeSet<_>>(), known.collect(), "the entries of the file");
    println!(
        "published.json: {sequences} strings with sequences, {} DAGs with sequences, 2 vocabularies",
        1 + zoo.len()
    );
}

/// The network of a row of `params.json`.
fn skeleton_of(row: &Value) -> Skeleton {
    let (cells, width) = (size(&row["N"]), size(&row["F"]));
    let skeleton = match text(&row["dataset"]) {
        "cifar10" => Skeleton::cifar10(cells, width),
        "cifar100" => Skeleton::cifar10(cells, width).for_data(FeatureShape::new(32, 32, 3), 100),
        "imagenet" => Skeleton::imagenet(cells, width),
        other => panic!("unknown data: {other}"),
    };
    skeleton.with_auxiliary(row["use_aux_head"].as_bool().expect("yes or no"))
}

/// Running means and variances of a network, auxiliary head included.
fn buffers(plan: &NetworkPlan) -> usize {
    let auxiliary = plan.auxiliary.as_ref().map(|auxiliary| &auxiliary.block);
    let cells = plan.cells.iter().flat_map(CellPlan::blocks);
    let blocks = plan.stem.iter().chain([&plan.head]).chain(auxiliary).chain(cells);
    let layers = blocks.flat_map(|block: &Block| &block.layers);
    let of = |layer| if let Layer::BatchNorm { channels } = layer { 2 * channels } else { 0 };
    layers.map(|planned| of(planned.layer)).sum()
}

#[test]
#[cfg_attr(not(golden), ignore = "needs NAO_GOLDEN, the folder of the complete golden set")]
fn golden_parameters() {
    let file = read("params.json");
    let space = cnn(OpSet::v1_14(), Encoding::Pairs);
    for row in items(&file["networks"]) {
        let skeleton = skeleton_of(row);
        // V2's small ids are V1's.
        let arch = space.parse(text(&row["arch"])).unwrap();
        let plan = NetworkPlan::new(&arch, &skeleton).unwrap();
        let (without, with) = (plan.cost().params, plan.cost_with_auxiliary().params);
        let what = format!("{} N={} F={} {}", row["net"], row["N"], row["F"], row["dataset"]);
        assert_eq!(with, count(&row["total"]), "{what}: total");
        assert_eq!(without, count(&row["excluding_auxiliary"]), "{what}: excluding_auxiliary");
        assert_eq!(with - without, count(&row["auxiliary"]), "{what}: auxiliary");
        assert_eq!(buffers(&plan), size(&row["bn_buffers"]), "{what}: bn_buffers");
    }
    let networks = items(&file["networks"]).len();
    assert!(networks > 0, "no row was counted");
    let tensorflow = zoo_entry("NAONet").expect("the cell of the TensorFlow code");
    for row in items(&file["tf_definition"]) {
        let skeleton =
            Skeleton { convention: Convention::NaoTf, ..Skeleton::cifar10(size(&row["N"]), size(&row["F"])) }
                .for_data(FeatureShape::new(32, 32, 3), size(&row["classes"]))
                .with_auxiliary(true);
        let plan = tensorflow.plan(&skeleton).unwrap();
        let (without, with) = (plan.cost().params, plan.cost_with_auxiliary().params);
        assert_eq!((without, with), (count(&row["excluding_auxiliary"]), count(&row["total"])), "{row}");
    }
    let definitions = items(&file["tf_definition"]).len();
    let models = file["rnn_language_models"].as_object().expect("an object");
    // The supernet has a matrix for every choice: not one of these models.
    let models = models.iter().filter(|(name, _)| *name != "ptb_ws_supernet");
    let arch = rnn(ActivationOrder::Nao).parse("0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2").unwrap();
    let mut language = 0;
    for (name, row) in models {
        let skeleton = LanguageModelSkeleton { vocabulary: size(&row["ntoken"]), hidden: size(&row["nhid"]) };
        assert_eq!(skeleton.cost(&arch).unwrap().params, count(&row["total"]), "{name}");
        language += 1;
    }
    assert_eq!(language, 3);
    println!(
        "params.json: 4 counts of {networks} networks, {definitions} of the TensorFlow definition, {language} language models"
    );
}

/// Their running statistics are counted by the supernet's test, for only tensors share them.
#[test]
#[cfg_attr(not(golden), ignore = "needs NAO_GOLDEN, the folder of the complete golden set")]
fn golden_parameters_of_supernets() {
    let file = read("params.json");
    let rows = items(&file["supernets"]);
    for row in rows {
        let ops = if row["search_space"] == json!("middle") { OpSet::v2_10() } else { OpSet::enas_5() };
        let space = CnnSpace::new(size(&row["nodes"]), ops).unwrap();
        let skeleton = Skeleton::cifar10(size(&row["N"]), size(&row["F"]))
            .for_data(FeatureShape::new(32, 32, 3), size(&row["classes"]))
            .with_auxiliary(row["use_aux_head"].as_bool().expect("yes or no"));
        let plan = SupernetPlan::new(&space, &skeleton).unwrap();
        assert_eq!(plan.params(), count(&row["excluding_auxiliary"]), "{row}");
        assert_eq!(plan.params_with_auxiliary(), count(&row["total"]), "{row}");
    }
    assert_eq!(rows.len(), 9);
    println!("params.json: {} supernets", rows.len());
}

#[test]
fn golden_parameters_as_sampling_weights() {
    let file = read("v2_param_weights.json");
    let skeleton = Skeleton::cifar10(size(&file["N"]), size(&file["F"]));
    assert_eq!((size(&file["classes"]), &file["use_aux_head"]), (skeleton.classes, &json!(false)));
    let mut largest = 0f64;
    for item in items(&file["items"]) {
        let ops = match text(&item["search_space"]) {
            "small" => OpSet::enas_5(),
            "middle" => OpSet::v2_10(),
            other => panic!("an unknown search space: {other}"),
        };
        let arch = cnn(ops, Encoding::Pairs).parse(text(&item["arch"])).unwrap();
        let params = NetworkPlan::new(&arch, &skeleton).unwrap().cost().params;
        assert_eq!(params, count(&item["params"]), "{}", item["arch"]);
        // The weight is called megabytes and is millions of parameters.
        let difference = (params as f64 / 1e6 - number(&item["weight_in_MB"])).abs();
        assert!(difference <= 1e-12, "{}: off by {difference:e}", item["arch"]);
        largest = largest.max(difference);
    }
    let counted = items(&file["items"]).len();
    println!("v2_param_weights.json: {counted} networks, largest difference of weights {largest:.1e}");
}

#[test]
fn golden_json_files_are_all_read() {
    let folder = golden::folder().join("json");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().expect("a name in UTF-8"));
    let found: BTreeSet<String> = names.collect();
    let expected: BTreeSet<String> = if golden::is_complete() {
        READ.iter().chain(&OF_OTHER_CRATES).map(|name| name.to_string()).collect()
    } else {
        SELECTION.iter().map(|name| name.to_string()).collect()
    };
    assert_eq!(found, expected, "the files in {} and those that tests know", folder.display());
    println!("json: {} files", found.len());
}
