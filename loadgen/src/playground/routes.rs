//! The routes of the playground.

use std::convert::Infallible;
use std::sync::{Arc, Weak};

use axum::body::Body;
use axum::extract::{Path, Request, State as Extract};
use axum::handler::Handler;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use wire::error::RequestError;
use wire::sse;

use super::body::Fields;
use super::catalogue::Catalogue;
use super::error::PlaygroundError;
use super::files::FILES;
use super::guard::guard;
use super::page_events::PageEvents;
use super::pages::Pages;
use crate::labs;
use crate::session::{Session, SessionArm, SessionState};
use crate::sources;

/// What the routes share.
#[derive(Clone)]
pub(super) struct Shared {
    /// It ends with the command, whatever connections are open.
    pub(super) session: Weak<Session>,
    pub(super) pages: Pages,
}

impl Shared {
    fn session(&self) -> Result<Arc<Session>, PlaygroundError> {
        self.session.upgrade().ok_or(PlaygroundError::Stopping)
    }
}

/// What a command is answered with: the state after it. What comes of it comes as an event.
type Accepted = Result<(StatusCode, Json<SessionState>), PlaygroundError>;

fn accepted(session: &Session) -> Accepted {
    Ok((StatusCode::ACCEPTED, Json(session.state())))
}

/// All routes.
pub(super) fn router(shared: Shared) -> Router {
    let pages = FILES
        .iter()
        .fold(Router::new(), |router, file| router.route(&file.path(), only_get(move || async move { *file })));
    pages
        .route("/api/catalogue", only_get(catalogue))
        .route("/api/code/{mistake}", only_get(code))
        .route("/api/events", only_get(events))
        .route("/api/start", only_post(start))
        .route("/api/stop", only_post(stop))
        .route("/api/mistake", only_post(mistake))
        .route("/api/streams", only_post(streams))
        .route("/api/arms/{arm}/start", only_post(start_arm))
        .route("/api/arms/{arm}/stop", only_post(stop_arm))
        .route("/api/singles", only_post(singles))
        .route("/api/check", only_post(check))
        .fallback(no_route)
        .layer(from_fn(guard))
        .with_state(shared)
}

fn only_post<T: 'static>(handler: impl Handler<T, Shared>) -> MethodRouter<Shared> {
    post(handler).fallback(|method| wrong_method(method, "POST"))
}

/// HEAD is answered as GET is, without the body.
fn only_get<T: 'static>(handler: impl Handler<T, Shared>) -> MethodRouter<Shared> {
    get(handler).fallback(|method| wrong_method(method, "GET, HEAD"))
}

async fn wrong_method(method: Method, allowed: &'static str) -> PlaygroundError {
    RequestError::MethodNotAllowed { method: method.as_str().chars().take(40).collect(), allowed }.into()
}

async fn no_route(request: Request) -> PlaygroundError {
    RequestError::UnknownRoute { path: request.uri().path().chars().take(80).collect() }.into()
}

async fn catalogue(Extract(shared): Extract<Shared>) -> Result<Response, PlaygroundError> {
    let session = shared.session()?;
    Ok(Json(Catalogue::of(&session)).into_response())
}

async fn code(Extract(shared): Extract<Shared>, Path(name): Path<String>) -> Result<Json<Value>, PlaygroundError> {
    shared.session()?.check_mistake(&name)?;
    let lab = labs::all().iter().find(|lab| lab.name == name);
    let code = lab.and_then(|lab| Some((sources::mistake_of(lab)?, sources::fix_of(lab)?)));
    let (mistake, fix) = code.ok_or(PlaygroundError::NoCode(name))?;
    Ok(Json(json!({ "mistake": mistake, "fix": fix })))
}

async fn events(Extract(shared): Extract<Shared>) -> Result<Response, PlaygroundError> {
    let page = shared.pages.open()?;
    let events = PageEvents::new(page, shared.session()?.listen());
    let next = async |mut events: PageEvents| {
        let lines = events.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(lines)), events))
    };
    Ok(([(CONTENT_TYPE, sse::CONTENT_TYPE)], Body::from_stream(stream::unfold(events, next))).into_response())
}

async fn start(Extract(shared): Extract<Shared>, body: Body) -> Accepted {
    let (fields, session) = (Fields::read(body).await?, shared.session()?);
    let mistake = fields.text("mistake", MISTAKE)?;
    session.check_mistake(mistake)?;
    let state = session.state();
    let broken = state.arms.get(&SessionArm::Broken);
    // Of two pages that start at the same time, one must not undo what the other has asked for.
    if state.mistake != mistake && broken.is_some_and(|broken| broken.running || broken.starting) {
        return Err(PlaygroundError::OtherMistake(state.mistake));
    }
    session.start(mistake)?;
    accepted(&session)
}

async fn stop(Extract(shared): Extract<Shared>, body: Body) -> Accepted {
    let (_, session) = (Fields::read(body).await?, shared.session()?);
    session.stop();
    accepted(&session)
}

async fn mistake(Extract(shared): Extract<Shared>, body: Body) -> Accepted {
    let (fields, session) = (Fields::read(body).await?, shared.session()?);
    session.set_mistake(fields.text("name", MISTAKE)?)?;
    accepted(&session)
}

async fn streams(Extract(shared): Extract<Shared>, body: Body) -> Accepted {
    let (fields, session) = (Fields::read(body).await?, shared.session()?);
    session.set_streams(u32::try_from(fields.count("count")?).unwrap_or(u32::MAX))?;
    accepted(&session)
}

async fn start_arm(Extract(shared): Extract<Shared>, Path(arm): Path<String>, body: Body) -> Accepted {
    let (_, session) = (Fields::read(body).await?, shared.session()?);
    session.start_arm(arm_of_path(&arm)?);
    accepted(&session)
}

async fn stop_arm(Extract(shared): Extract<Shared>, Path(arm): Path<String>, body: Body) -> Accepted {
    let (_, session) = (Fields::read(body).await?, shared.session()?);
    session.stop_arm(arm_of_path(&arm)?);
    accepted(&session)
}

async fn singles(Extract(shared): Extract<Shared>, body: Body) -> Accepted {
    let (fields, session) = (Fields::read(body).await?, shared.session()?);
    session.set_singles(fields.arm()?, fields.yes("on")?);
    accepted(&session)
}

async fn check(Extract(shared): Extract<Shared>, body: Body) -> Result<(StatusCode, Json<Value>), PlaygroundError> {
    let (fields, session) = (Fields::read(body).await?, shared.session()?);
    let id = session.check(fields.arm()?)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}

const MISTAKE: &str = "the name of a mistake, such as pool-exhaustion";

fn arm_of_path(name: &str) -> Result<SessionArm, RequestError> {
    let path = || format!("/api/arms/{}", name.chars().take(40).collect::<String>());
    SessionArm::parse(name).ok_or_else(|| RequestError::UnknownRoute { path: path() })
}
