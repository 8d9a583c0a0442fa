//! Responses with an answer of the model: streamed or complete.

use std::future::poll_fn;

use http_body_util::Either;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use wire::completion::{self, Choice, Completion};
use wire::sse;

use crate::abort::Abort;
use crate::answer::Answer;
use crate::failure::{Failure, server_error};
use crate::faults::Ending;
use crate::generation::Step;
use crate::http::{AnswerBody, json};
use crate::streamed_answer::StreamedAnswer;
use crate::text;

/// A streamed answer: the head is sent at once, the tokens when they are due.
pub(crate) fn streamed(answer: Answer) -> Response<AnswerBody> {
    let closes = matches!(answer.spec.ending, Some((_, Ending::Close)));
    let mut response = Response::new(Either::Right(StreamedAnswer::new(answer)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(sse::CONTENT_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if closes {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A complete answer. It is sent when the stream would have ended, nothing before.
///
/// # Errors
/// A fault ends the connection without a response.
pub(crate) async fn complete(mut answer: Answer) -> Result<Response<AnswerBody>, Failure> {
    let generation = &mut answer.generation;
    let mut ending = None;
    while !generation.is_over() && ending.is_none() {
        if let Step::Ending(by) = poll_fn(|cx| generation.poll_step(cx)).await {
            ending = Some(by);
        }
    }
    let generated = generation.generated();
    let Some(ending) = ending else {
        generation.sent(&(0..generated));
        generation.complete();
        return Ok(json(StatusCode::OK, &completion(&answer, generated)));
    };
    generation.fail();
    match ending {
        Ending::Reset => Err(Abort::Reset.into()),
        Ending::Hang | Ending::Close | Ending::Cut => Err(Abort::Close.into()),
        Ending::ErrorEvent => Ok(json(StatusCode::INTERNAL_SERVER_ERROR, &server_error())),
        Ending::Malformed => {
            generation.sent(&(0..generated));
            Ok(broken_json(&completion(&answer, generated)))
        }
    }
}

fn completion(answer: &Answer, tokens: u32) -> Completion {
    let message = completion::AssistantMessage { role: "assistant".into(), content: text::answer(answer.seed, tokens) };
    let choice = Choice { index: 0, message, finish_reason: answer.spec.finish_reason().into() };
    Completion {
        id: answer.head.id.clone(),
        object: "chat.completion".into(),
        created: answer.head.created,
        model: answer.head.model.clone(),
        choices: vec![choice],
        usage: answer.usage,
    }
}

/// A response whose JSON is truncated after the text.
fn broken_json(completion: &Completion) -> Response<AnswerBody> {
    let whole = serde_json::to_string(completion).unwrap_or_else(|error| unreachable!("a wire type is JSON: {error}"));
    let end = whole.rfind("\"finish_reason\"").unwrap_or_default();
    let mut response = Response::new(Either::Left(whole[..end].to_owned().into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
