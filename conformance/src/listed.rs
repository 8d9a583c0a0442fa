//! The servers under test: those described in [`servers`](crate::servers), and every other mistake that broken-server
//! lists.

use std::sync::LazyLock;

use anyhow::{anyhow, ensure};
use process::Output;

use crate::program::launch;
use crate::servers::{self, Server};
use crate::wait::TIMEOUT;

/// Every server under test. A new mistake is among them as soon as `broken-server --list` names it.
///
/// # Errors
/// When broken-server is not built, or cannot list its mistakes.
pub fn all() -> anyhow::Result<impl Iterator<Item = &'static Server> + Clone> {
    static LISTED: LazyLock<anyhow::Result<Vec<Server>>> = LazyLock::new(not_described);
    let listed = LISTED.as_ref().map_err(|error| anyhow!("{error:#}"))?;
    Ok(servers::DESCRIBED.into_iter().chain(listed))
}

/// Mistakes that [`on_every_server`](crate::on_every_server) leaves out, because they call the vendor as one of those
/// that it includes: they get the main rows only. `blocking-client` is not among them: its debug build answers every
/// call with a 500.
///
/// # Errors
/// As [`all`].
pub fn other_mistakes() -> anyhow::Result<impl Iterator<Item = &'static Server> + Clone> {
    let elsewhere = [&servers::BLOCKING_CLIENT].into_iter().chain(servers::ON_EVERY_ROW);
    let elsewhere: Vec<_> = elsewhere.map(|server| server.name).collect();
    Ok(all()?.filter(move |server| !elsewhere.contains(&server.name)))
}

/// Every server that is broken-server.
///
/// # Errors
/// As [`all`].
pub fn of_broken_server() -> anyhow::Result<impl Iterator<Item = &'static Server> + Clone> {
    Ok(all()?.filter(|server| server.program == servers::NONE.program))
}

fn not_described() -> anyhow::Result<Vec<Server>> {
    let Output { status, stdout, stderr } = launch(servers::NONE.program)?.args(["--list"]).output_blocking(TIMEOUT)?;
    ensure!(status.success(), "broken-server --list: {status}: {stderr}");
    let described: Vec<_> = servers::DESCRIBED.into_iter().filter_map(Server::mistake).collect();
    let new = names(&stdout).filter(|name| !described.contains(name));
    Ok(new.map(|name| Server::like_the_control(name.to_owned().leak())).collect())
}

/// The mistakes of a list: each is the first word of an indented line; the others name its group.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_a_list_by_group() {
        let list = "control\n  none   none: all is well\ncalls\n  no-deadline  timeouts add up\n";
        assert_eq!(names(list).collect::<Vec<_>>(), ["none", "no-deadline"]);
        let new = Server::like_the_control("no-deadline");
        assert_eq!((new.mistake(), new.args), (Some("no-deadline"), &["--mistake", "no-deadline"][..]));
    }
}
