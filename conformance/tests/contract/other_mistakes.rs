//! The main rows for the mistakes that call the vendor as another one does.

use std::net::IpAddr;

use anyhow::Context;
use conformance::answer::Answer;
use conformance::listed::other_mistakes;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::{self, Server};
use conformance::vendor::ClosedPort;
use futures_util::stream::{self, TryStreamExt};
use wire::STREAM_METHOD_HEADER;
use wire::health::{FileProbe, ResolveProbe};

use crate::{after_first_token, before_first_token, chat_stream, completions, headers, health, llm, metrics};

/// Mistakes that a test runs at the same time.
const AT_ONCE: usize = 10;

/// Makes one test of each row, for those of the other mistakes that pass this test.
macro_rules! on_other_mistakes {
    ($applies:ident: $($module:ident::$row:ident),+ $(,)?) => { $(
        #[tokio::test]
        async fn $row() -> anyhow::Result<()> {
            // Several at the same time: most rows wait, for a retry or for a silent vendor. Not all: a row makes up to sixty
            // requests, and thousands at once would wait for the machine.
            let row = async |server: &'static Server| $module::$row(server).await.context(server.name);
            stream::iter(other_mistakes()?.filter($applies).map(Ok)).try_for_each_concurrent(AT_ONCE, row).await
        }
    )+ };
}

on_other_mistakes!(
    every_one:
    chat_stream::nothing_is_sent_before_the_first_token,
    completions::a_stream_has_openais_format,
    completions::a_whole_answer_has_openais_format,
    completions::the_models_are_listed,
    headers::a_stream_has_the_headers_of_a_stream,
    headers::a_request_id_is_echoed_and_passed_on,
    health::the_debug_probes_report_status_time_and_kind,
    health::health_reports_the_state_of_the_pool,
    metrics::calls_are_counted,
    llm::a_summary_is_the_answer_of_a_second_call,
);

on_other_mistakes!(
    has_a_format:
    chat_stream::every_token_is_one_event_and_done_is_last,
    after_first_token::a_vendor_that_fails_ends_the_stream_with_an_error_event,
);

on_other_mistakes!(
    tells_failures_apart:
    before_first_token::a_vendor_that_fails_is_502,
    health::ready_is_200_without_a_vendor_too,
    metrics::failures_are_counted_by_type,
);

on_other_mistakes!(
    calls_once_for_a_rejection:
    before_first_token::a_rejection_by_the_vendor_is_passed_on,
);

fn every_one(_: &&Server) -> bool {
    true
}

/// That `/chat/stream` has none is the mistake of `raw-sse`.
fn has_a_format(server: &&Server) -> bool {
    server.mistake() != Some("raw-sse")
}

/// That it does not is the mistake of `one-error-for-all`.
fn tells_failures_apart(server: &&Server) -> bool {
    server.mistake() != Some("one-error-for-all")
}

/// That a rejection costs two calls is the mistake of `rollout`.
fn calls_once_for_a_rejection(server: &&Server) -> bool {
    tells_failures_apart(server) && server.mistake() != servers::ROLLOUT.mistake()
}

/// The routes of `hidden-pool-users`, on each server that has them.
#[tokio::test]
async fn a_host_name_and_a_file_are_looked_up() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for server in [&servers::NONE, &servers::HIDDEN_POOL_USERS, &servers::FIXED] {
        let running = server.start(&nobody.url()?, &[]).await?;
        for _ in 0..2 {
            let body = Answer::to(running.get("/debug/resolve")).await?.json(200)?;
            let resolved: ResolveProbe = serde_json::from_value(body.clone())?;
            assert_eq!((&*resolved.probe.status, &*resolved.probe.kind), ("ok", "resolve"), "{}: {body}", server.name);
            assert!(resolved.addresses.iter().any(IpAddr::is_loopback), "{}: {body}", server.name);

            let body = Answer::to(running.get("/debug/read-file")).await?.json(200)?;
            let read: FileProbe = serde_json::from_value(body.clone())?;
            assert_eq!((&*read.probe.status, &*read.probe.kind), ("ok", "read-file"), "{}: {body}", server.name);
            assert_eq!(read.bytes, std::fs::read("/etc/hosts")?.len(), "{}", server.name);
        }
    }
    Ok(())
}

/// fixed-server fails at once, with the method in a header; `rollout` falls back first and has none. Status and body
/// are those of any failure.
#[tokio::test]
async fn fixed_server_names_the_method_of_a_failed_stream() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let method = |answer: &Answer| answer.header(STREAM_METHOD_HEADER).map(str::to_owned);
    let of = async |server: &'static Server| {
        let running = server.start(&nobody.url()?, &[]).await?;
        let mut methods = Vec::new();
        for path in [STREAM_ROUTE, COMPLETION_ROUTES[0]] {
            let failed = Answer::to(running.post(path, &streamed("hi"))).await?;
            assert_eq!(failed.json(502)?["error"]["type"], "upstream_failure");
            methods.push(method(&failed));
        }
        let failed = Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?;
        assert_eq!((failed.status, method(&failed)), (502, None), "no stream was asked for");
        anyhow::Ok(methods)
    };
    assert_eq!(of(&servers::FIXED).await?, [Some("async_failure".to_owned()), Some("async_failure".to_owned())]);
    assert_eq!(of(&servers::ROLLOUT).await?, [None, None]);
    Ok(())
}
