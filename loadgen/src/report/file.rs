//! Writes a file: never half of one, and never over what is no regular file.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Writes `content` to `path`. A regular file is replaced atomically: a reader never sees half of one, and what was
/// there stays if the new one cannot be written. Anything else (a device, a pipe, a link) is written to in place.
///
/// # Errors
/// When the file cannot be written, for example because the disk is full.
pub fn write_file(content: &[u8], path: &Path) -> io::Result<()> {
    if !is_replaced(path)? {
        return fs::write(path, content);
    }
    let partial = partial(path);
    let written = fs::write(&partial, content).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // What is left of it would take the space that there was not enough of.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Checks that a file can be written to `path`, without leaving anything behind.
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

/// Whether the file is written beside `path` and then renamed: `path` is a regular file or does not exist.
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
        let dir = std::env::temp_dir().join(format!("loadgen-file-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (file, link) = (dir.join("a.json"), dir.join("link"));
        symlink(&file, &link).unwrap();
        for path in [&file, &link, &file] {
            check_writable(path).unwrap();
            write_file(b"1\n", path).unwrap();
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "1\n");
        let left: Vec<_> = fs::read_dir(&dir).unwrap().collect();
        assert_eq!(left.len(), 2, "nothing else is left behind: {left:?}");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_replaced_leaves_nothing_behind() {
        let dir = std::env::temp_dir().join(format!("loadgen-partial-{}", std::process::id()));
        let file = dir.join("a.html");
        // What is written beside it cannot take the place of a folder with something in it.
        let partial = dir.join("a.html.partial");
        fs::create_dir_all(&dir).unwrap();
        fs::write(&file, "before").unwrap();
        fs::create_dir(&partial).unwrap();
        assert!(write_file(b"after", &file).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_device_is_written_in_place() {
        let device = Path::new("/dev/null");
        check_writable(device).unwrap();
        write_file(b"1\n", device).unwrap();
        assert!(!fs::symlink_metadata(device).unwrap().is_file());
    }

    #[test]
    fn a_missing_folder_or_a_folder_as_file_is_rejected() {
        assert!(check_writable(Path::new("/nonexistent/folder/a.json")).is_err());
        assert!(check_writable(&std::env::temp_dir()).is_err());
    }
}
