//! Servers of the Java virtual machine.

use super::row::{DefaultNumber, Limit, Platform, Serving};
use crate::result::DiagnosisForm::{InnerPool, WorkerPerRequest};
use crate::result::DiagnosisKind::{ConnectionLimit, EventLoopBlocked, ThreadPoolHeld};

const JVM_THREADS: &str = "each of them is a thread of the operating system, with a stack of its own";
const REACTIVE: &str = "return a `Flux` from WebFlux with `WebClient`, or let virtual threads (Java 21, \
                        `spring.threads.virtual.enabled=true`) do the waiting, with a limit on calls at once";
const NOT_ON_THE_LOOP: &str = "find the call that blocks (`jstack PID` while it stands, or BlockHound) and replace it by \
                               an asynchronous one";

pub(super) static SPRING: Platform = Platform {
    name: "spring",
    title: "Spring MVC on Tomcat",
    language: "Java",
    serving: Serving::Workers,
    signs: &[],
    limits: &[
        Limit {
            what: "threads of Tomcat, each for one request at a time",
            kind: ThreadPoolHeld,
            form: Some(WorkerPerRequest),
            default: DefaultNumber::Count(200),
            setting: "`server.tomcat.threads.max`",
            larger: JVM_THREADS,
            fix: REACTIVE,
            lab: None,
            source: "apache/tomcat java/org/apache/tomcat/util/net/AbstractEndpoint.java",
        },
        Limit {
            what: "threads of `applicationTaskExecutor`, which runs what Spring MVC answers asynchronously \
                   (StreamingResponseBody, Flux); its queue has no limit, so it never grows beyond them",
            kind: ThreadPoolHeld,
            form: Some(InnerPool),
            default: DefaultNumber::Count(8),
            setting: "`spring.task.execution.pool.core-size`",
            larger: JVM_THREADS,
            fix: REACTIVE,
            lab: None,
            source: "spring-projects/spring-boot \
                     core/spring-boot-autoconfigure/src/main/java/org/springframework/boot/autoconfigure/task/TaskExecutionProperties.java",
        },
        Limit {
            what: "connections of Tomcat",
            kind: ConnectionLimit,
            form: None,
            default: DefaultNumber::Count(8_192),
            setting: "`server.tomcat.max-connections`",
            larger: "beyond it no more than 100 wait in the backlog (`server.tomcat.accept-count`)",
            fix: "limit the streams at once and reject the rest with 429, before connections run out",
            lab: None,
            source: "apache/tomcat java/org/apache/tomcat/util/net/AbstractEndpoint.java",
        },
    ],
    source: "apache/tomcat java/org/apache/tomcat/util/net/AbstractEndpoint.java",
};

pub(super) static WEBFLUX: Platform = Platform {
    name: "webflux",
    title: "Spring WebFlux on Reactor Netty",
    language: "Java",
    serving: Serving::EventLoop,
    signs: &[],
    limits: &[Limit {
        what: "event loops",
        kind: EventLoopBlocked,
        form: None,
        default: DefaultNumber::OfProcessors("max(4, processors)", |processors| processors.max(4)),
        setting: "`-Dreactor.netty.ioWorkerCount=N`",
        larger: "each further loop stops at a blocking call of its own",
        fix: NOT_ON_THE_LOOP,
        lab: None,
        source: "reactor/reactor-netty reactor-netty-core/src/main/java/reactor/netty/resources/LoopResources.java",
    }],
    source: "reactor/reactor-netty reactor-netty-core/src/main/java/reactor/netty/resources/LoopResources.java",
};

pub(super) static NETTY: Platform = Platform {
    name: "netty",
    title: "Netty",
    language: "Java",
    serving: Serving::EventLoop,
    signs: &[],
    limits: &[Limit {
        what: "event loops",
        kind: EventLoopBlocked,
        form: None,
        default: DefaultNumber::OfProcessors("2 x processors", |processors| 2 * processors),
        setting: "`-Dio.netty.eventLoopThreads=N`",
        larger: "each further loop stops at a blocking call of its own",
        fix: NOT_ON_THE_LOOP,
        lab: None,
        source: "netty/netty transport/src/main/java/io/netty/channel/MultithreadEventLoopGroup.java",
    }],
    source: "netty/netty transport/src/main/java/io/netty/channel/MultithreadEventLoopGroup.java",
};

pub(super) static JETTY: Platform = Platform {
    name: "jetty",
    title: "Jetty",
    language: "Java",
    serving: Serving::Workers,
    signs: &[("server", "jetty(")],
    limits: &[Limit {
        what: "threads of QueuedThreadPool, each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::Count(200),
        setting: "`jetty.threadPool.maxThreads`, in Spring Boot `server.jetty.threads.max`",
        larger: JVM_THREADS,
        fix: REACTIVE,
        lab: None,
        source: "jetty/jetty.project \
                 jetty-core/jetty-util/src/main/java/org/eclipse/jetty/util/thread/QueuedThreadPool.java",
    }],
    source: "jetty/jetty.project jetty-core/jetty-server/src/main/java/org/eclipse/jetty/server/HttpConfiguration.java",
};

pub(super) static UNDERTOW: Platform = Platform {
    name: "undertow",
    title: "Undertow",
    language: "Java",
    serving: Serving::Workers,
    signs: &[],
    limits: &[Limit {
        what: "worker threads, each for one request at a time",
        kind: ThreadPoolHeld,
        form: Some(WorkerPerRequest),
        default: DefaultNumber::OfProcessors("8 x max(2, processors)", |processors| 8 * processors.max(2)),
        setting: "`Undertow.builder().setWorkerThreads(N)`",
        larger: JVM_THREADS,
        fix: REACTIVE,
        lab: None,
        source: "undertow-io/undertow core/src/main/java/io/undertow/Undertow.java",
    }],
    source: "undertow-io/undertow core/src/main/java/io/undertow/Undertow.java",
};

pub(super) static QUARKUS: Platform = Platform {
    name: "quarkus",
    title: "Quarkus",
    language: "Java",
    serving: Serving::EventLoop,
    signs: &[],
    limits: &[Limit {
        what: "worker threads, which blocking endpoints share",
        kind: ThreadPoolHeld,
        form: Some(InnerPool),
        default: DefaultNumber::OfProcessors("max(200, 8 x processors)", |processors| (8 * processors).max(200)),
        setting: "`quarkus.thread-pool.max-threads`",
        larger: JVM_THREADS,
        fix: "return a `Multi` from an endpoint that does not block, or run it on virtual threads \
              (`@RunOnVirtualThread`)",
        lab: None,
        source: "quarkusio/quarkus \
                 core/runtime/src/main/java/io/quarkus/runtime/ThreadPoolConfig.java",
    }],
    source: "quarkusio/quarkus core/runtime/src/main/java/io/quarkus/runtime/ThreadPoolConfig.java",
};
