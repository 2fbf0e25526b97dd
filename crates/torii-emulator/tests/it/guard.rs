use reqwest::header::HeaderMap;
use torii_emulator::Fault;

use crate::api::{Api, send};

#[tokio::test]
async fn a_foreign_host_gets_nothing() {
    let api = Api::start().await;
    for (host, status) in [
        ("evil.example", "403"),
        ("127.0.0.1.evil.example", "403"),
        ("192.168.1.5", "403"),
        ("localhost", "200"),
        ("localhost:9", "200"),
        ("[::1]:9", "200"),
    ] {
        for path in ["/_torii/.well-known/jwks.json", "/_emulator/v1/clock"] {
            let bytes = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let reply = api.raw(bytes.as_bytes()).await.expect("a reply");
            let text = String::from_utf8_lossy(&reply);
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {text}");
        }
    }
    for headers in ["", "Host: localhost\r\nHost: evil.example\r\n"] {
        let bytes = format!("GET /_emulator/v1/health HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        let reply = api.raw(bytes.as_bytes()).await.expect("a reply");
        assert!(
            reply.starts_with(b"HTTP/1.1 400 "),
            "{}",
            String::from_utf8_lossy(&reply)
        );
    }
}

#[tokio::test]
async fn a_page_of_another_machine_changes_nothing_and_no_page_is_invited() {
    let api = Api::start().await;
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://192.168.1.5",
    ] {
        for (method, path) in [
            ("POST", "/_emulator/v1/reset"),
            ("GET", "/_torii/.well-known/jwks.json"),
        ] {
            let reply = send(api.request(method, path).header("origin", origin)).await;
            assert_no_cors(&reply.headers);
            reply.refused(403, "foreign_origin");
        }
    }
    for origin in ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443"] {
        let reply = send(
            api.request("GET", "/_emulator/v1/health")
                .header("origin", origin),
        )
        .await;
        assert_no_cors(&reply.headers);
        reply.expect(200);
    }
}

#[tokio::test]
async fn a_control_call_that_changes_or_exports_something_needs_a_header_that_no_page_can_send() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let call = |method, path: &str| api.plain(method, &format!("/_emulator/v1{path}"));
    for (method, path) in [
        ("POST", "/reset"),
        ("POST", "/tokens"),
        ("POST", "/keys/rotate"),
        ("PUT", "/clock"),
        ("DELETE", "/requests"),
        ("DELETE", "/faults"),
        ("GET", "/export"),
        ("HEAD", "/export"),
    ] {
        let reply = call(method, path).send().await.expect("a reply");
        assert_eq!(reply.status(), 403, "{method} {path}");
        assert_no_cors(reply.headers());
    }
    send(call("POST", "/reset"))
        .await
        .refused(403, "missing_control_header");
    for path in [
        "/health",
        "/clock",
        "/outbox",
        "/settings",
        "/faults",
        "/requests",
    ] {
        send(call("GET", path)).await.expect(200);
    }
    // The preflight by which a page would ask to send the header.
    let preflight = call("OPTIONS", "/reset")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-torii-emulator");
    let preflight = send(preflight).await;
    assert_no_cors(&preflight.headers);
    assert!(!preflight.status.is_success());
    api.call("GET", &format!("/users/{user}"), None).await.expect(200);
}

#[tokio::test]
async fn what_a_page_of_another_site_asks_for_is_refused() {
    let api = Api::start().await;
    for (site, path, status) in [
        ("cross-site", "/_emulator/v1/requests", 403),
        ("same-site", "/_emulator/v1/requests", 403),
        ("same-origin", "/_emulator/v1/requests", 200),
        ("none", "/_emulator/v1/requests", 200),
        ("cross-site", "/_torii/.well-known/jwks.json", 403),
        ("same-site", "/_torii/.well-known/jwks.json", 200),
    ] {
        let reply = send(api.request("GET", path).header("sec-fetch-site", site)).await;
        assert_eq!(reply.status, status, "{site} {path}: {}", reply.body);
    }
    for (path, status) in [("/openapi.json", 200), ("/_emulator/v1/requests", 403)] {
        let link = api.request("GET", path).header("sec-fetch-site", "cross-site");
        let reply = send(link.header("sec-fetch-dest", "document")).await;
        assert_eq!(reply.status, status, "a link to {path}");
    }
}

#[tokio::test]
async fn who_is_refused_at_the_door_spends_no_fault_and_is_not_in_the_log() {
    const JWKS: &str = "/_torii/.well-known/jwks.json";
    let api = Api::start().await;
    let fault = Fault {
        status: Some(503),
        times: Some(1),
        ..Fault::at("*")
    };
    api.torii.control().add_fault(fault).expect("a valid fault");
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        send(api.request("GET", JWKS).header(name, value))
            .await
            .expect(403);
    }
    let control = api.torii.control();
    assert_eq!((control.faults().len(), control.requests().len()), (1, 0));
    api.get(JWKS).await.refused(503, "fault_injected");
    assert_eq!((control.faults().len(), control.requests().len()), (0, 1));
}

#[tokio::test]
async fn a_body_is_held_only_for_who_may_send_it() {
    const MIB: usize = 1024 * 1024;
    let api = Api::start().await;
    let long = "x".repeat(20 * MIB);
    let refused = api
        .request("POST", "/_emulator/v1/import")
        .header("origin", "https://evil.example")
        .body(long.clone());
    send(refused).await.refused(403, "foreign_origin");
    let anonymous = api.request("POST", "/api/server/v1/users").body(long.clone());
    send(anonymous).await.refused(401, "missing_secret_key");
    let known = api
        .request("POST", "/api/server/v1/users")
        .bearer_auth(api.torii.secret_key())
        .body(long);
    send(known).await.refused(413, "body_too_large");
}

fn assert_no_cors(headers: &HeaderMap) {
    let invited = headers
        .keys()
        .any(|name| name.as_str().starts_with("access-control-"));
    assert!(!invited, "{headers:?}");
}
