//! Servers of Python.

use super::row::{DefaultNumber, Limit, Platform, Serving};
use crate::result::DiagnosisForm::{Collected, InnerPool, WorkerPerRequest};
use crate::result::DiagnosisKind::{
    ConnectionLimit, EventLoopBlocked, NotStreaming, ThreadPoolHeld, ThreadPoolPerChunk,
};

const ANYIO_SETTING: &str =
    "`anyio.to_thread.current_default_thread_limiter().total_tokens = N`, in a start-up handler";
const PYTHON_THREADS: &str = "all threads of a process share one interpreter lock, and each costs memory";
const ASYNC_CLIENT: &str = "make the endpoint `async def`, call the vendor with an asynchronous client (`AsyncOpenAI`, \
                            `litellm.acompletion`, `httpx.AsyncClient`), and stream from an `async` generator";
const ASGI: &str = "serve the streams from an ASGI server (uvicorn, hypercorn, granian) with an `async` view and an \
                    asynchronous client";

pub(super) static FASTAPI: Platform = Platform {
    name: "fastapi",
    title: "FastAPI or Starlette",
    language: "Python",
    serving: Serving::EventLoop,
    signs: &[("server", "uvicorn"), ("server", "hypercorn-"), ("server", "granian")],
    limits: &[
        Limit {
            what: "threads of anyio's pool, which `def` endpoints, synchronous dependencies, uploads and file responses \
                   share",
            kind: ThreadPoolHeld,
            form: Some(InnerPool),
            default: DefaultNumber::Count(40),
            setting: ANYIO_SETTING,
            larger: PYTHON_THREADS,
            fix: ASYNC_CLIENT,
            lab: None,
            source: "https://www.starlette.io/threadpool",
        },
        Limit {
            what: "threads of anyio's pool: a generator that is not `async` takes one for each chunk",
            kind: ThreadPoolPerChunk,
            form: None,
            default: DefaultNumber::Count(40),
            setting: ANYIO_SETTING,
            larger: PYTHON_THREADS,
            fix: "stream from an `async` generator, which reads an asynchronous client",
            lab: None,
            source: "encode/starlette starlette/concurrency.py",
        },
        Limit {
            what: "threads of asyncio's default executor, which `run_in_executor(None, ...)` and `asyncio.to_thread` use",
            kind: ThreadPoolHeld,
            form: Some(InnerPool),
            default: DefaultNumber::OfProcessors("min(32, processors + 4)", |processors| (processors + 4).min(32)),
            setting: "`loop.set_default_executor(ThreadPoolExecutor(max_workers=N))`",
            larger: PYTHON_THREADS,
            fix: "await an asynchronous client in place of the executor",
            lab: None,
            source: "https://docs.python.org/3/library/concurrent.futures.html",
        },
        Limit {
            what: "event loop in each worker process",
            kind: EventLoopBlocked,
            form: None,
            default: DefaultNumber::Count(1),
            setting: "`uvicorn --workers N`",
            larger: "each further worker stops at a blocking call of its own",
            fix: "find the call that blocks (`py-spy dump --pid PID` shows its line, PYTHONASYNCIODEBUG=1 logs slow \
                  callbacks) and await an asynchronous one in its place",
            lab: None,
            source: "encode/uvicorn uvicorn/config.py",
        },
    ],
    source: "encode/uvicorn uvicorn/config.py, pgjones/hypercorn src/hypercorn/config.py, emmett-framework/granian \
             src/http.rs",
};

pub(super) static DJANGO: Platform = Platform {
    name: "django",
    title: "Django",
    language: "Python",
    serving: Serving::Either,
    signs: &[("server", "uvicorn"), ("server", "daphne"), ("server", "wsgiserver/")],
    limits: &[Limit {
        what: "an iterator that is not `async`, in a StreamingHttpResponse under ASGI, is read to its end before the \
               first byte is sent",
        kind: NotStreaming,
        form: Some(Collected),
        default: DefaultNumber::NoNumber,
        setting: "no setting",
        larger: "it is no number",
        fix: "give StreamingHttpResponse an `async` generator, from an `async` view (Django's log has the warning \
              \"must consume synchronous iterators\")",
        lab: None,
        source: "https://docs.djangoproject.com/en/stable/ref/request-response/",
    }],
    source: "django/daphne daphne/server.py, django/django django/http/response.py",
};

pub(super) static DAPHNE: Platform = Platform {
    name: "daphne",
    title: "Daphne",
    language: "Python",
    serving: Serving::EventLoop,
    signs: &[("server", "daphne")],
    limits: &[Limit {
        what: "event loop, as it is one process",
        kind: EventLoopBlocked,
        form: None,
        default: DefaultNumber::Count(1),
        setting: "more processes of it behind a balancer",
        larger: "each further process stops at a blocking call of its own",
        fix: "find the call that blocks (`py-spy dump --pid PID` shows its line) and await an asynchronous one in its \
              place",
        lab: None,
        source: "django/daphne daphne/server.py",
    }],
    source: "django/daphne daphne/server.py",
};

pub(super) static FLASK: Platform = Platform {
    name: "flask",
    title: "Flask's development server (Werkzeug)",
    language: "Python",
    serving: Serving::Unlimited,
    signs: &[("server", "werkzeug")],
    limits: &[],
    source: "pallets/flask src/flask/app.py, pallets/werkzeug src/werkzeug/serving.py",
};

pub(super) static HTTP_SERVER: Platform = Platform {
    name: "http.server",
    title: "Python's http.server (ThreadingHTTPServer)",
    language: "Python",
    serving: Serving::Unlimited,
    signs: &[("server", "basehttp/"), ("server", "simplehttp/")],
    limits: &[],
    source: "https://docs.python.org/3/library/http.server.html",
};

pub(super) static GUNICORN: Platform = Platform {
    name: "gunicorn",
    title: "gunicorn with sync or gthread workers",
    language: "Python",
    serving: Serving::Workers,
    signs: &[("server", "gunicorn")],
    limits: &[Limit {
        what: "worker process with one thread, each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::Count(1),
        setting: "`--workers N` and `--threads N`: their product",
        larger: "`--timeout` (30 s) kills a sync worker in the middle of a stream that is longer",
        fix: "use ASGI workers (`-k uvicorn_worker.UvicornWorker`) with an `async` view and an asynchronous client",
        lab: None,
        source: "benoitc/gunicorn gunicorn/config.py",
    }],
    source: "benoitc/gunicorn gunicorn/__init__.py",
};

pub(super) static WAITRESS: Platform = Platform {
    name: "waitress",
    title: "waitress",
    language: "Python",
    serving: Serving::Workers,
    signs: &[("server", "waitress")],
    limits: &[
        Limit {
            what: "threads, each for one request at a time",
            kind: ThreadPoolHeld,
            form: Some(WorkerPerRequest),
            default: DefaultNumber::Count(4),
            setting: "`threads=N`",
            larger: PYTHON_THREADS,
            fix: ASGI,
            lab: None,
            source: "Pylons/waitress src/waitress/adjustments.py",
        },
        Limit {
            what: "connections",
            kind: ConnectionLimit,
            form: None,
            default: DefaultNumber::Count(100),
            setting: "`connection_limit=N`",
            larger: "behind it are the threads, and with select() no more than 1,024 descriptors",
            fix: ASGI,
            lab: None,
            source: "Pylons/waitress src/waitress/adjustments.py",
        },
    ],
    source: "Pylons/waitress src/waitress/adjustments.py",
};

pub(super) static UWSGI: Platform = Platform {
    name: "uwsgi",
    title: "uWSGI",
    language: "Python",
    serving: Serving::Workers,
    signs: &[],
    limits: &[Limit {
        what: "worker process with one thread, each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::Count(1),
        setting: "`processes = N` and `threads = N`: their product",
        larger: "behind the workers no more than 100 connections wait (`listen`)",
        fix: ASGI,
        lab: None,
        source: "unbit/uwsgi core/init.c",
    }],
    source: "unbit/uwsgi core/init.c",
};
