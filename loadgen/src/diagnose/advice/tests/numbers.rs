//! Whose default a number is, and what that makes surer.

use super::*;

#[test]
fn a_number_alone_is_a_hint_and_makes_nothing_surer() {
    let finding = found(Kind::ThreadPoolHeld, Some(Form::InnerPool), Confidence::Medium, 40);
    let advice = advise(&finding, &seen());
    assert_eq!(advice.confidence, Confidence::Medium);
    assert!(advice.finding.starts_with("Most likely each stream"), "{}", advice.finding);
    assert!(advice.advice.contains("The number alone proves nothing"), "{}", advice.advice);
    assert!(advice.advice.contains("--platform fastapi"), "{}", advice.advice);
    assert!(!advice.default.unwrap().is_certain);
}

#[test]
fn only_platform_kind_and_number_together_make_it_surer() {
    let inner = (Kind::ThreadPoolHeld, Some(Form::InnerPool));
    let worker = (Kind::ThreadPoolHeld, Some(Form::WorkerPerRequest));
    for (platform, (kind, form), limit, from, to) in [
        (Some("fastapi"), inner, 40, Confidence::Low, Confidence::Medium),
        (Some("fastapi"), inner, 40, Confidence::Medium, Confidence::High),
        (Some("fastapi"), inner, 40, Confidence::High, Confidence::High),
        (Some("fastapi"), inner, 80, Confidence::Medium, Confidence::Medium),
        (Some("fastapi"), inner, 64, Confidence::Medium, Confidence::Medium),
        (Some("fastapi"), worker, 40, Confidence::Medium, Confidence::Medium),
        (Some("node"), inner, 40, Confidence::Medium, Confidence::Medium),
        (Some("waitress"), worker, 4, Confidence::Medium, Confidence::High),
        // A 1 fits whatever stands still.
        (Some("gunicorn"), worker, 1, Confidence::Medium, Confidence::Medium),
        (None, inner, 40, Confidence::Low, Confidence::Low),
    ] {
        let mut seen = seen();
        seen.platform = platform.and_then(|name| on(name, KnownBy::Flag));
        let advice = advise(&found(kind, form, from, limit), &seen);
        assert_eq!(advice.confidence, to, "{platform:?} {kind:?} {form:?} {limit}");
    }
}

#[test]
fn another_number_than_the_default_is_said_to_be_set() {
    let mut seen = seen();
    seen.platform = uvicorn();
    let advice =
        |limit| advise(&found(Kind::ThreadPoolHeld, Some(Form::InnerPool), Confidence::High, limit), &seen).advice;
    assert!(advice(64).contains("The default of FastAPI or Starlette is 40"), "{}", advice(64));
    assert!(advice(64).contains("so 64 has been set somewhere"), "{}", advice(64));
    assert!(advice(80).contains("80 is 2 times 40, as 2 processes have it"), "{}", advice(80));
}

#[test]
fn a_limit_of_a_hundred_calls_names_the_clients_and_http2() {
    let finding = found(Kind::UpstreamLimit, Some(Form::ClientPool), Confidence::Medium, 100);
    let advice = advise(&finding, &with_fast_checks());
    for client in ["httpx", "aiohttp", "awc", "HTTP/2"] {
        assert!(advice.advice.contains(client), "{client} is not in: {}", advice.advice);
    }
}

#[test]
fn the_length_of_a_stream_is_that_which_was_seen() {
    let mut seen = seen();
    seen.idle.ended = true;
    let finding = found(Kind::ThreadPoolHeld, Some(Form::WorkerPerRequest), Confidence::High, 8);
    let advice = advise(&finding, &seen).advice;
    assert!(advice.contains("With 8 workers and streams of 4 s each, 2 streams a second"), "{advice}");
    seen.idle.ended = false;
    seen.collapse = seen.collapse.map(|collapse| Collapse { ended: 8, ..collapse });
    let advice = advise(&finding, &seen).advice;
    assert!(advice.contains("With 8 workers and streams of 5 s each, 1.6 streams a second"), "{advice}");
}

#[test]
fn a_blocked_event_loop_has_no_number_to_set() {
    let mut seen = seen();
    seen.platform = uvicorn();
    let advice = advise(&found(Kind::EventLoopBlocked, None, Confidence::High, 1), &seen);
    assert!(advice.finding.contains("no more than 1 stream makes progress at a time"), "{}", advice.finding);
    assert!(advice.advice.contains("py-spy dump") && !advice.advice.contains("--workers"), "{}", advice.advice);
    assert_eq!(advice.default, None);
}

#[test]
fn one_is_said_in_the_singular_and_a_neighbour_is_not_taken_for_the_default() {
    let per_chunk =
        |limit| advise(&found(Kind::ThreadPoolPerChunk, None, Confidence::High, limit), &with_fast_checks());
    let one = per_chunk(1);
    assert!(one.finding.contains("needs the only thread of a pool"), "{}", one.finding);
    assert!(one.advice.starts_with("1 thread that waits 250 ms"), "{}", one.advice);
    let next = per_chunk(41).advice;
    assert!(next.starts_with("41 is next to 40, which is a default of FastAPI or Starlette"), "{next}");
}
