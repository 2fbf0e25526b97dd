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
            assert_no_cors(&reply);
            reply.refused(403, "foreign_origin");
        }
    }
    for origin in ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443"] {
        let reply = send(
            api.request("GET", "/_emulator/v1/health")
                .header("origin", origin),
        )
        .await;
        assert_no_cors(&reply);
        reply.expect(200);
    }
}

fn assert_no_cors(reply: &crate::api::Reply) {
    let invited = reply
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("access-control-"));
    assert!(!invited, "{:?}", reply.headers);
}
