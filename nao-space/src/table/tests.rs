use std::io::Write;
use std::sync::Arc;

use super::*;
use crate::seed::rng_for;
use crate::spaces::NasBench201Space;
use crate::trial::{EvaluationError, Evaluator, Quiet, Trial, TrialId};

const HEADINGS: &str = "arch,accuracy,seconds\n";
const ONE: &str = "|none~0|+|skip_connect~0|nor_conv_3x3~1|+|none~0|nor_conv_1x1~1|nor_conv_3x3~2|";
/// Computes the same as [`ONE`].
const SAME: &str = "|none~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|";
const OTHER: &str = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|";
const EMPTY: &str = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|";

fn label() -> Label {
    Label::average("cifar10", "validation", 200)
}

fn schema() -> TableSchema {
    let column = LabelColumn::percent("accuracy", label()).with_seconds(CostColumn::new("seconds"));
    TableSchema::accuracies("small", ["arch"], [column])
}

fn text() -> String {
    format!("{HEADINGS}{ONE},90.5,100\n{OTHER},10,50.5\n{EMPTY},,1\n")
}

fn table(text: &str) -> Result<Arc<Table<NasBench201Space>>, TableError> {
    Table::from_csv(NasBench201Space::default(), text.as_bytes(), &schema()).map(Arc::new)
}

fn look(evaluator: &TableEvaluator<NasBench201Space>, text: &str) -> Result<f64, EvaluationError> {
    let arch = NasBench201Space::default().parse(text).unwrap();
    let measured = evaluator.evaluate(&Trial { id: TrialId(1), arch, seed: 3 }, &mut Quiet)?;
    assert_eq!(measured.objective, Objective::validation_accuracy());
    Ok(measured.value)
}

#[test]
fn a_cell_is_charged_once_whatever_its_spelling() {
    let evaluator = table(&text()).unwrap().evaluator(&label()).unwrap();
    assert_eq!(look(&evaluator, ONE), Ok(0.905));
    assert_eq!(look(&evaluator, SAME), Ok(0.905));
    assert_eq!(evaluator.ledger(), Ledger { looks: 2, charged: 1, seconds: 100.0 });
    assert_eq!(look(&evaluator, OTHER), Ok(0.1));
    assert_eq!(evaluator.ledger(), Ledger { looks: 3, charged: 2, seconds: 150.5 });
}

#[test]
fn each_evaluator_has_its_own_account() {
    let table = table(&text()).unwrap();
    let [first, second] = [(); 2].map(|()| table.evaluator(&label()).unwrap());
    look(&first, ONE).unwrap();
    assert_eq!((first.ledger().charged, second.ledger().charged), (1, 0));
}

#[test]
fn what_has_no_label_fails_alone_and_costs_nothing() {
    let evaluator = table(&text()).unwrap().evaluator(&label()).unwrap();
    let message = look(&evaluator, EMPTY).unwrap_err().to_string();
    assert!(
        message.contains("small has no label (cifar10, validation, 200 epochs, average of all runs)"),
        "{message}"
    );
    let unknown = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|";
    let message = look(&evaluator, unknown).unwrap_err().to_string();
    assert!(message.contains("not among the 3 architectures of the table small"), "{message}");
    assert_eq!(evaluator.ledger(), Ledger::default());
}

#[test]
fn the_best_of_a_table_is_known_for_reports() {
    let table = table(&text()).unwrap();
    let (arch, value) = table.best(&label()).unwrap().unwrap();
    assert_eq!((table.space().format(arch).as_str(), value), (ONE, 0.905));
}

#[test]
fn a_wrong_name_is_answered_with_the_right_ones() {
    let table = Table::nasbench201();
    let cases = [
        (Label::average("mnist", "valid", 1), "no dataset `mnist`; it has cifar10, cifar100, imagenet16-120"),
        (Label::average("cifar100", "valid", 1), "no split `valid`; it has validation, test"),
        (Label::average("cifar100", "test", 13), "no number of epochs `13`; it has 200, 12"),
        (Label::single("cifar100", "test", 200, 0), "no run `run 0`; it has average of all runs"),
    ];
    for (label, message) in cases {
        assert_eq!(table.best(&label).unwrap_err().to_string(), format!("nasbench201 has {message}"));
    }
}

#[test]
fn a_faulty_table_is_refused_with_line_and_column() {
    let cases = [
        (text().replace("accuracy", "acc"), "the table has no column `accuracy`; it has arch, acc, seconds"),
        (text().replace("90.5", "NaN"), "line 2, column `accuracy`: `NaN` is not a finite number"),
        (text().replace("50.5", ""), "line 3, column `seconds`: `` is not a finite number"),
        (text().replace(OTHER, ONE), "line 3: the architecture of line 2 again"),
        (
            text().replace("|none~0|+|none~0|none~1|+|none", "|non~0|+|none~0|none~1|+|none"),
            "line 4: character 2 (node 1",
        ),
        (text() + "x\n", "not a table in CSV"),
        (HEADINGS.to_owned(), "the table has no rows"),
    ];
    for (text, message) in cases {
        let error = table(&text).err().expect("a faulty table").to_string();
        assert!(error.contains(message), "{error:?} should contain {message:?}");
    }
    let twice = TableSchema { labels: [schema().labels, schema().labels].concat(), ..schema() };
    let none = TableSchema { architecture: vec![], ..schema() };
    let mut by_zero = schema();
    by_zero.labels[0].divisor = 0.0;
    for (schema, message) in
        [(twice, "two columns for the label"), (none, "no architecture"), (by_zero, "scale 0 of")]
    {
        let read = Table::from_csv(NasBench201Space::default(), text().as_bytes(), &schema);
        let error = read.err().expect("a faulty schema").to_string();
        assert!(error.contains(message), "{error:?} should contain {message:?}");
    }
}

#[test]
fn a_divisor_that_makes_no_finite_number_is_refused() {
    let mut schema = schema();
    schema.labels[0].divisor = 1e-308;
    let read = Table::from_csv(NasBench201Space::default(), text().as_bytes(), &schema);
    let error = read.err().expect("no label is infinite").to_string();
    assert!(error.contains("line 2, column `accuracy`: inf after division"), "{error}");
}

#[test]
fn plain_and_packed_files_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let gzip = || {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(text().as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let zstd = || zstd::encode_all(text().as_bytes(), 3).unwrap();
    for (name, bytes) in
        [("table.csv", text().into_bytes()), ("table.csv.gz", gzip()), ("table.csv.zst", zstd())]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let table = Table::read(NasBench201Space::default(), &path, &schema()).unwrap();
        assert_eq!(table.len(), 3, "{name}");
        if name != "table.csv" {
            std::fs::write(&path, &bytes[..bytes.len() - 12]).unwrap();
            assert!(Table::read(NasBench201Space::default(), &path, &schema()).is_err(), "{name} cut off");
        }
    }
    // Two members of one file, a byte-order mark before the first.
    let text = format!("\u{feff}{}", text());
    let (first, second) = text.split_at(text.find(OTHER).unwrap());
    let pack = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let path = folder.path().join("table.csv.gz");
    std::fs::write(&path, [pack(first), pack(second)].concat()).unwrap();
    assert_eq!(Table::read(NasBench201Space::default(), &path, &schema()).unwrap().len(), 3);
    std::fs::write(&path, [pack(first), pack(second)[..12].to_vec()].concat()).unwrap();
    let cut = Table::read(NasBench201Space::default(), &path, &schema()).err().expect("it is cut off");
    assert!(matches!(cut, TableError::File(_)), "{cut}");
    let missing = Table::read(NasBench201Space::default(), &folder.path().join("none.csv"), &schema());
    assert!(missing.err().expect("no file").to_string().contains("none.csv"));
}

#[test]
fn nasbench201_has_its_published_optima() {
    let table = Table::nasbench201();
    assert_eq!((table.len(), table.labels().count()), (15_625, 12));
    let published = [
        ("cifar10", "validation", 91.61),
        ("cifar10", "test", 94.37),
        ("cifar100", "validation", 73.49),
        ("cifar100", "test", 73.51),
        ("imagenet16-120", "validation", 46.73),
        ("imagenet16-120", "test", 47.31),
    ];
    let published = published.map(|(dataset, split, percent)| (dataset, split, 200, percent));
    let cheap = [
        ("cifar10", "validation", 12, 84.89),
        ("cifar10", "test", 12, 89.16),
        ("cifar100", "test", 12, 61.18),
    ];
    for (dataset, split, epochs, percent) in published.into_iter().chain(cheap) {
        let (_, value) = table.best(&Label::average(dataset, split, epochs)).unwrap().unwrap();
        assert_eq!((value * 1e4).round() / 100.0, percent, "{dataset}, {split}, {epochs}");
    }
}

#[test]
fn the_seed_of_a_trial_plays_no_part() {
    let table = Table::nasbench201();
    let evaluator = table.evaluator(&Label::average("cifar100", "test", 200)).unwrap();
    let arch = table.space().sample(&mut rng_for(1, "table", 0));
    let look = |seed| evaluator.evaluate(&Trial { id: TrialId(seed), arch, seed }, &mut Quiet).unwrap();
    assert_eq!(look(1), look(2));
}

#[test]
fn a_part_of_a_table_is_a_table() {
    let text = format!("part,arch,accuracy,seconds\na,{ONE},90.5,100\nb,{OTHER},10,50.5\nb,broken,1,1\n");
    let read = |column: &str, part: &str| {
        let schema = schema().with_rows(column, part);
        Table::from_csv(NasBench201Space::default(), text.as_bytes(), &schema)
    };
    assert_eq!(read("part", "a").unwrap().len(), 1);
    assert!(matches!(read("part", "b"), Err(TableError::Architecture { line: 4, .. })));
    let message = |column, part| read(column, part).err().unwrap().to_string();
    assert_eq!(message("part", "c"), "no row of the table has `c` in column `part`; the first row has `a`");
    assert!(message("piece", "a").contains("has no column `piece`"));
    let schema = schema().with_rows("part", "a");
    assert_eq!(toml::from_str::<TableSchema>(&toml::to_string(&schema).unwrap()).unwrap(), schema);
}
