//! What the system shows of a process's sockets and descriptors: Linux has it in `/proc`. Elsewhere nothing is known.

use std::collections::BTreeSet;
use std::fs;

/// Whether one of these processes listens on this port; none where the system does not say, or they may see other ports:
/// in a container, they do.
#[must_use]
pub fn listens(pids: &[u32], port: u16) -> Option<bool> {
    let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/net")).ok();
    let own = namespace("self")?;
    if pids.is_empty() || pids.iter().any(|pid| namespace(&pid.to_string()).as_ref() != Some(&own)) {
        return None;
    }
    // The tables are those of the namespace, which is that of this process too.
    let tables = ["tcp", "tcp6"].iter().filter_map(|table| fs::read_to_string(format!("/proc/self/net/{table}")).ok());
    let sockets: BTreeSet<u64> = tables.flat_map(|table| listening_at(&table, port)).collect();
    let mut seen_any = false;
    for pid in pids {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        seen_any = true;
        let targets = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        if targets.filter_map(|target| socket(target.to_str()?)).any(|inode| sockets.contains(&inode)) {
            return Some(true);
        }
    }
    seen_any.then_some(false)
}

/// The sockets that listen on this port, in a table of the form of `/proc/net/tcp`.
fn listening_at(table: &str, port: u16) -> BTreeSet<u64> {
    /// The state in this table.
    const LISTEN: &str = "0A";
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let listening = rows.filter(|row| {
        let at = row.get(1).and_then(|address| address.rsplit_once(':'));
        at.and_then(|(_, at)| u16::from_str_radix(at, 16).ok()) == Some(port) && row.get(3) == Some(&LISTEN)
    });
    listening.filter_map(|row| row.get(9)?.parse().ok()).collect()
}

/// `socket:[123]`
fn socket(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The open descriptors of one process, and how many it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// Those that are open.
    pub open: u64,
    /// The soft limit.
    pub limit: u64,
}

/// The descriptors of the one of these processes that has the fewest left; none where the system does not say.
#[must_use]
pub fn fewest_descriptors_left(pids: &[u32]) -> Option<Descriptors> {
    let each = pids.iter().filter_map(|pid| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64;
        let limit = soft_limit(&fs::read_to_string(format!("/proc/{pid}/limits")).ok()?)?;
        Some(Descriptors { open, limit })
    });
    each.min_by_key(|process| process.limit.saturating_sub(process.open))
}

/// The soft limit of open descriptors, in a table of the form of `/proc/self/limits`.
fn soft_limit(table: &str) -> Option<u64> {
    let row = table.lines().find_map(|row| row.strip_prefix("Max open files"))?;
    row.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_process_listens_on_the_port_that_it_has_opened() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let pids = [std::process::id()];
        // Not every system says.
        if let Some(listening) = listens(&pids, port) {
            assert!(listening, "port {port}");
            assert_eq!(listens(&pids, 1), Some(false));
        }
    }

    #[test]
    fn the_descriptors_of_a_process_are_fewer_than_it_may_have() {
        // Not every system says.
        if let Some(own) = fewest_descriptors_left(&[std::process::id()]) {
            assert!(own.open > 0 && own.open < own.limit, "{own:?}");
        }
        assert_eq!(fewest_descriptors_left(&[]), None);
    }

    #[test]
    fn tables_of_the_system_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n\
            1: 0100007F:1F40 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0\n";
        assert_eq!(listening_at(table, 8000), BTreeSet::from([4711]));
        assert_eq!(listening_at(table, 8001), BTreeSet::new());
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
            Max open files            1024                 4096                 files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files            unlimited            unlimited            files"), None);
    }
}
