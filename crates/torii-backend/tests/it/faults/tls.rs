//! https: who is trusted, what is reused, and what HTTP/2 adds. The roots come from the environment, so what trusts
//! the server runs in a process of its own.

use torii_backend::Error;
use torii_backend::http_client::HttpErrorKind::{self, Connect, Untrusted};

use super::{Client, Kind, RUNTIME, USER, chain, in_a_child, is_transport, made, somebody, user};
use crate::support::faultd::{Faultd, Reply};
use crate::support::tls::{Meets, TlsServer};

#[test]
fn a_server_that_is_not_trusted_gets_nothing_and_no_second_chance() {
    let server = TlsServer::start(user());
    for kind in Kind::BOTH {
        let client = kind.client(server.url());
        let error = made!(client, torii => torii.users().create(&somebody())).unwrap_err();
        assert!(is_transport(&error, Untrusted), "{kind:?}: {error:?}");
        assert!(
            chain(&error).contains("UnknownIssuer"),
            "{kind:?}: {}",
            chain(&error)
        );
        let Error::Transport(error) = error else {
            unreachable!()
        };
        assert_eq!(
            (error.attempts(), error.may_have_been_sent()),
            (1, false),
            "{kind:?}"
        );
    }
    assert_eq!(server.counts().1, 0);
}

/// Does something in a child whose roots are what [`trusted`] writes.
pub(crate) fn trusting(test: &str, act: impl FnOnce()) {
    let file = std::env::temp_dir().join(format!(
        "torii-{}-{}.pem",
        std::process::id(),
        test.replace(':', "-")
    ));
    let path = file.to_str().unwrap();
    in_a_child(
        test,
        &[("SSL_CERT_FILE", path), ("SSL_CERT_DIR", "/nonexistent")],
        act,
    );
    std::fs::remove_file(file).unwrap();
}

/// In the child: a server that its clients will trust.
pub(crate) fn trusted() -> TlsServer {
    let server = TlsServer::start(user());
    std::fs::write(std::env::var("SSL_CERT_FILE").unwrap(), server.authority()).unwrap();
    server
}

#[test]
fn connections_are_reused() {
    trusting("faults::tls::connections_are_reused", reuse_connections);
}

fn reuse_connections() {
    let server = trusted();
    for (kind, connections) in Kind::BOTH.into_iter().zip(1..) {
        let client = kind.client(server.url());
        for _ in 0..10 {
            made!(client, torii => torii.users().get(USER)).unwrap();
        }
        assert_eq!(server.counts().0, connections, "{kind:?}");
    }
    // Another name than the certificate's, at the same address.
    for kind in Kind::BOTH {
        let client = kind.client(server.url().replace("localhost", "127.0.0.1"));
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        assert!(is_transport(&error, Untrusted), "{kind:?}: {error:?}");
        assert!(
            chain(&error).contains("not valid for"),
            "{kind:?}: {}",
            chain(&error)
        );
    }
}

#[test]
fn what_http2_refuses_was_not_done() {
    trusting("faults::tls::what_http2_refuses_was_not_done", refuse_streams);
}

fn refuse_streams() {
    let server = trusted();
    let client = Kind::Async.client(server.url());
    let requests = || server.counts().1;
    made!(client, torii => torii.users().get(USER)).unwrap();

    server.play([Meets::RefusedStream]);
    made!(client, torii => torii.users().delete(USER)).unwrap();
    assert_eq!(requests(), 3, "a refused stream is repeated, whatever the class");

    for lost in [Meets::CancelledStream, Meets::GoAway] {
        let before = requests();
        server.play([lost]);
        let error = made!(client, torii => torii.users().delete(USER)).unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(_)), "{lost:?}: {error:?}");
        assert_eq!(requests(), before + 1, "{lost:?}");
        server.play([lost]);
        assert_eq!(
            made!(client, torii => torii.users().get(USER))
                .unwrap()
                .attempts(),
            2,
            "{lost:?}"
        );
    }

    // Many at once over one connection.
    let before = server.counts().0;
    let Client::Async(torii) = &client else {
        unreachable!()
    };
    RUNTIME.block_on(async {
        let calls: Vec<_> = (0..100)
            .map(|_| tokio::spawn(torii.users().get(USER).into_future()))
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    });
    assert!(server.counts().0 <= before + 1);
}

#[test]
fn without_any_roots_http_on_loopback_works_and_https_says_what_is_missing() {
    let nowhere = [
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ];
    let test = "faults::tls::without_any_roots_http_on_loopback_works_and_https_says_what_is_missing";
    in_a_child(test, &nowhere, trust_nobody);
}

fn trust_nobody() {
    let (plain, secure) = (Faultd::start(Reply::json(user())), TlsServer::start(user()));
    for kind in Kind::BOTH {
        let client = kind.client(plain.url());
        made!(client, torii => torii.users().get(USER)).unwrap();
        let client = kind.client(secure.url());
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        let is_one_of = |kinds: &[HttpErrorKind]| kinds.iter().any(|kind| is_transport(&error, *kind));
        assert!(is_one_of(&[Untrusted, Connect]), "{kind:?}: {error:?}");
        assert!(
            chain(&error).contains("certificate"),
            "{kind:?}: {}",
            chain(&error)
        );
    }
}
