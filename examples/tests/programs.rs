//! Every program runs, and stays short.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a program in an empty folder and returns what it prints.
fn run(program: &str, folder: &Path) -> String {
    let output = Command::new(program).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

macro_rules! programs {
    ($($name:ident, $check:expr;)+) => {
        const PROGRAMS: &[&str] = &[$(stringify!($name)),+];

        $(
            #[test]
            fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let text = run(env!(concat!("CARGO_BIN_EXE_", stringify!($name))), folder.path());
                let check: fn(&str, &Path) -> bool = $check;
                assert!(check(&text, folder.path()), "{text}");
            }
        )+
    };
}

programs! {
    draw, |text, folder| {
        let is_picture = |name| fs::read_to_string(folder.join(name)).unwrap().contains("<svg");
        text.lines().count() == 3
            && ["image-cell.svg", "recurrent-cell.svg", "benchmark-cell.svg"].into_iter().all(is_picture)
    };
    search, |text, folder| {
        // Run once more, it is over.
        let again = run(env!("CARGO_BIN_EXE_search"), folder);
        let best = |text: &str| text.lines().last().unwrap().to_owned();
        text.lines().count() == 101 && best(text).starts_with("best of 100") && again.trim() == best(text)
    };
    controller, |text, _| {
        let scores: Vec<f64> = text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
// The first is the best that was known.
        scores[1..].iter().any(|score| *score > scores[0])
    };
    predictor, |text, folder| text.lines().count() == 5 && folder.join("predictor.json").is_file();
    train, |text, _| {
        let accuracy = text.split("accuracy ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
        accuracy.parse::<f64>().unwrap() > 0.5 && text.contains(&format!("loaded again: {accuracy}"))
    };
    own_space, |text, _| text.contains("best of 200 trials: ");
    resumable_run, |text, folder| {
        let again = run(env!("CARGO_BIN_EXE_resumable_run"), folder);
        let best = |text: &str| text.lines().last().unwrap().to_owned();
        text.starts_with("stopped") && best(text).starts_with("best of 4: ") && best(&again) == best(text)
    };
}

#[test]
fn programs_are_short_and_listed() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(here.join("README.md")).unwrap();
    let mut files: Vec<_> =
        fs::read_dir(here.join("src/bin")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(here.join("tests/properties.rs"));
    assert_eq!(files.len(), PROGRAMS.len() + 1);
    for file in files {
        let (name, text) = (file.file_stem().unwrap().to_str().unwrap(), fs::read_to_string(&file).unwrap());
        assert!(PROGRAMS.contains(&name) || name == "properties", "{name} is run by no test");
        assert!(text.lines().count() <= 40, "{name} has {} lines", text.lines().count());
        assert!(table.contains(&format!("{name}.rs)")), "README.md does not list {name}");
    }
}
