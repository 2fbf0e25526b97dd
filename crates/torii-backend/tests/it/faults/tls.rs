//! https: who is trusted, what is reused, and what HTTP/2 adds. The roots come from the environment, so what trusts
//! the server runs in a process of its own.

use torii_backend::Error;
use torii_backend::http_client::HttpErrorKind::{Setup, Untrusted};
use torii_backend::http_client::ReqwestClient;

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
    in_a_child(test, &[("SSL_CERT_FILE", path)], act);
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
fn a_variable_that_cannot_be_used_is_named_and_plain_http_on_loopback_works() {
    let test = "faults::tls::a_variable_that_cannot_be_used_is_named_and_plain_http_on_loopback_works";
    for (variable, value) in [
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent"),
        ("REQUESTS_CA_BUNDLE", "/nonexistent"),
        ("CURL_CA_BUNDLE", "/dev/null"),
    ] {
        in_a_child(test, &[(variable, value), (BLAMED, variable)], blame_the_variable);
    }
}

/// The variable that the child's errors must name.
const BLAMED: &str = "FAULTS_BLAMED";

fn blame_the_variable() {
    let blamed = std::env::var(BLAMED).unwrap();
    let (plain, secure) = (Faultd::start(Reply::json(user())), TlsServer::start(user()));
    for kind in Kind::BOTH {
        let client = kind.client(plain.url());
        made!(client, torii => torii.users().get(USER)).unwrap();
        let client = kind.client(secure.url());
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        assert!(is_transport(&error, Setup), "{kind:?}: {error:?}");
        assert!(
            chain(&error).contains(&format!("{blamed} cannot be used")),
            "{}",
            chain(&error)
        );
    }
    let verifier = torii_backend::Verifier::new(secure.url()).unwrap();
    let error = verifier.warm_up_blocking().unwrap_err();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    assert!(
        causes
            .into_iter()
            .any(|error| error.to_string().contains(&blamed)),
        "{error:?}"
    );
}

#[test]
fn whatever_names_certificates_is_trusted_alone() {
    let test = "faults::tls::whatever_names_certificates_is_trusted_alone";
    let folder = std::env::temp_dir().join(format!("torii-{}-certificates", std::process::id()));
    let file = folder.join("ca.pem");
    let (folder, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    let missing_too = format!("/nonexistent:{folder}");
    for variables in [
        &[("SSL_CERT_FILE", file)][..],
        &[("SSL_CERT_DIR", folder)],
        &[("SSL_CERT_DIR", &missing_too)],
        &[("REQUESTS_CA_BUNDLE", file)],
        &[("REQUESTS_CA_BUNDLE", folder), ("SSL_CERT_FILE", "")],
        &[("REQUESTS_CA_BUNDLE", ""), ("CURL_CA_BUNDLE", file)],
    ] {
        let variables: Vec<_> = variables.iter().copied().chain([(FOLDER, folder)]).collect();
        in_a_child(test, &variables, trust_alone);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Where the child writes a certificate.
const FOLDER: &str = "FAULTS_FOLDER";

fn trust_alone() {
    let (server, other) = (TlsServer::start(user()), TlsServer::start(user()));
    let folder = std::path::PathBuf::from(std::env::var(FOLDER).unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), server.authority()).unwrap();
    for kind in Kind::BOTH {
        let client = kind.client(server.url());
        made!(client, torii => torii.users().get(USER)).unwrap();
        // What is given explicitly counts instead.
        let given = ReqwestClient::builder().root_certificates(other.authority());
        let given = given.build().unwrap();
        let client = kind.client_with(other.url(), |b| b.http_client(given.clone()));
        made!(client, torii => torii.users().get(USER)).unwrap();
        let client = kind.client_with(server.url(), |b| b.http_client(given));
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        assert!(is_transport(&error, Untrusted), "{kind:?}: {error:?}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    for (setting, builder) in [
        (
            "root certificates",
            ReqwestClient::builder().root_certificates(""),
        ),
        (
            "root certificates",
            ReqwestClient::builder()
                .root_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
        ),
        (
            "proxy",
            ReqwestClient::builder().proxy("socks5://user:kept-secret@127.0.0.1:9"),
        ),
        ("user agent", ReqwestClient::builder().user_agent("kept-secret\n")),
        (
            "connect_timeout",
            ReqwestClient::builder().connect_timeout(std::time::Duration::ZERO),
        ),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.setting(), setting);
        assert!(!error.to_string().contains("kept-secret"), "{error}");
    }
}
