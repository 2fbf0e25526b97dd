//! An emulator that is reached by another address than the one it knows of itself.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use serde_json::json;
use torii_emulator::{Builder, Emulator};

use crate::api::{Api, Members as _, send};
use crate::tokens::verified;

const ISSUER: &str = "http://torii.test:4010";
const TOKEN: &str = "correct-horse";

#[tokio::test]
async fn tokens_discovery_and_links_carry_the_issuer_that_was_given() {
    let api = Api::of(
        Emulator::builder()
            .issuer("http://Torii.test:4010/")
            .allow_host("other.test"),
    )
    .await;
    assert_eq!(api.torii.issuer(), ISSUER);
    let user = api.any_user().await;
    let token = api.mint(json!({"userId": user})).await;
    let (_, claims) = verified(&api, &token).await.expect("a token of a published key");
    assert_eq!(claims["iss"], ISSUER);
    for host in [
        "torii.test:4010",
        "other.test",
        "OTHER.TEST.:80",
        "localhost",
        "app.localhost:1",
    ] {
        let request = api
            .request("GET", "/.well-known/openid-configuration")
            .header("host", host);
        let discovery = send(request).await.expect(200);
        assert_eq!(discovery["issuer"], ISSUER, "{host}");
        assert_eq!(
            discovery["jwks_uri"],
            format!("{ISSUER}/_torii/.well-known/jwks.json")
        );
    }
    api.change_settings(json!({"landingUrl": "http://localhost:3000/"}))
        .await;
    let body = json!({"actorUserId": user, "reason": "a test"});
    let minted = api
        .call("POST", &format!("/users/{user}/impersonation-token"), Some(body))
        .await
        .expect(200);
    assert!(minted.text("url").starts_with(ISSUER), "{minted}");
    for foreign in ["evil.test", "torii.test.evil.test"] {
        let request = api.request("GET", "/openapi.json").header("host", foreign);
        send(request).await.refused(403, "foreign_host");
    }
    for (origin, status) in [("http://torii.test:3000", 200), ("http://evil.test", 403)] {
        let request = api.request("GET", "/openapi.json").header("origin", origin);
        assert_eq!(send(request).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn with_a_control_token_everybody_needs_it_but_for_the_health() {
    let api = Api::of(Emulator::builder().control_token(TOKEN)).await;
    api.control("GET", "/health", None).await.expect(200);
    for (method, path) in [
        ("GET", "/clock"),
        ("POST", "/reset"),
        ("GET", "/export"),
        ("GET", "/outbox"),
    ] {
        let call = || api.request(method, &format!("/_emulator/v1{path}"));
        send(call()).await.refused(401, "invalid_control_token");
        for wrong in ["correct-hors", "Correct-horse", "sk_test_local", ""] {
            send(call().bearer_auth(wrong))
                .await
                .refused(401, "invalid_control_token");
        }
        let granted = send(call().bearer_auth(TOKEN)).await;
        assert!(granted.status.is_success(), "{method} {path}");
    }
    // The token does not replace the header that pages cannot send.
    let plain = api.plain("POST", "/_emulator/v1/reset").bearer_auth(TOKEN);
    send(plain).await.refused(403, "missing_control_header");
}

#[tokio::test]
async fn another_machine_gets_the_api_and_with_the_token_the_control_plane() {
    let Some(address) = own_address() else {
        println!("skipped: this machine has no address but the loopback one");
        return;
    };
    let open = on_every_address(Emulator::builder()).await;
    let guarded = on_every_address(Emulator::builder().control_token(TOKEN)).await;
    for (api, status, code) in [
        (&open, 403, "forbidden"),
        (&guarded, 401, "invalid_control_token"),
    ] {
        let from_there = |path: &str| {
            let port = api.torii.api_url().rsplit(':').next().expect("a port");
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            client.get(format!("http://{address}:{port}{path}"))
        };
        send(from_there("/_torii/.well-known/jwks.json"))
            .await
            .expect(200);
        send(from_there("/_emulator/v1/health")).await.expect(200);
        send(from_there("/_emulator/v1/clock"))
            .await
            .refused(status, code);
        let with_token = send(from_there("/_emulator/v1/clock").bearer_auth(TOKEN)).await;
        assert_eq!(with_token.status.is_success(), code == "invalid_control_token");
    }
}

#[tokio::test]
async fn the_body_of_who_lacks_the_control_token_is_not_held() {
    let api = Api::of(Emulator::builder().control_token(TOKEN)).await;
    let import = api
        .request("POST", "/_emulator/v1/import")
        .body("x".repeat(20 * 1024 * 1024));
    send(import).await.refused(401, "invalid_control_token");
}

#[tokio::test]
async fn what_cannot_work_is_refused_at_the_start() {
    let builder = Emulator::builder;
    for (name, builder) in [
        ("issuer", builder().issuer("torii")),
        ("issuer", builder().issuer("http://torii/path")),
        ("issuer", builder().issuer("http://torii?x")),
        ("issuer", builder().issuer("http://user@torii")),
        ("issuer", builder().issuer("ftp://torii")),
        ("host", builder().allow_host("torii:4010")),
        ("host", builder().allow_host("")),
        ("control token", builder().control_token("short")),
        ("control token", builder().control_token("with a space")),
    ] {
        let error = builder.start().await.expect_err(name).to_string();
        assert!(error.contains(name), "{error}");
    }
}

async fn on_every_address(builder: Builder) -> Api {
    Api::of(builder.host(IpAddr::V4(Ipv4Addr::UNSPECIFIED))).await
}

/// An address by which other machines know this one. No packet is sent to find it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
