//! Servers that stand in front of others.

use super::row::{DefaultNumber, Limit, Platform, Serving};
use crate::result::DiagnosisForm::{ProxyBuffers, WorkerPerRequest};
use crate::result::DiagnosisKind::{ConnectionLimit, NotStreaming, ThreadPoolHeld};

pub(super) static NGINX: Platform = Platform {
    name: "nginx",
    title: "nginx",
    language: "",
    serving: Serving::Proxy,
    signs: &[("server", "nginx")],
    limits: &[
        Limit {
            what: "answers of a proxied server are buffered (`proxy_buffering on`)",
            kind: NotStreaming,
            form: Some(ProxyBuffers),
            default: DefaultNumber::NoNumber,
            setting: "`proxy_buffering off;` for that location, or the header `X-Accel-Buffering: no` of the answer",
            larger: "it is no number",
            fix: "send `X-Accel-Buffering: no` with each stream: it works wherever the server is put",
            lab: None,
            source: "nginx/nginx src/http/modules/ngx_http_proxy_module.c",
        },
        Limit {
            what: "connections of each worker, of which a proxied stream takes two",
            kind: ConnectionLimit,
            form: None,
            default: DefaultNumber::OneOf(&[512, 256]),
            setting: "`worker_connections N;`, with `worker_rlimit_nofile` for the descriptors",
            larger: "beyond it the descriptors of a worker end",
            fix: "here a larger number is part of the fix: a connection of nginx costs little. Limit the streams at once \
                  behind it all the same",
            lab: None,
            source: "nginx/nginx src/event/ngx_event.c",
        },
    ],
    source: "nginx/nginx src/http/ngx_http_header_filter_module.c",
};

pub(super) static APACHE: Platform = Platform {
    name: "apache",
    title: "Apache httpd",
    language: "",
    serving: Serving::Workers,
    signs: &[("server", "apache")],
    limits: &[Limit {
        what: "processes (prefork: 256) or threads (event: 16 x 25 = 400), each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::OneOf(&[256, 400]),
        setting: "`MaxRequestWorkers N`, with `ServerLimit`",
        larger: "each of them has a stack, and with prefork the memory of a whole process",
        fix: "let the event MPM or nginx keep the connections, and an asynchronous server behind it the streams",
        lab: None,
        source: "apache/httpd server/mpm/prefork/prefork.c, server/mpm/event/event.c",
    }],
    source: "apache/httpd server/core.c",
};
