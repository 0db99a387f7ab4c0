//! NAS-Bench-101 cells as they stand in Python: a matrix and a list of operations.
//!
//! `ModelSpec(matrix=[[0, 1], [0, 0]], ops=['input', 'output'])`, also with `NAME =` in front and `api.` before the
//! class; `{'module_adjacency': [[…]], 'module_operations': […]}` or with the keys `matrix` and `ops`; or the two lists by
//! themselves, matrix first. Operations are quoted or the constants of the benchmark's example, `INPUT`, `CONV3X3`; the
//! matrix may stand in `np.array(…)`. Comments run from `#` to the end of the line.

use super::cell::VertexOp;
use super::labels::{INPUT, OUTPUT, known_labels};
use crate::text::{Cursor, ParseError};

/// The names of the two parts, as arguments and as keys.
const MATRIX: [&str; 2] = ["matrix", "module_adjacency"];
const OPS: [&str; 2] = ["ops", "module_operations"];

/// The matrix and the labels of all vertices.
pub(super) fn read_python(text: &str) -> Result<(Vec<Vec<bool>>, Vec<&'static str>), ParseError> {
    let mut reader = Reader { cursor: Cursor::new(text) };
    let close = reader.opening()?;
    let (mut matrix, mut labels) = (None, None);
    while matrix.is_none() || labels.is_none() {
        if matrix.is_some() || labels.is_some() {
            reader.expect(",", "between matrix and operations")?;
        }
        if reader.is_matrix(matrix.is_none())? {
            matrix = Some(reader.matrix()?);
        } else {
            labels = Some(reader.labels()?);
        }
    }
    reader.eat(",");
    if let Some(close) = close {
        reader.expect(close, "after matrix and operations")?;
    }
    reader.cursor.skip_space_and_comments();
    reader.cursor.end()?;
    Ok((matrix.unwrap_or_default(), labels.unwrap_or_default()))
}

struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Reader<'a> {
    fn here(&mut self) -> Cursor<'a> {
        self.cursor.skip_space_and_comments();
        self.cursor
    }

    fn eat(&mut self, symbol: &str) -> bool {
        self.cursor.skip_space_and_comments();
        self.cursor.eat(symbol)
    }

    fn expect(&mut self, symbol: &str, part: &str) -> Result<(), ParseError> {
        self.cursor.skip_space_and_comments();
        self.cursor.expect(symbol, part)
    }

    fn word(&mut self) -> &'a str {
        self.cursor.skip_space_and_comments();
        self.cursor.word(|character| character.is_ascii_alphanumeric() || "_.-".contains(character))
    }

    /// A word in quotes, or one that is a Python name; whether it was quoted.
    fn name(&mut self, part: &str) -> Result<(&'a str, bool), ParseError> {
        let quote = ["'", "\""].into_iter().find(|quote| self.eat(quote));
        let word = self.word();
        if let Some(quote) = quote {
            self.cursor.expect(quote, part)?;
        }
        Ok((word, quote.is_some()))
    }

    /// What stands before the two lists; answers with the bracket that ends them, if one does.
    fn opening(&mut self) -> Result<Option<&'static str>, ParseError> {
        let before = self.here();
        let mut word = self.word();
        if !word.is_empty() && self.eat("=") {
            word = self.word();
        }
        if !word.is_empty() {
            if word.rsplit('.').next() != Some("ModelSpec") || !self.eat("(") {
                let expected =
                    "the entries 0 and 1 of the matrix, a list of its rows, or `ModelSpec(`".into();
                return Err(before.unexpected("adjacency", expected));
            }
            return Ok(Some(")"));
        }
        if self.eat("{") {
            return Ok(Some("}"));
        }
        // Three brackets open a pair of lists, two the first of them.
        let mut ahead = self.here();
        let mut brackets = 0;
        while ahead.eat("[") || ahead.eat("(") {
            ahead.skip_space_and_comments();
            brackets += 1;
        }
        if brackets < 3 { Ok(None) } else { self.open("adjacency").map(Some) }
    }

    fn open(&mut self, part: &str) -> Result<&'static str, ParseError> {
        match () {
            () if self.eat("[") => Ok("]"),
            () if self.eat("(") => Ok(")"),
            () => Err(self.cursor.unexpected(part, "`[`".into())),
        }
    }

    /// Whether the matrix comes next: by its name, or where there is none, because it comes first.
    fn is_matrix(&mut self, first: bool) -> Result<bool, ParseError> {
        let before = self.here();
        if before.rest().starts_with(['[', '(']) || before.rest().starts_with("np.") {
            return Ok(first);
        }
        let (name, _) = self.name("matrix or operations")?;
        if !(self.eat("=") || self.eat(":")) || ![MATRIX, OPS].concat().contains(&name) {
            let expected = format!("one of {}", [MATRIX, OPS].concat().join(", "));
            return Err(before.unexpected("matrix or operations", expected));
        }
        Ok(MATRIX.contains(&name))
    }

    fn matrix(&mut self) -> Result<Vec<Vec<bool>>, ParseError> {
        let wrapped = ["np.array", "numpy.array"].into_iter().any(|word| self.eat(word));
        if wrapped {
            self.expect("(", "matrix")?;
        }
        let rows =
            self.list("matrix", |reader, row| {
                reader.list(&format!("matrix, row {row}"), |reader, column| {
                    let before = reader.here();
                    match reader.word() {
                        "0" => Ok(false),
                        "1" => Ok(true),
                        _ => Err(before
                            .unexpected(&format!("matrix, row {row}, column {column}"), "0 or 1".into())),
                    }
                })
            })?;
        if wrapped {
            self.expect(")", "matrix")?;
        }
        Ok(rows)
    }

    fn labels(&mut self) -> Result<Vec<&'static str>, ParseError> {
        self.list("operations", |reader, vertex| {
            let part = format!("vertex {vertex}");
            let before = reader.here();
            let (word, quoted) = reader.name(&part)?;
            let label = if quoted { named(word) } else { constant(word) };
            label.ok_or_else(|| before.unexpected(&part, format!("one of {}", known_labels())))
        })
    }

    fn list<T>(
        &mut self,
        part: &str,
        mut item: impl FnMut(&mut Self, usize) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        let close = self.open(part)?;
        let mut items = Vec::new();
        while !self.here().rest().starts_with(close) {
            items.push(item(self, items.len())?);
            if !self.eat(",") {
                break;
            }
        }
        self.expect(close, part)?;
        Ok(items)
    }
}

fn named(word: &str) -> Option<&'static str> {
    let known = [INPUT, OUTPUT].into_iter().find(|known| *known == word);
    known.or_else(|| VertexOp::named(word).map(VertexOp::name))
}

/// The constants of the benchmark's example.
fn constant(word: &str) -> Option<&'static str> {
    match word.rsplit('.').next().unwrap_or(word) {
        "INPUT" => Some(INPUT),
        "OUTPUT" => Some(OUTPUT),
        "CONV1X1" => named("conv1x1-bn-relu"),
        "CONV3X3" => named("conv3x3-bn-relu"),
        "MAXPOOL3X3" => named("maxpool3x3"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_nasbench101;

    #[test]
    fn every_form_that_people_paste_is_the_same_cell() {
        let cell = parse_nasbench101("0110000100010000 input|conv3x3-bn-relu|maxpool3x3|output").unwrap();
        let matrix = "[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]";
        let ops = "['input', 'conv3x3-bn-relu', 'maxpool3x3', 'output']";
        for text in [
            format!("{matrix}, {ops}"),
            format!("[{matrix}, {ops}]"),
            format!("({matrix}, {ops})"),
            format!("ModelSpec(matrix={matrix}, ops={ops})"),
            format!("api.ModelSpec({matrix}, {ops})"),
            format!(
                "spec = api.ModelSpec(\n  # the best\n  matrix=np.array({matrix}),  # rows\n  ops={ops},)  # 94 %"
            ),
            format!("cell = ModelSpec(ops=[INPUT, CONV3X3, MAXPOOL3X3, OUTPUT], matrix={matrix})"),
            format!("{{'matrix': {matrix}, 'ops': {ops}}}"),
            format!("{{\"module_adjacency\": {matrix}, \"module_operations\": {}}}", ops.replace('\'', "\"")),
        ] {
            assert_eq!(parse_nasbench101(&text).as_ref(), Ok(&cell), "{text}");
        }
    }

    #[test]
    fn what_is_no_cell_is_refused_with_the_place() {
        for (text, message) in [
            ("[[0, 2], [0, 0]], ['input', 'output']", "matrix, row 0, column 1): found `2]"),
            ("[[0, 1], [0, 0]], ['input', 'end']", "(vertex 1): found `'end'"),
            ("[[0, 1], [0, 0]], [INPUT, END]", "(vertex 1): found `END]"),
            ("[[0, 1], [0, 0]]", "between matrix and operations"),
            ("[[0, 1]], ['input', 'output']", "the matrix is 1x2"),
            ("spec(matrix=[[0]])", "or `ModelSpec(`"),
            ("{'matrix': [[0, 1], [0, 0]], 'op': []}", "one of matrix"),
            ("ModelSpec([[0, 1], [0, 0]], ['input', 'output']) x", "expected the end of the text"),
        ] {
            let error = parse_nasbench101(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} should contain {message:?}");
        }
    }
}
