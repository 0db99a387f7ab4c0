//! Searches on a real Slurm, a small one on this machine, while it goes wrong in all the ways that clusters do.
//!
//! They run where `NAO_TEST_SLURM=1` is set, and then need the folder with `start-slurm.sh` and `stop-slurm.sh` in
//! `NAO_SLURM`; a missing Slurm fails them. Elsewhere they are ignored.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::RwLockWriteGuard;
use std::time::{Duration, Instant};

use crate::history::{MANY, TINY, count_done, history, is_tidy, logs, on_one_machine, wait_until};
use crate::holders::{Caught, catch};
use crate::support::{nao, without_timed_tests};

/// Short times, so that what a cluster does in minutes takes seconds. The lease is not one of them: a worker that is
/// only slow must not lose its trial.
const QUICK: &[&str] = &[
    "--executor=slurm",
    "--set=execution.cluster.heartbeat=0.5",
    "--set=execution.cluster.checkpoint=0",
    "--set=execution.cluster.look=0.2",
    "--set=execution.slurm.look=2",
    "--set=execution.slurm.grace=2",
];

/// A cluster of two nodes, and a folder for runs that both of them see.
struct Cluster {
    folder: PathBuf,
    slurm: tempfile::TempDir,
    scripts: PathBuf,
    port: u16,
    settings: Vec<(&'static str, &'static str)>,
    _runs: tempfile::TempDir,
    /// One cluster at a time: two of them would only take the processors from each other.
    _turn: RwLockWriteGuard<'static, ()>,
}

impl Cluster {
    /// A cluster on its own ports.
    fn start(number: u16, settings: &[(&'static str, &'static str)]) -> Self {
        let turn = without_timed_tests();
        let scripts =
            std::env::var_os("NAO_SLURM").expect("NAO_SLURM names the folder of start-slurm.sh").into();
        let runs = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let cluster = Cluster {
            folder: runs.path().to_owned(),
            // Short, for the sockets in it.
            slurm: tempfile::Builder::new().prefix("slurm").tempdir().unwrap(),
            scripts,
            port: 27_000 + 20 * number,
            settings: settings.to_vec(),
            _runs: runs,
            _turn: turn,
        };
        cluster.bring_up();
        cluster
    }

    /// Starts what is not running.
    fn bring_up(&self) {
        let mut command = Command::new(self.scripts.join("start-slurm.sh"));
        command.arg(self.slurm.path()).env("NAO_SLURM_PORT", self.port.to_string());
        command.env("NAO_SLURM_EDIT_HOSTS", "1").envs(self.settings.iter().copied());
        let output = command.output().expect("start-slurm.sh starts");
        assert!(output.status.success(), "no Slurm: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn on(&self, command: &mut Command) {
        command.env("SLURM_CONF", self.slurm.path().join("slurm.conf"));
    }

    /// `nao` on this cluster.
    fn nao(&self, words: &[&str]) -> Command {
        let mut command = nao(&self.folder);
        command.args(words).stdout(Stdio::null());
        self.on(&mut command);
        command
    }

    fn search(&self, words: &[&str]) -> Command {
        self.nao(&[&["search"], TINY, MANY, QUICK, &["--out", "run"], words].concat())
    }

    fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    fn slurm(&self, program: &str, words: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(words);
        self.on(&mut command);
        command.output().unwrap()
    }

    /// Kills a daemon of Slurm as a power cut would.
    fn kill_daemon(&self, name: &str) {
        let process =
            std::fs::read_to_string(self.slurm.path().join("run").join(format!("{name}.pid"))).unwrap();
        assert!(Command::new("kill").args(["-KILL", process.trim()]).status().unwrap().success());
    }

    fn done_after(&self, search: &mut Child, count: usize) {
        wait_until(search, &format!("{count} trials done"), || count_done(&self.run()) >= count);
    }

    /// Catches a worker in the middle of a trial, on one node or anywhere.
    fn catches(&self, search: &mut Child, node: Option<&str>) -> Caught {
        let caught = RefCell::new(None);
        let what = format!("a worker in the middle of a trial on {}", node.unwrap_or("a node"));
        wait_until(search, &what, || {
            *caught.borrow_mut() =
                catch(&self.run(), |holder| node.is_none_or(|node| holder["host"] == node));
            caught.borrow().is_some()
        });
        caught.into_inner().unwrap()
    }

    /// The run has the history of one on one machine, each trial recorded once, and nothing is left lying about.
    fn is_as_on_one_machine(&self) {
        assert_eq!(&history(&self.run()), on_one_machine());
        is_tidy(&self.run());
    }

    /// The logs of all trials.
    fn logs(&self) -> String {
        logs(&self.run())
    }

    /// How many array jobs were written down.
    fn batches(&self) -> usize {
        let entries = std::fs::read_dir(self.run().join("batches")).unwrap().flatten();
        entries.filter(|entry| entry.path().is_dir()).count()
    }

    /// A program that stands in the way of one of Slurm's, and a `PATH` on which it is found first.
    fn in_the_way(&self, program: &str, script: &str) -> std::ffi::OsString {
        use std::os::unix::fs::PermissionsExt;
        let folder = self.folder.join("in-the-way");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(program);
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for partition in ["work", "urgent"] {
            let mut command = Command::new("scancel");
            command.args(["--partition", partition]).stderr(Stdio::null());
            self.on(&mut command);
            let _ = command.status();
        }
        let mut stop = Command::new(self.scripts.join("stop-slurm.sh"));
        let _ = stop.arg("--purge").arg(self.slurm.path()).output();
    }
}

/// Waits for the end of a process, but not for ever.
fn ends(mut child: Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("still searching after three minutes");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn the_history_is_that_of_one_machine() {
    let cluster = Cluster::start(0, &[]);
    // Two children side by side and four in all per task.
    let words = ["--slots-per-node", "2", "--trials-per-task", "4", "--slurm-args", "--cpus-per-task=2"];
    assert!(ends(cluster.search(&words).spawn().unwrap()).success());
    cluster.is_as_on_one_machine();
    // 12, 6 and 6 children: one job per round, none for what is packed into a task.
    assert_eq!(cluster.batches(), 3);
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn a_node_that_is_lost_and_comes_back_changes_nothing() {
    let cluster = Cluster::start(1, &[]);
    let mut search = cluster.search(&["--set=execution.cluster.lease=4"]).spawn().unwrap();
    // The node goes: one of its workers dies with it, another one is frozen and comes back as a second copy.
    let frozen = cluster.catches(&mut search, Some("n2"));
    let dead = cluster.catches(&mut search, Some("n2"));
    cluster.kill_daemon("slurmd-n2");
    dead.kill();
    // Slurm would notice in a quarter of a minute; its tasks are started again while the old copies live on.
    let down = cluster.slurm("scontrol", &["update", "nodename=n2", "state=down", "reason=test"]);
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    wait_until(&mut search, "others have their trials", || {
        dead.has_a_successor() && frozen.has_a_successor()
    });
    drop(frozen);
    cluster.bring_up();
    assert!(ends(search).success());
    cluster.is_as_on_one_machine();
    let logs = cluster.logs();
    assert!(logs.matches("attempt 2: ").count() >= 2, "{logs}");
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn preempted_children_go_on_where_they_were() {
    let cluster = Cluster::start(2, &[]);
    let mut search = cluster.search(&[]).spawn().unwrap();
    let caught = ["n1", "n2"].map(|node| cluster.catches(&mut search, Some(node)));
    for node in ["n1", "n2"] {
        let node = format!("--nodelist={node}");
        let output =
            cluster.slurm("sbatch", &["-p", "urgent", "-c4", &node, "-o", "/dev/null", "--wrap", "sleep 2"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Slurm itself lets them go on, with the word that they have to leave.
    wait_until(&mut search, "they are sent away", || !caught.iter().any(Caught::is_stopped));
    assert!(ends(search).success());
    cluster.is_as_on_one_machine();
    let logs = cluster.logs();
    assert!(logs.contains("put back: the process was told to stop"), "no worker was sent away: {logs}");
    assert!(logs.contains("goes on from the state of attempt"), "{logs}");
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn a_killed_coordinator_finds_its_jobs_again() {
    let cluster = Cluster::start(3, &[]);
    let mut search = cluster.search(&[]).spawn().unwrap();
    cluster.done_after(&mut search, 3);
    search.kill().unwrap();
    search.wait().unwrap();
    let resume = cluster.nao(&["resume", "run"]).spawn().unwrap();
    assert!(ends(resume).success());
    cluster.is_as_on_one_machine();
    assert_eq!(cluster.batches(), 3, "children of a round were handed in twice");
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn a_killed_controller_of_slurm_is_waited_for() {
    let cluster = Cluster::start(4, &[]);
    let mut search = cluster.search(&["--parallel", "4"]).spawn().unwrap();
    cluster.done_after(&mut search, 2);
    // Nothing begins without the controller, but workers with a trial continue, and their results count.
    let caught = cluster.catches(&mut search, None);
    let done = count_done(&cluster.run());
    cluster.kill_daemon("slurmctld");
    drop(caught);
    cluster.done_after(&mut search, done + 1);
    std::thread::sleep(Duration::from_secs(4));
    cluster.bring_up();
    assert!(ends(search).success());
    cluster.is_as_on_one_machine();
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn arrays_are_as_large_as_they_may_be() {
    let cluster = Cluster::start(5, &[("NAO_SLURM_MAX_ARRAY", "11")]);
    let search = cluster.search(&[]).spawn().unwrap();
    assert!(ends(search).success());
    cluster.is_as_on_one_machine();
    // Twelve do not fit into one array, six do.
    assert_eq!(cluster.batches(), 4);
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn accounting_is_not_needed() {
    let cluster = Cluster::start(6, &[]);
    let path =
        cluster.in_the_way("sacct", "#!/bin/sh\necho 'Slurm accounting storage is disabled' >&2\nexit 1\n");
    assert!(!cluster.slurm("sacct", &[]).status.success(), "this cluster keeps accounts");
    let mut search = cluster.search(&[]).env("PATH", path).spawn().unwrap();
    // A task that is cancelled is replaced, although there is no accounting.
    let caught = cluster.catches(&mut search, None);
    let ended = cluster.slurm("scancel", &[&caught.place()]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    drop(caught);
    assert!(ends(search).success());
    cluster.is_as_on_one_machine();
    assert!(cluster.logs().contains("attempt 2: "), "{}", cluster.logs());
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn a_submission_that_is_taken_and_fails_is_not_repeated() {
    let cluster = Cluster::start(7, &[]);
    let real = String::from_utf8(Command::new("which").arg("sbatch").output().unwrap().stdout).unwrap();
    let calls = cluster.folder.join("calls");
    let script = format!(
        "#!/bin/sh\necho called >> {}\n{} \"$@\" >/dev/null\n\
         echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2\nexit 1\n",
        calls.display(),
        real.trim()
    );
    let path = cluster.in_the_way("sbatch", &script);
    let search = cluster.search(&[]).env("PATH", path).spawn().unwrap();
    assert!(ends(search).success());
    cluster.is_as_on_one_machine();
    let calls = std::fs::read_to_string(calls).unwrap().lines().count();
    assert_eq!((calls, cluster.batches()), (3, 3), "one submission per round");
}

#[test]
#[cfg_attr(not(slurm), ignore = "needs NAO_TEST_SLURM=1 and a Slurm in NAO_SLURM")]
fn the_commands_of_the_documentation_work() {
    let cluster = Cluster::start(8, &[]);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cluster.md")).unwrap();
    let blocks = |language: &str| -> Vec<String> {
        let open = format!("```{language}\n");
        let parts =
            page.split(&open).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
        parts.collect()
    };
    let [config] = &blocks("toml")[..] else { panic!("one configuration in the page") };
    std::fs::write(cluster.folder.join("search.toml"), config).unwrap();
    let scripts = blocks("sh");
    assert!(scripts.len() >= 4, "{scripts:?}");
    let program = Path::new(env!("CARGO_BIN_EXE_nao")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(program.to_owned()).chain(std::env::split_paths(&path)))
        .unwrap();
    for script in scripts {
        let mut command = Command::new("timeout");
        command.args(["240", "sh", "-ec", &script]).current_dir(&cluster.folder).env("PATH", &path);
        command.env_remove("NAO_LOG");
        cluster.on(&mut command);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{}\n{told}", String::from_utf8_lossy(&output.stdout));
    }
}
