//! Files that commands write: whole or not there, with the rights that the user wants, and never in the place of
//! something that is no file.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nao_space::file::{self, MIB};
use tempfile::{Builder, NamedTempFile, TempDir};

use crate::error::{Context, Result, RunError, bail};

/// As many symbolic links as systems follow.
const MOST_LINKS: usize = 40;

/// Writes a file by way of a temporary one beside it: readers see the old content or the new one, and a crash
/// or a full disk leaves no half. A symbolic link stays, and what it leads to is written; a file that was there keeps its
/// owner and its rights. A device, a pipe or a socket is written through.
///
/// # Errors
/// When the file is write-protected, for whomever; when it is a folder; when the system refuses.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    match place_of(path).with_context(|| cannot_write(path))? {
        Place::Stream(stream) => {
            // Appended where it has an end, as to a log that standard output goes to.
            let opened = File::options().append(true).open(stream);
            opened.and_then(|mut file| file.write_all(content)).with_context(|| cannot_write(path))
        }
        Place::File { path: file, earlier } => {
            if let Some(earlier) = &earlier {
                check_writable(path, &file, earlier)?;
            }
            replace(&file, content, earlier.as_ref()).map_err(|error| unwritten(path, &file, error))
        }
    }
}

/// Where content for a path goes.
enum Place {
    /// Into what has no name of its own, or is no regular file.
    Stream(PathBuf),
    /// Into a regular file, which may be there.
    File { path: PathBuf, earlier: Option<Metadata> },
}

/// Follows symbolic links.
fn place_of(path: &Path) -> io::Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if is_descriptor(&path) {
            return Ok(Place::Stream(path));
        }
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Place::File { path, earlier: None });
            }
            metadata => metadata?,
        };
        if metadata.is_symlink() {
            path = path.parent().unwrap_or(Path::new("")).join(fs::read_link(&path)?);
        } else if metadata.is_dir() {
            return Err(io::Error::from(ErrorKind::IsADirectory));
        } else if metadata.is_file() {
            return Ok(Place::File { path, earlier: Some(metadata) });
        } else {
            return Ok(Place::Stream(path));
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether a path stands for something that a process has open, as `/dev/stderr` and `/dev/fd/63` do: a file behind it
/// belongs to whoever opened it.
fn is_descriptor(path: &Path) -> bool {
    let Some(text) = path.to_str() else { return false };
    let of_process = text.strip_prefix("/proc/").and_then(|rest| rest.split('/').nth(1)) == Some("fd");
    of_process || text.starts_with("/dev/fd/") || ["/dev/stdout", "/dev/stderr"].contains(&text)
}

/// Whom the system lets write anything has protected a file as well as anybody else.
fn check_writable(named: &Path, file: &Path, earlier: &Metadata) -> Result<()> {
    let opened = || File::options().write(true).open(file);
    let is_refused = |error: io::Error| error.kind() == ErrorKind::PermissionDenied;
    if earlier.permissions().readonly() || opened().is_err_and(is_refused) {
        bail!("{} is write-protected: allow writing (chmod u+w), or name another file", named.display());
    }
    Ok(())
}

fn replace(path: &Path, content: &[u8], earlier: Option<&Metadata>) -> io::Result<()> {
    let mut temporary = temporary_in(folder_of(path), ".nao-")?;
    temporary.write_all(content)?;
    if let Some(earlier) = earlier {
        keep_owner(temporary.as_file(), earlier);
        temporary.as_file().set_permissions(earlier.permissions())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Says what is in the way, where it shows.
fn unwritten(named: &Path, file: &Path, error: io::Error) -> RunError {
    let folder = folder_of(file);
    let why = match error.kind() {
        ErrorKind::NotFound if !folder.is_dir() => format!("there is no folder {}", folder.display()),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            format!("the folder {} is read-only", folder.display())
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        ErrorKind::FileTooLarge => {
            "is the disk full, or a limit on the size of files (ulimit -f) reached?".to_owned()
        }
        _ => return RunError::Io { what: cannot_write(named), source: error },
    };
    RunError::Refused(format!("{}: {why}", cannot_write(named)))
}

/// The owner of a file that is replaced, where the system allows it to be kept.
#[cfg(unix)]
fn keep_owner(file: &File, earlier: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(earlier.uid()), Some(earlier.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _earlier: &Metadata) {}

/// A file in a folder that is removed unless it is given a name, with the rights of any new file of the user: those
/// of usual temporary files are for their owner alone.
pub fn temporary_in(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// A folder for things on their way that nobody else may look at, removed at the end.
pub fn private_folder() -> io::Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix("nao-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}

/// Copies a file, whole, with its rights as far as those of new files go; the folder is made. Those who use an older copy
/// keep it.
pub fn copy_whole(from: &Path, to: &Path) -> Result<()> {
    let folder = folder_of(to);
    let copy = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut source = File::open(from)?;
        let mut half = Builder::new()
            .prefix(".nao-")
            .permissions(source.metadata()?.permissions())
            .tempfile_in(folder)?;
        io::copy(&mut source, half.as_file_mut())?;
        half.as_file().sync_all()?;
        // A program that is still open for writing cannot be started.
        half.into_temp_path().persist(to)?;
        Ok(())
    };
    copy().map_err(|error| unwritten(to, to, error))
}

/// The most that is read of a text that a person wrote: an architecture, a space, a configuration.
const LONGEST_TEXT: u64 = 16 * MIB;

/// The most that is read of a text that this program wrote: a predictor, a vocabulary, a round.
const LONGEST_RECORD: u64 = 512 * MIB;

/// The most that is read of a file of tensors.
const LONGEST_TENSORS: u64 = 4096 * MIB;

/// Reads a text file that the user named.
pub fn read_text(path: &Path) -> Result<String> {
    Ok(file::text(path, LONGEST_TEXT)?)
}

/// Reads a text that this program wrote, which may be long.
pub fn read_record(path: &Path) -> Result<String> {
    Ok(file::text(path, LONGEST_RECORD)?)
}

/// Reads a file of tensors.
pub fn read_tensors(path: &Path) -> Result<Vec<u8>> {
    Ok(file::raw_bytes(path, LONGEST_TENSORS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("there").join("file");
        let message = write_whole(&path, b"content").unwrap_err().to_string();
        assert!(message.contains("there is no folder"), "{message}");
        let path = folder.path().join("file");
        write_whole(&path, b"content").unwrap();
        write_whole(&path, b"other").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_whole(folder.path(), b"content").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn output_follows_links_and_keeps_the_rights_of_what_it_replaces() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/target"), "old").unwrap();
        fs::set_permissions(at("sub/target"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("sub/target", at("link")).unwrap();
        symlink("link", at("second")).unwrap();
        write_whole(&at("second"), b"new").unwrap();
        assert_eq!(fs::read_link(at("second")).unwrap(), Path::new("link"));
        assert_eq!(fs::read_link(at("link")).unwrap(), Path::new("sub/target"));
        assert_eq!(fs::read(at("sub/target")).unwrap(), b"new");
        assert_eq!(fs::metadata(at("sub/target")).unwrap().permissions().mode() & 0o777, 0o640);

        // A link that leads nowhere yet; links that lead round and round.
        symlink("sub/later", at("dangling")).unwrap();
        write_whole(&at("dangling"), b"there").unwrap();
        assert_eq!(fs::read(at("sub/later")).unwrap(), b"there");
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        assert!(write_whole(&at("a"), b"never").is_err());

        fs::set_permissions(at("sub/target"), fs::Permissions::from_mode(0o444)).unwrap();
        let message = write_whole(&at("second"), b"never").unwrap_err().to_string();
        assert!(message.contains("second is write-protected"), "{message}");
        assert_eq!(fs::read(at("sub/target")).unwrap(), b"new");
    }
}
