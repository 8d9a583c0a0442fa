//! A screen that is too small for a table: a few words an arm.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::figure::Figure;
use super::look::{Look, Tone};
use super::words::{Said, cut, short_name, state};
use crate::live::{ArmFrame, Frame, ProbeFrame};
use crate::numbers::count;

/// Draws one line an arm, and how many have none.
pub(super) fn draw(frame: &Frame, buffer: &mut Buffer, area: Rect, look: &Look) {
    let (rows, width) = (usize::from(area.height), usize::from(area.width));
    let shown = if frame.arms.len() > rows { rows.saturating_sub(1).max(1) } else { frame.arms.len() };
    for (y, arm) in (area.top()..area.bottom()).zip(frame.arms.iter().take(shown)) {
        let said = words(arm);
        buffer.set_stringn(area.x, y, said.within(width), width, look.style(said.tone));
    }
    let hidden = frame.arms.len() - shown;
    if hidden > 0 && shown < rows {
        let text = cut(&format!("+{hidden} more"), width);
        buffer.set_stringn(area.x, area.bottom() - 1, text, width, look.style(Tone::Faint));
    }
}

/// The name, the open streams and the worst probe of an arm.
fn words(arm: &ArmFrame) -> Said {
    let (name, open) = (&arm.name, count(arm.streams_active));
    // The first of those that are equally bad.
    let worst = Figure::probes(std::slice::from_ref(arm)).into_iter().rev().max_by(|one, other| {
        let [(one, one_ms), (other, other_ms)] = [one, other].map(|name| badness(arm.probes.get(name)));
        one.cmp(&other).then(one_ms.total_cmp(&other_ms))
    });
    let Some(probe) = worst else {
        return Said::new(Tone::Plain, [format!("{name} {open} open"), open]);
    };
    let (short, state) = (short_name(&probe), state(arm.probes.get(&probe)));
    let text = state.shortest();
    let variants = [
        format!("{name} {open} open, {short} {text}"),
        format!("{name} {open} {short} {text}"),
        format!("{name} {open} {text}"),
        format!("{open} {text}"),
        text.to_owned(),
    ];
    Said::new(state.tone, variants)
}

/// How bad the state of a probe is: by kind, then by latency.
fn badness(probe: Option<&ProbeFrame>) -> (u8, f64) {
    match probe.copied() {
        None | Some(ProbeFrame::Idle) => (0, 0.0),
        Some(ProbeFrame::Answered { ms }) => (1, ms),
        Some(ProbeFrame::Refused { .. } | ProbeFrame::Failed | ProbeFrame::NotSent) => (2, 0.0),
        Some(ProbeFrame::Waiting { ms } | ProbeFrame::TimedOut { ms }) => (3, ms),
    }
}
