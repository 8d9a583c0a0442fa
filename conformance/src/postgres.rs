//! A server of PostgreSQL's, for tests.

use std::env;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::temp_dir::TempDir;

/// How long a server may take to start, on a busy machine.
const START_BOUND: Duration = Duration::from_secs(30);

/// A PostgreSQL server of a test's own, on a socket in a temporary directory. It is stopped with this
/// value.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    /// The user and group that run the server if the tests run as root, which it refuses.
    user: Option<(u32, u32)>,
    dir: TempDir,
    process: Option<Child>,
}

impl Postgres {
    /// Starts a server with an empty database.
    ///
    /// # Errors
    /// Why it cannot, for example because it is not installed.
    pub fn start() -> Result<Self, String> {
        let programs = find_programs().ok_or("no initdb and postgres in PATH or /usr/lib/postgresql/*/bin")?;
        let user = if number("id", &["-u"])? == 0 { Some(other_user()?) } else { None };
        let dir = TempDir::new().map_err(|error| format!("no temporary directory: {error}"))?;
        if let Some((user, group)) = user {
            chown(dir.path(), Some(user), Some(group)).map_err(|error| format!("chown: {error}"))?;
        }
        let mut server = Postgres { programs, user, dir, process: None };
        let data = server.dir.path().join("data");
        let made =
            server.command("initdb").args(["--no-sync", "--auth=trust", "--username=tester", "-D"]).arg(data).output();
        let made = made.map_err(|error| format!("initdb: {error}"))?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)));
        }
        server.run()?;
        Ok(server)
    }

    /// The URL of its database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://tester:not-asked-for@localhost/postgres?host={}", self.dir.path().display())
    }

    /// Runs the server, also again after a stop, and waits until it answers.
    ///
    /// # Errors
    /// Why it does not.
    pub fn run(&mut self) -> Result<(), String> {
        let (dir, log) = (self.dir.path(), self.dir.path().join("log"));
        let output = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(dir.join("data")).arg("-k").arg(dir).args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let process =
            command.stdout(Stdio::null()).stderr(output).spawn().map_err(|error| format!("postgres: {error}"))?;
        self.process = Some(process);
        let deadline = Instant::now() + START_BOUND;
        // Of the two lines, the one that comes when recovery is over and connections are accepted.
        while !fs::read_to_string(&log).unwrap_or_default().contains("ready to accept connections") {
            if Instant::now() > deadline {
                return Err(format!("it is not ready: {}", fs::read_to_string(&log).unwrap_or_default()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Stops the server at once, and its connections with it.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // SIGQUIT is its "immediate shutdown", which also stops its child processes.
        let signalled = Command::new("kill").args(["-QUIT", &process.id().to_string()]).status();
        if !signalled.is_ok_and(|status| status.success()) {
            let _ = process.kill();
        }
        let _ = process.wait();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // Not the directory of the tests, which another user may not enter.
        command.current_dir(self.dir.path()).env("LC_ALL", "C");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn find_programs() -> Option<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = installed.map(|version| version.path().join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).chain(installed);
    places.find(|place| place.join("initdb").is_file() && place.join("postgres").is_file())
}

/// A user that the server runs as when the tests run as root.
fn other_user() -> Result<(u32, u32), String> {
    let ids = |name| Ok::<_, String>((number("id", &["-u", name])?, number("id", &["-g", name])?));
    ids("postgres").or_else(|_| ids("nobody")).map_err(|why| format!("as root it needs another user: {why}"))
}

fn number(program: &str, args: &[&str]) -> Result<u32, String> {
    let output = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| format!("{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
