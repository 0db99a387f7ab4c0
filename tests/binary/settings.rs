//! Settings do what they say, and cells are the networks that they mean, in the real program.

use std::fs;
use std::path::Path;

use crate::support::{run, stdout};
use serde_json::Value;

fn json(folder: &Path, words: &[&str]) -> Value {
    serde_json::from_str(&stdout(run(folder, words))).expect("valid JSON")
}

/// The message of a refusal: exit code 2 and one line.
fn refused(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{words:?}: {message}");
    message
}

/// The names that a refusal lists after each of these words.
fn names_after<'a>(message: &'a str, words: &[&str]) -> Vec<&'a str> {
    let list = |word: &&str| {
        let (_, list) = message.split_once(word).unwrap_or_else(|| panic!("no {word} in {message}"));
        list.split([';', '\n']).next().unwrap_or_default().split(", ").map(str::trim).collect::<Vec<_>>()
    };
    words.iter().flat_map(list).collect()
}

fn write_data(folder: &Path) {
    let images = folder.join("images");
    fs::create_dir(&images).unwrap();
    let records = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|i| std::iter::once((i % 10) as u8).chain((0..3072).map(move |p| (p * i) as u8)))
            .collect()
    };
    fs::write(images.join("data_batch_1.bin"), records(600)).unwrap();
    fs::write(images.join("test_batch.bin"), records(100)).unwrap();
    let text = folder.join("text");
    fs::create_dir(&text).unwrap();
    for (part, lines) in [("train", 9000), ("valid", 4000), ("test", 3000)] {
        let line = |i: usize| format!("w{} sees w{}", i % 7, i * i % 5);
        let lines: Vec<String> = (0..lines).map(line).collect();
        fs::write(text.join(format!("{part}.txt")), lines.join("\n")).unwrap();
    }
}

/// What a dry run prints is a configuration of the same search, for every strategy and recipe that the program names.
#[test]
fn every_dry_run_is_read_and_printed_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_data(path);
    let again = |words: &[&str]| {
        let words = [&["search", "--dry-run"], words].concat();
        let printed = stdout(run(path, &words));
        fs::write(path.join("printed.toml"), &printed).unwrap();
        let read = stdout(run(path, &["search", "--dry-run", "--config", "printed.toml"]));
        assert!(read == printed, "{words:?}:\n{printed}\nbecame\n{read}");
    };
    let message = refused(path, &["search", "--dry-run", "--strategy=?"]);
    let strategies = names_after(&message, &["known are ", "shared weights ", "relaxed network "]);
    assert!(strategies.len() >= 18 && strategies.contains(&"darts:second"), "{strategies:?}");
    for name in &strategies {
        let strategy = format!("--strategy={name}");
        again(&[&strategy]);
        again(&[&strategy, "--data=cifar10:images", "--seed=7", "--epochs=2"]);
        let text = run(path, &["search", "--dry-run", &strategy, "--data=text:text"]);
        if text.status.success() {
            again(&[&strategy, "--data=text:text"]);
        }
    }
    for preset in ["v1", "v2", "paper", "rnn-ws"] {
        again(&[&format!("--preset={preset}")]);
    }
    let message = refused(path, &["search", "--dry-run", "--recipe=?"]);
    for name in names_after(&message, &["known are "]) {
        let data = if name.starts_with("digits") { "--data=digits" } else { "--data=cifar10:images" };
        again(&[data, &format!("--recipe={name}")]);
    }
    let message = refused(path, &["search", "--dry-run", "--data=text:text", "--recipe=?"]);
    for name in names_after(&message, &["there are "]) {
        again(&["--data=text:text", &format!("--recipe={name}")]);
    }
    // What follows from other settings moves with them.
    fs::write(path.join("shared.toml"), stdout(run(path, &["search", "--dry-run", "--strategy=nao-ws"])))
        .unwrap();
    let more = ["search", "--dry-run", "--config=shared.toml", "--set=sharing.finalists=2"];
    assert!(stdout(run(path, &more)).contains("budget = 2"));
    let own = refused(path, &["search", "--dry-run", "--config=shared.toml", "--budget=9"]);
    assert!(own.contains("sharing.finalists"), "{own}");
}

/// Every flag that can do nothing, where it does nothing.
#[test]
fn a_flag_without_effect_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let tiny =
        ["--set=recipe.structure.width=4", "--epochs=1", "--nodes=2", "--budget=1", "--strategy=random"];
    stdout(run(path, &[&["search", "--out=run"], &tiny[..]].concat()));
    let train = ["train", "--from=run", "--epochs=1", "--set=structure.width=4", "--out=trained"];
    stdout(run(path, &train));
    for (words, flag) in [
        (&["search", "--preset=v2", "--strategy=random"][..], "--preset"),
        (&["search", "--preset=v2", "--strategy=enas"], "--preset"),
        (&["search", "--preset=v2", "--strategy=darts"], "--preset"),
        (&["search", "--slurm-args=-p gpu"], "--slurm-args"),
        (&["search", "--slots-per-node=2"], "--slots-per-node"),
        (&["search", "--trials-per-task=2"], "--trials-per-task"),
        (&["search", "--parallel=2", "--executor=workers"], "--parallel"),
        (&["search", "--workers=2", "--executor=workers"], "--workers"),
        (&["search", "--device=cpu,cpu", "--executor=workers"], "--device"),
        (&["search", "--order=nao-ws"], "--order"),
        (&["search", "--space=rnn", "--ops=enas-5"], "--ops"),
        (&["resume", "trained", "--workers=2"], "execution.workers"),
        (&["resume", "trained", "--epochs=2"], "epochs"),
        (&["train", "--from=run", "--nodes=5"], "--nodes"),
        (&["train", "--from=run", "--ops=enas-5"], "--ops"),
        (&["train", "--from=run", "--space=cnn"], "--space"),
        (&["train", "--from=run", "--convention=darts"], "--convention"),
        (&["train", "--arch=@NAONet-A", "--rank=2"], "--rank"),
        (&["train", "--arch=@NAONet-A", "--nodes=5"], "--nodes"),
        (&["train", "--arch=@NAONet-A", "--set=structure.convention=darts"], "structure.convention"),
        (&["train", "--dry-run", "--recipe=digits", "--seed=2"], "--seed"),
        (&["train", "--dry-run", "--recipe=digits", "--init-from=run"], "--init-from"),
        (&["draw", "@NAONet-A", "--ops=paper-11"], "--ops"),
        (&["draw", "@NAONet-A", "--space=darts"], "--space"),
        (&["draw", "@NAONet-A", "--rank=1"], "--rank"),
        (&["draw", "run", "--nodes=2"], "--nodes"),
        (&["export", "trained", "--format=json", "--rank=2"], "--rank"),
        (&["export", "run", "--format=safetensors", "--rank=2", "--output=x"], "--rank"),
        (&["export", "run", "--format=safetensors", "--names=v2", "--output=x"], "--names"),
        (&["import", "x.safetensors", "--arch=@NAO-RNN", "--space=rnn"], "--space rnn"),
        (&["import", "x.safetensors", "--arch=@NAONet-A", "--nodes=5"], "--nodes"),
        (&["count", "@NAONet-A", "--nodes=5"], "--nodes"),
        (&["bench", "--slice=d20k"], "--slice"),
        (&["bench", "--table=nasbench101:x.csv", "--metric=cifar100"], "--metric"),
        (&["bench", "--controller-epochs=3"], "--controller-epochs"),
        (&["bench", "--cheap-looks=3"], "--cheap-looks"),
        (&["benchmark", "check", "x.csv", "--space=nasbench201", "--ops=enas-5"], "--ops"),
        (&["benchmark", "check", "x.csv", "--space=darts", "--nodes=4", "--schema=s.toml"], "--nodes"),
        (&["space", "describe", "--space=darts", "--nodes=4"], "--nodes"),
    ] {
        fs::write(path.join("s.toml"), "name = 'a'\narchitecture = ['b']\nobjective = 'c'\ndirection = 'maximize'\nunit = 'd'\nlabels = []\n")
            .unwrap();
        let message = refused(path, words);
        assert!(message.contains(flag), "{words:?}: {message}");
        assert!(!path.join("x").exists());
    }
    // Settings of another strategy may stand in a file that several searches share: they are said.
    let said = run(path, &["search", "--dry-run", "--strategy=random", "--set=strategy.pnas.beam=3"]);
    assert!(said.status.success());
    assert!(
        String::from_utf8_lossy(&said.stderr).contains("strategy.pnas has no effect with strategy random")
    );
    let quiet = run(path, &["search", "--dry-run", "--strategy=pnas", "--set=strategy.pnas.beam=3"]);
    assert!(quiet.status.success() && quiet.stderr.is_empty());
}

/// The genotype of P-DARTS (Chen et al., ICCV 2019) as its repository has it; its paper counts 3.4 M.
const PDARTS: &str = "PDARTS = Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), \
    ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)], \
    normal_concat=range(2, 6), reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), \
    ('dil_conv_5x5', 2), ('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], \
    reduce_concat=range(2, 6))  # 97.5 %";

/// A cell is counted, drawn and trained as the network that it means, whatever its form.
#[test]
fn a_users_cell_is_the_network_that_it_means() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let nested = PDARTS.replace("[('skip_connect', 0), ('dil", "[[('skip_connect', 0), ('dil");
    fs::write(path.join("pdarts.py"), PDARTS).unwrap();
    stdout(run(path, &["draw", PDARTS, "-o", "pdarts.json"]));
    let dictionary = r#"{"normal": [["skip_connect", 0], ["dil_conv_3x3", 1], ["skip_connect", 0], ["sep_conv_3x3", 1],
        ["sep_conv_3x3", 1], ["sep_conv_3x3", 3], ["sep_conv_3x3", 0], ["dil_conv_5x5", 4]], "normal_concat": [2, 3, 4, 5],
        "reduce": [["avg_pool_3x3", 0], ["sep_conv_5x5", 1], ["sep_conv_3x3", 0], ["dil_conv_5x5", 2],
        ["max_pool_3x3", 0], ["dil_conv_3x3", 1], ["dil_conv_3x3", 1], ["dil_conv_5x5", 3]], "reduce_concat": [2, 3, 4, 5]}"#;
    for form in [PDARTS, "pdarts.py", "pdarts.json", dictionary] {
        let count = json(path, &["count", form, "--json"]);
        let (params, macs) = (count["params"].as_u64().unwrap(), count["macs"].as_u64().unwrap());
        assert_eq!((params / 10_000, macs / 1_000_000), (343, 532), "{form}: {count}");
        assert_eq!(count["skeleton"]["convention"], "darts");
        let config = stdout(run(path, &["train", "--arch", form, "--dry-run", "--recipe=digits"]));
        assert!(
            config.contains("convention = \"darts\"") && config.contains("ops = \"darts-7\""),
            "{config}"
        );
        let dot = stdout(run(path, &["draw", form, "--format=dot"]));
        assert_eq!(dot.matches("-> normal_sink").count(), 4, "all nodes are concatenated: {dot}");
    }
    assert!(refused(path, &["count", &nested]).contains("second input"), "a bracket is missing");
    let darts = json(path, &["count", "@DARTS-V2", "--json"]);
    assert_eq!(darts["params"], 3_349_342);

    // The numbers of the same cell do not say whose network is meant.
    let numbers = json(path, &["count", "pdarts.py", "--json"])["architecture"].as_str().unwrap().to_owned();
    let cell = [numbers.as_str(), "--ops=darts-7", "--nodes=4"];
    assert!(refused(path, &[&["count"], &cell[..]].concat()).contains("--convention"));
    let train = ["train", "--dry-run", "--recipe=digits", "--ops=darts-7", "--nodes=4", "--arch", &numbers];
    assert!(refused(path, &train).contains("--convention"));
    let asked = |convention: &str| json(path, &[&["count", "--json", convention], &cell[..]].concat());
    assert_eq!(asked("--convention=darts")["params"].as_u64().unwrap() / 10_000, 343);
    assert!(asked("--convention=nao_torch")["params"].as_u64().unwrap() < 3_000_000);
    assert!(refused(path, &["count", PDARTS, "--convention=nao_torch"]).contains("say themselves"));
    assert!(refused(path, &["draw", &PDARTS.replacen("', 0)", "', 0, 0.2)", 1)]).contains("GDAS"));

    // Trained and taken home it is the same network.
    let tiny =
        ["--set=structure.width=4", "--set=structure.cells_per_stage=1", "--epochs=1", "--out=t", "--json"];
    let trained = json(path, &[&["train", "--recipe=digits", "--arch=pdarts.py"], &tiny[..]].concat());
    let described = json(path, &["export", "t", "--format=json"]);
    assert_eq!(described["cost"]["params"], trained["params"]);
    assert_eq!(described["plan"]["skeleton"]["convention"], "darts");
    assert_eq!(described["plan"]["cells"][0]["pieces"].as_array().unwrap().len(), 4);
    // The relaxed search trains the cells that it derives in the network of DARTS.
    assert!(
        stdout(run(path, &["search", "--dry-run", "--strategy=darts"])).contains("convention = \"darts\"")
    );
}

/// The DAG of the authors' TensorFlow code is read wherever cells are, and means the network of that code.
#[test]
fn the_dag_of_the_tensorflow_code_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = "\"node_1\": [\"node_1\", null, null, null, null], \"node_2\": [\"node_2\", null, null, null, null], \
                \"node_3\": [\"node_3\", \"node_1\", \"node_2\", \"conv 3x3\", \"max_pool 5x5\"]";
    fs::write(path.join("dag.json"), format!("{{\"conv_dag\": {{{rows}}}, \"reduc_dag\": {{{rows}}}}}"))
        .unwrap();
    assert_eq!(json(path, &["count", "dag.json", "--json"])["skeleton"]["convention"], "nao_tf");
    assert!(stdout(run(path, &["draw", "dag.json"])).contains("max pool"));
    assert!(
        stdout(run(path, &["space", "check", "dag.json", "--ops=v2-11", "--nodes=1"])).contains("valid in")
    );
    let config = stdout(run(path, &["train", "--arch=dag.json", "--dry-run", "--recipe=digits"]));
    assert!(config.contains("convention = \"nao_tf\""), "{config}");
}

/// The spaces that the program names, each with what stands after its name.
fn spaces(path: &Path) -> Vec<String> {
    let toml = "name = 'net'\n[[position]]\nname = 'block'\nchoices = ['plain', 'residual']\n\
                [[position]]\nname = 'skip'\nchoices = ['conv', 'pool']\nonly_if = { position = 'block', choice = 'residual' }\n";
    fs::write(path.join("net.toml"), toml).unwrap();
    let message = refused(path, &["space", "describe", "--space=?"]);
    names_after(&message, &["known are "]).iter().map(|name| name.replace("FILE", "net.toml")).collect()
}

/// Architectures of every space are drawn, and what is printed of them is read again.
#[test]
fn every_space_is_drawn_and_reads_its_own_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let spaces = spaces(path);
    assert!(spaces.len() >= 7, "{spaces:?}");
    for space in spaces {
        let space = format!("--space={space}");
        let text = stdout(run(path, &["space", "sample", "--seed=4", &space]));
        let text = text.trim();
        let tokens = stdout(run(path, &["space", "encode", text, &space]));
        let words: [&[&str]; 3] = [
            &["space", "decode", &tokens, "--json", &space],
            &["space", "check", text, "--json", &space],
            &["draw", text, "--format=json", &space],
        ];
        for words in words {
            fs::write(path.join("cell.json"), stdout(run(path, words))).unwrap();
            assert_eq!(stdout(run(path, &["space", "encode", "cell.json", &space])), tokens, "{words:?}");
            let svg = stdout(run(path, &["draw", "cell.json", &space]));
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{words:?}");
        }
        let dot = stdout(run(path, &["draw", text, "--format=dot", &space]));
        assert!(dot.starts_with("digraph") && dot.contains(" -> "), "{space}: {dot}");
        fs::write(path.join("cell.txt"), text).unwrap();
        assert_eq!(stdout(run(path, &["space", "encode", "cell.txt", &space])), tokens, "{space}");
    }
    for (arch, space) in [("@DARTS-V2", "darts"), ("@NAO-RNN", "rnn"), ("@NAONet-A", "cnn")] {
        assert!(
            stdout(run(path, &["space", "check", arch, "--space", space])).contains("valid in"),
            "{arch}"
        );
    }
    assert!(refused(path, &["space", "check", "@NAONet-A", "--space=nasbench201"]).contains("nasbench201"));
    let matrix = "ModelSpec(matrix=[[0, 1], [0, 0]], ops=[INPUT, OUTPUT])";
    assert!(stdout(run(path, &["draw", matrix, "--space=nasbench101"])).contains("projection"));
    // Help lists every set of operations.
    for command in [
        &["search", "--help"][..],
        &["draw", "--help"],
        &["train", "--help"],
        &["space", "describe", "--help"],
    ] {
        let help = stdout(run(path, command));
        let message = refused(path, &["space", "describe", "--ops=?"]);
        let sets = names_after(&message, &["known are "]);
        assert!(
            sets.len() >= 10 && sets.iter().all(|set| help.contains(set)),
            "{command:?} lacks one of {sets:?}"
        );
    }
}

/// A search begins with the cells that it is given, the same ones after a stop.
#[test]
fn a_search_begins_with_given_cells() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let tiny = [
        "--set=recipe.structure.width=4",
        "--set=recipe.batch=128",
        "--epochs=1",
        "--nodes=1",
        "--ops=enas-5",
    ];
    let rounds = ["--initial=3", "--per-round=2", "--budget=5", "--strategy=evolution", "--seed=3"];
    let search = |more: &[&'static str]| [&["search"], &tiny[..], &rounds, more].concat();
    fs::write(path.join("cells.txt"), "# mine\n0 2 1 2 0 2 1 2\n\n0 3 1 3 0 3 1 3\n").unwrap();
    let start = ["--start-with=0 0 1 1 0 0 1 1", "--start-with=@cells.txt"];
    let config = stdout(run(path, &search(&[&start[..], &["--dry-run"]].concat())));
    let first = "start_with = [\"0 0 1 1 0 0 1 1\", \"0 2 1 2 0 2 1 2\", \"0 3 1 3 0 3 1 3\"]";
    assert!(config.contains(first), "{config}");
    fs::write(path.join("my.toml"), &config).unwrap();
    assert_eq!(stdout(run(path, &["search", "--dry-run", "--config=my.toml"])), config);

    stdout(run(path, &search(&[&start[..], &["--out=run"]].concat())));
    let best = json(path, &["best", "run", "--top=9", "--json"]);
    let mut trials: Vec<(u64, &str, &str)> = best
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |value: &'_ Value| -> &'static str {
                Box::leak(value.as_str().unwrap().to_owned().into_boxed_str())
            };
            (entry["trial"].as_u64().unwrap(), text(&entry["architecture"]), text(&entry["origin"]["kind"]))
        })
        .collect();
    trials.sort_unstable();
    assert_eq!(trials.len(), 5);
    for (trial, given) in trials.iter().zip(["0 0 1 1 0 0 1 1", "0 2 1 2 0 2 1 2", "0 3 1 3 0 3 1 3"]) {
        assert_eq!((trial.1, trial.2), (given, "given"));
    }
    assert!(trials[3..].iter().all(|trial| trial.2 != "given"));
    assert!(run(path, &["resume", "run"]).status.success());

    let twice = ["--start-with=0 0 1 1 0 0 1 1", "--start-with=1 1 0 0 0 0 1 1"];
    assert!(refused(path, &search(&twice)).contains("spellings of one"));
    let four = ["--start-with=@cells.txt", "--start-with=0 0 1 1 0 0 1 1", "--start-with=0 4 1 1 0 0 1 1"];
    assert!(refused(path, &search(&four)).contains("rounds.initial"));
    assert!(refused(path, &search(&["--start-with=0 9 1 1 0 0 1 1"])).contains("--start-with"));
    assert!(
        refused(path, &["search", "--strategy=darts", "--start-with=@DARTS-V2"])
            .contains("train every cell alone")
    );
    let genotype = ["search", "--ops=darts-7", "--nodes=4", "--dry-run", "--start-with=@DARTS-V2"];
    assert!(refused(path, &genotype).contains("structure.convention=darts"));
    let meant = [&genotype[..], &["--set=recipe.structure.convention=darts"]].concat();
    assert!(stdout(run(path, &meant)).contains("start_with"));
}

/// Some architectures of a space in its notation, each once.
fn some_of(path: &Path, space: &str) -> Vec<String> {
    let sample = stdout(run(path, &["space", "sample", "-n=24", space]));
    let mut archs: Vec<String> = Vec::new();
    for line in sample.lines() {
        if !archs.iter().any(|known| known == line) {
            archs.push(line.to_owned());
        }
    }
    archs.truncate(8);
    archs
}

/// Every command that takes a space takes every space; what cannot be done with one is said in one line.
#[test]
fn every_command_that_takes_a_space_takes_every_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_data(path);
    let schema = "name = 'mine'\narchitecture = ['architecture']\nobjective = 'accuracy'\ndirection = 'maximize'\n\
                  unit = 'percent'\n[[labels]]\ncolumn = 'score'\nlabel = { dataset = 'mine', split = 'test', epochs = 1, run = 'average' }\n";
    fs::write(path.join("schema.toml"), schema).unwrap();
    for name in spaces(path) {
        let space = format!("--space={name}");
        let archs = some_of(path, &space);
        assert!(archs.len() >= 3, "{name}: {archs:?}");
        let quoted = |arch: &String| format!("\"{}\"", arch.replace('"', "\"\""));
        let rows = archs.iter().enumerate().map(|(at, arch)| format!("{},{}\n", quoted(arch), at * at % 7));
        fs::write(path.join("pairs.csv"), format!("architecture,score\n{}", rows.collect::<String>()))
            .unwrap();

        assert!(!stdout(run(path, &["space", "describe", &space])).is_empty());
        assert!(stdout(run(path, &["draw", &archs[0], &space])).starts_with("<svg"), "{name}");
        let fit = ["fit", "pairs.csv", &space, "--direction=maximize", "--unit=points", "--splits=1"];
        stdout(run(path, &[&fit[..], &["--output=predictor.json"]].concat()));
        let asked: String = archs[..2].iter().map(|arch| format!("{}\n", quoted(arch))).collect();
        fs::write(path.join("asked.csv"), format!("architecture\n{asked}")).unwrap();
        let predicted = json(path, &["predict", "predictor.json", "asked.csv", "--json"]);
        assert_eq!(predicted["predictions"].as_array().unwrap().len(), 2, "{name}: {predicted}");
        let checked = stdout(run(path, &["benchmark", "check", "pairs.csv", &space, "--schema=schema.toml"]));
        assert!(checked.contains(&format!("{} rows", archs.len())), "{name}: {checked}");

        let data = if name == "rnn" { "--data=text:text" } else { "--data=digits" };
        let search = run(path, &["search", "--dry-run", &space, data]);
        let said = String::from_utf8_lossy(&search.stderr).into_owned();
        match name.as_str() {
            "cnn" | "rnn" => assert!(search.status.success(), "{name}: {said}"),
            _ => {
                assert_eq!(search.status.code(), Some(2), "{name}");
                assert!(
                    said.contains("cnn") && said.contains("nao fit") && said.contains("nao bench"),
                    "{said}"
                );
            }
        }
        let bench = refused(path, &["bench", &format!("--table={}:none.csv", name.replace(':', "-"))]);
        assert!(bench.contains("nasbench201") || bench.contains("none.csv"), "{name}: {bench}");
    }
}
