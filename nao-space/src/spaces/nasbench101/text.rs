//! The notations of NAS-Bench-101 (Ying et al., ICML 2019).
//!
//! As text: the adjacency matrix row by row, a space, and the operations of all vertices separated by bars, as in
//! `010001000 input|conv3x3-bn-relu|output`. As JSON: `{"matrix": [[0, 1, 0], …], "ops": ["input", …]}`. As Python, in
//! the forms of [`nasbench101_python`](super::nasbench101_python).

use serde::{Deserialize, Serialize};

use super::cell::{NasBench101Arch, VertexOp};
use super::labels::{INPUT, OUTPUT, known_labels};
use super::python::read_python;
use crate::text::{Cursor, ParseError, shown};

/// The text of a cell.
pub fn format_nasbench101(arch: &NasBench101Arch) -> String {
    let entries = arch.matrix().into_iter().flatten().map(|edge| if edge { '1' } else { '0' });
    format!("{} {}", entries.collect::<String>(), labels(arch).join("|"))
}

/// Reads the text of a cell; vertices on no path from input to output are left out.
///
/// # Errors
/// On anything but the documented form, with the character, and on matrices that make no cell.
pub fn parse_nasbench101(text: &str) -> Result<NasBench101Arch, ParseError> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    if !cursor.rest().is_empty() && !cursor.rest().starts_with(|first: char| first.is_ascii_digit()) {
        let (matrix, labels) = read_python(text)?;
        return cell(&matrix, &labels);
    }
    let entries = cursor.word(|character| matches!(character, '0' | '1'));
    if entries.is_empty() {
        return Err(cursor.unexpected("adjacency", "the entries 0 and 1 of the matrix".into()));
    }
    cursor.expect(" ", "after the adjacency")?;
    cursor.skip_space();
    let mut labels = vec![label(&mut cursor, 0)?];
    while cursor.eat("|") {
        labels.push(label(&mut cursor, labels.len())?);
    }
    cursor.skip_space();
    cursor.end()?;
    // The number of labels fixes the length of the rows.
    let entries: Vec<bool> = entries.bytes().map(|entry| entry == b'1').collect();
    let vertices = labels.len();
    if entries.len() != vertices * vertices {
        return Err(ParseError::Count {
            expected: vertices * vertices,
            found: entries.len(),
            shape: format!("an entry for each pair of the {vertices} vertices"),
        });
    }
    let rows: Vec<Vec<bool>> = entries.chunks(vertices).map(<[bool]>::to_vec).collect();
    cell(&rows, &labels)
}

/// One label, checked to be a known one; which one may stand where is checked once all are known.
fn label<'a>(cursor: &mut Cursor<'a>, vertex: usize) -> Result<&'a str, ParseError> {
    let before = *cursor;
    let word = cursor.word(|character| character != '|' && !character.is_whitespace());
    if [INPUT, OUTPUT].contains(&word) || VertexOp::named(word).is_some() {
        return Ok(word);
    }
    Err(before.unexpected(&format!("vertex {vertex}"), format!("one of {}", known_labels())))
}

fn labels(arch: &NasBench101Arch) -> Vec<&'static str> {
    let inner: Vec<&str> = arch.ops().iter().map(|op| op.name()).collect();
    [&[INPUT][..], &inner, &[OUTPUT]].concat()
}

/// The cell of a matrix and the labels of all vertices.
fn cell(matrix: &[Vec<bool>], labels: &[impl AsRef<str>]) -> Result<NasBench101Arch, ParseError> {
    let last = labels.len().saturating_sub(1);
    let mut ops = Vec::with_capacity(labels.len());
    for (vertex, label) in labels.iter().map(AsRef::as_ref).enumerate() {
        let expected = match vertex {
            0 => INPUT.to_owned(),
            vertex if vertex == last => OUTPUT.to_owned(),
            _ => VertexOp::ALL.map(VertexOp::name).join(", "),
        };
        match VertexOp::named(label) {
            Some(op) if vertex != 0 && vertex != last => ops.push(op),
            None if label == expected => {}
            _ => {
                let found = shown(label);
                return Err(ParseError::Unexpected { place: format!("vertex {vertex}"), found, expected });
            }
        }
    }
    if last == 0 {
        return Err(ParseError::Count {
            expected: 2,
            found: labels.len(),
            shape: "at least input and output".into(),
        });
    }
    NasBench101Arch::new(matrix, &ops).map_err(|error| ParseError::OtherSpace { message: error.to_string() })
}

/// The JSON document of a cell.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NasBench101Json {
    matrix: Vec<Vec<u8>>,
    ops: Vec<String>,
}

impl NasBench101Json {
    fn read(&self) -> Result<NasBench101Arch, ParseError> {
        for (row, entries) in self.matrix.iter().enumerate() {
            if let Some(column) = entries.iter().position(|&entry| entry > 1) {
                let found = entries[column];
                let message = format!("matrix, row {row}, column {column}: found {found}, expected 0 or 1");
                return Err(ParseError::Json { message });
            }
        }
        let matrix: Vec<Vec<bool>> =
            self.matrix.iter().map(|row| row.iter().map(|&entry| entry == 1).collect()).collect();
        cell(&matrix, &self.ops)
    }
}

impl Serialize for NasBench101Arch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let matrix = self.matrix().into_iter().map(|row| row.into_iter().map(u8::from).collect()).collect();
        let ops = labels(self).into_iter().map(str::to_owned).collect();
        NasBench101Json { matrix, ops }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NasBench101Arch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NasBench101Json::deserialize(deserializer)?.read().map_err(serde::de::Error::custom)
    }
}

/// A cell as JSON.
pub fn nasbench101_to_json(arch: &NasBench101Arch) -> String {
    serde_json::to_string(arch).expect("names and numbers have a JSON form")
}

/// Reads the JSON of a cell; vertices on no path from input to output are left out.
///
/// # Errors
/// On anything but the documented form, and on matrices that make no cell.
pub fn nasbench101_from_json(text: &str) -> Result<NasBench101Arch, ParseError> {
    let json: NasBench101Json = serde_json::from_str(text).map_err(|error| ParseError::json(&error))?;
    json.read()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0110000100010000 input|conv3x3-bn-relu|maxpool3x3|output";

    #[test]
    fn a_cell_reads_and_writes_back_in_both_forms() {
        let arch = parse_nasbench101(TEXT).unwrap();
        assert_eq!(format_nasbench101(&arch), TEXT);
        let json = nasbench101_to_json(&arch);
        assert_eq!(
            json,
            r#"{"matrix":[[0,1,1,0],[0,0,0,1],[0,0,0,1],[0,0,0,0]],"#.to_owned()
                + r#""ops":["input","conv3x3-bn-relu","maxpool3x3","output"]}"#
        );
        assert_eq!(nasbench101_from_json(&json).unwrap(), arch);
    }

    #[test]
    fn an_error_in_text_names_place_and_choice() {
        let cases = [
            (
                TEXT.replacen("max", "avg", 1),
                "character 40 (vertex 2): found `avgpool3x3|output`, expected one of",
            ),
            (TEXT.replacen("maxpool3x3", "input", 1), "vertex 2: found `input`, expected conv1x1-bn-relu,"),
            (TEXT.replacen("input", "output", 1), "vertex 0: found `output`, expected input"),
            (TEXT.replacen("|output", "|maxpool3x3", 1), "vertex 3: found `maxpool3x3`, expected output"),
            (
                TEXT.replacen("|output", "", 1),
                "expected 9 numbers (an entry for each pair of the 3 vertices), found 16",
            ),
            (
                TEXT[1..].to_owned(),
                "expected 16 numbers (an entry for each pair of the 4 vertices), found 15",
            ),
            (TEXT.replacen("0110", "0120", 1), "character 3 (after the adjacency): found `2000010"),
            ("1 input".to_owned(), "expected 2 numbers (at least input and output), found 1"),
            (String::new(), "character 1 (adjacency): found the end of the text"),
            (
                TEXT.replacen("0110", "1110", 1),
                "the architecture does not belong to the space: row 0, column 0 of the 4x4 matrix is 1",
            ),
            (
                TEXT.replacen("0110", "0000", 1),
                "the architecture does not belong to the space: no path leads",
            ),
        ];
        for (text, message) in cases {
            let error = parse_nasbench101(&text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error:?} should start with {message:?}");
        }
    }

    #[test]
    fn an_error_in_json_names_place_and_sizes() {
        let json = nasbench101_to_json(&parse_nasbench101(TEXT).unwrap());
        let cases = [
            (json.replacen("[0,1,1,0]", "[0,1,2,0]", 1), "matrix, row 0, column 2: found 2, expected 0 or 1"),
            (
                json.replacen("[0,1,1,0]", "[0,1,1]", 1),
                "the matrix is 4x3, but the operations name 4 vertices",
            ),
            (json.replacen("[0,1,1,0],", "", 1), "the matrix is 3x4, but the operations name 4 vertices"),
            (json.replacen("\"ops\"", "\"op\"", 1), "unknown field `op`"),
        ];
        for (text, message) in cases {
            let error = nasbench101_from_json(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} should contain {message:?}");
        }
    }
}
