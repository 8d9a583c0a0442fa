//! The routes.

mod answer;
mod chat;
mod completions;
mod health;
mod operation;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder};
use gateway::shorten;
use wire::error::RequestError;

pub(crate) use self::health::{PROBE_WORK, PoolProbe};
pub(crate) use self::operation::{not_ready, ready};
use crate::call_style::{CallStyle, DynCallStyle};
use crate::errors::ErrorResponse;
use crate::format::TokenFormat;

/// Registers the routes of a server. Each worker does so once, for itself.
pub(crate) type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// All routes. Calls to the vendor are made in this `style`, which the workers share.
pub(crate) fn routes(style: impl CallStyle) -> Routes {
    routes_with(style, Checks::default())
}

/// The same, with other checks.
pub(crate) fn routes_with(style: impl CallStyle, checks: Checks) -> Routes {
    all(Arc::new(style), checks, TokenFormat::JSON)
}

/// The same, with another format of `/chat/stream`.
pub(crate) fn routes_writing(format: TokenFormat, style: impl CallStyle) -> Routes {
    all(Arc::new(style), Checks::default(), format)
}

/// All routes, with a style that is shared with other code.
pub(crate) fn routes_of(style: Arc<dyn DynCallStyle>) -> Routes {
    all(style, Checks::default(), TokenFormat::JSON)
}

/// The routes by which a supervisor, a balancer and an operator judge the server.
pub(crate) struct Checks {
    live: Check,
    ready: Check,
    health: Check,
}

type Check = Box<dyn Fn() -> Resource + Send + Sync>;

impl Default for Checks {
    /// The right ones.
    fn default() -> Self {
        Checks {
            live: check("/live", operation::live),
            ready: check("/ready", operation::ready),
            health: check("/health", health::report),
        }
    }
}

impl Checks {
    /// With another `/live`.
    pub(crate) fn live<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Checks { live: check("/live", handler), ..self }
    }

    /// With another `/ready`.
    pub(crate) fn ready<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Checks { ready: check("/ready", handler), ..self }
    }

    /// With another `/health`.
    pub(crate) fn health<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Checks { health: check("/health", handler), ..self }
    }
}

fn check<F, Args>(path: &'static str, handler: F) -> Check
where
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Box::new(move || get(path, handler.clone()))
}

fn all(style: Arc<dyn DynCallStyle>, checks: Checks, format: TokenFormat) -> Routes {
    let (style, format) = (Data::from(style), Data::new(format));
    Arc::new(move |routes| {
        routes
            .app_data(style.clone())
            .app_data(format.clone())
            .service(post("/chat/stream", chat::stream))
            .service(post("/llm", chat::whole))
            .service(post("/llm/summary", chat::summary))
            .service(post("/v1/chat/completions", completions::create))
            .service(post("/api/v1/chat/completions", completions::create))
            .service(get("/v1/models", completions::list))
            .service(get("/v1/models/{model:.+}", completions::model))
            .service(get("/debug/health-sync", health::sync))
            .service(get("/debug/health-async", health::r#async))
            .service((checks.live)())
            .service((checks.ready)())
            .service((checks.health)())
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
    only(web::resource(path).route(web::post().to(handler)), "POST")
}

/// HEAD is answered as GET is, without the body.
pub(crate) fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let resource = web::resource(path).route(web::get().to(handler.clone()));
    only(resource.route(web::method(Method::HEAD).to(handler)), "GET, HEAD")
}

/// The same resource, rejecting all methods but those that it has, which are `allowed`.
pub(crate) fn only(resource: Resource, allowed: &'static str) -> Resource {
    resource.default_service(web::to(move |request| wrong_method(request, allowed)))
}

async fn wrong_method(request: HttpRequest, allowed: &'static str) -> Result<String, ErrorResponse> {
    Err(RequestError::MethodNotAllowed { method: shorten(request.method().as_str()), allowed }.into())
}

async fn no_route(request: HttpRequest) -> Result<String, ErrorResponse> {
    Err(RequestError::UnknownRoute { path: shorten(request.path()) }.into())
}
