//! The DAG notation of the authors' TensorFlow code (docs/specification.md, a.5): JSON with one row per node.
//!
//! ```json
//! {
//!   "conv_dag": {
//!     "node_1": ["node_1", null, null, null, null],
//!     "node_2": ["node_2", null, null, null, null],
//!     "node_3": ["node_3", "node_1", "node_2", "conv 3x3", "avg_pool 5x5"], …
//!   },
//!   "reduc_dag": { … }
//! }
//! ```
//! `node_1` and `node_2` are the inputs of the cell, older and newer; every further row names itself, its two
//! inputs and its two operations.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::arch::{CellRole, CnnArch};
use super::cell::{Cell, Edge, Node, State};
use super::op::Op;
use super::tf_vocabulary;
use crate::text::ParseError;

/// Reads an architecture in the DAG notation of the authors' TensorFlow code.
///
/// Lists of loose ends, `conv_loose_ends` and `reduc_loose_ends`, may be given; they must be those that the
/// nodes leave unread, in order. NASNet-A's are not: a cell that concatenates other states is none of this space.
///
/// ```
/// use nao_space::notation::{cnn_from_tf_dag, cnn_to_tf_dag};
/// let text = r#"{
///     "conv_dag": {
///         "node_1": ["node_1", null, null, null, null],
///         "node_2": ["node_2", null, null, null, null],
///         "node_3": ["node_3", "node_1", "node_2", "conv 1x7+7x1", "identity"]
///     },
///     "reduc_dag": {
///         "node_1": ["node_1", null, null, null, null],
///         "node_2": ["node_2", null, null, null, null],
///         "node_3": ["node_3", "node_2", "node_2", "min_pool 2x2", "dil_sep_conv 3x3"]
///     }
/// }"#;
/// let arch = cnn_from_tf_dag(text)?;
/// assert_eq!(cnn_from_tf_dag(&cnn_to_tf_dag(&arch)?)?, arch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// On JSON of another form, rows that are missing or too many, an input that is no earlier node, an operation
/// that TensorFlow's vocabulary does not have, other loose ends: with key and place.
pub fn cnn_from_tf_dag(text: &str) -> Result<CnnArch, ParseError> {
    let dags: Dags = serde_json::from_str(text).map_err(|error| ParseError::json(&error))?;
    Ok(CnnArch {
        normal: cell("conv", &dags.conv_dag, dags.conv_loose_ends)?,
        reduction: cell("reduc", &dags.reduc_dag, dags.reduc_loose_ends)?,
    })
}

/// Writes an architecture in the DAG notation of the authors' TensorFlow code, on one line.
///
/// # Errors
/// When TensorFlow's vocabulary has no name for an operation; names it.
pub fn cnn_to_tf_dag(arch: &CnnArch) -> Result<String, NoTfName> {
    #[derive(Serialize)]
    struct Document {
        conv_dag: WrittenRows,
        reduc_dag: WrittenRows,
    }
    let document = Document {
        conv_dag: WrittenRows::of(CellRole::Normal, &arch.normal)?,
        reduc_dag: WrittenRows::of(CellRole::Reduction, &arch.reduction)?,
    };
    Ok(serde_json::to_string(&document).expect("names have a JSON form"))
}

/// An operation that the TensorFlow code does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{role} cell, node {node}: `{op}` has no name in the TensorFlow vocabulary, whose pools exclude the border; \
     it has {}",
    known_names()
)]
pub struct NoTfName {
    /// The cell.
    pub role: CellRole,
    /// The node, counted from 0.
    pub node: usize,
    /// The operation.
    pub op: Op,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dags {
    conv_dag: Rows,
    reduc_dag: Rows,
    conv_loose_ends: Option<Vec<String>>,
    reduc_loose_ends: Option<Vec<String>>,
}

/// The rows of a cell by their keys, of which none may come twice.
struct Rows(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DistinctKeys;

        impl<'de> Visitor<'de> for DistinctKeys {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the rows node_1, node_2, …")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                let mut rows = BTreeMap::new();
                while let Some((key, row)) = map.next_entry::<String, Value>()? {
                    if rows.contains_key(&key) {
                        return Err(A::Error::custom(format!("the key `{}` comes twice", short(&key))));
                    }
                    rows.insert(key, row);
                }
                Ok(Rows(rows))
            }
        }

        deserializer.deserialize_map(DistinctKeys)
    }
}

fn cell(kind: &str, Rows(rows): &Rows, loose_ends: Option<Vec<String>>) -> Result<Cell, ParseError> {
    let dag = format!("{kind}_dag");
    let (inputs, count) = (State::INPUTS, rows.len());
    if count <= inputs || count > inputs + Cell::MAX_NODES {
        let allowed = format!("{} to {}", inputs + 1, inputs + Cell::MAX_NODES);
        return Err(wrong(format!("{dag} has {count} rows; expected {allowed}, node_1 and node_2 included")));
    }
    let mut nodes = Vec::with_capacity(count - inputs);
    for state in 0..count {
        let name = node_name(state);
        let row = rows.get(&name).ok_or_else(|| {
            wrong(format!("{dag} has {count} rows, which must be node_1 to node_{count}, but no {name}"))
        })?;
        let row = Row::new(format!("{dag}.{name}"), row, &name)?;
        if state < inputs {
            row.is_an_input()?;
        } else {
            nodes.push(row.node(state)?);
        }
    }
    let cell = Cell::new(nodes).map_err(|error| wrong(format!("{dag}: {error}")))?;
    if let Some(given) = loose_ends {
        let unread: Vec<String> = cell.loose_ends().into_iter().map(|end| node_name(end.index())).collect();
        if given != unread {
            let given: Vec<&str> =
                given.iter().take(inputs + Cell::MAX_NODES).map(|name| short(name)).collect();
            return Err(wrong(format!(
                "{kind}_loose_ends are {}, but the nodes leave {} unread; a cell that concatenates other states \
                 than those does not belong to this space",
                given.join(", "),
                unread.join(", ")
            )));
        }
    }
    Ok(cell)
}

/// One row: name, two inputs, two operations.
struct Row<'a> {
    /// Where it stands, such as `conv_dag.node_3`.
    place: String,
    values: &'a [Value; 5],
}

impl<'a> Row<'a> {
    fn new(place: String, value: &'a Value, name: &str) -> Result<Self, ParseError> {
        let values = value.as_array().and_then(|values| <&[Value; 5]>::try_from(values.as_slice()).ok());
        let values = values.ok_or_else(|| {
            let found = value.to_string();
            wrong(format!(
                "{place} is {}; expected an array [name, input, input, operation, operation]",
                short(&found)
            ))
        })?;
        let row = Row { place, values };
        if values[0] != name {
            return Err(row.refuse(0, &format!("the name of its key, \"{name}\"")));
        }
        Ok(row)
    }

    /// Checks that nothing follows the name.
    fn is_an_input(&self) -> Result<(), ParseError> {
        match (1..5).find(|&at| !self.values[at].is_null()) {
            Some(at) => Err(self.refuse(at, "null, for the first two rows are the inputs of the cell")),
            None => Ok(()),
        }
    }

    /// The node that makes `state`.
    fn node(&self, state: usize) -> Result<Node, ParseError> {
        let edge = |input, op| Ok(Edge { input: self.input(input, state)?, op: self.op(op)? });
        Ok(Node { edges: [edge(1, 3)?, edge(2, 4)?] })
    }

    fn input(&self, at: usize, reader: usize) -> Result<State, ParseError> {
        let earlier = (0..reader).find(|&state| self.values[at] == node_name(state).as_str());
        match earlier {
            Some(state) => Ok(State(state as u8)),
            None => {
                Err(self.refuse(at, &format!("an earlier node, \"node_1\" to \"{}\"", node_name(reader - 1))))
            }
        }
    }

    fn op(&self, at: usize) -> Result<Op, ParseError> {
        let op = self.values[at].as_str().and_then(tf_vocabulary::op_named);
        op.ok_or_else(|| self.refuse(at, &format!("an operation: {}", known_names())))
    }

    fn refuse(&self, at: usize, expected: &str) -> ParseError {
        let found = self.values[at].to_string();
        wrong(format!("{}[{at}] is {}; expected {expected}", self.place, short(&found)))
    }
}

/// The rows of a cell as they are written: in order, under their names.
struct WrittenRows(Vec<[Option<String>; 5]>);

impl WrittenRows {
    fn of(role: CellRole, cell: &Cell) -> Result<Self, NoTfName> {
        let input = |state| [Some(node_name(state)), None, None, None, None];
        let mut rows: Vec<_> = (0..State::INPUTS).map(input).collect();
        for (node, Node { edges: [x, y] }) in cell.nodes().iter().enumerate() {
            let name = |op| tf_vocabulary::name(op).ok_or(NoTfName { role, node, op });
            rows.push([
                Some(node_name(State::of_node(node).index())),
                Some(node_name(x.input.index())),
                Some(node_name(y.input.index())),
                Some(name(x.op)?),
                Some(name(y.op)?),
            ]);
        }
        Ok(WrittenRows(rows))
    }
}

impl Serialize for WrittenRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().enumerate().map(|(state, row)| (node_name(state), row)))
    }
}

/// TensorFlow counts nodes from 1, the inputs of the cell first.
fn node_name(state: usize) -> String {
    format!("node_{}", state + 1)
}

fn known_names() -> String {
    tf_vocabulary::names().join(", ")
}

/// The beginning of a text, enough to find it.
fn short(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(end, _)| &text[..end])
}

fn wrong(message: String) -> ParseError {
    ParseError::Json { message }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::OpSet;
    use crate::language::Space;
    use crate::seed::rng_for;
    use crate::spaces::CnnSpace;

    fn arch(nodes: usize, seed: u64) -> CnnArch {
        CnnSpace::new(nodes, OpSet::tf_19()).unwrap().sample(&mut rng_for(seed, "dag", 0))
    }

    const DAG: &str = r#"{
        "conv_dag": {
            "node_1": ["node_1", null, null, null, null],
            "node_2": ["node_2", null, null, null, null],
            "node_3": ["node_3", "node_1", "node_2", "conv 3x3", "avg_pool 5x5"],
            "node_4": ["node_4", "node_3", "node_2", "identity", "conv 1x3+3x1"]
        },
        "reduc_dag": {
            "node_2": ["node_2", null, null, null, null],
            "node_3": ["node_3", "node_2", "node_2", "sep_conv 7x7", "max_pool 7x7"],
            "node_1": ["node_1", null, null, null, null]
        }
    }"#;

    #[test]
    fn rows_may_come_in_any_order_and_are_written_in_theirs() {
        let arch = cnn_from_tf_dag(DAG).unwrap();
        assert_eq!(arch.normal.loose_ends(), [State(3)]);
        assert_eq!(arch.reduction.nodes().len(), 1);
        let text = cnn_to_tf_dag(&arch).unwrap();
        let first = r#"{"conv_dag":{"node_1":["node_1",null,null,null,null],"node_2":["node_2",null,null,null,null],"#;
        assert!(text.starts_with(first), "{text}");
    }

    #[test]
    fn an_error_names_key_and_place() {
        let cases = [
            (
                r#""conv 3x3""#,
                r#""conv 4x4""#,
                r#"conv_dag.node_3[3] is "conv 4x4"; expected an operation: identity, sep_conv 3x3"#,
            ),
            (
                r#"["node_3", "node_1""#,
                r#"["node_3", "node_3""#,
                r#"conv_dag.node_3[1] is "node_3"; expected an earlier node, "node_1" to "node_2""#,
            ),
            (
                r#"["node_4", "node_3""#,
                r#"["node_4", 3"#,
                "conv_dag.node_4[1] is 3; expected an earlier node",
            ),
            (
                r#"["node_4","#,
                r#"["node_5","#,
                r#"conv_dag.node_4[0] is "node_5"; expected the name of its key, "node_4""#,
            ),
            (
                r#""node_4": ["#,
                r#""node_5": ["#,
                "conv_dag has 4 rows, which must be node_1 to node_4, but no node_4",
            ),
            (r#""node_4": ["#, r#""node_3": ["#, "the key `node_3` comes twice at line"),
            (
                r#"["node_1", null"#,
                r#"["node_1", "node_2""#,
                r#"conv_dag.node_1[1] is "node_2"; expected null"#,
            ),
            (r#""conv 1x3+3x1"]"#, r#""conv 1x3+3x1", 1]"#, "conv_dag.node_4 is ["),
            (r#""reduc_dag""#, r#""reduction""#, "unknown field `reduction`"),
        ];
        for (good, bad, message) in cases {
            let error = cnn_from_tf_dag(&DAG.replacen(good, bad, 1)).unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} should contain {message:?}");
        }
        let empty = r#"{"conv_dag": {}, "reduc_dag": {}}"#;
        assert!(
            cnn_from_tf_dag(empty).unwrap_err().to_string().contains("conv_dag has 0 rows; expected 3 to 14")
        );
    }

    #[test]
    fn loose_ends_must_be_those_of_the_nodes() {
        let with = |ends: &str| {
            let start = format!("{{ \"conv_loose_ends\": {ends},");
            cnn_from_tf_dag(&DAG.replacen('{', &start, 1)).map_err(|error| error.to_string())
        };
        assert_eq!(with(r#"["node_4"]"#), cnn_from_tf_dag(DAG).map_err(|error| error.to_string()));
        let error = with(r#"["node_1", "node_4"]"#).unwrap_err();
        assert!(error.contains("are node_1, node_4, but the nodes leave node_4 unread"), "{error}");
    }

    #[test]
    fn pools_with_zeros_around_the_map_have_no_name() {
        let paper = CnnSpace::default().parse(&["0 5 0 14"; 10].join(" ")).unwrap();
        let error = cnn_to_tf_dag(&paper).unwrap_err();
        assert_eq!((error.role, error.node), (CellRole::Normal, 0));
        assert!(error.to_string().contains("`avg_pool_3x3_zeros` has no name"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nodes in 1..=Cell::MAX_NODES, seed in any::<u64>()) {
            let arch = arch(nodes, seed);
            prop_assert_eq!(cnn_from_tf_dag(&cnn_to_tf_dag(&arch).unwrap()), Ok(arch));
        }

        #[test]
        fn no_text_panics(seed in any::<u64>(), from in 0usize..1000, len in 0usize..20, piece in "[a-z0-9\"\\[\\]{}:, _é]{0,12}") {
            let mut text: Vec<char> = cnn_to_tf_dag(&arch(3, seed)).unwrap().chars().collect();
            let from = from.min(text.len());
            text.splice(from..(from + len).min(text.len()), piece.chars());
            for text in [text.into_iter().collect(), piece] {
                match cnn_from_tf_dag(&text) {
                    Ok(arch) => prop_assert!(cnn_to_tf_dag(&arch).is_ok()),
                    Err(error) => prop_assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
}
