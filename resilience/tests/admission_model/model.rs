//! The plainest form of the rules of admission.

use std::time::Duration;

pub(crate) const TIMEOUT_MS: u64 = 50;
/// The rates: one request per this many milliseconds, and one token per millisecond.
pub(crate) const MS_A_REQUEST: u64 = 7;
pub(crate) const REQUEST_BURST: u64 = 2;
pub(crate) const TOKEN_BURST: u64 = 30;

/// The classes: one request per this many milliseconds and the burst, for those with a rate of their own.
pub(crate) const CLASSES: [Option<(u64, u64)>; 4] = [None, Some((11, 1)), Some((5, 2)), None];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) limit: usize,
    pub(crate) max_queued: usize,
    /// Whether requests and tokens are limited.
    pub(crate) requests: bool,
    pub(crate) tokens: bool,
    /// Whether classes have rates of their own.
    pub(crate) classes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Admitted,
    QueueFull,
    WaitTooLong,
    TimedOut,
    ExceedsBurst,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    number: usize,
    class: usize,
    tokens: u64,
    since: u64,
}

/// The levels are what the buckets hold: milliseconds of refilling, and tokens.
pub(crate) struct Model {
    setting: Setting,
    now: u64,
    arrived: usize,
    request_level: i64,
    token_level: i64,
    class_levels: [u64; CLASSES.len()],
    /// In seconds, since the length of calls last changed.
    holds: Vec<f64>,
    pub(crate) running: Vec<Caller>,
    /// In the order in which they are admitted.
    pub(crate) waiting: Vec<Caller>,
    pub(crate) fates: Vec<(usize, Fate)>,
}

impl Model {
    pub(crate) fn new(setting: Setting) -> Self {
        Model {
            setting,
            now: 0,
            arrived: 0,
            request_level: (MS_A_REQUEST * REQUEST_BURST) as i64,
            token_level: TOKEN_BURST as i64,
            class_levels: CLASSES.map(|class| class.map_or(0, |(ms, burst)| ms * burst)),
            holds: Vec::new(),
            running: Vec::new(),
            waiting: Vec::new(),
            fates: Vec::new(),
        }
    }

    pub(crate) fn arrive(&mut self, class: usize, tokens: u64) {
        let caller = Caller { number: self.arrived, class, tokens, since: self.now };
        self.arrived += 1;
        if self.setting.tokens && tokens > TOKEN_BURST {
            self.fates.push((caller.number, Fate::ExceedsBurst));
        } else if self.class_ready(caller) && self.before(caller, self.waiting.len()).is_none() && self.ready(caller) {
            self.admit(caller);
        } else if self.waiting.len() >= self.setting.max_queued {
            self.fates.push((caller.number, Fate::QueueFull));
        } else if self.predict(caller) > Duration::from_millis(TIMEOUT_MS) {
            self.fates.push((caller.number, Fate::WaitTooLong));
        } else {
            self.waiting.push(caller);
        }
    }

    pub(crate) fn complete(&mut self, pick: usize, used: u64) {
        if self.running.is_empty() {
            return;
        }
        let caller = self.running.remove(pick % self.running.len());
        let held = (self.now - caller.since) as f64 / 1000.0;
        self.holds.push(held);
        self.forget_other_lengths();
        self.token_level = (self.token_level + caller.tokens as i64 - used as i64).min(TOKEN_BURST as i64);
        self.serve();
    }

    /// Keeps only the last four if all of them differ from each of the eight before them.
    fn forget_other_lengths(&mut self) {
        if self.holds.len() < 8 {
            return;
        }
        let (before, last) = self.holds.split_at(self.holds.len() - 4);
        let before = &before[before.len().saturating_sub(8)..];
        let all = |unlike: fn(f64, f64) -> bool| last.iter().all(|one| before.iter().all(|other| unlike(*one, *other)));
        if all(|one, other| 2.0 * one < other) || all(|one, other| one > 2.0 * other) {
            self.holds = last.to_vec();
        }
    }

    fn mean_hold(&self) -> f64 {
        let latest = &self.holds[self.holds.len().saturating_sub(32)..];
        latest.iter().sum::<f64>() / latest.len().max(1) as f64
    }

    pub(crate) fn cancel(&mut self, pick: usize) {
        if !self.waiting.is_empty() {
            self.waiting.remove(pick % self.waiting.len());
        }
        self.serve();
    }

    pub(crate) fn pass_a_millisecond(&mut self) {
        self.now += 1;
        self.request_level = (self.request_level + 1).min((MS_A_REQUEST * REQUEST_BURST) as i64);
        self.token_level = (self.token_level + 1).min(TOKEN_BURST as i64);
        for (level, class) in self.class_levels.iter_mut().zip(CLASSES) {
            *level = class.map_or(0, |(ms, burst)| (*level + 1).min(ms * burst));
        }
        self.serve();
    }

    /// Each caller in order: admitted when nobody is before it and everything is available, timed out after the timeout.
    fn serve(&mut self) {
        let mut place = 0;
        while let Some(caller) = self.waiting.get(place).copied() {
            if self.class_ready(caller) && self.before(caller, place).is_none() && self.ready(caller) {
                self.waiting.remove(place);
                self.admit(caller);
            } else if self.now - caller.since >= TIMEOUT_MS {
                self.waiting.remove(place);
                self.fates.push((caller.number, Fate::TimedOut));
            } else {
                place += 1;
            }
        }
    }

    /// A caller among the first `place` that has to be admitted before this one: of the same class, or of one whose rate
    /// allows it now.
    fn before(&self, caller: Caller, place: usize) -> Option<&Caller> {
        self.waiting[..place].iter().find(|other| self.same_class(**other, caller) || self.class_ready(**other))
    }

    /// Callers without a rate of their own are one class.
    fn same_class(&self, one: Caller, other: Caller) -> bool {
        one.class == other.class || (self.class_rate(one).is_none() && self.class_rate(other).is_none())
    }

    fn class_rate(&self, caller: Caller) -> Option<(u64, u64)> {
        CLASSES[caller.class].filter(|_| self.setting.classes)
    }

    fn class_ready(&self, caller: Caller) -> bool {
        self.class_rate(caller).is_none_or(|(ms, _)| self.class_levels[caller.class] >= ms)
    }

    fn ready(&self, caller: Caller) -> bool {
        self.running.len() < self.setting.limit
            && (!self.setting.requests || self.request_level >= MS_A_REQUEST as i64)
            && (!self.setting.tokens || self.token_level >= caller.tokens as i64)
    }

    fn admit(&mut self, caller: Caller) {
        self.request_level -= MS_A_REQUEST as i64;
        self.token_level -= caller.tokens as i64;
        self.class_levels[caller.class] -= self.class_rate(caller).map_or(0, |(ms, _)| ms);
        self.running.push(Caller { since: self.now, ..caller });
        self.fates.push((caller.number, Fate::Admitted));
    }

    /// Until the rates have refilled for this caller and those ahead, or until enough calls have ended, whichever is
    /// longer. Of other classes, those are ahead that their own rates allow by then.
    fn predict(&self, caller: Caller) -> Duration {
        let of_class = self.class_rate(caller).map_or(0, |(ms, _)| {
            let ahead = self.waiting.iter().filter(|other| other.class == caller.class).count() as u64;
            (ms * (ahead + 1)).saturating_sub(self.class_levels[caller.class])
        });
        let of_class = Duration::from_millis(of_class);
        let mut wait = of_class;
        loop {
            let longer = self.wait_behind(&self.ahead(caller, wait), caller).max(of_class);
            if longer <= wait {
                return wait;
            }
            wait = longer;
        }
    }

    /// Those that are admitted before `caller` if it waits for this long.
    fn ahead(&self, caller: Caller, wait: Duration) -> Vec<Caller> {
        let mut seen = [0; CLASSES.len()];
        let is_ahead = |other: &&Caller| {
            seen[other.class] += 1;
            self.same_class(**other, caller)
                || self.class_rate(**other).is_none_or(|(ms, _)| {
                    let level = Duration::from_millis(self.class_levels[other.class]) + wait;
                    level.as_nanos() >= Duration::from_millis(ms * seen[other.class]).as_nanos()
                })
        };
        self.waiting.iter().filter(is_ahead).copied().collect()
    }

    fn wait_behind(&self, ahead: &[Caller], caller: Caller) -> Duration {
        let requests = (MS_A_REQUEST * (ahead.len() as u64 + 1)) as i64 - self.request_level;
        let all_tokens = ahead.iter().map(|other| other.tokens).sum::<u64>() + caller.tokens;
        let tokens = all_tokens as i64 - self.token_level;
        let requests = if self.setting.requests { requests as f64 / 1000.0 } else { 0.0 };
        let tokens = if self.setting.tokens { tokens as f64 / 1000.0 } else { 0.0 };
        let free = self.setting.limit - self.running.len();
        let departures = (ahead.len() + 1).saturating_sub(free) as f64;
        let hold = Duration::from_secs_f64(self.mean_hold());
        let permits = hold.mul_f64((departures + departures.sqrt()) / self.setting.limit as f64);
        // Rounded to nanoseconds as in the real one, so that a wait of exactly the timeout compares equal.
        Duration::from_secs_f64(requests.max(tokens).max(0.0)).max(permits)
    }
}
