//! The recurrent cell space: nodes that each read one earlier node.

mod arch;
mod json;
mod text;
mod tree;

use num_bigint::BigUint;
use rand_chacha::ChaCha8Rng;

use crate::graph::{GraphBuilder, GraphSchema, OperationGraph};
use crate::language::{DecodeError, Describe, Graphs, Growth, Levels, Space, Token, TokenMask, Vocabulary};
use crate::text::ParseError;

pub use arch::{Activation, ActivationOrder, InvalidRnnArch, RnnArch, RnnNode, RnnState};
pub use json::{RNN_JSON_VERSION, RnnJson, rnn_from_json, rnn_to_json};
pub use text::{format_rnn, parse_rnn};
use tree::{canonical_tree, respelled_tree};

/// Recurrent cells of `nodes` searched nodes (docs/specification.md, b). The default is the papers': 11 nodes.
///
/// Its language is RNN-22 (docs/specification.md, a.5) for any number of nodes: per node an index token (input state +
/// 1) and an activation token (id + nodes + 1). Text is the same pairs as numbers, input and id.
///
/// ```
/// use nao_space::{ActivationOrder, RnnSpace, Space};
/// let space = RnnSpace::default();
/// let arch = space.parse("0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2")?;
/// assert_eq!(space.encode(&arch).len(), 22);
/// // The same cell in the ids of the weight-sharing code.
/// let ws = RnnSpace::new(11, ActivationOrder::NaoWs)?;
/// assert_eq!(ws.format(&arch), "0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RnnSpace {
    nodes: usize,
    order: ActivationOrder,
    vocabulary: Vocabulary,
}

/// A number of nodes that recurrent cells cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recurrent cell has 1 to {} searched nodes, {nodes} is not among them", RnnArch::MAX_NODES)]
pub struct InvalidRnnSpace {
    /// The number asked for.
    pub nodes: usize,
}

impl Default for RnnSpace {
    fn default() -> Self {
        RnnSpace::new(11, ActivationOrder::Nao).expect("the papers' space is valid")
    }
}

impl RnnSpace {
    /// Tokens per node: index and activation.
    const STEP: usize = 2;

    /// The space of cells of `nodes` searched nodes.
    ///
    /// # Errors
    /// When `nodes` is not 1 to 64.
    pub fn new(nodes: usize, order: ActivationOrder) -> Result<Self, InvalidRnnSpace> {
        if !(1..=RnnArch::MAX_NODES).contains(&nodes) {
            return Err(InvalidRnnSpace { nodes });
        }
        let states = (0..nodes).map(|state| format!("state {state}"));
        let activations = order.activations().into_iter().map(|activation| activation.name().to_owned());
        let vocabulary = Vocabulary::new(states.chain(activations));
        Ok(RnnSpace { nodes, order, vocabulary })
    }

    /// Number of searched nodes.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The order of the activations.
    pub fn order(&self) -> ActivationOrder {
        self.order
    }

    /// Checks that an architecture, from JSON say, belongs to this space.
    ///
    /// # Errors
    /// When it has another number of nodes.
    pub fn check(&self, arch: &RnnArch) -> Result<(), ParseError> {
        let found = arch.nodes().len();
        if found == self.nodes {
            return Ok(());
        }
        let message = format!("the cell has {found} searched nodes, the space has {}", self.nodes);
        Err(ParseError::OtherSpace { message })
    }

    fn first_activation_token(&self) -> usize {
        self.nodes + 1
    }

    fn node(&self, node: usize, index: Token, activation: Token) -> Option<RnnNode> {
        let input = index.index().checked_sub(1).filter(|&state| state <= node)?;
        let id = activation.index().checked_sub(self.first_activation_token())?;
        let activation = *self.order.activations().get(id)?;
        Some(RnnNode { input: RnnState(input as u8), activation })
    }
}

impl RnnSpace {
    /// The architecture of tokens; `None` where they are no sequence.
    fn arch(&self, tokens: &[Token]) -> Option<RnnArch> {
        if tokens.len() != self.sequence_len() {
            return None;
        }
        let steps = tokens.chunks_exact(RnnSpace::STEP).enumerate();
        let nodes = steps.map(|(node, step)| self.node(node, step[0], step[1])).collect::<Option<_>>()?;
        RnnArch::new(nodes).ok()
    }
}

impl Space for RnnSpace {
    type Arch = RnnArch;

    fn name(&self) -> String {
        format!("rnn/{}/{}", self.order.name(), self.nodes)
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn sequence_len(&self) -> usize {
        RnnSpace::STEP * self.nodes
    }

    fn tokens_per_step(&self) -> usize {
        RnnSpace::STEP
    }

    fn allowed(&self, prefix: &[Token]) -> TokenMask {
        let (node, place) = (prefix.len() / RnnSpace::STEP, prefix.len() % RnnSpace::STEP);
        let range = match place {
            _ if node >= self.nodes => 0..0,
            0 => 1..node + 2,
            _ => self.first_activation_token()..self.vocabulary.len(),
        };
        TokenMask::range(self.vocabulary.len(), range)
    }

    fn encode(&self, arch: &RnnArch) -> Vec<Token> {
        let step = |node: &RnnNode| {
            let activation = self.first_activation_token() + self.order.id(node.activation);
            [Token(u16::from(node.input.0) + 1), Token(activation as u16)]
        };
        arch.nodes().iter().flat_map(step).collect()
    }

    fn build(&self, tokens: &[Token]) -> RnnArch {
        self.arch(tokens).expect("every token was checked")
    }

    /// Nodes say whether tokens are theirs, which is faster than a mask of every token.
    fn decode(&self, tokens: &[Token]) -> Result<RnnArch, DecodeError> {
        self.arch(tokens).ok_or_else(|| DecodeError::of(self, tokens))
    }

    fn canonical(&self, arch: &RnnArch) -> RnnArch {
        canonical_tree(arch)
    }

    fn respell(&self, arch: &RnnArch, rng: &mut ChaCha8Rng) -> RnnArch {
        respelled_tree(arch, rng)
    }

    fn neighbours(&self, arch: &RnnArch) -> Vec<RnnArch> {
        let mut all = Vec::new();
        for (place, &node) in arch.nodes().iter().enumerate() {
            let inputs = (0..=place).map(|state| RnnNode { input: RnnState(state as u8), ..node });
            let activations =
                self.order.activations().into_iter().map(|activation| RnnNode { activation, ..node });
            for other in inputs.chain(activations).filter(|&other| other != node) {
                let mut nodes = arch.nodes().to_vec();
                nodes[place] = other;
                all.push(RnnArch::new(nodes).expect("the new node reads an earlier state"));
            }
        }
        all
    }

    fn format(&self, arch: &RnnArch) -> String {
        format_rnn(arch, self.order)
    }

    fn parse(&self, text: &str) -> Result<RnnArch, ParseError> {
        parse_rnn(text, self.nodes, self.order)
    }
}

impl Graphs for RnnSpace {
    fn graph_schema(&self) -> Option<GraphSchema> {
        Some(GraphSchema {
            cells: vec!["cell".to_owned()],
            inputs: vec!["start".to_owned()],
            operations: self.order.activations().map(|activation| activation.name().to_owned()).to_vec(),
            longest_path: self.nodes,
        })
    }

    /// The fixed first node is the input; all searched nodes are averaged into the output.
    fn graphs(&self, arch: &RnnArch) -> Vec<OperationGraph> {
        let mut graph = GraphBuilder::default();
        let mut states = vec![graph.input(0)];
        for node in arch.nodes() {
            let read = states[node.input.index()];
            states.push(graph.operation(self.order.id(node.activation), [read]));
        }
        vec![graph.finish(states.into_iter().skip(1))]
    }
}

impl Levels for RnnSpace {
    /// By nodes; later ones pass the first state on.
    fn growth(&self) -> Growth {
        let idle = RnnNode { input: RnnState(0), activation: Activation::Identity };
        let placeholder = RnnArch::new(vec![idle; self.nodes]).expect("the first state is an earlier one");
        let node =
            |node: usize| (0..RnnSpace::STEP).map(|place| vec![node * RnnSpace::STEP + place]).collect();
        Growth::new(self.encode(&placeholder), (0..self.nodes).map(node).collect())
    }
}

impl Describe for RnnSpace {
    fn position(&self, position: usize) -> String {
        let part = if position.is_multiple_of(RnnSpace::STEP) { "input" } else { "activation" };
        format!("node {}, {part}", position / RnnSpace::STEP + 1)
    }

    fn size(&self) -> BigUint {
        let choices = |node| BigUint::from((node + 1) * self.order.activations().len());
        (0..self.nodes).map(choices).product()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::seed::rng_for;

    /// Every architecture of a space, by walking its masks.
    fn all(space: &RnnSpace) -> Vec<RnnArch> {
        let mut prefixes = vec![Vec::new()];
        for _ in 0..space.sequence_len() {
            let longer = prefixes.iter().flat_map(|prefix: &Vec<Token>| {
                let next = space.allowed(prefix);
                next.iter().map(|token| [&prefix[..], &[token]].concat()).collect::<Vec<_>>()
            });
            prefixes = longer.collect();
        }
        prefixes.iter().map(|tokens| space.decode(tokens).unwrap()).collect()
    }

    fn space(nodes: usize) -> RnnSpace {
        RnnSpace::new(nodes, ActivationOrder::Nao).unwrap()
    }

    #[test]
    fn the_size_is_the_number_of_sequences() {
        for nodes in 1..=4 {
            let distinct: HashSet<RnnArch> = all(&space(nodes)).into_iter().collect();
            assert_eq!(space(nodes).size(), BigUint::from(distinct.len()), "{nodes} nodes");
        }
        // 11! numberings of inputs, 4^11 choices of activations.
        assert_eq!(RnnSpace::default().size(), BigUint::from(39_916_800u64 * 4_194_304));
    }

    #[test]
    fn sizes_of_the_language_are_those_of_the_authors() {
        let space = RnnSpace::default();
        assert_eq!((space.sequence_len(), space.tokens_per_step(), space.vocabulary().len()), (22, 2, 16));
        assert_eq!(space.vocabulary().name(Token(12)), Some("tanh"));
        assert_eq!(space.name(), "rnn/nao/11");
    }

    #[test]
    fn classes_of_small_cells_are_counted_right() {
        let keys = |nodes| {
            let space = space(nodes);
            all(&space).iter().map(|arch| space.key(arch)).collect::<HashSet<_>>().len()
        };
        // Four activations; then 16 chains and 10 unordered pairs; then 64 chains, 4 x 10 nodes with two
        // readers, 16 x 4 chains of two beside a single node and 20 multisets of three.
        assert_eq!([1, 2, 3].map(keys), [4, 26, 64 + 40 + 64 + 20]);
    }

    /// The smallest of all numberings decides which cells are one; knows nothing of trees.
    #[test]
    fn canonical_classes_are_those_of_brute_force() {
        fn numberings(
            left: &[usize],
            done: &[usize],
            arch: &RnnArch,
            out: &mut Vec<Vec<(usize, Activation)>>,
        ) {
            if left.is_empty() {
                let rename = |state: RnnState| match state.index().checked_sub(1) {
                    None => Some(0),
                    Some(old) => done.iter().position(|&known| known == old).map(|new| new + 1),
                };
                let spelled = done.iter().enumerate().map(|(place, &old)| {
                    let node = arch.nodes()[old];
                    rename(node.input).filter(|&input| input <= place).map(|input| (input, node.activation))
                });
                out.extend(spelled.collect::<Option<Vec<_>>>());
            }
            for &next in left {
                let rest: Vec<usize> = left.iter().copied().filter(|&other| other != next).collect();
                numberings(&rest, &[done, &[next]].concat(), arch, out);
            }
        }
        for nodes in 1..=4 {
            let space = space(nodes);
            let mut key_of = std::collections::HashMap::new();
            for arch in all(&space) {
                let mut spellings = Vec::new();
                numberings(&(0..nodes).collect::<Vec<_>>(), &[], &arch, &mut spellings);
                let smallest = spellings.into_iter().min().unwrap();
                let key = space.key(&arch);
                let known = key_of.entry(smallest).or_insert_with(|| key.clone());
                assert_eq!(*known, key, "two keys for one class: {arch:?}");
            }
            let keys: HashSet<_> = key_of.values().collect();
            assert_eq!(keys.len(), key_of.len(), "one key for two classes");
        }
    }

    #[test]
    fn the_orders_write_one_cell_differently() {
        let (nao, ws) = (RnnSpace::default(), RnnSpace::new(11, ActivationOrder::NaoWs).unwrap());
        let text = "0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2";
        let arch = nao.parse(text).unwrap();
        assert_ne!(ws.parse(text).unwrap(), arch, "the last node is another activation");
        assert_ne!(ws.format(&arch), text);
        assert_ne!(ws.encode(&arch), nao.encode(&arch));
        assert_eq!(ws.parse(&ws.format(&arch)).unwrap(), arch);
    }

    #[test]
    fn the_largest_cells_have_a_canonical_form_soon() {
        let space = space(RnnArch::MAX_NODES);
        let arch = space.sample(&mut rng_for(1, "test", 0));
        let other = space.respell(&arch, &mut rng_for(1, "test", 1));
        assert_ne!(other, arch);
        assert_eq!(space.key(&other), space.key(&arch));
    }

    #[test]
    fn decoding_names_position_and_choice() {
        let mut tokens = space(2).encode(&space(2).sample(&mut rng_for(3, "test", 0)));
        tokens[2] = Token(3);
        let error = space(2).decode(&tokens).unwrap_err().to_string();
        assert_eq!(error, "token 3 at position 2: allowed are 1 (state 0), 2 (state 1)");
        assert!(space(3).decode(&tokens).unwrap_err().to_string().contains("has 6 tokens, this one has 4"));
        assert!(RnnSpace::new(0, ActivationOrder::Nao).is_err());
        assert!(RnnSpace::new(65, ActivationOrder::Nao).unwrap_err().to_string().contains("1 to 64"));
    }
}
