use serde_json::json;

use crate::api::{Api, Members as _, send};

const USERS: &str = "/api/server/v1/users";

#[tokio::test]
async fn a_call_without_a_known_secret_key_is_refused_before_its_body_is_read() {
    let api = Api::start().await;
    let cases: [(Option<&str>, &str); 8] = [
        (None, "missing_secret_key"),
        (Some(""), "missing_secret_key"),
        (Some("Bearer"), "missing_secret_key"),
        (Some("Basic c2tfdGVzdF9sb2NhbA=="), "missing_secret_key"),
        (Some("sk_test_local"), "missing_secret_key"),
        (Some("Bearer sk_test_loca"), "invalid_secret_key"),
        (Some("Bearer sk_test_local2"), "invalid_secret_key"),
        (Some("Bearer sk_live_51H8x"), "live_secret_key"),
    ];
    for (header, code) in cases {
        for path in [
            USERS,
            "/api/server/v1/users/search?limit=x",
            "/api/server/v1/users/me/ban",
        ] {
            let mut request = api.request("POST", path).body("not JSON");
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let reply = send(request).await;
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
            let problem = reply.refused(401, code);
            assert!(!problem.text("detail").contains("51H8x"));
        }
    }
    send(
        api.request("POST", USERS)
            .header("authorization", "bEaReR sk_test_local")
            .json(&json!({})),
    )
    .await
    .expect(201);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let api = Api::start().await;
    for path in [
        "/",
        "/api/server/v1",
        "/api/server/v1/users/",
        "/_emulator/v1",
        "/_emulator/v1/x",
        "/_torii/nothing",
    ] {
        let problem = api.get(path).await.refused(404, "unknown_path");
        assert_eq!(problem["instance"], format!("{}{path}", api.torii.issuer()));
    }
    let unreadable = send(api.request("DELETE", "/_emulator/v1/keys/%FF")).await;
    unreadable.refused(400, "invalid_request");
    for (method, path, allowed) in [
        ("DELETE", USERS, vec!["POST"]),
        ("GET", "/api/server/v1/users/search", vec!["POST"]),
        ("PUT", "/api/server/v1/users/x", vec!["DELETE", "GET", "PATCH"]),
        ("POST", "/_torii/.well-known/jwks.json", vec!["GET"]),
        ("OPTIONS", "/_emulator/v1/clock", vec!["GET", "PUT"]),
        ("BREW", USERS, vec!["POST"]),
    ] {
        let reply = send(api.request(method, path)).await;
        let mut allow: Vec<_> = reply.headers["allow"]
            .to_str()
            .expect("text")
            .split(',')
            .map(str::to_owned)
            .collect();
        allow.retain(|method| method != "HEAD");
        allow.sort();
        assert_eq!(allow, allowed, "{method} {path}");
        reply.refused(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_objects_are_refused() {
    let api = Api::start().await;
    let deep = format!(
        "{{\"publicMetadata\":{}1{}}}",
        "{\"a\":".repeat(10_000),
        "}".repeat(10_000)
    );
    let bodies: [&[u8]; 12] = [
        b"{",
        b"{\"firstName\":}",
        b"{\"firstName\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\"firstName\":\"\\ud800\"}",
        b"{\"firstName\":\"a\",\"firstName\":\"b\"}",
        b"{} {}",
        b"{'firstName':1}",
        b"{\"publicMetadata\":{\"n\":1e999}}",
        b"null",
        b"[]",
        deep.as_bytes(),
    ];
    for body in bodies {
        for path in [USERS, "/api/server/v1/users/search", "/_emulator/v1/tokens"] {
            let request = api
                .request("POST", path)
                .bearer_auth(api.torii.secret_key())
                .header("content-type", "application/json; charset=utf-8")
                .body(body.to_vec());
            send(request).await.refused(400, "invalid_request");
        }
    }
    let request = api.request("POST", USERS).bearer_auth(api.torii.secret_key());
    send(request).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn a_body_has_to_be_declared_as_json() {
    let api = Api::start().await;
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some(""),
    ] {
        let mut request = api
            .request("POST", USERS)
            .bearer_auth(api.torii.secret_key())
            .body("{}");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        send(request).await.refused(415, "unsupported_media_type");
    }
    // A search without filters needs no body, and then no type either.
    let request = api
        .request("POST", "/api/server/v1/users/search")
        .bearer_auth(api.torii.secret_key());
    send(request).await.expect(200);
}

#[tokio::test]
async fn a_body_over_a_megabyte_is_refused_however_it_is_sent() {
    let api = Api::start().await;
    let long = vec![b'x'; 10 * 1024 * 1024];
    for _ in 0..3 {
        let request = api
            .request("POST", USERS)
            .bearer_auth(api.torii.secret_key())
            .header("content-type", "application/json")
            .body(long.clone());
        send(request).await.refused(413, "body_too_large");
    }
    // The secret key is looked at first.
    let request = api.request("POST", USERS).body(long);
    send(request).await.refused(401, "missing_secret_key");
    // In chunks, without a length.
    let mut bytes = format!(
        "POST {USERS} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer sk_test_local\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        api.authority()
    )
    .into_bytes();
    for _ in 0..80 {
        bytes.extend(b"4000\r\n");
        bytes.extend([b' '; 0x4000]);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    let reply = api.raw(&bytes).await.expect("a reply");
    assert!(
        reply.starts_with(b"HTTP/1.1 413 "),
        "{}",
        String::from_utf8_lossy(&reply)
    );
    // Just under the limit is read, and then refused for what it holds.
    let body = json!({"address": "x".repeat(1_000_000)});
    api.call("POST", "/users", Some(body))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn ambiguous_framing_is_refused_and_smuggles_nothing() {
    let api = Api::start().await;
    let host = api.authority();
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for framing in [
        "Content-Length: 3\r\nContent-Length: 5\r\n",
        "Content-Length: +3\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Content-Length : 3\r\n",
        "X: 1\r\n folded: 2\r\n",
    ] {
        let bytes = format!("POST /a HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n{smuggled}");
        // A reset in place of a reply is a refusal as well.
        let reply = api.raw(bytes.as_bytes()).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&reply);
        assert!(
            text.is_empty() || text.starts_with("HTTP/1.1 400 "),
            "{framing:?}: {text}"
        );
    }
    let paths: Vec<String> = api
        .torii
        .control()
        .requests()
        .into_iter()
        .map(|record| record.path)
        .collect();
    assert!(!paths.contains(&"/smuggled".to_owned()), "{paths:?}");
}

#[tokio::test]
async fn odd_targets_get_a_reply() {
    let api = Api::start().await;
    let host = api.authority();
    for (target, status) in [
        ("OPTIONS *".to_owned(), "404"),
        (format!("CONNECT {host}"), "404"),
        ("GET /../../etc/passwd".to_owned(), "404"),
        ("GET /%2e%2e/%2e%2e/etc/passwd".to_owned(), "404"),
        ("GET /%ff".to_owned(), "404"),
        (
            format!("GET http://{host}/.well-known/openid-configuration"),
            "200",
        ),
        (
            "GET http://evil.example/.well-known/openid-configuration".to_owned(),
            "403",
        ),
    ] {
        let bytes = format!("{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let reply = api.raw(bytes.as_bytes()).await.expect("a reply");
        let text = String::from_utf8_lossy(&reply);
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} ")),
            "{target}: {text}"
        );
    }
}
