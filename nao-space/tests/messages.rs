//! Messages about what was read quote its beginning only: each fits on a screen.

use nao_space::notation::{cnn_from_json, cnn_from_tf_dag, nasbench101_from_json, rnn_from_json};
use nao_space::table::{Label, LabelColumn, RowFilter, Table, TableSchema};
use nao_space::{
    ChoiceSpace, CnnSpace, DartsSpace, HierarchicalSpace, NasBench101Space, NasBench201Space, RnnSpace, Space,
};

/// The most characters that a message about one architecture or space may have: a screen.
const SCREEN: usize = 24 * 80;

#[test]
fn a_message_about_a_text_of_a_megabyte_fits_on_a_screen() {
    let long = "x".repeat(1 << 20);
    let spaces = [
        format!("name = \"{long}\""),
        format!("nome = \"{long}\""),
        format!("name = \"a\"\n{long} = 1"),
        format!("name = \"a\"\n[[position]]\nname = \"p\"\nchoices = [\"{long}\"]"),
        format!("name = \"a\"\n[[position]]\nname = \"{long}\"\nchoices = [\"c\"]"),
        format!(
            "name = \"a\"\n[[position]]\nname = \"p\"\nchoices = [\"c\"]\nonly_if = {{ position = \"{long}\", choice = \"c\" }}"
        ),
    ];
    let mut messages: Vec<String> =
        spaces.iter().map(|text| ChoiceSpace::from_toml(text).unwrap_err().to_string()).collect();
    let many: Vec<String> = (0..5000).map(|i| format!("\"choice-{i}\"")).collect();
    let space = format!("name = \"a\"\n[[position]]\nname = \"p\"\nchoices = [{}]", many.join(", "));
    let space = ChoiceSpace::from_toml(&space).unwrap();
    messages.push(space.parse(&long).unwrap_err().to_string());
    messages
        .push(space.check(&[("p".to_owned(), long.clone())].into_iter().collect()).unwrap_err().to_string());
    messages
        .push(space.check(&[(long.clone(), long.clone())].into_iter().collect()).unwrap_err().to_string());
    for json in [
        format!(
            "{{\"format\": \"{long}\", \"version\": 1, \"normal\": [], \"reduction\": [], \"nodes\": []}}"
        ),
        format!("{{\"{long}\": 1}}"),
        format!("\"{long}\""),
        format!(
            "{{\"format\": \"nao-cnn\", \"version\": 1, \"normal\": [[{{\"input\": 0, \"op\": \"{long}\"}}]]}}"
        ),
        format!("{{\"matrix\": [[0]], \"ops\": [\"{long}\"]}}"),
        format!("{{\"conv_dag\": {{\"{long}\": []}}, \"reduc_dag\": {{}}}}"),
    ] {
        messages.extend([
            cnn_from_json(&json).unwrap_err().to_string(),
            rnn_from_json(&json).unwrap_err().to_string(),
            nasbench101_from_json(&json).unwrap_err().to_string(),
            cnn_from_tf_dag(&json).unwrap_err().to_string(),
        ]);
    }
    messages.extend([
        CnnSpace::default().parse(&long).unwrap_err().to_string(),
        RnnSpace::default().parse(&long).unwrap_err().to_string(),
        DartsSpace::default().parse(&long).unwrap_err().to_string(),
        HierarchicalSpace::default().parse(&long).unwrap_err().to_string(),
        NasBench101Space::default().parse(&long).unwrap_err().to_string(),
        NasBench201Space::default().parse(&long).unwrap_err().to_string(),
    ]);
    messages.iter().for_each(|message| assert_fits(message));
}

#[test]
fn a_message_about_a_table_of_long_fields_fits_on_a_screen() {
    let long = "x".repeat(1 << 20);
    let label = Label::average("cifar10", "validation", 200);
    let mut schema = TableSchema::accuracies("any", ["arch"], [LabelColumn::percent("accuracy", label)]);
    let read = |schema: &TableSchema, text: &str| {
        let table = Table::from_csv(NasBench201Space::default(), text.as_bytes(), schema);
        table.err().expect("a faulty table").to_string()
    };
    let arch = NasBench201Space::default().sample(&mut nao_space::seed::rng_for(1, "messages", 0));
    let arch = NasBench201Space::default().format(&arch);
    assert_fits(&read(&schema, &format!("{long},b\n1,2\n")));
    assert_fits(&read(&schema, &vec!["column"; 100_000].join(",")));
    assert_fits(&read(&schema, &format!("arch,accuracy\n{long},2\n")));
    assert_fits(&read(&schema, &format!("arch,accuracy\n{arch},{long}\n")));
    schema.rows = Some(RowFilter { column: "arch".into(), text: "none".into() });
    assert_fits(&read(&schema, &format!("arch,accuracy\n{long},2\n")));
}

fn assert_fits(message: &str) {
    let length = message.chars().count();
    assert!(length <= SCREEN, "{length} characters: {}", &message[..300]);
}
