//! Libraries with which a server makes calls: their limits are the server's too.

use super::row::{DefaultNumber, Limit, Platform, Serving};
use crate::result::DiagnosisForm::{self, ClientPool, Http2Streams, InnerPool};
use crate::result::DiagnosisKind::{self, ThreadPoolHeld, UpstreamLimit};

const TWO_LIMITS: &str = "whatever the number, a call that waits in the client is reported as the vendor's time-out";
const ONE_LIMIT: &str = "set it to at least the streams that you allow at once, and limit those in front of the client, \
                         where the rest is rejected with 429";
const HOLDS_CONNECTION: &str = "each stream keeps a connection for as long as the vendor takes, and the database has a \
                                limit too (PostgreSQL: 100)";
const GIVE_BACK: &str = "give the connection back before the vendor is called: load what is needed, close the session, \
                         then stream";

/// A limit on the connections to the vendor.
const fn connections(what: &'static str, default: DefaultNumber, setting: &'static str, source: &'static str) -> Limit {
    Limit {
        what,
        kind: UpstreamLimit,
        form: Some(ClientPool),
        default,
        setting,
        larger: TWO_LIMITS,
        fix: ONE_LIMIT,
        lab: None,
        source,
    }
}

/// A pool of connections to a database, held during a call. A health check that asks the database waits for one too, and
/// then it looks like a pool of threads.
const fn database(
    (kind, form): (DiagnosisKind, DiagnosisForm),
    what: &'static str,
    count: u64,
    setting: &'static str,
    source: &'static str,
) -> Limit {
    Limit {
        what,
        kind,
        form: Some(form),
        default: DefaultNumber::Count(count),
        setting,
        larger: HOLDS_CONNECTION,
        fix: GIVE_BACK,
        lab: Some("db-held-during-call"),
        source,
    }
}

const fn client(
    name: &'static str,
    (title, language): (&'static str, &'static str),
    limits: &'static [Limit],
    source: &'static str,
) -> Platform {
    Platform { name, title, language, serving: Serving::Client, signs: &[], limits, source }
}

pub(super) static HTTPX: Platform = client(
    "httpx",
    ("httpx", "Python"),
    &[connections(
        "connections of a client; a call that finds none free waits 5 s, then it has a PoolTimeout",
        DefaultNumber::Count(100),
        "`httpx.Limits(max_connections=N)`",
        "encode/httpx httpx/_config.py",
    )],
    "encode/httpx httpx/_config.py",
);

pub(super) static AIOHTTP: Platform = client(
    "aiohttp",
    ("aiohttp's client", "Python"),
    &[connections(
        "connections of a session",
        DefaultNumber::Count(100),
        "`TCPConnector(limit=N)`",
        "aio-libs/aiohttp aiohttp/connector.py",
    )],
    "aio-libs/aiohttp aiohttp/connector.py",
);

pub(super) static OPENAI: Platform = client(
    "openai-python",
    ("the openai package", "Python"),
    &[connections(
        "connections of a client",
        DefaultNumber::Count(1_000),
        "`OpenAI(http_client=DefaultHttpxClient(limits=...))`",
        "openai/openai-python src/openai/_constants.py",
    )],
    "openai/openai-python src/openai/_constants.py",
);

pub(super) static REACTOR_NETTY: Platform = client(
    "reactor-netty",
    ("Reactor Netty's HttpClient, which WebClient uses", "Java"),
    &[connections(
        "connections to a host; a call that finds none free waits 45 s",
        DefaultNumber::Count(500),
        "`ConnectionProvider.builder(...).maxConnections(N)`",
        "reactor/reactor-netty reactor-netty-core/src/main/java/reactor/netty/tcp/TcpResources.java",
    )],
    "reactor/reactor-netty reactor-netty-core/src/main/java/reactor/netty/tcp/TcpResources.java",
);

pub(super) static AWC: Platform = client(
    "awc",
    ("awc, the client of actix", "Rust"),
    &[connections(
        "connections of a client",
        DefaultNumber::Count(100),
        "`Connector::limit(N)`",
        "https://docs.rs/awc/latest/awc/struct.Connector.html#method.limit",
    )],
    "https://docs.rs/awc/latest/awc/struct.Connector.html#method.limit",
);

const SQLALCHEMY_SETTING: &str = "`create_engine(pool_size=N, max_overflow=M)`: their sum";
const SQLALCHEMY_SOURCE: &str = "sqlalchemy/sqlalchemy lib/sqlalchemy/pool/impl.py";

pub(super) static SQLALCHEMY: Platform = client(
    "sqlalchemy",
    ("SQLAlchemy", "Python"),
    &[
        database(
            (UpstreamLimit, ClientPool),
            "connections to the database (5 and 10 more), if each stream keeps its session to its end",
            15,
            SQLALCHEMY_SETTING,
            SQLALCHEMY_SOURCE,
        ),
        database(
            (ThreadPoolHeld, InnerPool),
            "connections to the database (5 and 10 more), if each stream keeps its session and the health check asks the \
             database",
            15,
            SQLALCHEMY_SETTING,
            SQLALCHEMY_SOURCE,
        ),
    ],
    SQLALCHEMY_SOURCE,
);

const HIKARI_SETTING: &str = "`spring.datasource.hikari.maximum-pool-size`";
const HIKARI_SOURCE: &str = "brettwooldridge/HikariCP src/main/java/com/zaxxer/hikari/HikariConfig.java";

pub(super) static HIKARI: Platform = client(
    "hikaricp",
    ("HikariCP, the pool of Spring Boot", "Java"),
    &[
        database(
            (UpstreamLimit, ClientPool),
            "connections to the database, if each stream keeps one to its end",
            10,
            HIKARI_SETTING,
            HIKARI_SOURCE,
        ),
        database(
            (ThreadPoolHeld, InnerPool),
            "connections to the database, if each stream keeps one and the health check asks the database",
            10,
            HIKARI_SETTING,
            HIKARI_SOURCE,
        ),
    ],
    HIKARI_SOURCE,
);

/// What servers allow on one connection of HTTP/2; a client with a single connection has no more streams than that.
const fn http2(what: &'static str, streams: u64, source: &'static str) -> Limit {
    Limit {
        what,
        kind: UpstreamLimit,
        form: Some(Http2Streams),
        default: DefaultNumber::Count(streams),
        setting: "a number that the other side sets, in front of the vendor; on yours, the number of connections",
        larger: "the vendor, or the proxy before it, sets it",
        fix: "let the client open another connection when one is full (.NET: `EnableMultipleHttp2Connections`), or use \
              HTTP/1.1 to the vendor",
        lab: Some("client-pool"),
        source,
    }
}

pub(super) static HTTP2: Platform = client(
    "http2",
    ("HTTP/2 to the vendor, on one connection", ""),
    &[
        http2("streams that Kestrel allows", 100, "dotnet/aspnetcore src/Servers/Kestrel/Core/src/Http2Limits.cs"),
        http2("streams that Tomcat allows", 100, "apache/tomcat java/org/apache/coyote/http2/Http2Protocol.java"),
        http2("streams that Apache httpd allows", 100, "apache/httpd modules/http2/h2_config.c"),
        http2("streams that nginx allows", 128, "nginx/nginx src/http/v2/ngx_http_v2_module.c"),
        http2(
            "streams that Jetty allows",
            128,
            "jetty/jetty.project \
             jetty-core/jetty-http2/jetty-http2-server/src/main/java/org/eclipse/jetty/http2/server/AbstractHTTP2ServerConnectionFactory.java",
        ),
        http2(
            "streams that hyper (axum) allows",
            200,
            "https://docs.rs/hyper/latest/hyper/server/conn/http2/struct.Builder.html#method.max_concurrent_streams",
        ),
        http2("streams that Go's server allows", 250, "golang/net http2/server.go"),
    ],
    "https://www.rfc-editor.org/rfc/rfc9113.html#section-5.1.2",
);
