//! The two cookies of a session: the token by which it continues, and a hint for scripts that there is one.

use axum::http::header::SET_COOKIE;
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

fn append(headers: &mut HeaderMap, cookie: &str) -> Result<(), Error> {
    let mut value = HeaderValue::try_from(cookie).map_err(Error::internal)?;
    value.set_sensitive(true);
    headers.append(SET_COOKIE, value);
    Ok(())
}
