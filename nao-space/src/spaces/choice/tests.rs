use super::*;

const CONDITIONAL: &str = r#"
    name = "net"

    [[position]]
    name = "block"
    choices = ["plain", "residual", "dense"]

    [[position]]
    name = "skip"
    choices = ["identity", "conv"]
    only_if = { position = "block", choice = ["residual", "dense"] }

    [[position]]
    name = "width"
    choices = ["16", "32"]
"#;

fn space() -> ChoiceSpace {
    ChoiceSpace::from_toml(CONDITIONAL).unwrap()
}

#[test]
fn positions_that_do_not_apply_have_a_token_but_no_word() {
    let space = space();
    assert_eq!(space.size(), BigUint::from((1u32 + 2 + 2) * 2));
    let arch = space.parse("block=plain width=32").unwrap();
    assert_eq!(space.format(&arch), "block=plain width=32");
    let names: Vec<&str> =
        space.encode(&arch).iter().map(|&token| space.vocabulary().name(token).unwrap()).collect();
    assert_eq!(names, ["block=plain", "not applicable", "width=32"]);
    assert_eq!((arch.get("skip"), arch.get("width")), (None, Some("32")));
}

#[test]
fn an_error_in_text_names_word_and_choice() {
    let cases = [
        ("block=plane", "word 1: found `block=plane`, expected `block=` and one of plain, residual, dense"),
        ("block=dense width=16", "word 2: found `width=16`, expected `skip=` and one of identity, conv"),
        ("block=plain skip=conv", "word 2: found `skip=conv`, expected `width=` and one of 16, 32"),
        (
            "block=plain",
            "after the last word: found the end of the text, expected `width=` and one of 16, 32",
        ),
        ("block=plain width=16 x", "word 3: found `x`, expected the end of the text"),
    ];
    for (text, message) in cases {
        assert_eq!(space().parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn an_architecture_from_json_is_checked_by_position() {
    let check = |json: &str| {
        let arch: ChoiceArch = serde_json::from_str(json).unwrap();
        space().check(&arch).map_err(|error| error.to_string())
    };
    assert_eq!(check(r#"{"width": "16", "block": "plain"}"#), Ok(()));
    let cases = [
        (r#"{"block": "plain"}"#, "position `width` is missing"),
        (r#"{"block": "plain", "skip": "conv", "width": "16"}"#, "position `skip` does not apply"),
        (r#"{"block": "plain", "width": "17"}"#, "position `width` has no choice `17`; it has 16, 32"),
        (r#"{"block": "plain", "width": "16", "depth": "1"}"#, "`depth` is no position of net"),
    ];
    for (json, message) in cases {
        let error = check(json).unwrap_err();
        assert!(error.contains(message), "{error:?} should contain {message:?}");
    }
    let twice = serde_json::from_str::<ChoiceArch>(r#"{"width": "16", "width": "32"}"#).unwrap_err();
    assert!(twice.to_string().contains("position `width` is there twice"), "{twice}");
}

#[test]
fn each_fault_of_a_file_has_its_own_error_with_the_position() {
    let replaced = |from: &str, to: &str| CONDITIONAL.replacen(from, to, 1);
    let cases = [
        (replaced("\"net\"", "\"a net\""), "`a net` is no name of a space"),
        (replaced("\"net\"", "3"), "not a choice space in TOML: TOML parse error at line 2, column 12"),
        (replaced("choices", "choice"), "unknown field `choice`"),
        (replaced("\"block\"", "\"the block\""), "position 0 (`the block`): `the block` is no word"),
        (replaced("\"16\"", "\"a=b\""), "position 2 (`width`): `a=b` is no word"),
        (replaced("\"width\"", "\"skip\""), "position 2 (`skip`): an earlier position has that name"),
        (replaced("[\"16\", \"32\"]", "[]"), "position `width` has no choices"),
        (replaced("\"32\"", "\"16\""), "position `width` lists the choice `16` twice"),
        (
            replaced("position = \"block\"", "position = \"width\""),
            "position `skip` asks for `width`, which is no earlier position; earlier are block",
        ),
        (
            replaced("position = \"block\"", "position = \"skip\""),
            "position `skip` asks for `skip`, which is no earlier",
        ),
        (
            replaced("choice = [\"residual\", \"dense\"]", "choice = []"),
            "position `skip` asks for `block` to have none",
        ),
        (
            replaced("choice = [\"residual\", \"dense\"]", "choice = \"deep\""),
            "position `skip` asks for `block` = `deep`; `block` has plain, residual, dense",
        ),
        (replaced("choice = [\"residual\", \"dense\"]", "choice = 3"), "a choice or a list of choices"),
        ("name = \"empty\"".to_owned(), "the space has no positions"),
    ];
    for (text, message) in cases {
        let error = ChoiceSpace::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(message), "{error:?} should contain {message:?}");
    }
    let many = Position {
        name: "many".into(),
        choices: (0..70_000).map(|choice: u32| choice.to_string()).collect(),
        only_if: None,
    };
    let error = ChoiceSpace::new("large", vec![many]).unwrap_err().to_string();
    assert_eq!(error, "the positions up to `many` have 70000 choices, a space may have 65533");
}

#[test]
fn a_long_chain_of_conditions_is_no_trouble() {
    let chain = |length: usize| {
        let position = |index: usize| Position {
            name: format!("p{index}"),
            choices: vec!["stop".into(), "go".into()],
            only_if: index
                .checked_sub(1)
                .map(|parent| Condition { position: format!("p{parent}"), choice: vec!["go".into()] }),
        };
        ChoiceSpace::new("chain", (0..length).map(position).collect())
    };
    let space = chain(1000).unwrap();
    assert_eq!(space.size(), BigUint::from(1001u32));
    let all_go = space.parse(&(0..1000).map(|index| format!("p{index}=go ")).collect::<String>()).unwrap();
    // Stopping at p500 takes 500 arrangements away; stopping at p0 would take 1,000, the most that count.
    assert_eq!(space.neighbours(&all_go).len(), 1000);
    let error = chain(1001).unwrap_err().to_string();
    assert_eq!(error, "the space has 1001 positions, it may have 1000");
}
