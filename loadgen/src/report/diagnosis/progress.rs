//! What a diagnosis does while it is under way: in a few words, and as a line for each number of streams.

use std::time::Duration;

use crate::diagnose::DiagnoseNews;
use crate::numbers::{count, counted, in_millis, millis, short_millis};
use crate::report::{Paint, Terminal, wrap};
use crate::result::{DiagnosisLevel, ProbeLevel, probe_title};

/// Columns of the time, of a count and of a probe.
const TIME: usize = 6;
const COUNT: usize = 9;
const PROBE: usize = 9;

/// What is done now, or what was seen: `64 streams: watching for 5 s`. None of a level, which has a line of its own.
#[must_use]
pub fn step_in_words(news: &DiagnoseNews<'_>) -> Option<String> {
    let streams = |number: u64| counted(number, "stream", "streams");
    Some(match news {
        DiagnoseNews::Idle(duration) => format!("probing the idle server for {}", millis(in_millis(*duration))),
        DiagnoseNews::Looking => "reading one stream".to_owned(),
        DiagnoseNews::Looked { first_chunk, gap } => {
            let [first, gap] = [first_chunk, gap].map(|time| millis(in_millis(*time).round()));
            format!("one stream: the first chunk after {first}, then one every {gap}")
        }
        DiagnoseNews::Holding(number) => format!("holding {}", streams(*number)),
        DiagnoseNews::Watching(number, duration) => {
            format!("{}: watching for {}", streams(*number), millis(in_millis(*duration)))
        }
        DiagnoseNews::Recovering => "all streams are closed: waiting until the server is as when idle".to_owned(),
        DiagnoseNews::Level(_) => return None,
    })
}

/// Lines about a diagnosis that is under way.
pub struct DiagnosisLines<'a> {
    terminal: &'a Terminal,
    has_heading: bool,
}

impl<'a> DiagnosisLines<'a> {
    /// Lines for this terminal.
    #[must_use]
    pub fn new(terminal: &'a Terminal) -> Self {
        DiagnosisLines { terminal, has_heading: false }
    }

    /// Prints what is new at `now`, since the start.
    pub fn news(&mut self, now: Duration, news: &DiagnoseNews<'_>) {
        let time = format!("{:>TIME$}", format!("{} s", now.as_secs()));
        match news {
            DiagnoseNews::Level(level) => {
                if !std::mem::replace(&mut self.has_heading, true) {
                    self.terminal.line(self.terminal.paint(Paint::Dim, &heading(level)));
                }
                self.terminal.line(time + &self.line(level));
            }
            // Its line follows at once.
            DiagnoseNews::Holding(_) => {}
            news => {
                let step = step_in_words(news).unwrap_or_default();
                self.terminal.line(wrap(&format!("{time}  "), &step));
            }
        }
    }

    fn line(&self, level: &DiagnosisLevel) -> String {
        let flowing = format!("{:>COUNT$}", count(level.started));
        let paint = if level.started < level.streams { Paint::Red } else { Paint::Plain };
        let mut line = format!("{:>COUNT$}{}", count(level.streams), self.terminal.paint(paint, &flowing));
        for probe in level.probes.values() {
            let (text, paint) = latency(probe);
            line += &self.terminal.paint(paint, &format!("{text:>PROBE$}"));
        }
        if let Some(cores) = level.cpu_cores {
            line += &format!("{:>PROBE$}", format!("{:.0}%", cores * 100.0));
        }
        if let Some(threads) = level.threads {
            line += &format!("{:>PROBE$}", count(threads));
        }
        line
    }
}

fn heading(level: &DiagnosisLevel) -> String {
    let mut heading = format!("{:>TIME$}{:>COUNT$}{:>COUNT$}", "", "streams", "flowing");
    for name in level.probes.keys() {
        // The first word of `unknown path` and `kept connection` tells them apart.
        let name = probe_title(name);
        heading += &format!("{:>PROBE$.PROBE$}", name.split(' ').next().unwrap_or_default());
    }
    let process = [("cpu", level.cpu_cores.is_some()), ("threads", level.threads.is_some())];
    process.into_iter().filter(|(_, known)| *known).for_each(|(name, _)| heading += &format!("{name:>PROBE$}"));
    heading + "   (p99 of each probe)"
}

/// The p99 of a probe, and how it looks.
fn latency(probe: &ProbeLevel) -> (String, Paint) {
    const SLOW_MS: f64 = 100.0;
    let p99 = probe.latency_ms.p99;
    match () {
        () if probe.sent == 0 => ("-".to_owned(), Paint::Dim),
        () if probe.timed_out > 0 => (format!(">{}", short_millis(p99)), Paint::Red),
        () if probe.failed > 0 => ("failed".to_owned(), Paint::Red),
        () if p99 >= SLOW_MS => (short_millis(p99), Paint::Yellow),
        () => (short_millis(p99), Paint::Green),
    }
}
