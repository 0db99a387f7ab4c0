//! The README shows the example of the front page, which is tested there.

#[test]
fn the_readme_shows_the_tested_example() {
    let readme = include_str!("../README.md");
    let shown =
        readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let page = include_str!("../src/lib.rs");
    let tested = page.split("//! ```\n").nth(1).expect("an example");
    let lines = tested.lines().map(|line| line.strip_prefix("//!").unwrap_or(line));
    let lines =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).filter(|line| !line.starts_with('#'));
    let tested: Vec<&str> = lines.collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), tested);
    let lines = tested.iter().filter(|line| !line.is_empty()).count();
    assert!((5..=15).contains(&lines), "{lines} lines");
}
