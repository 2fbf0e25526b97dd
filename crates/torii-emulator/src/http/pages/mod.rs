//! Pages for people: rendered here, without scripts, and with nothing loaded from anywhere.

pub(super) mod sign_in;

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::problem::{self, HTML};
use crate::error::Error;

/// The only style sheet, inside each page.
const STYLE: &str = include_str!("../../../templates/style.css");

/// By which a browser knows [`STYLE`] from a style that somebody has smuggled in.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'p> {
    title: &'p str,
    code: &'p str,
    detail: &'p str,
}

/// A page. Its forms may lead to this server and, through a redirect, to `form_target`.
fn page(
    status: StatusCode,
    template: &impl Template,
    form_target: Option<&str>,
) -> Result<Response<Body>, Error> {
    let body = template.render().map_err(Error::internal)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; form-action 'self' {}; base-uri 'none'; \
         frame-ancestors 'none'",
        *STYLE_HASH,
        form_target.unwrap_or_default()
    );
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HTML);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // With `no-referrer`, browsers would send forms with `Origin: null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::try_from(policy).map_err(Error::internal)?,
    );
    Ok(response)
}

/// The page that says why there is no other.
fn refused(error: &Error) -> Result<Response<Body>, Error> {
    let status = problem::status(error.kind());
    let template = Refused {
        title: status.canonical_reason().unwrap_or("Refused"),
        code: error.code(),
        detail: error.detail(),
    };
    page(status, &template, None)
}
