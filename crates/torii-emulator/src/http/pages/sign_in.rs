//! `/sign-in`: where an application sends its users. torii publishes no such page; all of it is ours.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use torii_backend_types::{Page, User, UserId};
use url::{Host, Url};

use super::{page, refused};
use crate::domain::{FIRST_USER_EMAIL, SignedIn, Who};
use crate::engine::Engine;
use crate::error::Error;
use crate::http::cookies;
use crate::http::device::Caller;
use crate::http::guard;
use crate::http::params::{Form, Pairs};

/// The parameter by which an application's address gets the token.
const TOKEN_PARAMETER: &str = "torii_token";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'p> {
    /// The host of the application.
    destination: &'p str,
    redirect_url: &'p str,
    users: &'p [Choice],
    has_more: bool,
    first_email: &'p str,
    problem: Option<&'p str>,
    /// What was typed the last time.
    email: &'p str,
}

/// A user to pick.
struct Choice {
    id: UserId,
    title: String,
    detail: Option<String>,
}

pub(in crate::http) async fn show(
    State(engine): State<Arc<Engine>>,
    query: Pairs,
) -> Result<Response<Body>, Error> {
    match form(&engine, &query, None).await {
        Ok(page) => Ok(page),
        Err(error) => refused(&error),
    }
}

/// Opens a session and sends the browser back. A refusal shows the form again.
pub(in crate::http) async fn submit(
    State(engine): State<Arc<Engine>>,
    headers: HeaderMap,
    caller: Caller,
    Form(fields): Form,
) -> Result<Response<Body>, Error> {
    match submitted(&engine, &headers, caller, &fields).await {
        Ok(page) => Ok(page),
        Err(error) => refused(&error),
    }
}

async fn submitted(
    engine: &Engine,
    headers: &HeaderMap,
    caller: Caller,
    fields: &Pairs,
) -> Result<Response<Body>, Error> {
    guard::check_own_page(headers)?;
    let target = target(engine, fields).await?;
    let who = who(fields)?;
    let environment = engine.domain.environment(0)?;
    match engine.domain.sign_in(environment, who, caller.device()).await {
        Ok(signed_in) => sent_back(target, &signed_in),
        Err(error) => form(engine, fields, Some(error)).await,
    }
}

fn who(fields: &Pairs) -> Result<Who, Error> {
    let email_and_password = fields.sole("email")?.zip(fields.sole("password")?);
    match (
        fields.sole("user_id")?,
        fields.sole("create")?,
        email_and_password,
    ) {
        (Some(id), None, None) => {
            let id = id.to_owned().try_into();
            Ok(Who::Picked(id.map_err(
                |error: torii_backend_types::InvalidId| Error::not_found(error.to_string()),
            )?))
        }
        (None, Some("ada"), None) => Ok(Who::FirstUser),
        (None, None, Some((email, password))) => Ok(Who::Password {
            email: email.to_owned(),
            password: password.into(),
        }),
        _ => Err(Error::invalid(
            "the form needs either user_id, create=ada, or email and password",
        )),
    }
}

async fn target(engine: &Engine, fields: &Pairs) -> Result<Url, Error> {
    let text = fields.sole("redirect_url")?;
    let text = text.ok_or_else(|| Error::invalid("the parameter redirect_url is missing"))?;
    engine
        .domain
        .redirect_target(engine.domain.environment(0)?, text)
        .await
}

/// The form, empty or after `problem`.
async fn form(engine: &Engine, fields: &Pairs, problem: Option<Error>) -> Result<Response<Body>, Error> {
    let target = target(engine, fields).await?;
    let environment = engine.domain.environment(0)?;
    let Page { items, has_more, .. } = engine.domain.users_to_pick(environment).await?;
    let users: Vec<Choice> = items.into_iter().map(Choice::from).collect();
    let template = SignIn {
        destination: &authority(&target),
        redirect_url: target.as_str(),
        users: &users,
        has_more,
        first_email: FIRST_USER_EMAIL,
        problem: problem.as_ref().map(Error::detail),
        email: fields.sole("email")?.unwrap_or_default(),
    };
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    page(status, &template, Some(&form_source(&target)))
}

fn sent_back(mut target: Url, signed_in: &SignedIn) -> Result<Response<Body>, Error> {
    if target.query_pairs().any(|(name, _)| name == TOKEN_PARAMETER) {
        // From the last time.
        let kept: Vec<_> = target.query_pairs().into_owned().collect();
        let kept = kept.iter().filter(|(name, _)| name != TOKEN_PARAMETER);
        target.query_pairs_mut().clear().extend_pairs(kept);
    }
    target
        .query_pairs_mut()
        .append_pair(TOKEN_PARAMETER, &signed_in.access.token);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    let location = HeaderValue::try_from(String::from(target)).map_err(Error::internal)?;
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    cookies::set(headers, signed_in)?;
    Ok(response)
}

impl From<User> for Choice {
    fn from(user: User) -> Self {
        let User { id, name, email, .. } = user;
        let (title, detail) = match (name, email) {
            (Some(name), email) => (name, email),
            (None, Some(email)) => (email, None),
            (None, None) => (id.to_string(), None),
        };
        Self { id, title, detail }
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// What a Content-Security-Policy calls the target. Browsers apply `form-action` to redirects too. The policy has no
/// form for an IPv6 address, nor has an application's own scheme an origin.
fn form_source(target: &Url) -> String {
    match (target.scheme(), target.host()) {
        ("http" | "https", Some(Host::Domain(_) | Host::Ipv4(_))) => target.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}
