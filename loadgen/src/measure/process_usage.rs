//! What processes use: processor time, memory, threads, descriptors.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

use super::children::children;

/// What one or several processes use together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Processor time since they started.
    pub cpu: Duration,
    /// Resident memory.
    pub rss_bytes: u64,
    /// Threads, if known.
    pub threads: Option<u64>,
    /// Open descriptors, if known.
    pub fds: Option<u64>,
}

impl ProcessUsage {
    fn and(self, other: ProcessUsage) -> ProcessUsage {
        let sum = |one: Option<u64>, other: Option<u64>| Some(one? + other?);
        ProcessUsage {
            cpu: self.cpu + other.cpu,
            rss_bytes: self.rss_bytes + other.rss_bytes,
            threads: sum(self.threads, other.threads),
            fds: sum(self.fds, other.fds),
        }
    }
}

/// The pids of the processes to look at. They change when a program is restarted.
pub type Pids = Box<dyn Fn() -> Vec<u32> + Send + Sync>;

/// One process, which stays the same.
#[must_use]
pub fn one_process(pid: u32) -> Pids {
    Box::new(move || vec![pid])
}

/// One process, and those that it has started: a watchdog and its worker.
#[must_use]
pub fn with_children(pid: u32) -> Pids {
    Box::new(move || [vec![pid], children(pid)].concat())
}

/// One process, those that it has started, and theirs: a program that starts a server, which starts its workers.
#[must_use]
pub fn with_descendants(pid: u32) -> Pids {
    Box::new(move || {
        let (mut pids, mut next) = (vec![pid], 0);
        while let Some(pid) = pids.get(next) {
            let more: Vec<_> = children(*pid).into_iter().filter(|child| !pids.contains(child)).collect();
            pids.extend(more);
            next += 1;
        }
        pids
    })
}

/// Whether there is such a process, and this one may look at it.
#[must_use]
pub fn is_running(pid: u32) -> bool {
    ProcessWatch::new(one_process(pid)).look().is_some()
}

/// Looks at the processes of one arm.
pub(super) struct ProcessWatch {
    pids: Pids,
    system: System,
    /// The last known processor time of each process, including those that have ended: the sum never decreases.
    cpu: BTreeMap<u32, Duration>,
}

impl ProcessWatch {
    pub(super) fn new(pids: Pids) -> Self {
        ProcessWatch { pids, system: System::new(), cpu: BTreeMap::new() }
    }

    /// What the processes use now, all together; `None` if none of them is alive.
    pub(super) fn look(&mut self) -> Option<ProcessUsage> {
        let mut all: Option<ProcessUsage> = None;
        for pid in (self.pids)() {
            let Some(usage) = usage_of(&mut self.system, Pid::from_u32(pid)) else { continue };
            self.cpu.insert(pid, usage.cpu);
            all = Some(all.map_or(usage, |all| all.and(usage)));
        }
        Some(ProcessUsage { cpu: self.cpu.values().sum(), ..all? })
    }
}

fn usage_of(system: &mut System, pid: Pid) -> Option<ProcessUsage> {
    let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    let process = system.process(pid)?;
    Some(ProcessUsage {
        cpu: Duration::from_millis(process.accumulated_cpu_time()),
        rss_bytes: process.memory(),
        threads: threads(process),
        fds: descriptors(process),
    })
}

/// Threads. sysinfo does not count the main thread, and on macOS none.
fn threads(process: &Process) -> Option<u64> {
    if let Some(tasks) = process.tasks() {
        return Some(tasks.len() as u64 + 1);
    }
    // On macOS, with these options, a header and one line per thread.
    let listed = Command::new("ps").arg("-M").arg(process.pid().to_string()).output().ok()?;
    let lines = listed.stdout.iter().filter(|byte| **byte == b'\n').count() as u64;
    lines.checked_sub(1).filter(|threads| *threads > 0)
}

/// Open descriptors. Linux (6.2 and later) has their number as the size of a directory. Counting 18,000 one by one
/// takes 25 ms of processor time, which the server under test would lack.
fn descriptors(process: &Process) -> Option<u64> {
    let directory = fs::metadata(format!("/proc/{}/fd", process.pid())).map_or(0, |directory| directory.len());
    if directory > 0 { Some(directory) } else { process.open_files().map(|files| files as u64) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Child, Stdio};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;

    use super::*;

    fn own() -> ProcessWatch {
        ProcessWatch::new(one_process(std::process::id()))
    }

    #[test]
    fn opened_descriptors_are_counted() {
        const MORE: u64 = 50;
        let mut watch = own();
        let mut count = || watch.look().and_then(|usage| usage.fds);
        let before = count();
        let opened: Vec<_> = (0..MORE).map_while(|_| File::open("/dev/null").ok()).collect();
        let after = count();
        assert_eq!(opened.len() as u64, MORE);
        // Not every system has the figure, and other tests run beside this one.
        if let (Some(before), Some(after)) = (before, after) {
            assert!(after.abs_diff(before + MORE) < MORE / 2, "{before}, then {after}");
        }
    }

    #[test]
    fn started_threads_are_counted() {
        let mut watch = own();
        let mut threads = || watch.look().map(|usage| usage.threads);
        let before = threads();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let waiting = thread::spawn(move || released.recv());
        let after = threads();
        drop(release);
        assert!(waiting.join().is_ok_and(|received| received.is_err()));
        assert!(before.is_some(), "this process is there");
        // Not every system has the figure, and other tests run beside this one.
        if let (Some(Some(before)), Some(Some(after))) = (before, after) {
            assert!(before >= 2, "this test has a thread besides the main one: {before}");
            assert!(after + 8 > before, "{before}, then {after}");
        }
    }

    /// `cat` waits for its input, and ends with it.
    fn cat() -> Child {
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("every system here has cat")
    }

    #[test]
    fn a_process_is_looked_at_with_its_children() {
        let mut shell =
            Command::new("sh").args(["-c", "cat; true"]).stdin(Stdio::piped()).spawn().expect("there is sh");
        let mut watch = ProcessWatch::new(with_children(shell.id()));
        let both = (0..100).any(|_| {
            thread::sleep(Duration::from_millis(20));
            watch.look().is_some_and(|usage| usage.threads == Some(2))
        });
        assert!(both || watch.look().is_none_or(|usage| usage.threads.is_none()), "not every system has the figure");
        drop(shell.stdin.take());
        assert!(shell.wait().is_ok_and(|status| status.success()));
    }

    fn end(mut cat: Child) {
        drop(cat.stdin.take());
        assert!(cat.wait().is_ok_and(|status| status.success()));
    }

    #[test]
    fn processes_that_come_and_go_are_looked_at_together() {
        let pids = Arc::new(Mutex::new(vec![std::process::id()]));
        let current = pids.clone();
        let mut watch =
            ProcessWatch::new(Box::new(move || current.lock().map(|pids| pids.clone()).unwrap_or_default()));
        let set = |to: Vec<u32>| *pids.lock().unwrap_or_else(PoisonError::into_inner) = to;
        let (one, other) = (cat(), cat());

        set(vec![one.id()]);
        let alone = watch.look().expect("it is alive");
        set(vec![one.id(), other.id()]);
        let both = watch.look().expect("they are alive");
        assert!(both.rss_bytes > alone.rss_bytes, "{alone:?}, {both:?}");
        if let (Some(alone), Some(both)) = (alone.threads, both.threads) {
            assert_eq!((alone, both), (1, 2));
        }
        set(vec![std::process::id(), one.id()]);
        let with_own = watch.look().expect("they are alive");
        end(one);
        set(vec![other.id()]);
        let left = watch.look().expect("the other one is alive");
        assert!(left.cpu >= with_own.cpu, "the processor time of those that ended counts: {with_own:?}, {left:?}");
        end(other);
        assert_eq!(watch.look(), None, "none is alive");
    }
}
