//! A teacher drives the arms, and what all pages show of it.

use serde_json::{Value, json};

use crate::page::Playground;
use crate::test_programs::TestPrograms;

/// Vendor and server of each arm.
const PROGRAMS: usize = 4;

fn health_sync(state: &str) -> impl Fn(&Value) -> bool {
    move |arm| arm["probes"]["health_sync"]["state"] == state
}

#[tokio::test(flavor = "multi_thread")]
async fn with_45_streams_the_broken_arms_health_check_hangs_and_the_fixed_arms_does_not() {
    let programs = TestPrograms::new("driving");
    let playground = Playground::start(&programs, None).await;
    let mut page = playground.page().await;
    // It does not hold up the run.
    let _page_that_does_not_read = playground.page().await;
    let first = page.state(|_| true).await;
    assert_eq!((&first["running"], &first["mistake"]), (&json!(false), &json!("pool-exhaustion")), "{first}");

    let state = playground.started(&mut page, "pool-exhaustion").await;
    assert!(state["arms"]["broken"]["program"].as_str().unwrap().contains("--mistake pool-exhaustion"), "{state}");
    assert!(state["arms"]["fixed"]["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{state}");
    page.arm("broken", health_sync("answered")).await;

    playground.order("/api/streams", json!({"count": 45})).await;
    let broken = page.arm("broken", |arm| health_sync("waiting")(arm) && arm["pool"]["busy"] == 40).await;
    assert_eq!((&broken["pool"]["size"], &broken["streams_asked"]), (&json!(40), &json!(45)), "{broken}");
    let fixed = page.arm("fixed", |arm| arm["vendor"]["active"] == 45 && arm["streams_active"] == 45).await;
    assert_eq!(fixed["probes"]["health_sync"]["state"], "answered", "{fixed}");

    let check = async |arm: &str| playground.order("/api/check", json!({ "arm": arm })).await["id"].clone();
    let (hangs, answers) = (check("broken").await, check("fixed").await);
    page.wait("check", |check| check["id"] == answers && check["state"] == "answered").await;
    playground.order("/api/streams", json!({"count": 0})).await;
    page.wait("check", |check| check["id"] == hangs && check["state"] == "answered").await;
    page.arm("broken", |arm| health_sync("answered")(arm) && arm["streams_active"] == 0).await;

    playground.order("/api/stop", json!({})).await;
    let state = page.state(|state| state["running"] == false).await;
    assert_eq!(state["arms"]["broken"]["url"], Value::Null, "{state}");
    programs.wait_until_gone();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_sees_the_same_run_and_closing_one_stops_nothing() {
    let programs = TestPrograms::beside_others("pages");
    let playground = Playground::start(&programs, None).await;
    let (mut one, mut two) = (playground.page().await, playground.page().await);
    let first = one.wait("frame", |_| true).await;
    assert_eq!((&first["full"], first["arms"].as_array().unwrap().len()), (&json!(true), 2));
    let both = tokio::join!(
        playground.order("/api/start", json!({"mistake": "rollout"})),
        playground.order("/api/start", json!({"mistake": "rollout"})),
    );
    assert_eq!(both.0["mistake"], both.1["mistake"]);
    let (status, other) = playground.post("/api/start", json!({"mistake": "none"})).await;
    assert_eq!((status, other["error"]["type"].as_str()), (409, Some("conflict")), "{other}");
    let running =
        |state: &Value| state["arms"]["broken"]["running"] == true && state["arms"]["fixed"]["running"] == true;
    let seen = (one.state(running).await, two.state(running).await);
    assert_eq!(seen.0["arms"], seen.1["arms"]);
    assert_eq!(programs.running().len(), PROGRAMS, "two pages that start at once start one run");
    let has_rows = |frame: &Value| frame["arms"][1]["rows"].as_array().is_some_and(|rows| !rows.is_empty());
    let next = one.wait("frame", has_rows).await;
    assert_eq!(next["full"], false, "only what is new follows");

    drop(one);
    let state = two.state(|state| state["pages"]["open"] == 1).await;
    assert_eq!((&state["running"], &state["pages"]["dropped"]), (&json!(true), &json!(0)), "{state}");
    let mut three = playground.page().await;
    let first = three.wait("frame", |_| true).await;
    assert!(first["full"] == true && has_rows(&first), "a later page begins with all rows: {first}");
    drop((two, three));
    assert_eq!(programs.running().len(), PROGRAMS);

    let mut again = playground.page().await;
    playground.order("/api/mistake", json!({"name": "none"})).await;
    let is_control =
        |state: &Value| state["arms"]["broken"]["program"].as_str().is_some_and(|line| line.contains("--mistake none"));
    let state = again.state(|state| is_control(state) && running(state)).await;
    assert_eq!(state["mistake"], "none");
    assert_eq!(state["arms"]["fixed"], seen.0["arms"]["fixed"], "the fixed arm goes on");
    assert_ne!(state["arms"]["broken"], seen.0["arms"]["broken"]);
    playground.order("/api/arms/fixed/stop", json!({})).await;
    again.state(|state| state["arms"]["fixed"]["running"] == false && state["running"] == true).await;
    assert_eq!(playground.post("/api/check", json!({"arm": "fixed"})).await.0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn single_streams_show_their_text_token_by_token() {
    let programs = TestPrograms::beside_others("singles");
    let playground = Playground::start(&programs, None).await;
    let mut page = playground.page().await;
    playground.order("/api/arms/fixed/start", json!({})).await;
    page.state(|state| state["arms"]["fixed"]["running"] == true).await;
    assert_eq!(programs.running().len(), PROGRAMS / 2, "one arm alone");

    playground.order("/api/singles", json!({"arm": "fixed", "on": true})).await;
    page.wait("stream", |event| event["stream"] == 7 && event["state"] == "open").await;
    let first = page.wait("token", |event| event["stream"] == 7).await;
    let second = page.wait("token", |event| event["stream"] == 7).await;
    let text = |token: &Value| token["text"].as_str().unwrap().to_owned();
    let so_far = text(&first) + &text(&second);
    let shown = playground.page().await.wait("token", |event| event["stream"] == 7).await;
    assert!(text(&shown).starts_with(&so_far), "a later page begins with the text so far: {shown}, {so_far}");

    playground.order("/api/singles", json!({"arm": "fixed", "on": false})).await;
    page.state(|state| state["singles"]["on"] == false).await;
    let vendor = page.arm("fixed", |arm| arm["vendor"]["active"] == 0).await;
    assert_eq!(vendor["vendor"]["cancelled"], 8, "they were closed: {vendor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_has_every_mistake_and_the_code_of_every_lab() {
    let programs = TestPrograms::beside_others("catalogue");
    let playground = Playground::start(&programs, None).await;
    let (status, catalogue) = playground.read("/api/catalogue").await;
    let mistakes = catalogue["mistakes"].as_array().unwrap();
    assert_eq!(
        (status, mistakes[0]["name"].as_str(), mistakes.len()),
        (200, Some("none"), 1 + loadgen::labs::all().len())
    );
    assert!(mistakes.iter().any(|mistake| mistake["shows_here"] == false));
    for mistake in &mistakes[1..] {
        let name = mistake["name"].as_str().unwrap();
        assert!(!mistake["symptom"].as_str().unwrap().is_empty() && mistake["has_lab"] == true, "{mistake}");
        let (status, code) = playground.read(&format!("/api/code/{name}")).await;
        assert_eq!(status, 200, "{name}: {code}");
        for (part, mark) in [("mistake", "// MISTAKE "), ("fix", "// FIX ")] {
            let code = &code[part];
            let [from, to] = ["from", "to"].map(|end| usize::try_from(code[end].as_u64().unwrap()).unwrap());
            let marked: Vec<_> = code["text"].as_str().unwrap().lines().skip(from - 1).take(to + 1 - from).collect();
            let shown = marked.iter().any(|line| line.contains(mark) && line.contains(name));
            assert!(shown && code["file"].as_str().unwrap().ends_with(".rs"), "{name}: {code}");
        }
    }
    let page = playground.get("/").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.bytes().await.unwrap().starts_with(b"<!"));
}
