/// `/chat/stream` and `/llm`.
mod chat;
/// OpenAI's routes.
mod completions;
/// `/health` and the two probes of `/debug`.
mod health;
/// `/ready` and `/metrics`.
mod operation;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder};
use wire::error::Refusal;

use crate::calls::CallStyle;
use crate::errors::Failure;
use crate::request::shorten;

/// Registers all routes, with calls to the vendor made in the style `C`.
pub(crate) fn register<C: CallStyle>(routes: &mut ServiceConfig) {
    routes
        .service(post("/chat/stream", chat::stream::<C>))
        .service(post("/llm", chat::whole::<C>))
        .service(post("/v1/chat/completions", completions::create::<C>))
        .service(post("/api/v1/chat/completions", completions::create::<C>))
        .service(get("/v1/models", completions::models::<C>))
        .service(get("/debug/health-sync", health::sync))
        .service(get("/debug/health-async", health::r#async))
        .service(get("/health", health::report))
        .service(get("/ready", operation::ready))
        .service(get("/metrics", operation::metrics))
        .default_service(web::to(no_route));
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
fn get<F, Args>(path: &str, handler: F) -> Resource
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

async fn wrong_method(request: HttpRequest, allowed: &'static str) -> Result<String, Failure> {
    Err(Refusal::Method { method: shorten(request.method().as_str()), allowed }.into())
}

async fn no_route(request: HttpRequest) -> Result<String, Failure> {
    Err(Refusal::NoRoute { path: shorten(request.path()) }.into())
}
