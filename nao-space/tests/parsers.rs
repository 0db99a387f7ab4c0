//! Parsers refuse whatever is no architecture with an error that says where, and never panic.
#![cfg(feature = "testing")]

use nao_space::laws::archs;
use nao_space::notation::{
    ParseError, format_darts_dict, nasbench101_from_json, nasbench101_to_json, parse_darts,
    parse_nasbench101, parse_nasbench201,
};
use nao_space::table::{Label, LabelColumn, Table, TableSchema};
use nao_space::{DartsSpace, NasBench101Space, NasBench201Space, Space};
use proptest::prelude::*;
use proptest::sample::Index;

/// A text with up to three characters replaced by a few others.
fn changed(text: &str, at: Index, piece: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let from = at.index(characters.len() + 1);
    let to = characters.len().min(from + 3);
    characters.splice(from..to, piece.chars());
    characters.into_iter().collect()
}

fn names_a_place(error: &ParseError) -> bool {
    let ParseError::Unexpected { place, found, expected } = error else { return true };
    !place.is_empty() && !found.is_empty() && !expected.is_empty()
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9,'\\[\\](){}|~+ ]{0,4}", "\\PC{0,3}"]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof!["\\PC{0,80}", "[GenotypeNormal0-9='(),\\[\\]{}|~+ \\n]{0,80}"]) {
        for error in [
            parse_nasbench201(&text).err(),
            parse_nasbench101(&text).err(),
            nasbench101_from_json(&text).err(),
            parse_darts(&text).err(),
        ].into_iter().flatten() {
            prop_assert!(names_a_place(&error), "{error:?}");
        }
    }

    #[test]
    fn a_changed_genotype_is_another_or_none(arch in archs(&DartsSpace::default()), at in any::<Index>(), piece in piece()) {
        let space = DartsSpace::default();
        for text in [space.format(&arch), format_darts_dict(&arch)] {
            prop_assert_eq!(parse_darts(&text), Ok(arch.clone()));
            match parse_darts(&changed(&text, at, &piece)) {
                Ok(read) => prop_assert_eq!(space.check(&read), Ok(())),
                Err(error) => prop_assert!(names_a_place(&error), "{:?}", error),
            }
        }
    }

    #[test]
    fn changed_json_of_a_cell_is_another_or_none(arch in archs(&NasBench101Space::default()), at in any::<Index>(), piece in piece()) {
        let space = NasBench101Space::default();
        let text = nasbench101_to_json(&arch);
        prop_assert_eq!(nasbench101_from_json(&text), Ok(arch.clone()));
        if let Ok(read) = nasbench101_from_json(&changed(&text, at, &piece)) {
            prop_assert_eq!(space.decode(&space.encode(&read)), Ok(read));
        }
    }

    #[test]
    fn a_cell_with_dead_vertices_is_read_as_the_cell_without(
        arch in archs(&NasBench101Space::default()),
        dead in any::<bool>(),
    ) {
        // One more vertex before the output that reads the input, or is read by the output.
        let (mut matrix, mut ops) = (arch.matrix(), arch.ops().to_vec());
        prop_assume!(matrix.len() < 7);
        let place = matrix.len() - 1;
        matrix.iter_mut().for_each(|row| row.insert(place, false));
        matrix.insert(place, vec![false; place + 2]);
        if dead { matrix[0][place] = true } else { matrix[place][place + 1] = true }
        ops.push(nao_space::VertexOp::Conv3x3);
        prop_assert_eq!(nao_space::NasBench101Arch::new(&matrix, &ops), Ok(arch));
    }

    #[test]
    fn no_table_panics(cells in prop::collection::vec(archs(&NasBench201Space::default()), 1..4), at in any::<Index>(), piece in piece()) {
        let space = NasBench201Space::default();
        let rows: String = cells.iter().map(|arch| format!("{},90\n", space.format(arch))).collect();
        let label = Label::average("cifar10", "validation", 200);
        let schema = TableSchema::accuracies("any", ["arch"], [LabelColumn::percent("accuracy", label)]);
        let text = changed(&format!("arch,accuracy\n{rows}"), at, &piece);
        if let Err(error) = Table::from_csv(space, text.as_bytes(), &schema) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
