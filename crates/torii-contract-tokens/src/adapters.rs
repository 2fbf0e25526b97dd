//! The tokens and key sets of `contract/adapters`, whose README says which is which.

use std::path::PathBuf;

use crate::json::{Object, quoted};
use crate::key::{Key, SECOND_KID, default_key_set, hmac, key_set};
use crate::token::{ISSUER, LEEWAY, MAX_TOKEN, NOW, Token, USER, token_of_length};

const OTHER_ISSUER: &str = "https://other.torii.so";
const OTHER_KID: &str = "other-1";
const LIFETIME: i64 = 600;
const MAX_AGE: i64 = 300;
const USERS: usize = 50;

/// Where the web adapters' cases live in the repository.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contract/adapters"))
}

/// The files that are written there, by name.
pub fn files() -> [(&'static str, String); 3] {
    let other_keys = key_set([other_issuers_key().jwk(OTHER_KID).to_string()]);
    [
        ("keys.json", format!("{}\n", default_key_set())),
        ("other-keys.json", format!("{other_keys}\n")),
        ("tokens.json", tokens_file()),
    ]
}

fn tokens_file() -> String {
    let tokens = tokens()
        .into_iter()
        .map(|(name, token)| format!("    {}: {}", quoted(&name), quoted(&token)))
        .collect::<Vec<_>>()
        .join(",\n");
    let (issuer, other) = (quoted(ISSUER), quoted(OTHER_ISSUER));
    format!(
        "{{\n  \"issuer\": {issuer},\n  \"other_issuer\": {other},\n  \"now\": {NOW},\n  \"tokens\": {{\n{tokens}\n  }}\n}}\n"
    )
}

fn tokens() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: &str, token: String| all.push((name.to_owned(), token));
    for (name, token) in who().into_iter().chain(when()).chain(what()) {
        add(name, token.text());
    }
    for (name, token) in refused() {
        add(name, token);
    }
    add("large", token_of_length(MAX_TOKEN));
    add("oversized", token_of_length(MAX_TOKEN + 1024));
    for user in 0..USERS {
        let name = format!("user_{user:02}");
        let token = valid().claim("sub", quoted(&name.replace('_', "-")));
        add(&name, token.text());
    }
    all
}

fn valid() -> Token {
    Token::valid().claim("exp", NOW + LIFETIME)
}

fn other_issuers_key() -> Key {
    Key::from_seed("other issuer")
}

/// Other users, keys and issuers.
fn who() -> Vec<(&'static str, Token)> {
    let other = || valid().claim("iss", quoted(OTHER_ISSUER));
    let other_key = other_issuers_key();
    vec![
        ("valid", valid()),
        ("staff", valid().claim("sub", quoted(&format!("{USER}-staff")))),
        ("second_key", valid().kid(SECOND_KID).signed_by(Key::second())),
        ("other_issuer", other().kid(OTHER_KID).signed_by(&other_key)),
        ("other_issuer_wrong_key", other()),
        (
            "wrong_issuer",
            valid().claim("iss", quoted("https://evil.example")),
        ),
        ("verified", valid().claim("jti", quoted("verified"))),
        ("unverified", valid().claim("email_verified", false)),
        ("incomplete", valid().claim("profile_complete", false)),
        ("impersonated", valid().claim("impersonating", true)),
        ("impersonated_act", valid().claim("act", r#"{"sub":"support"}"#)),
    ]
}

/// The clock's edges.
fn when() -> Vec<(&'static str, Token)> {
    let issued = |at: i64| valid().claim("iat", at);
    let expires = |at: i64| valid().claim("exp", at);
    vec![
        ("old", issued(NOW - MAX_AGE - 1)),
        ("at_limit", issued(NOW - MAX_AGE)),
        ("future_iat", issued(NOW + LEEWAY)),
        ("iat_in_future", issued(NOW + LEEWAY + 1)),
        ("expired", expires(NOW - LEEWAY - 1)),
        ("expired_at_leeway", expires(NOW - LEEWAY)),
        ("expired_within_leeway", expires(NOW - LEEWAY + 1)),
        ("nbf_within_leeway", valid().claim("nbf", NOW + LEEWAY)),
        ("not_yet", valid().claim("nbf", NOW + LEEWAY + 1)),
    ]
}

/// Claims that guards and applications read.
fn what() -> Vec<(&'static str, Token)> {
    let plan = |plan: &str| valid().claim("plan", plan);
    let seats = |seats: &str| plan(r#""pro""#).claim("seats", seats);
    let role = |token: Token, role: &str| token.claim("org_role", quoted(role));
    let member_of = |id: &str| role(valid().claim("org_id", quoted(id)), "org:member");
    let administrator = "org:administrator";
    let o = Object::new()
        .set("id", quoted("organization-1"))
        .set("rol", quoted(administrator));
    vec![
        ("pro", plan(r#""pro""#)),
        ("team", plan(r#""team""#)),
        ("free", plan(r#""free""#)),
        ("plans", plan(r#"["free","pro"]"#)),
        ("plans_without", plan(r#"["free","trial"]"#)),
        ("plan_number", plan("1")),
        ("plan_null", plan("null")),
        ("plan_upper", plan(r#""PRO""#)),
        ("seats", seats("5")),
        ("seats_wrong", seats(r#""five""#)),
        ("admin", role(member_of("organization-1"), administrator)),
        ("member", member_of("organization-1")),
        ("other_org", member_of("organization-2")),
        ("other_admin", role(member_of("organization-2"), administrator)),
        ("org_o", valid().claim("o", o)),
        ("empty_org", role(member_of(""), administrator)),
        ("role_only", role(valid(), administrator)),
    ]
}

/// What no verifier accepts, as it is written.
fn refused() -> Vec<(&'static str, String)> {
    let unsecured = valid().header("alg", quoted("none"));
    let symmetric = valid().header("alg", quoted("HS256"));
    let mac = hmac(&Key::signer().point(), &symmetric.signing_input());
    vec![
        ("bad_signature", valid().signed_by(Key::stranger()).text()),
        ("alg_none", unsecured.with_signature([])),
        ("hs256", symmetric.with_signature(mac)),
        ("unknown_kid", valid().kid("key-3").text()),
        ("kid_missing", valid().without_header("kid").text()),
        ("no_sub", valid().without_claim("sub").text()),
        ("no_exp", valid().without_claim("exp").text()),
        ("audience", valid().claim("aud", quoted("api")).text()),
        ("not_a_token", "not.a.token".to_owned()),
    ]
}
