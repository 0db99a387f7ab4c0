use std::collections::HashSet;

use super::*;
use crate::image::Op;

/// Every sequence of a space, by walking its masks.
fn sequences(space: &CnnSpace) -> Vec<Vec<Token>> {
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

#[test]
fn the_size_is_the_number_of_sequences() {
    let two = [Op::Identity, Op::Conv { kernel: 1 }];
    for (nodes, ops) in [(1, &two[..1]), (1, &two), (2, &two[..1])] {
        let space = CnnSpace::new(nodes, OpSet::new("test", ops.iter().copied())).unwrap();
        let all = sequences(&space);
        assert_eq!(space.size(), BigUint::from(all.len()), "{nodes} nodes, {} ops", ops.len());
        let distinct: HashSet<CnnArch> = all.iter().map(|tokens| space.decode(tokens).unwrap()).collect();
        assert_eq!(distinct.len(), all.len());
    }
}

#[test]
fn the_papers_space_has_1_8e32_sequences() {
    let per_cell = BigUint::from(720u32).pow(2) * BigUint::from(11u32).pow(10);
    assert_eq!(CnnSpace::default().size(), per_cell.pow(2));
    assert_eq!(CnnSpace::default().size().to_string().len(), 33);
}

#[test]
fn vocabularies_are_those_of_the_authors() {
    let vocabulary = |nodes, ops| CnnSpace::new(nodes, ops).unwrap().vocabulary().len();
    assert_eq!(vocabulary(5, OpSet::enas_5()), 12);
    assert_eq!(vocabulary(5, OpSet::v2_10()), 17);
    assert_eq!(vocabulary(5, OpSet::paper_11()), 18);
}

#[test]
fn canonical_classes_of_small_cells_are_counted_right() {
    // One node, one operation: the pairs {00, 01, 11} per cell, hence 3 x 3 classes of 4 x 4 spellings.
    let one = CnnSpace::new(1, OpSet::new("one", [Op::Identity])).unwrap();
    let keys = |space: &CnnSpace| {
        let archs = sequences(space).into_iter().map(|tokens| space.decode(&tokens).unwrap());
        archs.map(|arch| space.key(&arch)).collect::<HashSet<_>>().len()
    };
    assert_eq!(keys(&one), 9);
    // Two nodes: 3 x 6 unordered spellings. Node 1 reads node 0 in 3 of its 6 pairs (9 cells, all
    // distinct); otherwise the nodes are a multiset of two of the 3 pairs (6 cells). 15 per cell.
    let two = CnnSpace::new(2, OpSet::new("one", [Op::Identity])).unwrap();
    assert_eq!(keys(&two), 15 * 15);
}

#[test]
fn neighbours_differ_in_one_number() {
    let space = CnnSpace::default();
    let arch = space.sample(&mut crate::seed::rng_for(3, "test", 0));
    let neighbours = space.neighbours(&arch);
    // Per branch of node k: k + 1 other inputs and 10 other operations.
    assert_eq!(neighbours.len(), 2 * 2 * (1..=5).map(|inputs| inputs + 10).sum::<usize>());
    let tokens = space.encode(&arch);
    for neighbour in &neighbours {
        let other = space.encode(neighbour);
        assert_eq!(tokens.iter().zip(&other).filter(|(a, b)| a != b).count(), 1);
    }
    assert_eq!(neighbours.iter().collect::<HashSet<_>>().len(), neighbours.len());
}

#[test]
fn decoding_names_position_and_choice() {
    let space = CnnSpace::default();
    let mut tokens = space.encode(&space.sample(&mut crate::seed::rng_for(3, "test", 0)));
    tokens[4] = Token(4);
    let error = space.decode(&tokens).unwrap_err().to_string();
    assert_eq!(error, "token 4 at position 4: allowed are 1 (state 0), 2 (state 1), 3 (state 2)");
    assert!(space.decode(&tokens[1..]).unwrap_err().to_string().contains("has 40 tokens, this one has 39"));
}

#[test]
fn thirteen_nodes_are_refused() {
    assert!(CnnSpace::new(13, OpSet::enas_5()).is_err());
    assert!(CnnSpace::new(0, OpSet::enas_5()).is_err());
    assert!(CnnSpace::new(1, OpSet::new("none", [])).is_err());
}

fn encoded(nodes: usize, ops: OpSet, encoding: Encoding) -> CnnSpace {
    CnnSpace::with_encoding(nodes, ops, encoding).unwrap()
}

#[test]
fn the_size_is_the_number_of_sequences_in_every_encoding() {
    let ops = || OpSet::new("two", [Op::SepConv { kernel: 3 }, Op::Identity]);
    for encoding in Encoding::ALL {
        let space = encoded(1, ops(), encoding);
        let all = sequences(&space);
        assert_eq!(space.size(), BigUint::from(all.len()), "{encoding}");
        let distinct: HashSet<CnnArch> = all.iter().map(|tokens| space.decode(tokens).unwrap()).collect();
        assert_eq!(distinct.len(), all.len(), "{encoding}");
    }
}

#[test]
fn a_second_token_depends_on_the_first() {
    let space = encoded(5, OpSet::v2_11(), Encoding::KindSize);
    let named = |prefix: &[Token]| {
        let allowed = space.allowed(prefix);
        let names = allowed.iter().map(|token| space.vocabulary().name(token).unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(named(&[]), ["node_1", "node_2"]);
    assert_eq!(named(&[Token(1)]), ["identity", "conv", "avg_pool", "max_pool"]);
    assert_eq!(named(&[Token(1), Token(7)]), ["1x1"]);
    assert_eq!(named(&[Token(1), Token(9)]), ["1x1", "3x3", "1x3+3x1", "1x7+7x1"]);
    assert!(named(&[Token(1), Token(8)]).is_empty(), "sep_conv is none of the eleven");
    let ws = encoded(5, OpSet::enas_5(), Encoding::OpPair);
    let tokens =
        |first| ws.allowed(&[Token(1), Token(first)]).iter().map(|token| token.0).collect::<Vec<_>>();
    assert_eq!([7, 8, 9, 10].map(tokens), [vec![12], vec![11, 12], vec![11], vec![11]]);
}

#[test]
fn sizes_of_the_languages_are_those_of_the_authors() {
    let shape = |ops, encoding| {
        let space = encoded(5, ops, encoding);
        (space.sequence_len(), space.tokens_per_step(), space.vocabulary().len())
    };
    assert_eq!(shape(OpSet::enas_5(), Encoding::Pairs), (40, 2, 12));
    assert_eq!(shape(OpSet::v2_11(), Encoding::KindSize), (60, 3, 21));
    assert_eq!(shape(OpSet::enas_5(), Encoding::KindSize), (60, 3, 21));
    assert_eq!(shape(OpSet::enas_5(), Encoding::OpPair), (60, 3, 13));
}

#[test]
fn encodings_change_tokens_but_no_keys() {
    let [pairs, sizes, two] = Encoding::ALL.map(|encoding| encoded(3, OpSet::enas_5(), encoding));
    assert_eq!(
        [pairs.name(), sizes.name(), two.name()],
        ["cnn/enas-5/3", "cnn/enas-5/3/kind-size", "cnn/enas-5/3/op-pair"]
    );
    let arch = pairs.sample(&mut crate::seed::rng_for(1, "test", 0));
    assert_eq!(pairs.key(&arch), sizes.key(&arch));
    assert_eq!(pairs.format(&arch), two.format(&arch));
    assert_ne!(sizes.encode(&arch), two.encode(&arch));
}

#[test]
fn an_operation_without_a_word_of_its_own_is_named() {
    let refusal = |ops, encoding| CnnSpace::with_encoding(5, ops, encoding).unwrap_err().to_string();
    assert!(refusal(OpSet::v2_10(), Encoding::KindSize).contains("`kind-size` has no word for zero"));
    assert!(refusal(OpSet::paper_11(), Encoding::OpPair).contains("`op-pair` has no word for conv_1x1"));
    let shared = refusal(OpSet::v1_14(), Encoding::KindSize);
    assert!(shared.contains("writes avg_pool_3x3 and avg_pool_3x3_zeros alike"), "{shared}");
    // The paper's set has one pool of each size: its zeros need no word.
    let space = encoded(5, OpSet::paper_11(), Encoding::KindSize);
    let arch = space.sample(&mut crate::seed::rng_for(1, "test", 0));
    assert_eq!(space.decode(&space.encode(&arch)), Ok(arch));
}

#[test]
fn encodings_are_found_by_their_names() {
    for encoding in Encoding::ALL {
        assert_eq!(encoding.name().parse(), Ok(encoding));
        assert_eq!(serde_json::to_string(&encoding).unwrap(), format!("\"{encoding}\""));
    }
    assert!("triples".parse::<Encoding>().unwrap_err().to_string().contains("kind-size"));
}
