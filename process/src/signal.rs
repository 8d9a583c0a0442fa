//! Signals, sent without unsafe code and without a `kill` program, which small containers lack.

use std::fmt;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// A signal to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: asks it to stop.
    Term,
    /// SIGINT: what Ctrl-C sends.
    Int,
    /// SIGHUP: what a closing terminal sends.
    Hup,
    /// SIGQUIT: what Ctrl-\ sends.
    Quit,
    /// SIGKILL: ends it, whatever it does.
    Kill,
    /// SIGSTOP: pauses it.
    Stop,
    /// SIGCONT: lets it run again after [`Signal::Stop`].
    Cont,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Signal::Term => "SIGTERM",
            Signal::Int => "SIGINT",
            Signal::Hup => "SIGHUP",
            Signal::Quit => "SIGQUIT",
            Signal::Kill => "SIGKILL",
            Signal::Stop => "SIGSTOP",
            Signal::Cont => "SIGCONT",
        })
    }
}

impl Signal {
    /// Sends it to the process `pid`. The error is the reason.
    pub(crate) fn send(self, pid: u32) -> Result<(), String> {
        let pid = Pid::from_u32(pid);
        let mut system = System::new();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, ProcessRefreshKind::nothing());
        let process = system.process(pid).ok_or("no such process")?;
        match process.kill_with(self.in_sysinfo()) {
            Some(true) => Ok(()),
            Some(false) => Err(std::io::Error::last_os_error().to_string()),
            None => Err("this system has no such signal".to_owned()),
        }
    }

    fn in_sysinfo(self) -> sysinfo::Signal {
        match self {
            Signal::Term => sysinfo::Signal::Term,
            Signal::Int => sysinfo::Signal::Interrupt,
            Signal::Hup => sysinfo::Signal::Hangup,
            Signal::Quit => sysinfo::Signal::Quit,
            Signal::Kill => sysinfo::Signal::Kill,
            Signal::Stop => sysinfo::Signal::Stop,
            Signal::Cont => sysinfo::Signal::Continue,
        }
    }
}
