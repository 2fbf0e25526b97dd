//! `torii demo`: what the SDK does, shown and checked step by step against a local torii in this process.

use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use bytes::Bytes;
use serde_json::{Value, json};
use torii_backend::http_client::{Exchange, HttpClient, Limits, ReqwestClient};
use torii_backend::{
    CreateUser, ErrorCode, Locale, Patch, Torii, UpdateUser, User, UserStatus, Verifier, VerifyError,
};
use torii_emulator::{Emulator, MintToken, OpenSession};

use crate::output::{BAD, BOLD, FAINT, GOOD, say, styled};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Verifications of one token in a row.
const MANY: u32 = 10_000;
const KEY_SET_PATH: &str = "/_torii/.well-known/jwks.json";

pub(crate) async fn run() -> Result<ExitCode, Box<dyn Error>> {
    say(format_args!(
        "{} {}",
        styled(BOLD, "torii demo"),
        styled(FAINT, "· on this machine, without an account")
    ));
    say("");
    let torii = Emulator::builder().start().await?;
    let outcome = tour(&torii).await;
    torii.shutdown().await;
    say("");
    match outcome {
        Ok(()) => {
            say(format_args!(
                "{} Everything is as it should be.",
                styled(GOOD, "✓")
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            say(format_args!("{} {error}", styled(BAD, "✗")));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn tour(torii: &Emulator) -> Outcome {
    done("A local torii is running", torii.issuer());
    let wire = Arc::new(Wire::default());
    let client = Torii::builder(torii.secret_key())
        .api_url(torii.api_url())
        .http_client(wire.clone())
        .build()?;
    let verifier = Verifier::new(torii.issuer())?;

    let user = create(&client).await?;
    let token = verify_once(torii, &verifier, &user).await?;
    verify_many(torii, &verifier, &token).await?;
    update(&client, &wire, &user).await?;
    end_sessions(torii, &client, &user).await?;
    rotate(torii, &verifier, &user).await?;
    refuse(torii, &verifier, &user, &token).await
}

async fn create(client: &Torii) -> Outcome<User> {
    let user = CreateUser {
        email: Some("ada@example.com".into()),
        first_name: Some("Ada".into()),
        last_name: Some("Lovelace".into()),
        ..CreateUser::default()
    };
    let user = client.users().create(&user).await?;
    done(
        "A user was created",
        format_args!("{} · {}", user.name.as_deref().unwrap_or_default(), user.id),
    );
    Ok(user)
}

async fn verify_once(torii: &Emulator, verifier: &Verifier, user: &User) -> Outcome<String> {
    let minted = torii.control().mint_token(&MintToken::of(user.id)).await?;
    let auth = verifier.verify(&minted.token).await?;
    ensure(
        auth.user_id() == user.id.to_string(),
        "the token is not the user's",
    )?;
    let lifetime = auth.expires_at() - auth.issued_at();
    done(
        "A token was minted and verified",
        format_args!("ES256, valid for {lifetime} s"),
    );
    detail("user id", auth.user_id());
    detail("environment id", auth.environment_id());
    Ok(minted.token)
}

async fn verify_many(torii: &Emulator, verifier: &Verifier, token: &str) -> Outcome {
    let start = Instant::now();
    for _ in 0..MANY {
        verifier.verify(token).await?;
    }
    let each = start.elapsed() / MANY;
    let fetches = key_set_fetches(torii);
    ensure(
        fetches == 1,
        format!("the key set was fetched {fetches} times, not once"),
    )?;
    done(
        "The same again, 10,000 times",
        format_args!("{each:.1?} each; the key set was fetched once"),
    );
    Ok(())
}

async fn update(client: &Torii, wire: &Wire, user: &User) -> Outcome {
    let patch = UpdateUser {
        first_name: "Augusta".into(),
        last_name: Patch::Clear,
        ..UpdateUser::default()
    };
    client
        .users()
        .update(
            user.id,
            &UpdateUser {
                locale: Locale::En.into(),
                ..UpdateUser::default()
            },
        )
        .await?;
    let updated = client.users().update(user.id, &patch).await?;
    let sent = wire.last_body();
    ensure(
        sent == r#"{"firstName":"Augusta","lastName":null}"#,
        format!("{sent} was sent"),
    )?;
    let (first, last) = (updated.first_name.as_deref(), updated.last_name.as_deref());
    ensure(
        first == Some("Augusta") && last.is_none(),
        "the patch was not applied",
    )?;
    ensure(
        updated.locale == Some(Locale::En),
        "a field that was left alone has changed",
    )?;
    done("A patch set one field, cleared one and left one alone", "");
    detail("on the wire", &sent);
    detail("first name", "Ada → Augusta");
    detail("last name", "Lovelace → none");
    detail("locale", "en, left alone");
    Ok(())
}

async fn end_sessions(torii: &Emulator, client: &Torii, user: &User) -> Outcome {
    for agent in ["Firefox", "Safari", "curl"] {
        let session = OpenSession {
            user_agent: Some(agent.into()),
            ..OpenSession::of(user.id)
        };
        torii.control().open_session(&session).await?;
    }
    let sessions = client.sessions().list_for_user(user.id).await?;
    ensure(
        sessions.len() == 3,
        format!("{} sessions instead of three", sessions.len()),
    )?;
    client.sessions().revoke(user.id, sessions[0].id).await?;
    let left = client.sessions().list_for_user(user.id).await?;
    ensure(left.len() == 2, "one session was revoked, and not one is gone")?;
    done(
        "Three sessions were listed, and one was revoked",
        format_args!("{} left", left.len()),
    );

    let banned = client.users().ban(user.id).await?;
    ensure(banned.status == UserStatus::Banned, "the user is not banned")?;
    ensure(
        client.sessions().list_for_user(user.id).await?.is_empty(),
        "a banned user still has sessions",
    )?;
    done("The user was banned", "every session ended with it");

    let unbanned = client.users().unban(user.id).await?;
    ensure(unbanned.status == UserStatus::Active, "the user is still banned")?;
    torii.control().open_session(&OpenSession::of(user.id)).await?;
    client.sessions().revoke_all_for_user(user.id).await?;
    ensure(
        client.sessions().list_for_user(user.id).await?.is_empty(),
        "a revoked session is still there",
    )?;
    done(
        "The ban was lifted, and a new session revoked",
        "with every other there might be",
    );
    Ok(())
}

async fn rotate(torii: &Emulator, verifier: &Verifier, user: &User) -> Outcome {
    let kid = torii.control().rotate_keys(false).await?;
    let minted = torii.control().mint_token(&MintToken::of(user.id)).await?;
    verifier.verify(&minted.token).await?;
    let fetches = key_set_fetches(torii);
    ensure(
        fetches == 2,
        format!("the key set was fetched {fetches} times, not twice"),
    )?;
    done(
        "The signing key was rotated, and a new token verified",
        "one more fetch",
    );
    detail("new key", &kid);
    Ok(())
}

async fn refuse(torii: &Emulator, verifier: &Verifier, user: &User, token: &str) -> Outcome {
    let expired = MintToken {
        expires_in_seconds: Some(-60),
        ..MintToken::of(user.id)
    };
    let expired = torii.control().mint_token(&expired).await?.token;
    let forged = with_segment(token, 1, |claims| claims["sub"] = json!("somebody else"))?;
    let unsigned = with_segment(token, 0, |header| header["alg"] = json!("none"))?;
    done("Three tokens that nobody should accept were refused", "");
    for (what, token, code) in [
        ("a forged one", forged, ErrorCode::BadSignature),
        ("an expired one", expired, ErrorCode::Expired),
        ("one with alg: none", unsigned, ErrorCode::AlgNotAllowed),
    ] {
        let refusal = match verifier.verify(&token).await {
            Err(VerifyError::Token(refusal)) => refusal,
            Err(error) => return Err(error.into()),
            Ok(_) => return Err(format!("{what} was accepted").into()),
        };
        ensure(
            refusal.code() == code,
            format!("{what} was refused as {}, not {code}", refusal.code()),
        )?;
        detail(what, &refusal.to_string());
    }
    Ok(())
}

/// A token with one of its JSON segments changed and its signature kept.
fn with_segment(token: &str, index: usize, change: impl FnOnce(&mut Value)) -> Outcome<String> {
    let mut segments: Vec<_> = token.split('.').map(str::to_owned).collect();
    let segment = segments.get_mut(index).ok_or("the token has too few segments")?;
    let mut value = serde_json::from_slice(&BASE64URL.decode(&*segment)?)?;
    change(&mut value);
    *segment = BASE64URL.encode(value.to_string());
    Ok(segments.join("."))
}

fn key_set_fetches(torii: &Emulator) -> usize {
    torii
        .control()
        .requests()
        .iter()
        .filter(|request| request.path == KEY_SET_PATH)
        .count()
}

fn ensure(holds: bool, otherwise: impl Into<String>) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(otherwise.into().into())
    }
}

fn done(step: &str, result: impl std::fmt::Display) {
    say(format_args!(
        "{} {}  {}",
        styled(GOOD, "✓"),
        styled(BOLD, step),
        styled(FAINT, result)
    ));
}

fn detail(name: &str, value: &str) {
    say(format_args!(
        "    {} {value}",
        styled(FAINT, format_args!("{name:<20}"))
    ));
}

/// The default client, with a memory of what it sent last.
#[derive(Debug, Default)]
struct Wire {
    client: ReqwestClient,
    last_body: Mutex<Bytes>,
}

impl Wire {
    fn last_body(&self) -> String {
        let body = self
            .last_body
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        String::from_utf8_lossy(&body).into_owned()
    }
}

impl HttpClient for Wire {
    fn send<'a>(&'a self, request: http::Request<Bytes>, limits: Limits) -> Exchange<'a> {
        *self
            .last_body
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = request.body().clone();
        self.client.send(request, limits)
    }
}
