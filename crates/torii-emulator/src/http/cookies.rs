//! The two cookies of a session: the token by which it continues, and a hint for scripts that there is one.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};

use crate::domain::SignedIn;
use crate::error::Error;

const SESSION: &str = "__client_session";
const HINT: &str = "__client_session_hint";
/// As torii documents them. Browsers take `Secure` cookies from `http://localhost` and `http://127.0.0.1` too.
const ATTRIBUTES: &str = "Path=/; Secure; SameSite=None; Partitioned";

/// Gives the browser a session that lasts until it expires.
pub(super) fn set(headers: &mut HeaderMap, signed_in: &SignedIn) -> Result<(), Error> {
    let SignedIn {
        session,
        session_token,
        access: _,
    } = signed_in;
    let created = session.created_at.as_second();
    let lifetime = session.expires_at.as_second().saturating_sub(created);
    append(
        headers,
        &format!("{SESSION}={session_token}; Max-Age={lifetime}; HttpOnly; {ATTRIBUTES}"),
    )?;
    append(
        headers,
        &format!("{HINT}={created}; Max-Age={lifetime}; {ATTRIBUTES}"),
    )
}

/// Takes both cookies away.
pub(super) fn clear(headers: &mut HeaderMap) {
    for (name, http_only) in [(SESSION, "HttpOnly; "), (HINT, "")] {
        // The text is our own, and nothing but ASCII.
        let _ = append(headers, &format!("{name}=; Max-Age=0; {http_only}{ATTRIBUTES}"));
    }
}

/// The session token that the browser sends. Two of them are no answer.
pub(super) fn session_token(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs
        .filter(|(name, _)| *name == SESSION)
        .map(|(_, value)| value.to_owned());
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(_) => Err(Error::invalid(format!("the cookie {SESSION} came twice"))),
    }
}

fn append(headers: &mut HeaderMap, cookie: &str) -> Result<(), Error> {
    let mut value = HeaderValue::try_from(cookie).map_err(Error::internal)?;
    value.set_sensitive(true);
    headers.append(SET_COOKIE, value);
    Ok(())
}
