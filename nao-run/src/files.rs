//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::error::{Context, Result};

/// Writes a file by way of a temporary one beside it: readers see the old content or the new one, and a crash
/// or a full disk leaves no half.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("cannot write {}: is the disk full, or the folder read-only?", path.display());
    let mut temporary =
        tempfile::Builder::new().prefix(".nao-").suffix(".tmp").tempfile_in(folder).with_context(failed)?;
    temporary.write_all(content).and_then(|()| temporary.as_file().sync_all()).with_context(failed)?;
    make_readable(temporary.as_file()).with_context(failed)?;
    temporary.persist(path).with_context(failed)?;
    Ok(())
}

/// Temporary files are private; results are for everybody whom the folder lets in.
#[cfg(unix)]
pub fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub fn make_readable(_file: &File) -> std::io::Result<()> {
    Ok(())
}

/// Temporary folders are private, too; a folder of a run is for everybody whom its parent lets in.
#[cfg(unix)]
pub fn make_enterable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
pub fn make_enterable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Copies a file, whole, with its permissions; the folder is made. Those who use an older copy keep it.
pub fn copy_whole(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let failed = || format!("cannot write {}: is the disk full, or the folder read-only?", to.display());
    fs::create_dir_all(folder).with_context(failed)?;
    let half = tempfile::Builder::new().prefix(".nao-").tempfile_in(folder).with_context(failed)?;
    fs::copy(from, half.path()).with_context(failed)?;
    half.as_file().sync_all().with_context(failed)?;
    // A program that is still open for writing cannot be started.
    half.into_temp_path().persist(to).with_context(failed)?;
    Ok(())
}

/// Reads a text file that the user named.
pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("there").join("file");
        assert!(write_whole(&path, b"content").is_err());
        let path = folder.path().join("file");
        write_whole(&path, b"content").unwrap();
        write_whole(&path, b"other").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
