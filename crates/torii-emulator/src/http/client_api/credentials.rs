//! Who calls the client API, and whether as an app.

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;

use crate::domain::Credentials;
use crate::error::Error;
use crate::http::cookies;
use crate::http::guard::{bearer, sole};
use crate::http::openapi::{Parameter, Part, Schemas, Signature, schema};
use crate::http::params::Pairs;

/// By which an app, which has no cookies, continues its session.
const SESSION_HEADER: HeaderName = HeaderName::from_static("x-torii-session-token");
const NATIVE: &str = "_is_native";

/// The session token of the header or else of the cookie, and the access token.
pub(super) struct Presented(pub(super) Credentials);

/// Whether the caller is an app: it gets the session token in the body instead of a cookie.
pub(super) struct Native(pub(super) bool);

/// The name of a JWT template.
pub(super) struct Template(pub(super) String);

/// A token that is used once, in the query.
pub(super) struct OneTime(pub(super) String);

impl<S: Sync> FromRequestParts<S> for Presented {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let headers = &parts.headers;
        let session_token = match sole(headers, &SESSION_HEADER)? {
            Some(token) => Some(token.to_owned()),
            None => cookies::session_token(headers)?,
        };
        let access_token = bearer(headers).map(str::to_owned);
        // Apps say so on these calls too; it changes nothing here.
        Native::from_request_parts(parts, state).await?;
        Ok(Self(Credentials {
            session_token,
            access_token,
        }))
    }
}

impl<S: Sync> FromRequestParts<S> for Native {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = Pairs::from_request_parts(parts, state).await?;
        match query.sole(NATIVE)? {
            None | Some("false" | "0") => Ok(Self(false)),
            Some("true" | "1") => Ok(Self(true)),
            Some(_) => Err(Error::invalid(format!("{NATIVE} must be true, false, 1 or 0"))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Template {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        required(parts, state, "template").await.map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for OneTime {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        required(parts, state, "token").await.map(Self)
    }
}

async fn required<S: Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<String, Error> {
    let query = Pairs::from_request_parts(parts, state).await?;
    let value = query.sole(name)?.map(str::to_owned);
    value.ok_or_else(|| Error::invalid(format!("the parameter {name} is missing")))
}

impl Part for Presented {
    fn describe(signature: &mut Signature, schemas: &mut Schemas) {
        Native::describe(signature, schemas);
    }
}

impl Part for Native {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        signature.query.push(Parameter {
            name: NATIVE,
            schema: schema::text(),
            summary: "true or 1 for an app: no cookies, tokens in the body.",
        });
    }
}

impl Part for Template {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        signature.query.push(Parameter {
            name: "template",
            schema: schema::text(),
            summary: "The name of the template; it must be there.",
        });
    }
}

impl Part for OneTime {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        signature.query.push(Parameter {
            name: "token",
            schema: schema::text(),
            summary: "The token; it must be there.",
        });
    }
}
