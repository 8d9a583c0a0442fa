//! Servers of .NET, Go and Rust.

use super::row::{DefaultNumber, Limit, Platform, Serving};
use crate::result::DiagnosisForm::{GrowingPool, InnerPool};
use crate::result::DiagnosisKind::{ConnectionLimit, EventLoopBlocked, ThreadPoolHeld};

const BLOCKING: &str = "each of them is a thread of the operating system, with a stack of its own";
const RUST_ASYNC: &str = "await an asynchronous client (reqwest) on the runtime, and bound the calls at once by a semaphore \
                          whose permit goes into the body";
const OFF_THE_LOOP: &str = "find what does not yield (tokio-console shows tasks that are polled for long) and await it, or \
                            give it a thread of its own";

pub(super) static DOTNET: Platform = Platform {
    name: "dotnet",
    title: "ASP.NET Core on Kestrel",
    language: ".NET",
    // One pool of threads does everything, piece by piece.
    serving: Serving::Either,
    signs: &[("server", "kestrel")],
    limits: &[Limit {
        what: "threads of the ThreadPool at first, and one or two more each second while work waits",
        kind: ThreadPoolHeld,
        form: Some(GrowingPool),
        default: DefaultNumber::OfProcessors("processors", |processors| processors),
        setting: "`ThreadPool.SetMinThreads(N, N)`",
        larger: "it makes the same threads sooner, and each of them still waits for a stream",
        fix: "await from the controller to the client: no `.Result`, no `.Wait()`, no `Thread.Sleep`; `dotnet-stack report \
              -p PID` shows what holds the threads",
        lab: None,
        source: "https://learn.microsoft.com/dotnet/core/diagnostics/debug-threadpool-starvation",
    }],
    source: "https://learn.microsoft.com/dotnet/api/microsoft.aspnetcore.server.kestrel.core.kestrelserveroptions.addserverheader",
};

pub(super) static GO: Platform = Platform {
    name: "go",
    title: "Go's net/http",
    language: "Go",
    serving: Serving::Unlimited,
    signs: &[],
    limits: &[],
    source: "https://pkg.go.dev/net/http#Server.Serve",
};

pub(super) static AXUM: Platform = Platform {
    name: "axum",
    title: "axum, or another server on tokio",
    language: "Rust",
    serving: Serving::EventLoop,
    signs: &[],
    limits: &[
        Limit {
            what: "threads of tokio's blocking pool (`spawn_blocking`, `tokio::fs`, look-ups of host names)",
            kind: ThreadPoolHeld,
            form: Some(InnerPool),
            default: DefaultNumber::Count(512),
            setting: "`tokio::runtime::Builder::max_blocking_threads`",
            larger: BLOCKING,
            fix: RUST_ASYNC,
            lab: None,
            source: "https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html#method.max_blocking_threads",
        },
        Limit {
            what: "worker threads of tokio's runtime",
            kind: EventLoopBlocked,
            form: None,
            default: DefaultNumber::OfProcessors("processors", |processors| processors),
            setting: "`tokio::runtime::Builder::worker_threads`",
            larger: "each further thread stops at a blocking call of its own",
            fix: OFF_THE_LOOP,
            lab: None,
            source: "https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html#method.worker_threads",
        },
    ],
    source: "https://docs.rs/axum/latest/axum/fn.serve.html",
};

pub(super) static ROCKET: Platform = Platform {
    name: "rocket",
    title: "Rocket",
    language: "Rust",
    serving: Serving::EventLoop,
    signs: &[("server", "rocket")],
    limits: &[
        Limit {
            what: "threads of tokio's blocking pool",
            kind: ThreadPoolHeld,
            form: Some(InnerPool),
            default: DefaultNumber::Count(512),
            setting: "`max_blocking` in Rocket.toml",
            larger: BLOCKING,
            fix: RUST_ASYNC,
            lab: None,
            source: "rwf2/Rocket core/lib/src/config/config.rs",
        },
        Limit {
            what: "worker threads of tokio's runtime",
            kind: EventLoopBlocked,
            form: None,
            default: DefaultNumber::OfProcessors("processors", |processors| processors),
            setting: "`workers` in Rocket.toml",
            larger: "each further thread stops at a blocking call of its own",
            fix: OFF_THE_LOOP,
            lab: None,
            source: "rwf2/Rocket core/lib/src/config/config.rs",
        },
    ],
    source: "rwf2/Rocket core/lib/src/config/ident.rs",
};

pub(super) static ACTIX: Platform = Platform {
    name: "actix-web",
    title: "actix-web",
    language: "Rust",
    serving: Serving::EventLoop,
    signs: &[],
    limits: &[
        Limit {
            what: "threads of the blocking pool of each worker (`web::block`, `spawn_blocking`)",
            kind: ThreadPoolHeld,
            form: Some(InnerPool),
            default: DefaultNumber::OfProcessors("512 / processors", |processors| (512 / processors.max(1)).max(1)),
            setting: "`HttpServer::worker_max_blocking_threads`",
            larger: BLOCKING,
            fix: RUST_ASYNC,
            lab: None,
            source: "https://docs.rs/actix-web/latest/actix_web/struct.HttpServer.html#method.worker_max_blocking_threads",
        },
        Limit {
            what: "workers, each with an event loop",
            kind: EventLoopBlocked,
            form: None,
            default: DefaultNumber::OfProcessors("processors", |processors| processors),
            setting: "`HttpServer::workers`",
            larger: "each further worker stops at a blocking call of its own",
            fix: OFF_THE_LOOP,
            lab: None,
            source: "https://docs.rs/actix-web/latest/actix_web/struct.HttpServer.html#method.workers",
        },
        Limit {
            what: "connections of each worker",
            kind: ConnectionLimit,
            form: None,
            default: DefaultNumber::Count(25_600),
            setting: "`HttpServer::max_connections`",
            larger: "beyond it the descriptors of the process end",
            fix: "limit the streams at once and reject the rest with 429, before connections run out",
            lab: None,
            source: "https://docs.rs/actix-web/latest/actix_web/struct.HttpServer.html#method.max_connections",
        },
    ],
    source: "https://docs.rs/actix-web/latest/actix_web/struct.HttpServer.html",
};
