//! Genotypes of image cells, as users of DARTS and of the searches after it paste them.
//!
//! As the code prints them, `Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=range(2, 6), reduce=[…],
//! reduce_concat=range(2, 6))`, also with `NAME =` in front; or as a dictionary or JSON object,
//! `{'normal': [['sep_conv_3x3', 0], …], 'normal_concat': [2, 3, 4, 5], …}`. Fields come in any order, lists are
//! written with `[]` or `()`, strings with either quote. Two pairs make a node; the pairs of a node may stand in a list
//! of their own. Comments run from `#` to the end of the line.

use super::cell::{NODES, concat};
use crate::image::{Cell, CellRole, CnnArch, DARTS_OPS, Edge, Node, Op, State};
use crate::text::{Cursor, ParseError};

/// A genotype: its cells, and the states whose concatenation is the output of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genotype {
    /// The cells.
    pub arch: CnnArch,
    /// What the normal cell concatenates.
    pub normal_concat: Vec<State>,
    /// What the reduction cell concatenates.
    pub reduction_concat: Vec<State>,
}

impl Genotype {
    /// Whether both cells concatenate all their nodes and nothing else, in order.
    pub fn concatenates_all_nodes(&self) -> bool {
        let all = |cell: &Cell| (0..cell.nodes().len()).map(State::of_node).collect::<Vec<_>>();
        self.normal_concat == all(&self.arch.normal) && self.reduction_concat == all(&self.arch.reduction)
    }
}

/// Whether a text is meant as a genotype, right or wrong.
pub fn looks_like_genotype(text: &str) -> bool {
    ["Genotype", "normal_concat", "reduce_concat"].iter().any(|word| text.contains(word))
}

/// Reads a genotype of any number of nodes: that of a DARTS cell, and those of NASNet-A and AmoebaNet-A in the repository of
/// DARTS.
///
/// ```
/// use nao_space::notation::parse_genotype;
/// let text = "MINE = Genotype(
///     normal=[[('sep_conv_3x3', 0), ('skip_connect', 1)]], normal_concat=range(2, 3),  # one node
///     reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 0)], reduce_concat=[2])";
/// let genotype = parse_genotype(text)?;
/// assert_eq!(genotype.arch.normal.nodes().len(), 1);
/// assert!(genotype.concatenates_all_nodes());
/// # Ok::<(), nao_space::notation::ParseError>(())
/// ```
///
/// # Errors
/// On anything but the documented forms: names line and column, the cell and node, and what may stand there. The triples
/// of GDAS are refused with the reason.
pub fn parse_genotype(text: &str) -> Result<Genotype, ParseError> {
    read_genotype(text, &Limits::ANY)
}

/// Which genotypes are read.
pub(super) struct Limits {
    /// Nodes per cell; any number where none is given.
    nodes: Option<usize>,
    /// Whether the two inputs of a node have to differ, and all nodes to be concatenated.
    strict: bool,
    /// The operations by name.
    ops: &'static [(&'static str, Op)],
}

impl Limits {
    /// What DARTS can derive.
    pub(super) const DARTS: Limits = Limits { nodes: Some(NODES), strict: true, ops: &DARTS_OPS };
    /// What its repository can build.
    const ANY: Limits = Limits { nodes: None, strict: false, ops: &ALL_OPS };
}

/// The operations of DARTS, and those that its repository knows for cells of other searches.
const ALL_OPS: [(&str, Op); 9] = {
    let mut ops = [("sep_conv_7x7", Op::SepConv { kernel: 7 }); 9];
    let mut at = 0;
    while at < DARTS_OPS.len() {
        ops[at] = DARTS_OPS[at];
        at += 1;
    }
    ops[8] = ("conv_7x1_1x7", Op::FactorConv { kernel: 7 });
    ops
};

const FIELDS: [&str; 4] = ["normal", "normal_concat", "reduce", "reduce_concat"];

/// Fields of later searches that say nothing where they are `None`.
const EMPTY_FIELDS: [&str; 2] = ["connectN", "connects"];

pub(super) fn read_genotype(text: &str, limits: &Limits) -> Result<Genotype, ParseError> {
    let mut reader = Reader { cursor: Cursor::new(text), limits };
    let form = reader.opening()?;
    let (mut normal, mut reduction, mut seen) = (None, None, Vec::new());
    let (mut normal_concat, mut reduction_concat) = (Vec::new(), Vec::new());
    loop {
        let field = reader.field(&form, &seen)?;
        seen.push(field);
        match field {
            "normal" => normal = Some(reader.cell(CellRole::Normal)?),
            "reduce" => reduction = Some(reader.cell(CellRole::Reduction)?),
            "normal_concat" => normal_concat = reader.concat(field)?,
            field => reduction_concat = reader.concat(field)?,
        }
        if seen.len() == FIELDS.len() {
            break;
        }
        reader.expect(",", "after a field")?;
    }
    while reader.eat(",") && reader.empty_field(&form)? {}
    reader.expect(form.close, "after the last field")?;
    reader.skip();
    reader.cursor.end()?;
    let (Some(normal), Some(reduction)) = (normal, reduction) else {
        unreachable!("four distinct fields were read")
    };
    check_concat("normal_concat", &normal_concat, &normal)?;
    check_concat("reduce_concat", &reduction_concat, &reduction)?;
    Ok(Genotype { arch: CnnArch { normal, reduction }, normal_concat, reduction_concat })
}

/// A list may stand before its cell, so that only now its states can be told from others.
fn check_concat(field: &str, states: &[State], cell: &Cell) -> Result<(), ParseError> {
    let last = State::of_node(cell.nodes().len() - 1);
    let wrong = |message: String| Err(ParseError::OtherSpace { message: format!("{field} {message}") });
    if states.is_empty() {
        return wrong("is empty: a cell has an output".into());
    }
    if let Some(state) = states.iter().find(|&&state| state > last) {
        return wrong(format!("names state {state}; the last of the cell is {last}"));
    }
    match states.iter().enumerate().find(|(at, state)| states[..*at].contains(state)) {
        Some((_, state)) => wrong(format!("names state {state} twice")),
        None => Ok(()),
    }
}

/// How fields are written.
struct Form {
    quoted: bool,
    assign: &'static str,
    close: &'static str,
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    limits: &'a Limits,
}

impl<'a> Reader<'a> {
    fn skip(&mut self) {
        self.cursor.skip_space_and_comments();
    }

    fn eat(&mut self, symbol: &str) -> bool {
        self.skip();
        self.cursor.eat(symbol)
    }

    fn expect(&mut self, symbol: &str, part: &str) -> Result<(), ParseError> {
        self.skip();
        self.cursor.expect(symbol, part)
    }

    /// The word of letters, digits and underscores that stands next.
    fn word(&mut self) -> &'a str {
        self.skip();
        self.cursor.word(|character| character.is_ascii_alphanumeric() || character == '_')
    }

    /// The place of the next word.
    fn here(&mut self) -> Cursor<'a> {
        self.skip();
        self.cursor
    }

    fn opening(&mut self) -> Result<Form, ParseError> {
        let mut before = self.here();
        let mut word = self.word();
        if !word.is_empty() && word != "Genotype" {
            self.expect("=", "after the name of a genotype")?;
            before = self.here();
            word = self.word();
        }
        if word == "Genotype" {
            self.expect("(", "after `Genotype`")?;
            return Ok(Form { quoted: false, assign: "=", close: ")" });
        }
        if word.is_empty() && self.eat("{") {
            return Ok(Form { quoted: true, assign: ":", close: "}" });
        }
        Err(before.unexpected("", "`Genotype(` or `{`".into()))
    }

    /// The name of a field that was not read yet, and what follows it.
    fn field(&mut self, form: &Form, seen: &[&str]) -> Result<&'static str, ParseError> {
        let before = self.here();
        let word = if form.quoted { self.string("a field")? } else { self.word() };
        let mut missing = FIELDS.into_iter().filter(|field| !seen.contains(field));
        let Some(field) = missing.clone().find(|&field| field == word) else {
            let recurrent = ["recurrent", "concat"].contains(&word);
            let hint = if recurrent { "; it is a genotype of a recurrent cell" } else { "" };
            let expected = format!("one of {}{hint}", missing.by_ref().collect::<Vec<_>>().join(", "));
            return Err(before.unexpected("a field", expected));
        };
        self.expect(form.assign, field)?;
        Ok(field)
    }

    /// A field that says nothing, where one stands next.
    fn empty_field(&mut self, form: &Form) -> Result<bool, ParseError> {
        let before = self.here();
        if before.rest().starts_with(form.close) {
            return Ok(false);
        }
        let word = if form.quoted { self.string("a field")? } else { self.word() };
        if !EMPTY_FIELDS.contains(&word) {
            return Err(before.unexpected("after the last field", format!("`{}`", form.close)));
        }
        self.expect(form.assign, word)?;
        let value = self.here();
        match self.word() {
            "None" | "null" => Ok(true),
            _ => Err(value.unexpected(word, "None".into())),
        }
    }

    /// A quoted word.
    fn string(&mut self, part: &str) -> Result<&'a str, ParseError> {
        self.skip();
        let quote = ["'", "\""].into_iter().find(|quote| self.cursor.eat(quote));
        let quote = quote.ok_or_else(|| self.cursor.unexpected(part, "a quoted name".into()))?;
        let word = self.cursor.word(|character| !matches!(character, '\'' | '"' | '\n'));
        self.cursor.expect(quote, part)?;
        Ok(word)
    }

    /// The bracket that opens a list or tuple; answers with the one that closes it.
    fn open(&mut self, part: &str) -> Result<&'static str, ParseError> {
        match () {
            () if self.eat("[") => Ok("]"),
            () if self.eat("(") => Ok(")"),
            () => Err(self.cursor.unexpected(part, "`[` or `(`".into())),
        }
    }

    /// Whether two brackets open here: that of a node and that of its first pair.
    fn opens_twice(&mut self) -> bool {
        let mut ahead = self.here();
        let mut opens = || {
            ahead.skip_space_and_comments();
            ahead.eat("[") || ahead.eat("(")
        };
        opens() && opens()
    }

    /// A number that `allowed` agrees to.
    fn number(
        &mut self,
        part: &str,
        expected: &str,
        allowed: impl Fn(usize) -> bool,
    ) -> Result<usize, ParseError> {
        let before = self.here();
        // A word has no sign, so a number that reads is one of digits.
        let number = self.word().parse().ok().filter(|&number| allowed(number));
        number.ok_or_else(|| before.unexpected(part, expected.to_owned()))
    }

    fn cell(&mut self, role: CellRole) -> Result<Cell, ParseError> {
        let close = self.open(&format!("{role} cell"))?;
        let nested = self.opens_twice();
        let mut nodes = Vec::with_capacity(NODES);
        loop {
            let node = nodes.len();
            nodes.push(self.node(role, node, nested)?);
            if self.limits.nodes == Some(node + 1) {
                break;
            }
            let last = format!("{role} cell, node {node}, second input");
            if self.limits.nodes.is_some() {
                self.expect(",", &last)?;
            } else if !self.eat(",") || self.here().rest().starts_with(close) {
                break;
            }
            if nodes.len() == Cell::MAX_NODES {
                let most = format!("`{close}`: a cell has at most {} nodes", Cell::MAX_NODES);
                return Err(self.here().unexpected(&last, most));
            }
        }
        self.eat(",");
        self.expect(close, &format!("{role} cell, after {} nodes", nodes.len()))?;
        Ok(Cell::new(nodes).expect("every input was checked to be an earlier state"))
    }

    fn node(&mut self, role: CellRole, node: usize, nested: bool) -> Result<Node, ParseError> {
        let part = |branch: &str| format!("{role} cell, node {node}, {branch} input");
        let close = if nested { Some(self.open(&part("first"))?) } else { None };
        let x = self.pair(node, None, &part("first"))?;
        self.expect(",", &part("first"))?;
        let taken = self.limits.strict.then_some(x.input);
        let y = self.pair(node, taken, &part("second"))?;
        if let Some(close) = close {
            self.eat(",");
            self.expect(close, &part("second"))?;
        }
        Ok(Node { edges: [x, y] })
    }

    /// `('operation', state)`, reading another state than `taken`.
    fn pair(&mut self, node: usize, taken: Option<State>, part: &str) -> Result<Edge, ParseError> {
        let close = self.open(part)?;
        let before = self.here();
        let name = self.string(part)?;
        let Some(&(_, op)) = self.limits.ops.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = self.limits.ops.iter().map(|(name, _)| *name).collect();
            let hint = if name == "none" { "; `none` stands in the supernet only" } else { "" };
            return Err(before.unexpected(part, format!("one of {}{hint}", known.join(", "))));
        };
        self.expect(",", part)?;
        let other = taken.map_or(String::new(), |state| {
            format!(" other than {state}, for the two inputs of a node are distinct")
        });
        let expected = format!("a state 0 to {}{other}", node + State::INPUTS - 1);
        let allowed =
            |input| input < node + State::INPUTS && taken.is_none_or(|state| state.index() != input);
        let input = self.number(part, &expected, allowed)?;
        if self.eat(",") && !self.here().rest().starts_with(close) {
            let triple = format!(
                "`{close}`: a pair ('operation', state). The third value of the triples of GDAS is a weight of its search \
                 and says nothing about the cell: leave it out"
            );
            return Err(self.here().unexpected(part, triple));
        }
        self.expect(close, part)?;
        Ok(Edge { input: State(input as u8), op })
    }

    /// `range(2, 6)` or a list.
    fn concat(&mut self, field: &str) -> Result<Vec<State>, ParseError> {
        if self.limits.strict {
            self.all_nodes(field)?;
            return Ok(concat().to_vec());
        }
        let last = State::of_node(Cell::MAX_NODES - 1).index();
        let expected = format!("a state 0 to {last}");
        let state = |reader: &mut Self, most: usize| reader.number(field, &expected, |state| state <= most);
        if self.eat("range") {
            self.expect("(", field)?;
            let first = state(self, last)?;
            self.expect(",", field)?;
            let end = state(self, last + 1)?;
            self.eat(",");
            self.expect(")", field)?;
            return Ok((first..end).map(|state| State(state as u8)).collect());
        }
        let close = self.open(field)?;
        let mut states = Vec::new();
        while !self.here().rest().starts_with(close) {
            states.push(State(state(self, last)? as u8));
            if !self.eat(",") {
                break;
            }
        }
        self.expect(close, field)?;
        Ok(states)
    }

    /// `range(2, 6)` or a list that names the four nodes.
    fn all_nodes(&mut self, field: &str) -> Result<(), ParseError> {
        let nodes = concat().map(State::index);
        let (close, numbers) = if self.eat("range") {
            self.expect("(", field)?;
            (")", vec![nodes[0], nodes[0] + nodes.len()])
        } else {
            (self.open(field)?, nodes.to_vec())
        };
        for (index, &number) in numbers.iter().enumerate() {
            if index > 0 {
                self.expect(",", field)?;
            }
            let expected = format!("{number}: the output of a cell is its nodes, states 2 to 5");
            self.number(field, &expected, |found| found == number)?;
        }
        self.eat(",");
        self.expect(close, field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One node per cell, flat.
    const FLAT: &str = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], \
                        reduce=[('max_pool_3x3', 0), ('conv_7x1_1x7', 0)], reduce_concat=[2])";

    #[test]
    fn every_form_that_people_paste_is_the_same_genotype() {
        let flat = parse_genotype(FLAT).unwrap();
        let nested = FLAT.replace("=[(", "=[[(").replace(")], ", ")]], ");
        for text in [
            nested.clone(),
            nested.replace("[[", "[(").replace("]]", ")]"),
            FLAT.replace("[2]", "range(2, 3)"),
            format!("\n# found on Tuesday\nMINE_V2 = {FLAT}  # 97.1 %\n"),
            FLAT.replace("], ", "],\n    # the next\n    "),
            FLAT.replace("[2])", "[2],\n)"),
            FLAT.replace("[2])", "[2], connectN=None, connects=None)"),
            r#"{"normal": [["sep_conv_3x3", 0], ["skip_connect", 1]], "normal_concat": [2],
                "reduce": [["max_pool_3x3", 0], ["conv_7x1_1x7", 0]], "reduce_concat": [2]}"#
                .to_owned(),
        ] {
            assert_eq!(parse_genotype(&text).as_ref(), Ok(&flat), "{text}");
            assert!(looks_like_genotype(&text));
        }
        assert!(flat.concatenates_all_nodes());
        let with_input = parse_genotype(&FLAT.replacen("[2]", "[0, 2]", 1)).unwrap();
        assert_eq!(with_input.normal_concat, [State(0), State(2)]);
        assert!(!with_input.concatenates_all_nodes());
    }

    #[test]
    fn what_is_no_genotype_is_refused_with_the_reason() {
        for (text, message) in [
            (FLAT.replacen("', 0)", "', 0, 0.3)", 1), "triples of GDAS"),
            (FLAT.replacen(", ('skip_connect', 1)", "", 1), "(normal cell, node 0, first input)"),
            (FLAT.replacen("'skip_connect', 1", "'skip_connect', 2", 1), "a state 0 to 1"),
            (FLAT.replacen("sep_conv_3x3", "none", 1), "supernet only"),
            (FLAT.replacen("[2]", "[3]", 1), "normal_concat names state 3; the last of the cell is 2"),
            (FLAT.replacen("[2]", "[2, 2]", 1), "normal_concat names state 2 twice"),
            (FLAT.replacen("[2]", "range(2, 2)", 1), "normal_concat is empty"),
            (FLAT.replacen("[2]", "[99]", 1), "a state 0 to 13"),
            (FLAT.replacen("normal=", "recurrent=", 1), "recurrent cell"),
            (FLAT.replacen("[2])", "[2], speed=9)", 1), "found `speed=9)`, expected `)`"),
        ] {
            let error = parse_genotype(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} should contain {message:?}");
        }
    }
}
