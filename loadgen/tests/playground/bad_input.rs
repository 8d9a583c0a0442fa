//! What is not possible, and what is said about it.

use process::{Launch, START_TIMEOUT};
use serde_json::{Value, json};

use crate::page::Playground;
use crate::test_programs::{TestPrograms, said};

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named_with_what_is_allowed() {
    let programs = TestPrograms::beside_others("bad-input");
    let playground = Playground::start(&programs, None).await;
    for (path, body, status, expected) in [
        ("/api/start", json!({}), 400, "'mistake' is missing"),
        ("/api/start", json!({"mistake": 3}), 400, "'mistake' is 3"),
        ("/api/start", json!({"mistake": "pool-exhaustoin"}), 404, "did you mean 'pool-exhaustion'?"),
        (
            "/api/mistake",
            json!({"name": "foo"}),
            404,
            "there is no mistake 'foo'. The mistakes are: none, pool-exhaustion",
        ),
        ("/api/streams", json!({"count": "5"}), 400, "a whole number from 0"),
        ("/api/streams", json!({"count": -1}), 400, "a whole number from 0"),
        ("/api/streams", json!({"count": 1_000_000}), 422, "at most"),
        ("/api/arms/control/start", json!({}), 404, "no route /api/arms/control"),
        ("/api/singles", json!({"arm": "broken"}), 400, "'on' is missing"),
        ("/api/check", json!({"arm": "both"}), 400, "expected broken or fixed"),
        ("/api/check", json!({"arm": "fixed"}), 409, "fixed is not running"),
        ("/api/stop", json!([]), 400, "expected an object"),
    ] {
        let (found, answer) = playground.post(path, body.clone()).await;
        assert!(found == status && message(&answer).contains(expected), "{path} {body}: {found} {answer}");
    }
    let raw = async |body: &str, content_type: &str| {
        let request = playground.request("POST", "/api/start").header("content-type", content_type);
        request.body(body.to_owned()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(raw("{", "application/json").await, 400);
    assert_eq!(raw(&" ".repeat(20_000), "application/json").await, 413);
    assert_eq!(raw("{}", "text/plain").await, 415);
    let wrong_method = playground.get("/api/start").send().await.unwrap();
    assert_eq!((wrong_method.status().as_u16(), &wrong_method.headers()["allow"]), (405, &"POST".parse().unwrap()));
    let (status, answer) = playground.read("/api/code/pool-exhaustoin").await;
    assert!(status == 404 && message(&answer).contains("did you mean 'pool-exhaustion'?"), "{status} {answer}");
    assert_eq!(playground.read("/api/code/none").await.0, 404, "the control has no mistake to show");
    assert!(programs.running().is_empty(), "something was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_streams_than_there_are_descriptors_for_are_refused_with_the_largest_number() {
    let programs = TestPrograms::beside_others("descriptors");
    let playground = Playground::start(&programs, Some(1024)).await;
    let (_, catalogue) = playground.read("/api/catalogue").await;
    let most = catalogue["streams_max"].as_u64().unwrap();
    assert!((45..500).contains(&most), "{most}");
    let (status, answer) = playground.post("/api/streams", json!({"count": 5_000})).await;
    let told = message(&answer);
    assert!(status == 422 && told.contains("1,024") && told.contains(&format!("at most {most}")), "{status} {told}");
    assert_eq!(answer["error"]["param"], "count");
    playground.order("/api/streams", json!({"count": most})).await;
}

#[test]
fn a_port_that_is_taken_is_one_line_that_names_who_may_have_it() {
    let programs = TestPrograms::beside_others("taken");
    let first = programs.loadgen(&["serve", "--port", "0"]).start_blocking(START_TIMEOUT).unwrap();
    let port = first.addr().port().to_string();
    let second = programs.run(&["serve", "--port", &port]);
    let line = said(&second);
    assert_eq!((second.code(), line.lines().count()), (Some(1), 1), "{line}");
    assert!(line.contains("another `loadgen serve`") && line.contains("--port"), "{line}");
    drop(first);
    let vendor = Launch::new(programs.path("mock-llm")).on_free_port().start_blocking(START_TIMEOUT).unwrap();
    let third = programs.run(&["serve", "--port", &vendor.addr().port().to_string()]);
    assert_eq!(third.code(), Some(1));
    assert!(said(&third).contains("by another program"), "{}", said(&third));
}

#[test]
fn a_folder_without_the_programs_is_named() {
    let programs = TestPrograms::beside_others("missing");
    programs.replace("broken-server", "exit 3");
    let ended = programs.run(&["serve", "--port", "0"]);
    assert_eq!(ended.code(), Some(3));
    let said = said(&ended);
    assert!(said.contains("`broken-server --list` names no mistake") && said.contains("exit status: 3"), "{said}");
}
