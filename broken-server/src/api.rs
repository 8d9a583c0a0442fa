/// `/chat/stream` and `/llm`.
mod chat;
/// OpenAI's routes.
mod completions;
/// `/health` and the two probes of `/debug`.
mod health;
/// `/ready` and `/metrics`.
mod operation;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder};
use wire::error::Refusal;

pub(crate) use self::health::PROBE_WORK;
use crate::calls::CallStyle;
use crate::errors::Failure;
use crate::request::shorten;

/// Registers a server's routes. Each worker does so once, for itself.
pub(crate) type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// All routes, with calls to the vendor made in this `style`, which the workers share.
pub(crate) fn routes<C: CallStyle>(style: C) -> Routes {
    routes_with(Data::new(style))
}

/// The same, with a style that something else knows too.
pub(crate) fn routes_with<C: CallStyle>(style: Data<C>) -> Routes {
    all(style, health::report)
}

/// The same, with a `/health` of their own.
pub(crate) fn routes_with_health<C, F, Args>(style: C, report: F) -> Routes
where
    C: CallStyle,
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    all(Data::new(style), report)
}

fn all<C, F, Args>(style: Data<C>, report: F) -> Routes
where
    C: CallStyle,
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Arc::new(move |routes| {
        routes
            .app_data(style.clone())
            .service(post("/chat/stream", chat::stream::<C>))
            .service(post("/llm", chat::whole::<C>))
            .service(post("/v1/chat/completions", completions::create::<C>))
            .service(post("/api/v1/chat/completions", completions::create::<C>))
            .service(get("/v1/models", completions::models::<C>))
            .service(get("/debug/health-sync", health::sync))
            .service(get("/debug/health-async", health::r#async))
            .service(get("/health", report.clone()))
            .service(get("/ready", operation::ready))
            .service(get("/metrics", operation::metrics))
            .default_service(web::to(no_route));
    })
}

fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path).route(web::post().to(handler)).default_service(web::to(|request| wrong_method(request, "POST")))
}

/// HEAD is answered as GET is, without the body.
pub(crate) fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::method(Method::HEAD).to(handler))
        .default_service(web::to(|request| wrong_method(request, "GET, HEAD")))
}

pub(crate) async fn wrong_method(request: HttpRequest, allowed: &'static str) -> Result<String, Failure> {
    Err(Refusal::Method { method: shorten(request.method().as_str()), allowed }.into())
}

async fn no_route(request: HttpRequest) -> Result<String, Failure> {
    Err(Refusal::NoRoute { path: shorten(request.path()) }.into())
}
