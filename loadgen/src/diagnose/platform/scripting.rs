//! Servers of JavaScript, PHP and Ruby.

use super::row::{DefaultNumber, Limit, Platform, Serving};
use crate::result::DiagnosisForm::{InnerPool, WorkerPerRequest};
use crate::result::DiagnosisKind::{EventLoopBlocked, ThreadPoolHeld};

const A_WORKER_A_STREAM: &str = "each of them has the memory of a whole process";
const RUBY: &str = "serve the streams with Falcon, which has a fiber for each request, or take the socket over with \
                    `rack.hijack` and read the vendor asynchronously";

pub(super) static NODE: Platform = Platform {
    name: "node",
    title: "Node.js",
    language: "JavaScript",
    serving: Serving::EventLoop,
    signs: &[("x-powered-by", "express")],
    limits: &[
        Limit {
            what: "event loop in each process",
            kind: EventLoopBlocked,
            form: None,
            default: DefaultNumber::Count(1),
            setting: "node:cluster, or more processes behind a balancer",
            larger: "each further process stops at a blocking call of its own",
            fix: "find the call that blocks (`node --cpu-prof`, or `perf_hooks.monitorEventLoopDelay`) and replace its \
                  `...Sync` form, or move what needs the processor to a worker thread",
            lab: None,
            source: "https://nodejs.org/en/learn/asynchronous-work/dont-block-the-event-loop",
        },
        Limit {
            what: "threads of libuv's pool, which file access, `dns.lookup`, zlib and parts of crypto share",
            kind: ThreadPoolHeld,
            form: Some(InnerPool),
            default: DefaultNumber::Count(4),
            setting: "the environment variable UV_THREADPOOL_SIZE",
            larger: "what holds a thread for a whole stream fills any number",
            fix: "keep what waits for the vendor out of that pool: sockets do not need it, synchronous add-ons and \
                  `dns.lookup` of a slow resolver do",
            lab: Some("hidden-pool-users"),
            source: "libuv/libuv docs/src/threadpool.rst",
        },
    ],
    source: "expressjs/express lib/application.js",
};

pub(super) static PHP_FPM: Platform = Platform {
    name: "php-fpm",
    title: "PHP-FPM",
    language: "PHP",
    serving: Serving::Workers,
    signs: &[("x-powered-by", "php/")],
    limits: &[Limit {
        what: "child processes, each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::Count(5),
        setting: "`pm.max_children` (its status page, `pm.status_path`, counts \"max children reached\")",
        larger: A_WORKER_A_STREAM,
        fix: "let a small asynchronous service beside PHP serve the streams, or a runtime with coroutines (Swoole, \
              ReactPHP, AMPHP)",
        lab: None,
        source: "php/php-src sapi/fpm/www.conf.in",
    }],
    source: "php/php-src sapi/fpm/tests/response.inc",
};

pub(super) static PUMA: Platform = Platform {
    name: "puma",
    title: "Puma",
    language: "Ruby",
    serving: Serving::Workers,
    signs: &[("x-runtime", "")],
    limits: &[Limit {
        what: "threads in each process (5 with MRI, 16 with other Rubies), each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::OneOf(&[5, 16]),
        setting: "`threads 0, N` and `workers N`: their product",
        larger: "with MRI all threads of a process share one interpreter lock",
        fix: RUBY,
        lab: None,
        source: "puma/puma lib/puma/configuration.rb",
    }],
    source: "rails/rails railties/lib/rails/application/default_middleware_stack.rb",
};

pub(super) static UNICORN: Platform = Platform {
    name: "unicorn",
    title: "Unicorn",
    language: "Ruby",
    serving: Serving::Workers,
    signs: &[("x-runtime", "")],
    limits: &[Limit {
        what: "worker process, for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::Count(1),
        setting: "`worker_processes N`",
        larger: A_WORKER_A_STREAM,
        fix: RUBY,
        lab: None,
        source: "defunkt/unicorn lib/unicorn/configurator.rb",
    }],
    source: "rails/rails railties/lib/rails/application/default_middleware_stack.rb",
};

pub(super) static PASSENGER: Platform = Platform {
    name: "passenger",
    title: "Phusion Passenger",
    language: "Ruby",
    serving: Serving::Workers,
    signs: &[("x-powered-by", "phusion passenger")],
    limits: &[Limit {
        what: "processes, each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::Count(6),
        setting: "`passenger_max_pool_size N`",
        larger: A_WORKER_A_STREAM,
        fix: RUBY,
        lab: None,
        source: "phusion/passenger src/cxx_supportlib/Constants.h",
    }],
    source: "phusion/passenger src/agent/Core/Controller/ForwardResponse.cpp",
};
