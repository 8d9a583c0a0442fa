//! The result file.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Writes the result file. A regular file is replaced atomically: a reader never sees half of one. Anything
/// else (a device, a pipe, a link) is written to in place.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(result: &impl Serialize, path: &Path) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(result)?;
    text.push(b'\n');
    if !is_replaced(path)? {
        return fs::write(path, text);
    }
    let partial = partial(path);
    fs::write(&partial, text)?;
    fs::rename(&partial, path)
}

/// Checks that a result can be written to `path`, without leaving anything behind.
///
/// # Errors
/// The reason it cannot.
pub fn check_writable(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if is_replaced(path)? {
        let partial = partial(path);
        fs::write(&partial, [])?;
        return fs::remove_file(&partial);
    }
    // A pipe is not opened: that would wait for a reader. The target of a link may not exist yet.
    match fs::metadata(path) {
        Ok(there) if there.is_file() => OpenOptions::new().append(true).open(path).map(drop),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the result is written beside `path` and then renamed: `path` is a regular file or does not exist.
fn is_replaced(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(there.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    partial.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_regular_file_is_replaced_and_a_link_stays_a_link() {
        let dir = std::env::temp_dir().join(format!("loadgen-json-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (file, link) = (dir.join("a.json"), dir.join("link"));
        symlink(&file, &link).unwrap();
        for path in [&file, &link, &file] {
            check_writable(path).unwrap();
            write_json(&1, path).unwrap();
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "1\n");
        let left: Vec<_> = fs::read_dir(&dir).unwrap().collect();
        assert_eq!(left.len(), 2, "nothing else is left behind: {left:?}");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_device_is_written_in_place() {
        let device = Path::new("/dev/null");
        check_writable(device).unwrap();
        write_json(&1, device).unwrap();
        assert!(!fs::symlink_metadata(device).unwrap().is_file());
    }

    #[test]
    fn a_missing_folder_or_a_folder_as_file_is_rejected() {
        assert!(check_writable(Path::new("/nonexistent/folder/a.json")).is_err());
        assert!(check_writable(&std::env::temp_dir()).is_err());
    }
}
