//! `/metrics`.

use conformance::answer::Answer;
use conformance::listed;
use conformance::on_every_server;
use conformance::running::{STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::vendor::{ClosedPort, Vendor, script};

on_every_server!(
    the_text_is_prometheus_from_the_start,
    calls_are_counted,
    failures_are_counted_by_type,
    labels_stay_bounded
);

async fn the_text_is_prometheus_from_the_start(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    let scrape = running.scrape().await?;
    let missing: Vec<_> = server.metrics.iter().filter(|name| scrape.family_of(name).is_none()).collect();
    assert!(missing.is_empty(), "missing {missing:?}, there are {:?}", scrape.families);
    Ok(())
}

pub(crate) async fn calls_are_counted(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::by_prompt([("stream", script::stream(&["a"])), ("whole", script::completion("a"))]).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    assert_eq!(running.scrape().await?.sum("llm_calls_total").unwrap_or(0.0), 0.0);
    Answer::to(running.post(STREAM_ROUTE, &streamed("stream"))).await?.events()?;
    Answer::to(running.post(WHOLE_ROUTE, &whole("whole"))).await?.json(200)?;
    let scrape = running.scrape().await?;
    assert_eq!(scrape.sum("llm_calls_total"), Some(2.0));
    assert_eq!(scrape.sum("llm_errors_total").unwrap_or(0.0), 0.0);
    Ok(())
}

pub(crate) async fn failures_are_counted_by_type(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    assert_eq!(Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?.status, 502);
    let scrape = running.scrape().await?;
    let errors: Vec<_> = scrape.samples.iter().filter(|s| s.name == "llm_errors_total" && s.value > 0.0).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].labels.get("type").map(String::as_str), Some("upstream_failure"), "{errors:?}");
    Ok(())
}

async fn labels_stay_bounded(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    for number in 0..3 {
        // Values that a client chooses (paths, methods, ids) must not create a series each.
        Answer::to(running.get(&format!("/no/such/{number}"))).await?;
        let method = reqwest::Method::from_bytes(format!("CHOSEN{number}").as_bytes())?;
        Answer::to(running.request(method, STREAM_ROUTE)).await?;
    }
    for sample in running.scrape().await?.samples {
        let chosen = |value: &String| value.contains("/no/such") || value.contains("CHOSEN");
        assert!(!sample.labels.values().any(chosen), "{sample:?}");
    }
    Ok(())
}

/// The reader of broken-server needs these, and tokio does not offer them: how full the pool is, and how long work
/// waits for one of its threads.
#[tokio::test]
async fn broken_server_shows_its_blocking_pool() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for server in listed::of_broken_server()? {
        let running = server.start(&nobody.url()?, &["--blocking-threads", "7"]).await?;
        Answer::to(running.get("/debug/health-sync")).await?.json(200)?;
        let scrape = running.scrape().await?;
        for (what, words) in [
            ("size", ["pool", "size"]),
            ("busy", ["pool", "busy"]),
            ("queued", ["pool", "queued"]),
            ("wait", ["pool", "wait"]),
        ] {
            let named = |family: &&String| words.iter().all(|word| family.contains(word));
            assert!(scrape.families.keys().any(|family| named(&family)), "{}: no {what}", server.name);
        }
        let size = scrape.samples.iter().find(|sample| sample.name.contains("pool") && sample.name.contains("size"));
        assert_eq!(size.map(|sample| sample.value), Some(7.0), "{}", server.name);
        let waits =
            scrape.samples.iter().filter(|sample| sample.name.contains("wait") && sample.name.ends_with("_count"));
        assert!(waits.map(|sample| sample.value).sum::<f64>() >= 1.0, "{}: the probe's wait is counted", server.name);
    }
    Ok(())
}
