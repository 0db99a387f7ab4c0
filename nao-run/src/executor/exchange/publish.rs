//! Files that are published once: the first writer wins, and nobody sees half of one.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::{Context, Result};
use crate::files::temporary_in;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is the one that counts.
    First,
    /// There was one, which stays.
    Late,
}

/// Writes a file that is not there: beside it, synced, then linked to its name. A rename would let a late copy take the
/// place of the first.
pub fn publish_once(path: &Path, content: &[u8]) -> Result<Published> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = || format!("cannot write {}: is the disk full, or the folder read-only?", path.display());
    let mut temporary = temporary_in(folder, ".publish-").with_context(failed)?;
    temporary.write_all(content).and_then(|()| temporary.as_file().sync_all()).with_context(failed)?;
    let linked = fs::hard_link(temporary.path(), path);
    // On a network file system the answer may be lost though the link was made: the second name of the file tells.
    let published = match linked {
        Ok(()) => Published::First,
        Err(_) if names_of(temporary.as_file()) == Some(2) => Published::First,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Published::Late,
        Err(error) => return Err(error).with_context(failed),
    };
    // A new name is on disk when its folder is. Some file systems cannot sync folders, and need not.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(published)
}

#[cfg(unix)]
fn names_of(file: &File) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().ok().map(|metadata| metadata.nlink())
}

#[cfg(not(unix))]
fn names_of(_file: &File) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn of_many_at_once_one_wins_and_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        let barrier = Barrier::new(16);
        let outcomes: Vec<Published> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16u8)
                .map(|index| {
                    let (path, barrier) = (&path, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        publish_once(path, &vec![index; 100_000]).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Published::First).count(), 1);
        let winner = outcomes.iter().position(|outcome| *outcome == Published::First).unwrap() as u8;
        assert_eq!(fs::read(&path).unwrap(), vec![winner; 100_000]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files are left");
        assert_eq!(publish_once(&path, b"later").unwrap(), Published::Late);
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(publish_once(&folder.path().join("none").join("result"), b"x").is_err());
    }
}
