//! Reading files: those that are not there, closed, too large, or without end.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{DEMO, RUN};
use crate::result::read::{Problem, ResultFile, input, read};

/// A folder of its own for one test, removed with its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("loadgen-read-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_is_read_and_a_failure_names_it() {
    let folder = Folder::new("files");
    let (good, cut, large, closed) =
        (folder.file("a.json"), folder.file("cut.json"), folder.file("large.json"), folder.file("closed.json"));
    fs::write(&good, DEMO).expect("it is written");
    assert!(matches!(read(&good), Ok(ResultFile::Run(_))));
    fs::write(&cut, &DEMO[..DEMO.len() / 2]).expect("it is written");
    File::create(&large).and_then(|file| file.set_len(1_000_000_000)).expect("a file with a hole");
    fs::write(&closed, DEMO).expect("it is written");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("its mode is changed");
    let mut cases = vec![
        (cut, "it ends too early, at line "),
        (large, "it is larger than 100 MB"),
        (folder.0.clone(), "it is a folder"),
        (folder.file("none.json"), "there is no such file"),
        (good.join("below"), "there is no such file"),
        (PathBuf::from("/dev/null"), "it is empty"),
        (PathBuf::from("/dev/zero"), "it is larger than 100 MB"),
    ];
    // Root may read it all the same.
    if File::open(&closed).is_err() {
        cases.push((closed, "permission denied"));
    }
    for (path, what) in cases {
        let said = read(&path).expect_err("it is no result").to_string();
        assert!(said.starts_with(&format!("{}: {what}", path.display())), "{said}");
    }
}

#[test]
fn a_pipe_is_read_to_its_end_and_not_waited_for_without_end() {
    let folder = Folder::new("pipes");
    let pipe = folder.file("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let nobody = input::bytes_within(&pipe, Duration::from_millis(50));
    assert!(matches!(nobody, Err(Problem::Endless { .. })), "{nobody:?}");
    // The reader that was left behind still waits for a writer: a pipe of its own for the next.
    let pipe = folder.file("another");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let to = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(to, RUN));
    assert!(matches!(read(&pipe), Ok(ResultFile::Run(_))));
    writer.join().expect("the writer ends").expect("it is written");
}

#[test]
fn a_path_is_shown_without_its_control_characters() {
    let said = read(Path::new("no\u{1b}[31m.json")).expect_err("there is none").to_string();
    assert!(said.starts_with("no\u{fffd}[31m.json: there is no such file"), "{said}");
}
