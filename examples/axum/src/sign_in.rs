//! From the sign-in page to the cookie: the browser leaves with a state, and returns with it and a token.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use torii_backend::Verifier;
use torii_backend_axum::AuthRejection;
use url::Url;
use uuid::Uuid;

/// The cookie that holds the token.
pub(crate) const SESSION: &str = "session";
/// The cookie that says which browser has begun to sign in.
const STATE: &str = "sign-in-state";
/// Where the browser returns to, and the only path that `STATE` is for.
const RETURN: &str = "/signed-in";

/// How users of the application sign in.
#[derive(Clone)]
pub(crate) struct SignIn {
    verifier: Verifier,
    page: Url,
    return_url: Url,
}

impl SignIn {
    pub(crate) fn new(verifier: Verifier, page: &str, origin: &str) -> Result<Self, url::ParseError> {
        Ok(Self {
            verifier,
            page: Url::parse(page)?,
            return_url: Url::parse(origin)?.join(RETURN)?,
        })
    }
}

/// Sends the browser to the sign-in page.
pub(crate) async fn begin(State(sign_in): State<SignIn>, cookies: CookieJar) -> (CookieJar, Redirect) {
    let state = Uuid::new_v4().to_string();
    let mut return_url = sign_in.return_url;
    return_url.query_pairs_mut().append_pair("state", &state);
    let mut page = sign_in.page;
    page.query_pairs_mut()
        .append_pair("redirect_url", return_url.as_str());
    (
        cookies.add(cookie(STATE, state, RETURN)),
        Redirect::to(page.as_str()),
    )
}

#[derive(Deserialize)]
pub(crate) struct Returned {
    state: String,
    torii_token: String,
}

/// Takes the token that the browser brings, if this browser has begun to sign in: a link of somebody else's must not sign
/// it in as them.
pub(crate) async fn finish(
    State(sign_in): State<SignIn>,
    cookies: CookieJar,
    Query(returned): Query<Returned>,
) -> Result<Response, AuthRejection> {
    if cookies.get(STATE).map(Cookie::value) != Some(&returned.state) {
        return Ok((StatusCode::BAD_REQUEST, "Please sign in again.\n").into_response());
    }
    sign_in.verifier.verify(&returned.torii_token).await?;
    let session = cookie(SESSION, returned.torii_token, "/");
    let cookies = cookies.remove(cookie(STATE, String::new(), RETURN)).add(session);
    // To an address without the token, which must not stay in the browser's history.
    Ok((cookies, Redirect::to("/account")).into_response())
}

/// Forgets the token in this browser.
pub(crate) async fn end(cookies: CookieJar) -> (CookieJar, Redirect) {
    (
        cookies.remove(cookie(SESSION, String::new(), "/")),
        Redirect::to("/"),
    )
}

/// A cookie that scripts cannot read, and that other sites' forms do not send.
fn cookie(name: &'static str, value: String, path: &'static str) -> Cookie<'static> {
    Cookie::build((name, value))
        .path(path)
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
}
