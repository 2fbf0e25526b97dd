//! What a client is told, and what the log is told.

use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http_body::Body;
use torii_backend::{AccessError, Verifier, VerifyError, verify_token};
use torii_backend_tower::{AuthLayer, rejection};
use tower::{Layer, ServiceExt, service_fn};
use tracing::Level;

use crate::log;
use crate::support::{Incoming, Torii, anonymous, read, who, with_header, with_token};

/// Where nothing listens.
const NOBODY: &str = "http://127.0.0.1:1";
const AUTHENTICATION_FAILED: &str = r#"{"code":"authentication_failed","message":"Authentication failed."}"#;
const EXPIRED: &str = r#"{"code":"expired","message":"Authentication failed."}"#;
const BARE_CHALLENGE: &str = "Bearer";
const TOKEN_CHALLENGE: &str = r#"Bearer error="invalid_token""#;

#[tokio::test]
async fn every_cause_but_the_expiry_has_the_same_body_and_a_challenge_of_its_kind() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let mut expired = torii.order().await;
    expired.expires_in_seconds = Some(-3_600);
    let expired = torii.mint(&expired).await;
    let foreign = torii.token_of_issuer("https://elsewhere.example").await;
    let other = Torii::start().await;
    let unknown_key = other.token_of_issuer(torii.emulator.issuer()).await;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (_, other_signature) = expired.rsplit_once('.').unwrap();
    assert_ne!(signature, other_signature);
    let forged = format!("{signed}.{other_signature}");
    let mut twice = with_token(&token);
    let again = twice.headers()[AUTHORIZATION].clone();
    twice.headers_mut().append(AUTHORIZATION, again);

    // The first one brings the keys, so that the signature is looked at.
    torii.verifier.warm_up().await.unwrap();
    let cases: Vec<(&str, Incoming, &str)> = vec![
        ("header_missing", anonymous(), BARE_CHALLENGE),
        ("header_missing", with_header("authorization", ""), BARE_CHALLENGE),
        (
            "header_malformed",
            with_header("authorization", "Basic dTpw"),
            BARE_CHALLENGE,
        ),
        ("header_ambiguous", twice, TOKEN_CHALLENGE),
        ("malformed", with_token("not-a-token"), TOKEN_CHALLENGE),
        ("too_large", with_token(&"x".repeat(20_000)), TOKEN_CHALLENGE),
        ("expired", with_token(&expired), TOKEN_CHALLENGE),
        ("issuer_mismatch", with_token(&foreign), TOKEN_CHALLENGE),
        ("bad_signature", with_token(&forged), TOKEN_CHALLENGE),
        ("kid_unknown", with_token(&unknown_key), TOKEN_CHALLENGE),
    ];
    let service = AuthLayer::new(torii.verifier.clone()).layer(service_fn(who));
    for (code, request, challenge) in cases {
        let before = refusals(&torii.verifier, code);
        let reply = service.clone().oneshot(request).await.unwrap();
        assert_eq!(
            refusals(&torii.verifier, code),
            before + 1,
            "the cause is not {code}"
        );

        let expected = [
            ("cache-control", "no-store"),
            ("content-type", "application/json"),
            ("www-authenticate", challenge),
        ];
        assert_eq!(lines(reply.headers()), expected, "{code}");
        let body = match code {
            "expired" => EXPIRED,
            _ => AUTHENTICATION_FAILED,
        };
        assert_eq!(reply.body().size_hint().exact(), Some(body.len() as u64));
        let expected = (StatusCode::UNAUTHORIZED, body.to_owned());
        assert_eq!(read(reply).await, expected, "{code}");
    }
}

#[tokio::test]
async fn unreachable_keys_are_503_with_a_time_to_come_back() {
    let torii = Torii::start().await;
    let token = torii.token_of_issuer(NOBODY).await;
    let layer = AuthLayer::new(Verifier::new(NOBODY).unwrap());
    for layer in [layer.clone(), layer.optional()] {
        let service = layer.layer(service_fn(who));
        let reply = service.oneshot(with_token(&token)).await.unwrap();
        let headers = reply.headers().clone();
        let (status, body) = read(reply).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let seconds = headers["retry-after"].to_str().unwrap();
        assert!((1..=300).contains(&seconds.parse::<u64>().unwrap()), "{seconds}");
        let expected = [
            ("cache-control", "no-store"),
            ("content-type", "application/json"),
            ("retry-after", seconds),
        ];
        assert_eq!(lines(&headers), expected);
        assert_eq!(
            body,
            r#"{"code":"keys_unavailable","message":"Authentication is temporarily unavailable."}"#
        );
    }
}

#[tokio::test]
async fn a_token_that_can_be_refused_without_keys_is_never_503() {
    let torii = Torii::start().await;
    let (_, foreign) = torii.user().await;
    let mut expired = torii.order().await;
    expired.expires_in_seconds = Some(-3_600);
    expired.claims.insert("iss".to_owned(), NOBODY.into());
    let expired = torii.mint(&expired).await;
    let service = AuthLayer::new(Verifier::new(NOBODY).unwrap()).layer(service_fn(who));
    for request in [
        anonymous(),
        with_header("authorization", "Basic dTpw"),
        with_token("not-a-token"),
        with_token("e30.e30.AA"),
        with_token(&foreign),
        with_token(&expired),
    ] {
        let reply = service.clone().oneshot(request).await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn retry_after_is_rounded_up_to_whole_seconds() {
    let torii = Torii::start().await;
    let token = torii.token_of_issuer(NOBODY).await;
    let verifier = Verifier::new(NOBODY).unwrap();
    let error = verifier.verify(&token).await.unwrap_err();
    let wait = error.retry_after().unwrap().as_secs_f64();
    let shown = rejection(&error.clone().into()).headers()["retry-after"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(shown, (wait.ceil() as u64).to_string());
}

#[tokio::test]
async fn a_verifier_that_cannot_work_is_a_500_that_does_not_say_why() {
    log::listen();
    let error = verify_token("x", "ftp://your-app.torii.so").await.unwrap_err();
    let reply = rejection(&error.into());
    assert_eq!(reply.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let expected = [
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
    ];
    assert_eq!(lines(reply.headers()), expected);
    assert_eq!(
        reply.body(),
        r#"{"code":"configuration_error","message":"Authentication is not configured correctly."}"#
    );
}

#[tokio::test]
async fn the_cause_is_logged_at_its_level_and_the_token_never() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    log::take();
    let service = AuthLayer::new(torii.verifier.clone()).layer(service_fn(who));
    for request in [with_token(&token), with_token(&format!("{token}x")), anonymous()] {
        service.clone().oneshot(request).await.unwrap();
    }
    let down = AuthLayer::new(Verifier::new(NOBODY).unwrap()).layer(service_fn(who));
    let lost = torii.token_of_issuer(NOBODY).await;
    down.oneshot(with_token(&lost)).await.unwrap();
    let unusable = Verifier::new("ftp://your-app.torii.so").unwrap_err();
    rejection(&VerifyError::from(unusable).into());

    let entries = log::take();
    let levels: Vec<Level> = entries.iter().map(|(level, _)| *level).collect();
    assert_eq!(
        levels,
        [Level::DEBUG, Level::DEBUG, Level::DEBUG, Level::ERROR],
        "{entries:?}"
    );
    for (entry, code) in entries
        .iter()
        .zip(["malformed", "header_missing", "jwks_unavailable", "issuer"])
    {
        assert!(entry.1.contains(code), "{entry:?}");
    }
    for secret in token.split('.').chain(lost.split('.')) {
        assert!(
            entries.iter().all(|(_, text)| !text.contains(secret)),
            "{entries:?}"
        );
    }
}

#[tokio::test]
async fn an_outage_does_not_flood_the_log_with_errors() {
    let torii = Torii::start().await;
    let token = torii.token_of_issuer(NOBODY).await;
    let service = AuthLayer::new(Verifier::new(NOBODY).unwrap()).layer(service_fn(who));
    log::take();
    for _ in 0..20 {
        let reply = service.clone().oneshot(with_token(&token)).await.unwrap();
        assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let entries = log::take();
    assert_eq!(entries.len(), 20);
    assert!(
        entries.iter().all(|(level, _)| *level == Level::DEBUG),
        "{entries:?}"
    );
}

#[tokio::test]
async fn a_hook_changes_the_reply_and_only_that_of_a_refusal() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let layer = AuthLayer::new(torii.verifier.clone()).on_refused(|error, mut reply| {
        *reply.status_mut() = StatusCode::FORBIDDEN;
        let AccessError::Unverified(error) = error else {
            panic!("{error}");
        };
        *reply.body_mut() = error.code().to_string().into();
        reply
    });
    assert!(format!("{layer:?}").starts_with("AuthLayer"));
    let optional = layer.clone().optional().layer(service_fn(who));
    let demanding = layer.layer(service_fn(who));

    let reply = demanding
        .clone()
        .oneshot(with_token("not-a-token"))
        .await
        .unwrap();
    assert_eq!(reply.headers()["www-authenticate"], TOKEN_CHALLENGE);
    assert_eq!(read(reply).await, (StatusCode::FORBIDDEN, "malformed".to_owned()));
    let reply = demanding.clone().oneshot(anonymous()).await.unwrap();
    assert_eq!(
        read(reply).await,
        (StatusCode::FORBIDDEN, "header_missing".to_owned())
    );
    let reply = demanding.oneshot(with_token(&token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let reply = optional.oneshot(anonymous()).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
}

fn refusals(verifier: &Verifier, code: &str) -> u64 {
    let refused = verifier.counts().refused;
    refused
        .iter()
        .find(|(name, _)| *name == code)
        .map_or(0, |(_, count)| *count)
}

/// Every header, sorted by its name.
fn lines(headers: &HeaderMap<HeaderValue>) -> Vec<(&str, &str)> {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    lines.sort_unstable();
    lines
}
