//! A space with a fault breaks a law: the suite is no rubber stamp.
#![cfg(feature = "testing")]

use nao_space::laws::spaces as laws;
use nao_space::notation::ParseError;
use nao_space::{
    CnnArch, CnnSpace, DecodeError, Describe, Graphs, Levels, OpSet, Space, Token, TokenMask, Vocabulary,
};
use num_bigint::BigUint;
use rand_chacha::ChaCha8Rng;

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Respelling is not undone by the canonical form.
    ForgetsSymmetry,
    /// The architecture is among its neighbours.
    IsItsOwnNeighbour,
    /// A neighbour is left out in one direction.
    NeighboursAreOneWay,
    /// The mask allows tokens that do not decode.
    AllowsTheStartSymbol,
    /// Text with a stray word is read.
    ReadsTheFirstWordsOnly,
    /// The two cells change places in the sequence.
    EncodesInAnotherOrder,
}

/// A sound space with one fault.
#[derive(Clone)]
struct Faulty {
    space: CnnSpace,
    fault: Fault,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Faulty { space: CnnSpace::new(3, OpSet::enas_5()).unwrap(), fault }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

impl Space for Faulty {
    type Arch = CnnArch;

    fn name(&self) -> String {
        "faulty".to_owned()
    }

    fn vocabulary(&self) -> &Vocabulary {
        self.space.vocabulary()
    }

    fn sequence_len(&self) -> usize {
        self.space.sequence_len()
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let mut mask = self.space.allowed(prefix);
        if self.has(Fault::AllowsTheStartSymbol) && prefix.len() == 5 {
            mask.insert(Token::START);
        }
        mask
    }

    fn encode(&self, arch: &CnnArch) -> Vec<Token> {
        let mut tokens = self.space.encode(arch);
        if self.has(Fault::EncodesInAnotherOrder) {
            tokens.rotate_left(self.sequence_len() / 2);
        }
        tokens
    }

    fn build(&self, tokens: &[Token]) -> CnnArch {
        self.space.build(tokens)
    }

    fn decode(&self, tokens: &[Token]) -> Result<CnnArch, DecodeError> {
        self.space.decode(tokens)
    }

    fn canonical(&self, arch: &CnnArch) -> CnnArch {
        if self.has(Fault::ForgetsSymmetry) { arch.clone() } else { self.space.canonical(arch) }
    }

    fn respell(&self, arch: &CnnArch, rng: &mut ChaCha8Rng) -> CnnArch {
        self.space.respell(arch, rng)
    }

    fn neighbours(&self, arch: &CnnArch) -> Vec<CnnArch> {
        let mut neighbours = self.space.neighbours(arch);
        match self.fault {
            Fault::IsItsOwnNeighbour => neighbours.push(arch.clone()),
            Fault::NeighboursAreOneWay => neighbours.retain(|neighbour| neighbour > arch),
            _ => {}
        }
        neighbours
    }

    fn format(&self, arch: &CnnArch) -> String {
        self.space.format(arch)
    }

    fn parse(&self, text: &str) -> Result<CnnArch, ParseError> {
        if self.has(Fault::ReadsTheFirstWordsOnly) {
            let words: Vec<&str> = text.split_whitespace().take(4).collect();
            return self.space.parse(&words.repeat(self.sequence_len() / 4).join(" "));
        }
        self.space.parse(text)
    }
}

impl Graphs for Faulty {}

impl Levels for Faulty {}

impl Describe for Faulty {
    fn size(&self) -> BigUint {
        self.space.size()
    }
}

#[test]
#[should_panic = "respelling keeps canonical form and key"]
fn a_forgotten_symmetry_is_caught() {
    laws::respelling_keeps_canonical_form_and_key(&Faulty::new(Fault::ForgetsSymmetry));
}

#[test]
#[should_panic = "neighbours are distinct others of the space"]
fn a_neighbour_that_is_the_same_is_caught() {
    laws::neighbours_are_distinct_others_of_the_space(&Faulty::new(Fault::IsItsOwnNeighbour));
}

#[test]
#[should_panic = "neighbourhood is mutual"]
fn a_neighbour_in_one_direction_is_caught() {
    laws::neighbourhood_is_mutual(&Faulty::new(Fault::NeighboursAreOneWay));
}

#[test]
#[should_panic = "masked walks are sequences"]
fn a_mask_that_allows_too_much_is_caught() {
    laws::masked_walks_are_sequences(&Faulty::new(Fault::AllowsTheStartSymbol));
}

#[test]
#[should_panic = "parsing undoes formatting"]
fn a_loose_reader_is_caught() {
    laws::parsing_undoes_formatting(&Faulty::new(Fault::ReadsTheFirstWordsOnly));
}

#[test]
#[should_panic = "decoding undoes encoding"]
fn another_order_of_tokens_is_caught() {
    laws::decoding_undoes_encoding(&Faulty::new(Fault::EncodesInAnotherOrder));
}
