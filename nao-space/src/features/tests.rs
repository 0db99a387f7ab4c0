use super::*;
use crate::image::{Cell, CnnArch, Edge, Node, Op, OpSet, State};
use crate::language::Space;
use crate::seed::rng_for;
use crate::spaces::{ChoiceSpace, CnnSpace, DartsSpace, NasBench101Space, NasBench201Space, RnnSpace};

/// The value of a column of the first graph.
fn value<S: Graphs>(space: &S, arch: &S::Arch, column: &str) -> f64 {
    let map = FeatureMap::of_archs(space, std::slice::from_ref(arch));
    let row = map.named_row(space, arch);
    row.iter().find(|(name, _)| *name == column).unwrap_or_else(|| panic!("no column `{column}`")).1
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

fn fine_distance(a: &Features, b: &Features, columns: usize) -> f64 {
    let dense = |features: &Features| {
        let mut dense = vec![0.0; columns];
        features.fine.iter().for_each(|count| dense[count.column as usize] = count.value);
        dense
    };
    squared_distance(&dense(a), &dense(b))
}

/// in -> conv 1x1 -> {conv 3x3, max pool} -> out, and in -> max pool.
#[test]
fn a_nasbench101_cell_by_hand() {
    let space = NasBench101Space::default();
    // 0 reads nothing; 1 reads 0; 2 reads 1; 3 reads 0 and 1; 4 reads 2 and 3.
    let text = "0101000110000010000100000 input|conv1x1-bn-relu|conv3x3-bn-relu|maxpool3x3|output";
    let arch = space.parse(text).unwrap();
    let of = |column: &str| value(&space, &arch, column);
    // Paths: 1x1, 3x3; 1x1, pool; pool.
    assert_eq!((of("operations"), of("edges"), of("longest path")), (3.0, 6.0, 3.0));
    assert_eq!(of("log paths"), 3f64.ln_1p());
    assert_eq!((of("most any"), of("least any")), (2.0, 1.0));
    assert_eq!((of("most maxpool3x3"), of("least maxpool3x3")), (1.0, 0.0));
    assert_eq!(of("log all conv1x1-bn-relu|conv3x3-bn-relu"), 3f64.ln_1p());
    assert_eq!(of("mean conv1x1-bn-relu|conv3x3-bn-relu"), 1.0);
    assert_eq!(of("log only conv1x1-bn-relu|maxpool3x3"), 2f64.ln_1p());
    assert_eq!(of("longest only conv1x1-bn-relu|maxpool3x3"), 2.0);
    assert_eq!(of("shortest only conv1x1-bn-relu|maxpool3x3"), 1.0);
    // No path has convolutions of 3x3 only: longer than the longest possible one of five.
    assert_eq!((of("longest only conv3x3-bn-relu"), of("shortest only conv3x3-bn-relu")), (0.0, 6.0));
    assert_eq!((of("depth maxpool3x3"), of("height conv1x1-bn-relu")), (2.0, 2.0));
    assert_eq!((of("reads maxpool3x3"), of("readers conv1x1-bn-relu")), (2.0, 2.0));
    assert_eq!((of("input to maxpool3x3"), of("conv3x3-bn-relu to output")), (1.0, 1.0));
}

#[test]
fn an_image_cell_by_hand() {
    let space = CnnSpace::new(2, OpSet::new("two", [Op::Identity, Op::SepConv { kernel: 3 }])).unwrap();
    let edge = |state: u8, op: Op| Edge { input: State(state), op };
    let sep = Op::SepConv { kernel: 3 };
    // Node 0 adds sep(0) and id(0); node 1 adds sep(2) and sep(2). State 1 is a loose end beside state 3.
    let cell = Cell::new(vec![
        Node { edges: [edge(0, sep), edge(0, Op::Identity)] },
        Node { edges: [edge(2, sep), edge(2, sep)] },
    ]);
    let arch = CnnArch { normal: cell.clone().unwrap(), reduction: cell.unwrap() };
    let of = |column: &str| value(&space, &arch, &format!("normal: {column}"));
    assert_eq!((of("operations"), of("count sep_conv_3x3"), of("count identity")), (4.0, 3.0, 1.0));
    // Four paths through both nodes, and the loose input.
    assert_eq!(of("log paths"), 5f64.ln_1p());
    assert_eq!((of("least identity|sep_conv_3x3"), of("most sep_conv_3x3")), (0.0, 2.0));
    assert_eq!(of("log only sep_conv_3x3"), 3f64.ln_1p());
    assert_eq!((of("older to sep_conv_3x3"), of("newer to output")), (1.0, 1.0));
    assert_eq!(of("reads sep_conv_3x3"), 5.0);
}

#[test]
fn a_recurrent_cell_by_hand() {
    let space = RnnSpace::default();
    let arch = space.sample(&mut rng_for(1, "rnn", 0));
    let of = |column: &str| value(&space, &arch, column);
    // Every node is averaged into the output and reads one other.
    assert_eq!((of("operations"), of("edges")), (11.0, 22.0));
    let read_input = arch.nodes().iter().filter(|node| node.input.index() == 0).count();
    let activations = ["tanh", "relu", "identity", "sigmoid"];
    let to_nodes: f64 = activations.iter().map(|name| of(&format!("start to {name}"))).sum();
    assert_eq!(to_nodes, read_input as f64);
}

#[test]
fn other_spellings_have_the_same_features_and_others_mostly_not() {
    fn check<S: Graphs>(space: &S, distinct: f64) {
        let mut rng = rng_for(3, "features", 0);
        let map = FeatureMap::learn(space, 300, &mut rng);
        let archs: Vec<S::Arch> = (0..60).map(|_| space.sample(&mut rng)).collect();
        let mut distinct_pairs = 0.0;
        for (index, arch) in archs.iter().enumerate() {
            let features = map.features(space, arch);
            assert_eq!(
                map.features(space, &space.respell(arch, &mut rng)),
                features,
                "{}",
                space.format(arch)
            );
            let other = &archs[(index + 1) % archs.len()];
            let differs =
                map.features(space, other).fine != features.fine || space.key(other) == space.key(arch);
            distinct_pairs += f64::from(u8::from(differs));
        }
        assert!(distinct_pairs / 60.0 >= distinct, "{}: {distinct_pairs}", space.name());
    }
    check(&CnnSpace::default(), 1.0);
    check(&RnnSpace::default(), 1.0);
    check(&DartsSpace::default(), 1.0);
    check(&NasBench101Space::default(), 0.95);
    check(&NasBench201Space::default(), 0.95);
}

#[test]
fn mean_squared_distances_are_one() {
    let space = NasBench101Space::default();
    let map = FeatureMap::learn(&space, 400, &mut rng_for(1, "features", 0));
    let mut rng = rng_for(2, "features", 0);
    // Distinct ones: small cells come again and again.
    let mut seen = HashSet::new();
    let drawn = (0..300).map(|_| space.sample(&mut rng)).filter(|arch| seen.insert(space.key(arch)));
    let features: Vec<Features> = drawn.map(|arch| map.features(&space, &arch)).collect();
    let pairs = || features.iter().enumerate().flat_map(|(i, a)| features[..i].iter().map(move |b| (a, b)));
    let mean = |of: &dyn Fn(&Features, &Features) -> f64| {
        pairs().map(|(a, b)| of(a, b)).sum::<f64>() / pairs().count() as f64
    };
    let structure = mean(&|a, b| squared_distance(&a.structure, &b.structure));
    let fine = mean(&|a, b| fine_distance(a, b, map.fine_columns()));
    assert!((structure - 1.0).abs() < 0.15, "{structure}");
    assert!((fine - 1.0).abs() < 0.15, "{fine}");
}

#[test]
fn a_space_of_choices_has_its_choices_only() {
    let toml = "name = \"c\"\n[[position]]\nname = \"a\"\nchoices = [\"x\", \"y\"]\n";
    let space = ChoiceSpace::from_toml(toml).unwrap();
    let map = FeatureMap::learn(&space, 50, &mut rng_for(1, "features", 0));
    let features = map.features(&space, &space.sample(&mut rng_for(2, "features", 0)));
    assert!(features.structure.is_empty() && features.fine.is_empty());
    assert_eq!(features.choices.len(), 1);
    assert!((map.mean_hamming() - 0.5).abs() < 0.1);
}

#[test]
fn every_column_has_a_name_of_its_own() {
    for space in [CnnSpace::default(), CnnSpace::new(3, OpSet::enas_5()).unwrap()] {
        let schema = space.graph_schema().unwrap();
        let columns = StructureColumns::new(&schema);
        let mut row = Vec::new();
        let graphs = space.graphs(&space.sample(&mut rng_for(1, "names", 0)));
        graphs.iter().for_each(|graph| columns.append(graph, &mut row));
        assert_eq!(row.len(), columns.names().len());
        let names: HashSet<&String> = columns.names().iter().collect();
        assert_eq!(names.len(), columns.names().len());
    }
}
