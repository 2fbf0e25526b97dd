//! Runs every Rust example of the documents (see `build.rs`), in the environment of a local torii.
#![expect(
    unused_variables,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "examples are written to be read"
)]

use std::env;
use std::error::Error;

use http::HeaderMap;
use torii_backend::Verifier;

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

type Outcome = Result<(), Box<dyn Error>>;

/// What the examples take for granted.
#[derive(Clone, Copy)]
struct Local<'l> {
    issuer: &'l str,
    token: &'l str,
    user_id: &'l str,
    secret_key: &'l str,
    api_url: &'l str,
    headers: &'l HeaderMap,
    verifier: &'l Verifier,
}

#[tokio::main]
async fn main() -> Outcome {
    let names = [
        "TORII_ISSUER",
        "TORII_SECRET_KEY",
        "TORII_API_URL",
        "EXAMPLE_TOKEN",
        "EXAMPLE_USER_ID",
    ];
    let [issuer, secret_key, api_url, token, user_id] = names.map(|name| env::var(name).unwrap_or_default());
    let headers =
        HeaderMap::from_iter([(http::header::AUTHORIZATION, format!("Bearer {token}").try_into()?)]);
    let verifier = Verifier::new(&issuer)?;
    let local = Local {
        issuer: &issuer,
        token: &token,
        user_id: &user_id,
        secret_key: &secret_key,
        api_url: &api_url,
        headers: &headers,
        verifier: &verifier,
    };
    all(local).await
}
