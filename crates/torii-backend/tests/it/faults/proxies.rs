//! Proxies, which the environment names: each scenario runs in a process with an environment of its own.

use std::time::Duration;

use torii_backend::http_client::HttpErrorKind;

use super::{Kind, PROMPT, USER, chain, found, in_a_child, is_transport, made, somebody, timed};
use crate::support::faultd::{Faultd, Reply, Script};

const PASSWORD: &str = "pr0xyPassw0rd";
/// What the child is to be told about the proxy, and where.
const PROXY: &str = "FAULTS_PROXY";
const SERVER: &str = "FAULTS_SERVER";

/// The address of a proxy, with credentials.
fn with_password(proxy: &Faultd) -> String {
    proxy
        .url()
        .replace("http://", &format!("http://us%20er:{PASSWORD}@"))
}

fn fails_in_a_child(test: &str, proxy: &Faultd) {
    let url = with_password(proxy);
    let host = proxy.url().replace("http://", "");
    let variables = [
        ("HTTPS_PROXY", url.as_str()),
        (PROXY, &host),
        ("NO_PROXY", "example.test"),
    ];
    in_a_child(
        &format!("faults::proxies::{test}"),
        &variables,
        is_not_sent_through_the_proxy,
    );
}

/// In the child: nothing was sent, and the proxy is named without its password.
fn is_not_sent_through_the_proxy() {
    let proxy = std::env::var(PROXY).unwrap();
    for kind in Kind::BOTH {
        let client = kind.client_with("https://api.torii.test", |b| {
            b.connect_timeout(Duration::from_millis(500))
        });
        let (outcome, took) = timed(|| made!(client, torii => torii.users().create(&somebody())));
        let error = outcome.unwrap_err();
        assert!(
            is_transport(&error, HttpErrorKind::Connect),
            "{kind:?}: {error:?}"
        );
        assert!(took < PROMPT, "{kind:?}: {took:?}");
        let told = format!("{} {error:?} {client:?}", chain(&error));
        assert!(
            chain(&error).contains(&format!("through the proxy {proxy}")),
            "{kind:?}: {told}"
        );
        assert!(!told.contains(PASSWORD), "{kind:?}: {told}");
    }
}

#[test]
fn a_proxy_that_is_down_is_named() {
    let proxy = Faultd::start(found());
    proxy.down();
    fails_in_a_child("a_proxy_that_is_down_is_named", &proxy);
}

#[test]
fn a_proxy_that_wants_other_credentials_is_named() {
    let proxy = Faultd::start(Reply::new(407).header("proxy-authenticate", "Basic"));
    fails_in_a_child("a_proxy_that_wants_other_credentials_is_named", &proxy);
    let requests = proxy.requests();
    // Two clients, two attempts each.
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert_eq!(request.line(), "CONNECT api.torii.test:443 HTTP/1.1");
        assert_eq!(
            request.header("proxy-authorization"),
            Some("Basic dXMgZXI6cHIweHlQYXNzdzByZA==")
        );
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn a_proxy_that_never_answers_is_named() {
    let proxy = Faultd::start(Script::hang());
    fails_in_a_child("a_proxy_that_never_answers_is_named", &proxy);
}

#[test]
fn a_proxy_of_an_unsupported_kind_is_not_gone_around() {
    let test = "faults::proxies::a_proxy_of_an_unsupported_kind_is_not_gone_around";
    let variables = [("ALL_PROXY", "socks5://user:pr0xyPassw0rd@127.0.0.1:9")];
    in_a_child(test, &variables, the_proxy_is_refused);
}

fn the_proxy_is_refused() {
    for kind in Kind::BOTH {
        let client = kind.client("https://api.torii.test");
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        assert!(is_transport(&error, HttpErrorKind::Setup), "{kind:?}: {error:?}");
        assert!(!format!("{error:?} {client:?}").contains(PASSWORD), "{kind:?}");
    }
}

#[test]
fn loopback_and_excepted_hosts_are_reached_without_the_proxy() {
    let (proxy, server) = (Faultd::start(found()), Faultd::start(found()));
    let url = with_password(&proxy);
    in_a_child(
        "faults::proxies::loopback_and_excepted_hosts_are_reached_without_the_proxy",
        &[
            ("HTTP_PROXY", &url),
            ("HTTPS_PROXY", &url),
            ("ALL_PROXY", &url),
            ("NO_PROXY", "host.invalid"),
            (SERVER, &server.url()),
        ],
        the_proxy_is_not_asked,
    );
    assert_eq!((proxy.count(), server.count()), (0, 4));
}

fn the_proxy_is_not_asked() {
    let server = std::env::var(SERVER).unwrap();
    for kind in Kind::BOTH {
        for url in [server.clone(), server.replace("127.0.0.1", "localhost")] {
            let client = kind.client(url);
            made!(client, torii => torii.users().get(USER)).unwrap();
        }
        for url in [
            "https://host.invalid".to_owned(),
            server.replace("http:", "https:"),
        ] {
            let client = kind.client(url);
            let error = made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err();
            assert!(
                is_transport(&error, HttpErrorKind::Connect),
                "{kind:?}: {error:?}"
            );
            assert!(!error.to_string().contains("proxy"), "{kind:?}: {error}");
        }
    }
}
