//! The laws of every space, and what else holds for image and recurrent cells.
#![cfg(feature = "testing")]

use std::collections::{HashMap, HashSet};

use nao_space::laws::{
    any_choice_arch, any_choice_space, any_cnn_arch, any_cnn_space, any_rnn_arch, any_skeletons, cnn_archs,
    skeletons,
};
use nao_space::network::{FeatureShape, NetworkPlan, Skeleton, Stem};
use nao_space::seed::rng_for;
use nao_space::{
    ActivationOrder, Cell, ChoiceSpace, CnnArch, CnnSpace, DartsSpace, Describe, Edge, Encoding,
    HierarchicalSpace, NasBench101Space, NasBench201Space, Node, Op, OpSet, RnnSpace, Space, State, Token,
    space_laws,
};
use num_bigint::BigUint;
use proptest::prelude::*;

fn cnn(ops: &str, nodes: usize) -> CnnSpace {
    CnnSpace::new(nodes, OpSet::named(ops).unwrap()).unwrap()
}

fn encoded(ops: &str, nodes: usize, encoding: Encoding) -> CnnSpace {
    CnnSpace::with_encoding(nodes, OpSet::named(ops).unwrap(), encoding).unwrap()
}

fn residual_network() -> ChoiceSpace {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/spaces/residual-network.toml");
    ChoiceSpace::from_toml(&std::fs::read_to_string(path).unwrap()).unwrap()
}

space_laws!(cnn_paper_11_of_5_nodes, cnn("paper-11", 5));
space_laws!(cnn_enas_5_of_5_nodes, cnn("enas-5", 5));
space_laws!(cnn_v1_14_of_5_nodes, cnn("v1-14", 5));
space_laws!(cnn_v2_10_of_3_nodes, cnn("v2-10", 3));
space_laws!(cnn_v2_11_of_12_nodes, cnn("v2-11", 12));
space_laws!(cnn_enas_5_of_1_node, cnn("enas-5", 1));
space_laws!(cnn_tf_19_of_5_nodes, cnn("tf-19", 5));
space_laws!(cnn_kind_size_tf_19_of_5_nodes, encoded("tf-19", 5, Encoding::KindSize));
space_laws!(cnn_kind_size_v2_11_of_12_nodes, encoded("v2-11", 12, Encoding::KindSize));
space_laws!(cnn_kind_size_paper_11_of_1_node, encoded("paper-11", 1, Encoding::KindSize));
space_laws!(cnn_op_pair_enas_5_of_5_nodes, encoded("enas-5", 5, Encoding::OpPair));
space_laws!(cnn_op_pair_enas_5_of_2_nodes, encoded("enas-5", 2, Encoding::OpPair));
space_laws!(cnn_with_a_single_operation, CnnSpace::new(2, OpSet::new("one", [Op::Identity])).unwrap());

fn rnn(nodes: usize, order: ActivationOrder) -> RnnSpace {
    RnnSpace::new(nodes, order).unwrap()
}

space_laws!(rnn_nao_of_11_nodes, RnnSpace::default());
space_laws!(rnn_nao_ws_of_11_nodes, rnn(11, ActivationOrder::NaoWs));
space_laws!(rnn_of_1_node, rnn(1, ActivationOrder::Nao));
space_laws!(rnn_of_3_nodes, rnn(3, ActivationOrder::Nao));
space_laws!(rnn_of_64_nodes, rnn(64, ActivationOrder::NaoWs));
space_laws!(cnn_pnas_8_of_5_nodes, cnn("pnas-8", 5));
space_laws!(cnn_nasnet_13_of_5_nodes, cnn("nasnet-13", 5));
space_laws!(choice_of_a_residual_network, residual_network());
space_laws!(hierarchical, HierarchicalSpace::default());
space_laws!(darts, DartsSpace::default());
space_laws!(nasbench101, NasBench101Space::default());
space_laws!(nasbench201, NasBench201Space::default());

proptest! {
    #[test]
    fn laws_hold_in_any_cnn_space((space, arch) in any_cnn_arch(), seed in any::<u64>()) {
        prop_assert_eq!(space.decode(&space.encode(&arch)), Ok(arch.clone()));
        prop_assert_eq!(space.parse(&space.format(&arch)), Ok(arch.clone()));
        let other = space.respell(&arch, &mut rng_for(seed, "respell", 0));
        prop_assert_eq!(space.key(&other), space.key(&arch));
    }

    #[test]
    fn laws_hold_in_any_rnn_space((space, arch) in any_rnn_arch(), seed in any::<u64>()) {
        prop_assert_eq!(space.decode(&space.encode(&arch)), Ok(arch.clone()));
        prop_assert_eq!(space.parse(&space.format(&arch)), Ok(arch.clone()));
        let other = space.respell(&arch, &mut rng_for(seed, "respell", 0));
        prop_assert_eq!(space.key(&other), space.key(&arch));
    }

    #[test]
    fn an_exchange_of_branches_is_a_respelling((space, arch) in any_cnn_arch(), node in 0..Cell::MAX_NODES) {
        let normal = arch.normal.with_branches_exchanged(node);
        prop_assert_eq!(normal.is_some(), node < space.nodes());
        if let Some(normal) = normal {
            let other = CnnArch { normal, reduction: arch.reduction.clone() };
            prop_assert_eq!(space.key(&other), space.key(&arch));
        }
    }

    #[test]
    fn every_spelling_costs_the_same((space, arch) in any_cnn_arch(), skeleton in skeletons(), seed in any::<u64>()) {
        let other = space.respell(&arch, &mut rng_for(seed, "respell", 0));
        let cost = |arch: &CnnArch| NetworkPlan::new(arch, &skeleton).unwrap().cost_with_auxiliary();
        prop_assert_eq!(cost(&arch), cost(&other));
        prop_assert_eq!(cost(&arch), cost(&space.canonical(&arch)));
    }

    #[test]
    fn a_printed_string_is_read_strictly(arch in cnn_archs(&cnn("v1-14", 4)), place in any::<prop::sample::Index>()) {
        let space = cnn("v1-14", 4);
        let text = space.format(&arch);
        let words: Vec<&str> = text.split(' ').collect();
        prop_assert_eq!(words.len(), 4 * 4 * 2);
        prop_assert!(words.iter().all(|word| word.parse::<u16>().is_ok_and(|number| number.to_string() == **word)));
        let place = place.index(words.len());
        let without = [&words[..place], &words[place + 1..]].concat().join(" ");
        let twice = [&words[..=place], &words[place..]].concat().join(" ");
        prop_assert!(space.parse(&without).is_err() && space.parse(&twice).is_err());
    }

    #[test]
    fn no_skeleton_panics((_, arch) in any_cnn_arch(), skeleton in any_skeletons()) {
        match NetworkPlan::new(&arch, &skeleton) {
            Ok(plan) => prop_assert!(plan.cost().params > 0),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn a_vocabulary_names_each_token_once(space in any_cnn_space()) {
        let names: HashSet<&String> = space.vocabulary().names().iter().collect();
        prop_assert_eq!(names.len(), space.vocabulary().len());
    }
}

/// Every sequence of a space, by walking its masks.
fn sequences<S: Space>(space: &S) -> Vec<Vec<Token>> {
    let mut all = vec![Vec::new()];
    for _ in 0..space.sequence_len() {
        let longer = all.iter().flat_map(|prefix: &Vec<Token>| {
            let next = space.allowed(prefix);
            next.iter().map(|token| [&prefix[..], &[token]].concat()).collect::<Vec<_>>()
        });
        all = longer.collect();
    }
    all
}

proptest! {
    #[test]
    fn laws_hold_in_any_choice_space((space, arch) in any_choice_arch()) {
        prop_assert_eq!(space.decode(&space.encode(&arch)), Ok(arch.clone()));
        prop_assert_eq!(space.parse(&space.format(&arch)), Ok(arch.clone()));
        let neighbours = space.neighbours(&arch);
        prop_assert_eq!(neighbours.iter().collect::<HashSet<_>>().len(), neighbours.len());
        for neighbour in neighbours {
            prop_assert_eq!(space.check(&neighbour), Ok(()));
            prop_assert!(space.neighbours(&neighbour).contains(&arch));
        }
    }

    #[test]
    fn the_size_of_a_choice_space_is_its_number_of_sequences(space in any_choice_space()) {
        let all = sequences(&space);
        prop_assert_eq!(space.size(), BigUint::from(all.len()));
        let archs: HashSet<_> = all.iter().map(|tokens| space.decode(tokens).unwrap()).collect();
        prop_assert_eq!(archs.len(), all.len());
    }

    #[test]
    fn no_file_of_a_choice_space_panics(text in "[a-z=\\[\\]\"{}, \n]{0,200}", from in any::<prop::sample::Index>(), piece in "\\PC{0,4}") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/spaces/residual-network.toml");
        let mut file: Vec<char> = std::fs::read_to_string(path).unwrap().chars().collect();
        let from = from.index(file.len());
        let to = file.len().min(from + 3);
        file.splice(from..to, piece.chars());
        for text in [text, file.into_iter().collect()] {
            if let Err(error) = ChoiceSpace::from_toml(&text) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

/// The upper bounds of a skeleton keep counts within 64 bits; a debug build would stop at an overflow.
#[test]
fn the_largest_plan_is_counted_without_overflow() {
    let heavy = Op::FactorConv { kernel: 7 };
    let edge = |state| Edge { input: State(state), op: heavy };
    let cell = Cell::new(vec![Node { edges: [edge(0), edge(1)] }; Cell::MAX_NODES]).unwrap();
    let arch = CnnArch { normal: cell.clone(), reduction: cell };
    let data = FeatureShape::new(2048, 2048, 4096);
    let skeleton = Skeleton::cifar10(100, 4096).for_data(data, 1 << 20).with_auxiliary(true);
    let plan =
        NetworkPlan::new(&arch, &Skeleton { stem: Stem::Cifar { multiplier: 64 }, ..skeleton }).unwrap();
    let cost = plan.cost_with_auxiliary();
    // By hand: the branches of the first stage alone.
    let branches = 100 * 2 * 12 * 2 * 7 * 4096 * 4096 * 2048 * 2048;
    assert!(cost.macs > 3 * branches && cost.macs < u64::MAX / 2, "{cost:?}");
}

/// A cell as plain numbers: per node two (input, operation).
type Plain = Vec<[(usize, usize); 2]>;

/// All cells of `nodes` nodes over `ops` operations.
fn all_cells(nodes: usize, ops: usize) -> Vec<Plain> {
    let mut cells: Vec<Plain> = vec![vec![]];
    for node in 0..nodes {
        let edges: Vec<(usize, usize)> =
            (0..node + 2).flat_map(|state| (0..ops).map(move |op| (state, op))).collect();
        let pairs: Vec<[(usize, usize); 2]> =
            edges.iter().flat_map(|&x| edges.iter().map(move |&y| [x, y])).collect();
        cells =
            cells.iter().flat_map(|cell| pairs.iter().map(|&pair| [&cell[..], &[pair]].concat())).collect();
    }
    cells
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(length - 1);
    let longer = shorter.iter().flat_map(|shorter| {
        (0..length).map(|place| [&shorter[..place], &[length - 1], &shorter[place..]].concat())
    });
    longer.collect()
}

/// The smallest of all spellings of a cell: every order of nodes that reads backward only, branches of each
/// node sorted. Knows nothing of the crate's way to a canonical spelling.
fn smallest_spelling(cell: &Plain, orders: &[Vec<usize>]) -> Plain {
    let spell = |order: &Vec<usize>| {
        let rename = |state: usize| match state.checked_sub(2) {
            None => state,
            Some(node) => 2 + order.iter().position(|&old| old == node).unwrap(),
        };
        let spelled = order.iter().map(|&old| {
            let mut pair = cell[old].map(|(state, op)| (rename(state), op));
            pair.sort_unstable();
            pair
        });
        let spelled: Plain = spelled.collect();
        let backward =
            spelled.iter().enumerate().all(|(node, pair)| pair.iter().all(|&(state, _)| state < node + 2));
        backward.then_some(spelled)
    };
    orders.iter().filter_map(spell).min().unwrap()
}

#[test]
fn canonical_classes_are_those_of_brute_force() {
    let ops = [Op::Identity, Op::Conv { kernel: 3 }];
    // Known by hand: 3 and 15 classes of one operation, see the unit tests of the space.
    for (nodes, ops, by_hand) in
        [(1, &ops[..1], Some(3)), (2, &ops[..1], Some(15)), (2, &ops, None), (3, &ops, None)]
    {
        let space = CnnSpace::new(nodes, OpSet::new("test", ops.iter().copied())).unwrap();
        let orders = permutations(nodes);
        let cells = all_cells(nodes, ops.len());
        let cell_of = |plain: &Plain| {
            let edge = |(state, op): (usize, usize)| Edge { input: State(state as u8), op: ops[op] };
            Cell::new(plain.iter().map(|pair| Node { edges: pair.map(edge) }).collect()).unwrap()
        };
        let mut key_of: HashMap<Plain, _> = HashMap::new();
        for plain in &cells {
            let arch = CnnArch { normal: cell_of(plain), reduction: cell_of(&cells[0]) };
            let smallest = smallest_spelling(plain, &orders);
            assert_eq!(
                space.canonical(&arch).normal,
                cell_of(&smallest),
                "not the smallest spelling of {plain:?}"
            );
            let key = space.key(&arch);
            let known = key_of.entry(smallest).or_insert_with(|| key.clone());
            assert_eq!(*known, key, "two keys for one class: {plain:?}");
        }
        let keys: HashSet<_> = key_of.values().collect();
        assert_eq!(keys.len(), key_of.len(), "one key for two classes");
        assert!(by_hand.is_none_or(|classes| classes == keys.len()));
        assert!(keys.len() < cells.len());
    }
}
