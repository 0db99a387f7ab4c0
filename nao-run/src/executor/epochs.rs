//! The learning curve of a trial under way, kept for a process that goes on with it.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use nao_space::{EpochReport, TrialId};

use crate::folder::RunFolder;

/// The epochs of a trial under way, one a line in a file of its folder. What cannot be read or written of them costs a
/// part of the curve, and stops nobody.
#[derive(Debug)]
pub struct EpochFile {
    path: PathBuf,
}

impl EpochFile {
    /// That of a trial which begins now, or goes on from an earlier start; then with the epochs of that start, which are
    /// to be reported again.
    pub fn begin(run: &RunFolder, trial: TrialId) -> (Self, Vec<EpochReport>) {
        let (checkpoint, path) = (run.checkpoint(trial), run.epochs(trial));
        if let Some(parent) = path.parent() {
            let _ = fs::create_dir_all(parent);
        }
        let mut reports = Vec::new();
        if checkpoint.is_file() {
            let text = fs::read_to_string(&path).unwrap_or_default();
            reports.extend(text.lines().filter_map(|line| serde_json::from_str::<EpochReport>(line).ok()));
        } else {
            let _ = fs::remove_file(&path);
        }
        (EpochFile { path }, reports)
    }

    /// Keeps the report of an epoch.
    pub fn keep(&self, report: &EpochReport) {
        let file = File::options().append(true).create(true).open(&self.path);
        if let (Ok(mut file), Ok(line)) = (file, serde_json::to_string(report)) {
            let _ = writeln!(file, "{line}");
        }
    }
}
