//! Proxies, which the environment names: each scenario runs in a process with an environment of its own.

use std::time::Duration;

use torii_backend::http_client::{HttpErrorKind, ReqwestClient};

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
fn a_proxy_that_cannot_be_used_is_not_gone_around_and_its_variable_is_named() {
    let test = "faults::proxies::a_proxy_that_cannot_be_used_is_not_gone_around_and_its_variable_is_named";
    for (variable, value) in [
        ("ALL_PROXY", "socks5://user:pr0xyPassw0rd@127.0.0.1:9"),
        ("HTTPS_PROXY", "http://user:pr0xyPassw0rd@:9"),
        ("https_proxy", "ftp://user:pr0xyPassw0rd@127.0.0.1:9"),
        ("all_proxy", "http://user:pr0xyPassw0rd@127.0.0.1:x"),
    ] {
        in_a_child(
            test,
            &[(variable, value), (PROXY, variable)],
            the_proxy_is_refused,
        );
    }
}

fn the_proxy_is_refused() {
    let variable = std::env::var(PROXY).unwrap();
    for kind in Kind::BOTH {
        let client = kind.client("https://api.torii.test");
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        assert!(is_transport(&error, HttpErrorKind::Setup), "{kind:?}: {error:?}");
        assert!(
            chain(&error).contains(&format!("{variable} is n")),
            "{}",
            chain(&error)
        );
        assert!(
            !format!("{} {error:?} {client:?}", chain(&error)).contains(PASSWORD),
            "{kind:?}"
        );
    }
}

#[test]
fn the_first_variable_that_is_set_counts() {
    let test = "faults::proxies::the_first_variable_that_is_set_counts";
    let (proxy, other) = (Faultd::start(Reply::new(502)), Faultd::start(Reply::new(502)));
    let (proxy_url, other_url) = (with_password(&proxy), with_password(&other));
    let server = |url: &str| (SERVER, url.to_owned());
    for (variables, url) in [
        (
            &[("https_proxy", &*proxy_url), ("HTTPS_PROXY", &other_url)][..],
            "https://api.test",
        ),
        (
            &[("HTTPS_PROXY", &proxy_url), ("all_proxy", &other_url)],
            "https://api.test",
        ),
        (
            &[("ALL_PROXY", &proxy_url), ("http_proxy", &other_url)],
            "https://api.test",
        ),
        (
            &[("HTTP_PROXY", &proxy_url), ("HTTPS_PROXY", &other_url)],
            "http://api.test",
        ),
        (
            &[
                ("HTTP_PROXY", &other_url),
                ("ALL_PROXY", &proxy_url),
                ("REQUEST_METHOD", "GET"),
            ],
            "http://api.test",
        ),
        (
            &[("ALL_PROXY", &proxy_url), ("NO_PROXY", "api.test:8443")],
            "https://api.test",
        ),
    ] {
        let (before, url) = (proxy.count(), server(url));
        let variables: Vec<_> = variables.iter().copied().chain([(url.0, &*url.1)]).collect();
        in_a_child(test, &variables, ask_through_the_proxy);
        assert_eq!((proxy.count() - before, other.count()), (2, 0), "{variables:?}");
    }
}

fn ask_through_the_proxy() {
    for kind in Kind::BOTH {
        let url = std::env::var(SERVER).unwrap();
        let client = kind.client_with(url, |b| b.allow_insecure_http(true));
        made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err();
    }
}

#[test]
fn an_explicit_proxy_or_none_counts_before_every_variable() {
    let test = "faults::proxies::an_explicit_proxy_or_none_counts_before_every_variable";
    let (proxy, other) = (Faultd::start(Reply::new(502)), Faultd::start(Reply::new(502)));
    let url = with_password(&proxy);
    let variables = [("HTTPS_PROXY", &*other.url()), ("NO_PROXY", "*"), (PROXY, &url)];
    in_a_child(test, &variables, choose_the_proxy);
    assert_eq!((proxy.count(), other.count()), (2, 0));
}

fn choose_the_proxy() {
    let given = ReqwestClient::builder()
        .proxy(&std::env::var(PROXY).unwrap())
        .build()
        .unwrap();
    let none = ReqwestClient::builder().no_proxy().build().unwrap();
    for kind in Kind::BOTH {
        for http_client in [&given, &none] {
            let client = kind.client_with("https://host.invalid", |b| b.http_client(http_client.clone()));
            made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err();
            assert!(!format!("{client:?}").contains(PASSWORD));
        }
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
