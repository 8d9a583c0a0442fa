//! Whose default the limit is.

use crate::diagnose::platform::{DefaultNumber, Known, Recognised, Serving, recognise};
use crate::diagnose::seen::Seen;
use crate::numbers::count;
use crate::result::{DiagnosisDefault, DiagnosisForm, DiagnosisKind};

/// What is known of the number that was found.
pub(super) struct Origin {
    /// Defaults that it may be, the likeliest first.
    pub(super) recognised: Vec<Recognised>,
    /// In a sentence or two.
    pub(super) text: String,
}

/// Defaults that are named as hints, at most.
const HINTS_MAX: usize = 4;

/// Whose default a limit is, or that it is nobody's.
pub(super) fn origin(kind: DiagnosisKind, form: Option<DiagnosisForm>, limit: u64, seen: &Seen) -> Origin {
    let known = seen.platform.as_ref();
    let of_form = |form| recognise(kind, form, limit, known, seen.processors);
    let mut recognised = of_form(form);
    if form == Some(DiagnosisForm::ClientPool) {
        recognised.extend(of_form(Some(DiagnosisForm::Http2Streams)));
    }
    let text = match recognised.first() {
        Some(first) if first.is_known => of_the_platform(first, known, limit),
        Some(_) => hint(&recognised, known, limit),
        None => nobodys((kind, form), known, limit, seen.processors),
    };
    Origin { recognised, text }
}

/// `40 is the default of FastAPI or Starlette (header `server: uvicorn`): threads of ...`
fn of_the_platform(first: &Recognised, known: Option<&Known>, limit: u64) -> String {
    let by = known.map(|known| format!(" ({})", known.by())).unwrap_or_default();
    let Recognised { platform, limit: of, default, times, .. } = first;
    let number = match *times {
        1 => number_is(limit, *default),
        _ => format!("{} is {times} times {}, as {times} processes have it, each by", count(limit), count(*default)),
    };
    format!("{number} the default of {}{by}: {}. To change it: {}.", platform.title, of.what, of.setting)
}

/// `40 is a default of FastAPI or Starlette: threads of anyio's pool. The number alone proves nothing: ...`
fn hint(recognised: &[Recognised], known: Option<&Known>, limit: u64) -> String {
    let mut whose: Vec<(String, Vec<&str>)> = Vec::new();
    for it in recognised {
        let what = it.limit.what.split([';', ':', ',']).next().unwrap_or(it.limit.what);
        match whose.iter_mut().find(|(title, _)| *title == it.platform.full_title()) {
            Some((_, whats)) if whats.contains(&what) => {}
            Some((_, whats)) => whats.push(what),
            None => whose.push((it.platform.full_title(), vec![what])),
        }
    }
    let named = whose.iter().take(HINTS_MAX).map(|(title, whats)| format!("{title}: {}", whats.join(", ")));
    let named: Vec<_> = named.collect();
    let how = match (known, recognised.first()) {
        (None, Some(first)) if first.platform.serving != Serving::Client => {
            format!("if this server is one of them, --platform {} says more", first.platform.name)
        }
        _ => "look whether this server uses one of them".to_owned(),
    };
    let number = number_is(limit, recognised.first().map_or(limit, |first| first.default));
    format!("{number} a default of {}. The number alone proves nothing: {how}.", named.join("; of "))
}

/// `40 is`, and with another default: `39 is next to 40, which is`.
fn number_is(limit: u64, default: u64) -> String {
    if limit == default {
        format!("{} is", count(limit))
    } else {
        format!("{} is next to {}, which is", count(limit), count(default))
    }
}

/// No default fits.
fn nobodys(
    (kind, form): (DiagnosisKind, Option<DiagnosisForm>),
    known: Option<&Known>,
    limit: u64,
    processors: Option<u64>,
) -> String {
    let limits = known.iter().flat_map(|known| &known.platforms);
    let mut limits = limits.flat_map(|platform| platform.limits.iter().map(move |limit| (platform, limit)));
    let fits = limits.find(|(_, limit)| limit.leads_to(kind, form));
    match (fits, known) {
        (Some((_, fits)), _) if matches!(fits.default, DefaultNumber::NoNumber) => String::new(),
        (Some((platform, fits)), _) => format!(
            "The default of {} is {} ({}), so {} has been set somewhere: {}.",
            platform.title,
            fits.default.text_on(processors),
            fits.what,
            // Connections are of several kinds, of which streams are some.
            if kind == DiagnosisKind::ConnectionLimit { "another number".to_owned() } else { count(limit) },
            fits.setting
        ),
        // Descriptors end at a number that has other parts too, and a 1 stands in every configuration.
        (None, _) if kind == DiagnosisKind::ConnectionLimit || limit <= 1 => String::new(),
        (None, None) => format!(
            "{} is no default that is known here: look for it in the configuration of the server. With --platform NAME \
             the setting is named.",
            count(limit)
        ),
        (None, Some(_)) => format!("Look for {} in the configuration of the server and its clients.", count(limit)),
    }
}

/// As a field of the result.
pub(super) fn as_result(recognised: &Recognised) -> DiagnosisDefault {
    DiagnosisDefault {
        number: recognised.default,
        platform: recognised.platform.name.to_owned(),
        what: recognised.limit.what.to_owned(),
        setting: recognised.limit.setting.to_owned(),
        source: recognised.limit.source.to_owned(),
        is_certain: recognised.is_known,
    }
}
