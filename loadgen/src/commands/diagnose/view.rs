//! What is shown of a diagnosis while it is under way: a dashboard where there is a screen for it, otherwise lines.

use std::time::{Duration, Instant};

use crate::commands::stage::Stage;
use crate::dashboard::{DiagnosisFrame, draw_diagnosis};
use crate::diagnose::{DiagnoseNews, DiagnoseOptions};
use crate::numbers::{count, in_millis, millis};
use crate::report::{DiagnosisLines, Terminal, step_in_words, wrap};
use crate::result::by_streams;

/// What is shown. Dropped, it gives the screen back.
pub(super) struct DiagnosisView<'a> {
    began: Instant,
    lines: DiagnosisLines<'a>,
    dashboard: Option<(Stage, DiagnosisFrame)>,
}

impl<'a> DiagnosisView<'a> {
    /// Shows a diagnosis that begins now; as a dashboard, if it is wanted. `budget` is what was asked for: a part of it may
    /// have gone into finding the server.
    pub(super) fn open(options: &DiagnoseOptions, budget: Duration, wanted: bool, terminal: &'a Terminal) -> Self {
        let server = options.endpoint.to_string();
        let budget_seconds = budget.as_secs_f64();
        let frame = DiagnosisFrame { server: server.clone(), budget_seconds, ..DiagnosisFrame::default() };
        let dashboard = Stage::open("diagnose", wanted, terminal).map(|stage| (stage, frame));
        let view = DiagnosisView { began: Instant::now(), lines: DiagnosisLines::new(terminal), dashboard };
        if !view.has_dashboard() {
            let (request, most) = (&options.request, count(options.streams_max));
            let budget = millis(in_millis(budget).round());
            let what = format!("{} {}: at most {budget} and {most} streams", request.method, request.path);
            terminal.line(wrap(&format!("  {server}  "), &what));
        }
        view
    }

    /// Shows what is new.
    pub(super) fn news(&mut self, news: &DiagnoseNews<'_>) {
        if let Some((_, frame)) = &mut self.dashboard {
            if let Some(step) = step_in_words(news) {
                frame.step = step;
            }
            if let DiagnoseNews::Level(level) = news {
                let levels = &mut frame.staircase.levels;
                levels.push((*level).clone());
                *levels = by_streams(levels).into_iter().cloned().collect();
            }
        }
        if self.has_dashboard() {
            self.tick();
        } else {
            self.lines.news(self.now(), news);
        }
    }

    /// Some time has passed.
    pub(super) fn tick(&mut self) {
        let seconds = self.now().as_secs_f64();
        let Some((stage, frame)) = self.dashboard.as_mut().filter(|(stage, _)| stage.is_on()) else { return };
        frame.seconds = seconds;
        let frame = frame.clone();
        stage.show(false, move |screen, look| draw_diagnosis(&frame, screen, look));
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn has_dashboard(&self) -> bool {
        self.dashboard.as_ref().is_some_and(|(stage, _)| stage.is_on())
    }
}
