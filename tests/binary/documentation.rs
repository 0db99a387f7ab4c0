//! The commands, links and tables of README.md, of the pages in `docs/` and of the READMEs of the crates: what is printed
//! there works. Commands that take long run at a small size, as a dry run, or are parsed only (`plan`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{run, stdout};

/// The root of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A page of the documentation.
struct Page {
    /// Its path below the root.
    name: String,
    text: String,
}

/// All pages: those at the root, those in `docs/` and those of the crates and examples.
fn pages() -> Vec<Page> {
    let root = Path::new(ROOT);
    let mut files = Vec::new();
    collect(root, root, 2, &mut files);
    collect(root, &root.join("docs"), 4, &mut files);
    files.sort();
    files.dedup();
    let read = |name: PathBuf| Page {
        text: fs::read_to_string(root.join(&name)).unwrap(),
        name: name.display().to_string(),
    };
    files.into_iter().map(read).collect()
}

/// Adds the Markdown files of a folder and of the folders below it, down to `depth`.
fn collect(root: &Path, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_ours = !name.starts_with('.') && !["target", "runs", "golden"].contains(&name.as_str());
        if path.is_dir() && depth > 0 && is_ours {
            collect(root, &path, depth - 1, files);
        } else if name.ends_with(".md") {
            files.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
}

/// The lines inside and outside the fenced blocks of a page.
fn parts(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut inside, mut outside, mut fenced) = (Vec::new(), Vec::new(), false);
    for line in text.lines() {
        match (line.trim_start().starts_with("```"), fenced) {
            (true, _) => fenced = !fenced,
            (false, true) => inside.push(line),
            (false, false) => outside.push(line),
        }
    }
    (inside, outside)
}

/// The code spans of a line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The commands of a page that stand in blocks or, in README.md, in a table, without `nao` itself.
fn commands(page: &Page) -> Vec<String> {
    let (inside, outside) = parts(&page.text);
    let whole = inside.join("\n").replace("\\\n", " ");
    let table = outside.into_iter().filter(|line| page.name == "README.md" && line.starts_with('|'));
    let lines = whole.lines().chain(table.flat_map(spans));
    lines.filter_map(|line| Some(line.trim().strip_prefix("nao ")?.to_owned())).collect()
}

/// How a command of the documentation is run.
#[derive(Debug, PartialEq)]
enum Plan {
    /// To its end, with these words.
    Run(Vec<String>),
    /// As a dry run: everything is resolved and checked, nothing is trained.
    DryRun(Vec<String>),
    /// Its words are parsed, and its help is printed.
    Parse(Vec<String>),
}

/// The plan of a command, in words; redirected output is left out.
fn plan(command: &str) -> Plan {
    let mut words = shlex::split(command.split(" > ").next().unwrap()).expect("quotes are closed");
    if let Some(comment) = words.iter().position(|word| word.starts_with('#')) {
        words.truncate(comment);
    }
    words.retain(|word| word != "&");
    let needs_files = words.iter().any(|word| word.contains("DATA/"));
    match words[0].as_str() {
        "search" | "train" => {
            words.retain(|word| word != "--dry-run");
            Plan::DryRun(words)
        }
        "simulate" => Plan::Run(shrunk(words, &[("--trials", "20,40"), ("--slots", "20")])),
        "bench" if words.iter().any(|word| word == "--with") => Plan::Parse(words),
        "bench" | "fit" if needs_files => Plan::Parse(words),
        "bench" => {
            let words = shrunk(words, &[("--seeds", "1"), ("--metric", "cifar10")]);
            Plan::Run([words, vec!["--budget=11".into()]].concat())
        }
        // The run that is named is one on digits here.
        "worker" => Plan::Parse(words),
        "resume" if words.iter().any(|word| word == "--data") => Plan::Parse(words),
        "resume" => Plan::Run(shrunk(words, &[("--budget", "4")])),
        _ => Plan::Run(words),
    }
}

/// The words with other values for these options.
fn shrunk(mut words: Vec<String>, values: &[(&str, &str)]) -> Vec<String> {
    for (option, value) in values {
        if let Some(at) = words.iter().position(|word| word == option) {
            words[at + 1] = (*value).to_owned();
        }
    }
    words
}

/// A folder in which the files are that the documentation names, all of them small.
fn world() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let structure = ["--set=recipe.structure.width=4", "--set=recipe.structure.cells_per_stage=1"];
    let rounds = ["--strategy=random", "--nodes=2", "--epochs=1", "--budget=3", "--initial=3"];
    for out in ["--out=runs/c10", "--out=runs/digits-001"] {
        stdout(run(path, &[&["search", out], &structure[..], &rounds].concat()));
    }
    let trained = ["train", "--arch=@NAONet-B", "--epochs=1", "--out=runs/naonet-b"];
    stdout(run(path, &trained));

    // 40 grey images of CIFAR-10, of which each class has four, and a text of a few words.
    let images: Vec<u8> =
        (0..40u8).flat_map(|image| [vec![image % 10], vec![image; 3072]].concat()).collect();
    fs::create_dir(path.join("cifar-10-batches-bin")).unwrap();
    fs::write(path.join("cifar-10-batches-bin/data_batch_1.bin"), images).unwrap();
    fs::create_dir(path.join("ptb")).unwrap();
    for part in ["train", "valid", "test"] {
        fs::write(
            path.join(format!("ptb/ptb.{part}.txt")),
            format!("the cat of {part} sees a dog\n").repeat(400),
        )
        .unwrap();
    }
    fs::write(path.join("my.toml"), "seed = 2\n[recipe]\nepochs = 3\n").unwrap();

    let cells = stdout(run(path, &["space", "sample", "--space=nasbench201", "-n", "60", "--seed=3"]));
    let score = |cell: &str| cell.matches("nor_conv_3x3").count();
    let pairs: String = cells.lines().map(|cell| format!("{cell},{}\n", score(cell))).collect();
    fs::write(path.join("pairs.csv"), format!("architecture,score\n{pairs}")).unwrap();
    fs::write(path.join("cells.txt"), cells.lines().take(5).collect::<Vec<_>>().join("\n")).unwrap();
    let cells = stdout(run(path, &["space", "sample", "-n", "4", "--seed=3"]));
    let rows: String = cells.lines().enumerate().map(|(row, cell)| format!("{cell},9{row}\n")).collect();
    fs::write(path.join("mine.csv"), format!("cell,final\n{rows}")).unwrap();
    let commands = fs::read_to_string(Path::new(ROOT).join("docs/commands.md")).unwrap();
    let schema = commands.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    fs::write(path.join("mine.toml"), schema).unwrap();
    fs::create_dir_all(path.join("examples/spaces")).unwrap();
    let space = "examples/spaces/residual-network.toml";
    fs::copy(Path::new(ROOT).join(space), path.join(space)).unwrap();
    folder
}

/// Every command that is shown does what its page says it does: it ends well, and prints something.
#[test]
fn the_commands_of_the_documentation_run() {
    let folder = world();
    let path = folder.path();
    let mut done = BTreeSet::new();
    let mut count = 0;
    // The cluster's page is run on a real Slurm.
    for page in pages().iter().filter(|page| page.name != "docs/cluster.md") {
        for command in commands(page) {
            count += 1;
            if !done.insert(command.clone()) {
                continue;
            }
            let plan = plan(&command);
            let (words, more) = match &plan {
                Plan::Run(words) => (words, None),
                Plan::DryRun(words) => (words, Some("--dry-run")),
                Plan::Parse(words) => (words, Some("--help")),
            };
            let words: Vec<&str> = words.iter().map(String::as_str).chain(more).collect();
            let output = run(path, &words);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{}: nao {command}\n{words:?}\n{error}", page.name);
            let quiet = words.contains(&"-o") || words.contains(&"--output");
            assert!(quiet || !output.stdout.is_empty(), "{}: nao {command} prints nothing", page.name);
        }
    }
    assert!(count >= 60, "{count} commands were found");
}

/// What is written as `nao ...` in the text of a page is a command with such options.
#[test]
fn commands_that_are_mentioned_exist() {
    let folder = tempfile::tempdir().unwrap();
    let mut done = BTreeSet::new();
    // What was changed is told in the words of its time.
    for page in pages().iter().filter(|page| page.name != "CHANGELOG.md") {
        let (_, outside) = parts(&page.text);
        for command in
            outside.join(" ").split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("nao "))
        {
            if command.contains("...") || command.contains("COMMAND") || !done.insert(command.to_owned()) {
                continue;
            }
            let mut words = shlex::split(command).expect("quotes are closed");
            words.push("--help".into());
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = run(folder.path(), &words);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: nao {command}\n{error}", page.name);
        }
    }
    assert!(done.len() >= 20, "{done:?}");
}

/// The tables of README.md and docs/commands.md have every command of `nao --help`, and no other.
#[test]
fn the_tables_of_commands_list_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let help = stdout(run(folder.path(), &["--help"]));
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let listed: BTreeSet<&str> = listed
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|&name| name != "help")
        .collect();
    let read = |name: &str| fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
    let readme = read("README.md");
    let wanted = readme.lines().filter(|line| line.starts_with('|')).flat_map(spans);
    let wanted = wanted.filter_map(|span| span.strip_prefix("nao ")?.split(' ').next());
    assert_eq!(wanted.collect::<BTreeSet<&str>>(), listed, "README.md");
    let page = read("docs/commands.md");
    let rows = page.lines().filter(|line| line.starts_with("| ["));
    let shown: BTreeSet<&str> =
        rows.flat_map(|row| spans(row.split(" | ").next().unwrap()).collect::<Vec<_>>()).collect();
    assert_eq!(shown, listed, "docs/commands.md");
}

/// `nao published --markdown` prints what docs/results/published.md shows.
#[test]
fn the_page_of_published_results_is_what_the_command_prints() {
    let folder = tempfile::tempdir().unwrap();
    let printed = stdout(run(folder.path(), &["published", "--markdown"]));
    let page = fs::read_to_string(Path::new(ROOT).join("docs/results/published.md")).unwrap();
    let page: BTreeSet<&str> = page.lines().collect();
    let rows = |line: &&str| line.starts_with('|') || line.starts_with(|first: char| first.is_ascii_digit());
    let rows: Vec<&str> = printed.lines().filter(rows).collect();
    assert!(rows.len() > 40, "{printed}");
    rows.into_iter().for_each(|row| assert!(page.contains(row), "docs/results/published.md lacks: {row}"));
}

/// The anchors of a page: its headings as GitHub names them, and those that are written out.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = parts(text).1.into_iter().filter_map(|line| {
        let title = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|&c| c.is_alphanumeric() || " -_".contains(c));
        Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
    });
    let written = text.split("<a id=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    headings.chain(written).collect()
}

/// Links between pages lead to files and anchors that are there.
#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = parts(&page.text).1.join("\n");
        for target in text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
            if target.starts_with("http") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let here = Path::new(ROOT).join(&page.name);
            let there = if file.is_empty() { here } else { here.parent().unwrap().join(file) };
            assert!(there.exists(), "{}: {target} is not there", page.name);
            if !anchor.is_empty() {
                let text = fs::read_to_string(&there).unwrap();
                assert!(anchors(&text).contains(anchor), "{}: {target} has no such anchor", page.name);
            }
        }
    }
    assert!(count >= 100, "{count} links were found");
}

/// A fact that a comment names has its anchor in docs/specification.md.
#[test]
fn facts_that_comments_name_are_in_the_specification() {
    let specification = fs::read_to_string(Path::new(ROOT).join("docs/specification.md")).unwrap();
    let anchors = anchors(&specification);
    let mut count = 0;
    let mut folders = vec![PathBuf::from(ROOT)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(".rs") {
                for fact in facts(&fs::read_to_string(&path).unwrap()) {
                    count += 1;
                    let known = anchors.contains(&fact.replace('.', "-"));
                    assert!(known, "{}: the specification has no {fact}", path.display());
                }
            }
        }
    }
    assert!(count >= 100, "{count} facts are named");
}

/// What a source file names of the specification: "a.3" of "(docs/specification.md, a.3)".
fn facts(text: &str) -> Vec<String> {
    let text = text.replace("\n//! ", " ").replace("/// ", "").replace("// ", "");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mentions = text.split("docs/specification.md, ").skip(1);
    let is_fact = |word: &&str| {
        let (section, number) = word.split_once('.').unwrap_or((word, "1"));
        section.len() == 1 && "abcdefg".contains(section) && number.parse::<u32>().is_ok()
    };
    let of = |rest: &str| -> Vec<String> {
        let end = rest.find([')', ';', '"', ':', '`']).unwrap_or(rest.len());
        let words = rest[..end].split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| word.trim_end_matches('.')).take_while(is_fact).map(str::to_owned).collect()
    };
    mentions.flat_map(of).collect()
}
