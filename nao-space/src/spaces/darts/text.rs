//! Genotypes of DARTS (Liu, Simonyan and Yang, ICLR 2019), as its users paste them.
//!
//! As the code prints them, `Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=range(2, 6), reduce=[…],
//! reduce_concat=range(2, 6))`, also with `NAME =` in front; or as a dictionary or JSON object,
//! `{'normal': [['sep_conv_3x3', 0], …], 'normal_concat': [2, 3, 4, 5], …}`. Fields come in any order, lists are
//! written with `[]` or `()`, strings with either quote. Two pairs make a node.

use super::cell::{NODES, concat};
use crate::image::{Cell, CellRole, CnnArch, DARTS_OPS, Edge, Node, State};
use crate::text::{Cursor, ParseError};

const FIELDS: [&str; 4] = ["normal", "normal_concat", "reduce", "reduce_concat"];

/// The genotype as DARTS prints it. An operation that DARTS does not have is written by its name here, which no
/// reader takes for one of DARTS.
pub fn format_darts(arch: &CnnArch) -> String {
    let [normal, reduce] = [&arch.normal, &arch.reduction].map(|cell| pairs(cell, ["(", "'", ")"]));
    let concat = format!("range(2, {})", NODES + State::INPUTS);
    format!("Genotype(normal={normal}, normal_concat={concat}, reduce={reduce}, reduce_concat={concat})")
}

/// The genotype as a JSON object, which is a Python dictionary as well.
pub fn format_darts_dict(arch: &CnnArch) -> String {
    let [normal, reduce] = [&arch.normal, &arch.reduction].map(|cell| pairs(cell, ["[", "\"", "]"]));
    let concat = format!("[{}]", concat().map(|state| state.to_string()).join(", "));
    format!(
        "{{\"normal\": {normal}, \"normal_concat\": {concat}, \"reduce\": {reduce}, \"reduce_concat\": {concat}}}"
    )
}

fn pairs(cell: &Cell, [open, quote, close]: [&str; 3]) -> String {
    let pairs = cell.edges().map(|edge| {
        let known = DARTS_OPS.iter().find(|(_, op)| *op == edge.op);
        let name = known.map_or_else(|| edge.op.name(), |(name, _)| (*name).to_owned());
        format!("{open}{quote}{name}{quote}, {}{close}", edge.input)
    });
    format!("[{}]", pairs.collect::<Vec<_>>().join(", "))
}

/// Reads a genotype of four nodes per cell whose outputs are all concatenated.
///
/// # Errors
/// On anything but the documented forms: names line and column, the cell and node, and what may stand there.
pub fn parse_darts(text: &str) -> Result<CnnArch, ParseError> {
    let mut reader = Reader { cursor: Cursor::new(text) };
    let form = reader.opening()?;
    let (mut normal, mut reduction, mut seen) = (None, None, Vec::new());
    loop {
        let field = reader.field(&form, &seen)?;
        seen.push(field);
        match field {
            "normal" => normal = Some(reader.cell(CellRole::Normal)?),
            "reduce" => reduction = Some(reader.cell(CellRole::Reduction)?),
            field => reader.concat(field)?,
        }
        if seen.len() == FIELDS.len() {
            reader.eat(",");
            break;
        }
        reader.expect(",", "after a field")?;
    }
    reader.expect(form.close, "after the last field")?;
    reader.cursor.skip_space();
    reader.cursor.end()?;
    match (normal, reduction) {
        (Some(normal), Some(reduction)) => Ok(CnnArch { normal, reduction }),
        _ => unreachable!("four distinct fields were read"),
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
}

impl<'a> Reader<'a> {
    fn eat(&mut self, symbol: &str) -> bool {
        self.cursor.skip_space();
        self.cursor.eat(symbol)
    }

    fn expect(&mut self, symbol: &str, part: &str) -> Result<(), ParseError> {
        self.cursor.skip_space();
        self.cursor.expect(symbol, part)
    }

    /// The word of letters, digits and underscores that stands next.
    fn word(&mut self) -> &'a str {
        self.cursor.skip_space();
        self.cursor.word(|character| character.is_ascii_alphanumeric() || character == '_')
    }

    /// The place of the next word.
    fn here(&mut self) -> Cursor<'a> {
        self.cursor.skip_space();
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
            let expected = format!("one of {}", missing.by_ref().collect::<Vec<_>>().join(", "));
            return Err(before.unexpected("a field", expected));
        };
        self.expect(form.assign, field)?;
        Ok(field)
    }

    /// A quoted word.
    fn string(&mut self, part: &str) -> Result<&'a str, ParseError> {
        self.cursor.skip_space();
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
        let mut nodes = Vec::with_capacity(NODES);
        for node in 0..NODES {
            let part = |branch: &str| format!("{role} cell, node {node}, {branch} input");
            let x = self.pair(node, None, &part("first"))?;
            self.expect(",", &part("first"))?;
            let y = self.pair(node, Some(x.input), &part("second"))?;
            if node + 1 < NODES {
                self.expect(",", &part("second"))?;
            }
            nodes.push(Node { edges: [x, y] });
        }
        self.eat(",");
        self.expect(close, &format!("{role} cell, after {} nodes", NODES))?;
        Ok(Cell::new(nodes).expect("every input was checked to be an earlier state"))
    }

    /// `('operation', state)`, reading another state than `taken`.
    fn pair(&mut self, node: usize, taken: Option<State>, part: &str) -> Result<Edge, ParseError> {
        let close = self.open(part)?;
        let before = self.here();
        let name = self.string(part)?;
        let Some(&(_, op)) = DARTS_OPS.iter().find(|(known, _)| *known == name) else {
            let known = DARTS_OPS.map(|(name, _)| name).join(", ");
            let hint = if name == "none" { "; `none` stands in the supernet only" } else { "" };
            return Err(before.unexpected(part, format!("one of {known}{hint}")));
        };
        self.expect(",", part)?;
        let other = taken.map_or(String::new(), |state| {
            format!(" other than {state}, for the two inputs of a node are distinct")
        });
        let expected = format!("a state 0 to {}{other}", node + State::INPUTS - 1);
        let allowed =
            |input| input < node + State::INPUTS && taken.is_none_or(|state| state.index() != input);
        let input = self.number(part, &expected, allowed)?;
        self.eat(",");
        self.expect(close, part)?;
        Ok(Edge { input: State(input as u8), op })
    }

    /// `range(2, 6)` or a list; it must name the four nodes.
    fn concat(&mut self, field: &str) -> Result<(), ParseError> {
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
    use crate::image::Op;
    use crate::spaces::DartsSpace;

    /// The two published genotypes, as they stand in the authors' repository.
    const DARTS_V1: &str = "DARTS_V1 = Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), \
        ('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), \
        ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5], \
        reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), \
        ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], \
        reduce_concat=[2, 3, 4, 5])";
    const DARTS_V2: &str = "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), \
        ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), \
        ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6), \
        reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), \
        ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], \
        reduce_concat=range(2, 6))";

    #[test]
    fn the_published_genotypes_read_and_write_back() {
        let space = DartsSpace::default();
        let v2 = parse_darts(DARTS_V2).unwrap();
        assert_eq!(format_darts(&v2), DARTS_V2);
        for text in [DARTS_V1, DARTS_V2] {
            let arch = parse_darts(text).unwrap();
            assert_eq!(space.check(&arch), Ok(()));
            assert_eq!(parse_darts(&format_darts(&arch)).as_ref(), Ok(&arch));
            assert_eq!(parse_darts(&format_darts_dict(&arch)).as_ref(), Ok(&arch));
            let json: serde_json::Value = serde_json::from_str(&format_darts_dict(&arch)).unwrap();
            assert_eq!(json["normal"].as_array().map(Vec::len), Some(8));
        }
    }

    #[test]
    fn the_first_genotype_is_that_of_the_table() {
        // 2: s3(1)+s3(0); 3: id(0)+s3(1); 4: id(0)+s3(1); 5: s3(0)+id(2), and the reduction cell likewise.
        let (s3, id) = (Op::SepConv { kernel: 3 }, Op::Identity);
        let [(_, m3), (_, a3), ..] = DARTS_OPS;
        let normal = [(1, s3), (0, s3), (0, id), (1, s3), (0, id), (1, s3), (0, s3), (2, id)];
        let reduction = [(0, m3), (1, m3), (2, id), (0, m3), (0, m3), (2, id), (2, id), (0, a3)];
        let arch = parse_darts(DARTS_V1).unwrap();
        for (cell, edges) in [(&arch.normal, normal), (&arch.reduction, reduction)] {
            let edges = edges.map(|(state, op)| Edge { input: State(state), op });
            assert!(cell.edges().eq(edges), "{cell:?}");
        }
    }

    #[test]
    fn python_and_json_spellings_read_alike() {
        let arch = parse_darts(DARTS_V2).unwrap();
        let spread = DARTS_V2.replace(", ", " ,\n  ").replace('=', " = ").replace('\'', "\"");
        let dict = format_darts_dict(&arch).replace('"', "'").replace("]]", "],]");
        let listed = DARTS_V2.replace("range(2, 6)", "(2, 3, 4, 5,)").replace("5,))", "5,),)");
        for text in [spread, dict, listed] {
            assert_eq!(parse_darts(&text).as_ref(), Ok(&arch), "{text}");
        }
    }

    #[test]
    fn an_error_names_place_node_and_choice() {
        let lines = DARTS_V2.replace(" reduce=", "\nreduce=");
        let replaced = |from: &str, to: &str| lines.replacen(from, to, 1);
        let cases = [
            (
                replaced("('sep_conv_3x3', 1)", "('none', 1)"),
                "line 1, column 40 (normal cell, node 0, second input): found `'none', 1), ('sep_conv_3`, expected one \
                 of max_pool_3x3, avg_pool_3x3",
            ),
            (
                replaced("('sep_conv_3x3', 1)", "('sep_conv_3x3', 0)"),
                "line 1, column 56 (normal cell, node 0, second input): found `0), ('sep_conv_3x3', 0),`, expected a \
                 state 0 to 1 other than 0, for",
            ),
            (
                replaced("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)"),
                "line 1, column 182 (normal cell, node 3, second input): found `5)], normal_concat=range`, expected a \
                 state 0 to 4 other than 0",
            ),
            (
                replaced("reduce=[", "normal=["),
                "line 2, column 1 (a field): found `normal=[('max_pool_3x3',`, expected one of reduce, reduce_concat",
            ),
            (replaced("range(2, 6)", "range(2, 5)"), "line 1, column 210 (normal_concat): found `5),"),
            (replaced("range(2, 6)", "[2, 3, 5]"), "line 1, column 208 (normal_concat): found `5],"),
            (replaced(", ('dil_conv_3x3', 2)", ""), "line 1, column 163 (normal cell, node 3, first input)"),
            (replaced("], ", ", ('skip_connect', 1)], "), "line 1, column 186 (normal cell, after 4 nodes)"),
            (
                replaced("Genotype", "Geno"),
                "line 1, column 5 (after the name of a genotype): found `(normal=",
            ),
            (lines.clone() + "x", "line 2, column 204: found `x`, expected the end of the text"),
            ("42".to_owned(), "character 3 (after the name of a genotype): found the end of the text"),
            ("[]".to_owned(), "character 1: found `[]`, expected `Genotype(` or `{`"),
        ];
        for (text, message) in cases {
            let error = parse_darts(&text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error:?} should start with {message:?}");
        }
    }
}
