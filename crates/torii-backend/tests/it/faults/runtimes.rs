//! Which executors a call can be awaited on: any, and several by turns.

use std::future::IntoFuture;
use std::sync::{Arc, Barrier, LazyLock};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use torii_backend::http_client::{Exchange, HttpClient, HttpErrorKind, Limits, ReqwestClient};
use torii_backend::{Torii, Verifier};

use super::tls::{trusted, trusting};
use super::{Kind, PROMPT, SECRET_KEY, USER, found, in_a_child, is_transport, lost, made, somebody, timed};
use crate::support::faultd::{Faultd, Reply, Script};

fn torii(url: String) -> Torii {
    Torii::builder(SECRET_KEY).api_url(url).build().unwrap()
}

/// Neither timers nor sockets.
fn bare_runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_call_and_its_retries_need_no_tokio_runtime() {
    let server = Faultd::start(found());
    let torii = torii(server.url());
    for _ in 0..2 {
        server.play([lost(), Reply::new(503).into(), found().into()]);
        let reply = pollster::block_on(torii.users().get(USER).with_reply()).unwrap();
        assert_eq!(reply.attempts(), 3);
        server.play([lost(), found().into()]);
        let reply = bare_runtime()
            .block_on(torii.users().get(USER).with_reply())
            .unwrap();
        assert_eq!(reply.attempts(), 2);
    }
    server.set(Script::hang());
    let call = torii.users().get(USER).timeout(Duration::from_millis(200));
    let (outcome, took) = timed(|| pollster::block_on(call.into_future()));
    assert!(is_transport(&outcome.unwrap_err(), HttpErrorKind::Timeout));
    assert!(took < PROMPT, "{took:?}");
}

/// As a `static` client in tests, each of which has a runtime of its own.
#[test]
fn one_client_serves_several_runtimes_also_when_the_first_is_idle_or_gone() {
    trusting(
        "faults::runtimes::one_client_serves_several_runtimes_also_when_the_first_is_idle_or_gone",
        serve_several_runtimes,
    );
}

fn serve_several_runtimes() {
    let (plain, secure) = (Faultd::start(found()), trusted());
    for url in [plain.url(), secure.url()] {
        let torii = torii(url);
        let create = |runtime: &Runtime| {
            let call = torii.users().create(&somebody()).without_retries();
            let (outcome, took) = timed(|| runtime.block_on(call.into_future()));
            outcome.unwrap();
            assert!(took < PROMPT, "{took:?}");
        };
        // Nobody polls it between its calls.
        let idle = Builder::new_current_thread().enable_all().build().unwrap();
        create(&idle);
        for _ in 0..100 {
            let gone = Builder::new_current_thread().enable_all().build().unwrap();
            create(&gone);
            drop(gone);
            create(&idle);
        }
    }
    assert_eq!(secure.counts().0, 1, "connections are shared");
}

/// Over HTTP/2 all requests to a host share one connection, whoever opened it.
#[test]
fn one_client_serves_verifiers_and_api_clients_over_http2() {
    trusting(
        "faults::runtimes::one_client_serves_verifiers_and_api_clients_over_http2",
        serve_everybody_over_http2,
    );
}

fn serve_everybody_over_http2() {
    const ROUNDS: usize = 300;
    const VERIFIERS: usize = 4;
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    let server = trusted();
    server.publish();
    for round in 0..ROUNDS {
        // A client of its own for each round: every connection is opened while others wait for it.
        let client = ReqwestClient::default();
        let verifiers = (0..VERIFIERS).map(|_| {
            let verifier = Verifier::builder(server.url()).http_client(client.clone());
            let verifier = verifier.build().unwrap();
            RUNTIME.spawn(async move { verifier.warm_up().await.map_err(|error| error.to_string()) })
        });
        let verifiers: Vec<_> = verifiers.collect();
        let torii = Torii::builder(SECRET_KEY)
            .api_url(server.url())
            .http_client(client.clone())
            .build()
            .unwrap();
        let create = torii.users().create(&somebody()).without_retries();
        pollster::block_on(create.into_future()).unwrap_or_else(|error| panic!("{round}: {error:?}"));
        for verifier in verifiers {
            let warmed = RUNTIME.block_on(verifier).unwrap();
            assert_eq!(warmed, Ok(()), "round {round}");
        }
    }
}

/// With the default settings: the verifiers fetch over connections that they share with everybody in the process.
#[test]
fn verifiers_of_several_issuers_on_one_host_start_together_over_http2() {
    trusting(
        "faults::runtimes::verifiers_of_several_issuers_on_one_host_start_together_over_http2",
        start_together_over_http2,
    );
}

fn start_together_over_http2() {
    const ROUNDS: usize = 100;
    const ISSUERS: usize = 8;
    let server = trusted();
    server.publish();
    for round in 0..ROUNDS {
        torii_backend::forget_shared_keys();
        let start = Barrier::new(ISSUERS);
        let warm_up = |issuer: usize| {
            let verifier = Verifier::new(format!("{}/{issuer}", server.url())).unwrap();
            start.wait();
            verifier.warm_up_blocking().map_err(|error| error.to_string())
        };
        thread::scope(|scope| {
            let warm_up = &warm_up;
            let threads: Vec<_> = (0..ISSUERS)
                .map(|issuer| scope.spawn(move || warm_up(issuer)))
                .collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Ok(()), "round {round}");
            }
        });
    }
    let (connections, requests) = server.counts();
    assert_eq!(requests, ROUNDS * ISSUERS);
    assert!(connections <= ISSUERS, "{connections}");
}

/// A client that sleeps as tokio's users do.
#[derive(Debug)]
struct Tokio(Faultd);

impl HttpClient for Tokio {
    fn send<'a>(&'a self, _request: Request<Bytes>, _limits: Limits) -> Exchange<'a> {
        Box::pin(async {
            let address = self.0.url().replace("http://", "");
            drop(tokio::net::TcpStream::connect(address).await.unwrap());
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(Response::new(super::user().into()))
        })
    }
}

#[test]
fn a_blocking_call_can_use_an_http_client_that_is_made_for_tokio() {
    let client = Arc::new(Tokio(Faultd::start(found())));
    let torii = Torii::builder(SECRET_KEY).http_client(client);
    let torii = torii.build_blocking().unwrap();
    torii.users().get(USER).send().unwrap();
    // Inside a runtime as well, as in a handler of a web framework.
    bare_runtime().block_on(async { torii.users().get(USER).send().unwrap() });
}

#[test]
fn no_thread_starts_and_no_socket_opens_before_the_first_call() {
    in_a_child(
        "faults::runtimes::no_thread_starts_and_no_socket_opens_before_the_first_call",
        &[],
        || {
            let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
            let server = Faultd::start(found());
            let before = (count("task"), count("fd"));
            let clients = Kind::BOTH.map(|kind| kind.client(server.url()));
            assert_eq!((count("task"), count("fd")), before);
            made!(clients[1], torii => torii.users().get(USER)).unwrap();
            assert!((count("task"), count("fd")) > before);
        },
    );
}

/// A host that has moved is found at its new address although the client is always busy.
#[test]
fn connections_are_opened_anew_after_some_time_however_busy_they_are() {
    let server = Faultd::start(found());
    let client = ReqwestClient::builder().connection_lifetime(Duration::from_millis(200));
    let torii = Torii::builder(SECRET_KEY)
        .api_url(server.url())
        .http_client(client.build().unwrap())
        .build()
        .unwrap();
    let get = || pollster::block_on(torii.users().get(USER).into_future()).unwrap();
    let started = std::time::Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        get();
    }
    let opened = server.accepted();
    assert!((2..=6).contains(&opened), "{opened}");
    // A request under way is not disturbed, and nothing stays open for ever.
    server.set(Script::from(found()).after(Duration::from_millis(500)));
    std::thread::scope(|scope| {
        scope.spawn(get);
        std::thread::sleep(Duration::from_millis(250));
        get();
    });
    super::eventually("older connections end", || server.connections() <= 2);
}
