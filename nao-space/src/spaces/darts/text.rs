//! Genotypes of DARTS (Liu, Simonyan and Yang, ICLR 2019), as its users paste them.
//!
//! Of the forms that [`parse_genotype`](super::parse_genotype) reads, those of four nodes per cell, each reading two
//! distinct states, whose outputs are all concatenated.

use super::cell::{NODES, concat};
use super::genotype::{Limits, read_genotype};
use crate::image::{Cell, CnnArch, DARTS_OPS, State};
use crate::text::ParseError;

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
    Ok(read_genotype(text, &Limits::DARTS)?.arch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Edge, Op};
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
