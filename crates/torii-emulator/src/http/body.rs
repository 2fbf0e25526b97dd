//! Request bodies: taken off the wire whole, then read strictly.

use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::openapi::{Described, Part, Schemas, Signature};
use crate::error::{Error, ErrorKind};

/// Most bytes of a body that the backend API reads.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Most bytes of a body that those without a secret key may send, on pages and to the client API.
pub(super) const MAX_PUBLIC_BODY_BYTES: usize = 64 * 1024;
/// Most bytes of a body that the control plane reads: an import is one, of about half a million users.
pub(super) const MAX_CONTROL_BODY_BYTES: usize = 256 * 1024 * 1024;
/// Most bytes that are taken off the wire, and thrown away, to be able to refuse a body that is too long.
const MAX_DRAINED_BYTES: usize = 32 * 1024 * 1024;
/// Most characters that a refusal says about a body.
const MAX_DETAIL_CHARS: usize = 500;
/// The media type of nearly all bodies.
const JSON: &str = "application/json";
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON object that the operation needs.
pub(super) struct Json<T>(pub(super) T);

/// A JSON object that may be left out; no body at all is the default.
pub(super) struct OptionalJson<T>(pub(super) T);

/// What came as the body.
#[derive(Clone)]
struct Received {
    bytes: Bytes,
    too_long: bool,
}

/// Moves the body from the wire into the request, if it has at most `most` bytes. A longer one is read to its end, and
/// not held.
pub(super) async fn receive(request: Request<Body>, most: usize) -> Result<Request<Body>, Error> {
    let (mut parts, body) = request.into_parts();
    let received = tokio::time::timeout(BODY_TIMEOUT, read(body, most))
        .await
        .map_err(|_| {
            Error::new(
                ErrorKind::Timeout,
                "request_timeout",
                "the body did not arrive in time",
            )
        })??;
    parts.extensions.insert(received);
    Ok(Request::from_parts(parts, Body::empty()))
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Json<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let body = received(parts)?;
        if body.is_empty() {
            return Err(Error::invalid("the operation needs a JSON object as its body"));
        }
        check_media_type(&parts.headers, JSON)?;
        parse(&body).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned + Default> FromRequestParts<S> for OptionalJson<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let body = received(parts)?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        check_media_type(&parts.headers, JSON)?;
        parse(&body).map(Self)
    }
}

impl<T: Described> Part for Json<T> {
    fn describe(signature: &mut Signature, schemas: &mut Schemas) {
        signature.body = Some((true, T::schema(schemas)));
    }
}

impl<T: Described> Part for OptionalJson<T> {
    fn describe(signature: &mut Signature, schemas: &mut Schemas) {
        signature.body = Some((false, T::schema(schemas)));
    }
}

async fn read(mut body: Body, most: usize) -> Result<Received, Error> {
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::invalid("the body broke off or is not framed correctly"))?;
        let Ok(data) = frame.into_data() else { continue };
        total += data.len();
        if total <= most {
            bytes.extend_from_slice(&data);
        } else if total > MAX_DRAINED_BYTES {
            break;
        } else {
            bytes = BytesMut::new();
        }
    }
    Ok(Received {
        bytes: bytes.freeze(),
        too_long: total > most,
    })
}

pub(super) fn received(parts: &Parts) -> Result<Bytes, Error> {
    match parts.extensions.get::<Received>() {
        Some(Received { too_long: true, .. }) => Err(Error::new(
            ErrorKind::TooLarge,
            "body_too_large",
            "the body has more bytes than are read",
        )),
        Some(Received { bytes, .. }) => Ok(bytes.clone()),
        None => Err(Error::internal("a route was reached without the body")),
    }
}

pub(super) fn check_media_type(headers: &HeaderMap, wanted: &str) -> Result<(), Error> {
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(Error::new(
            ErrorKind::UnsupportedMediaType,
            "unsupported_content_encoding",
            "the body must not have a Content-Encoding",
        ));
    }
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|text| text.split(';').next()).map(str::trim);
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case(wanted) => Ok(()),
        _ => Err(Error::new(
            ErrorKind::UnsupportedMediaType,
            "unsupported_media_type",
            format!("the body must be {wanted}"),
        )),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let malformed = |error: serde_json::Error| Error::invalid(format!("the body is not JSON: {error}"));
    let value: Value = serde_json::from_slice(body).map_err(malformed)?;
    if !value.is_object() {
        // Without this, a derived reader would take an array for the fields in their order.
        return Err(Error::invalid("the body must be a JSON object"));
    }
    if holds_nul(&value) {
        return Err(Error::invalid("the body holds the character U+0000"));
    }
    // Read from the bytes again, not from the value, which has forgotten a member that came twice.
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let detail = match path.as_str() {
            "." => error.into_inner().to_string(),
            field => format!("{field}: {}", error.inner()),
        };
        // It repeats the name of a member, which can be as long as the body.
        Error::invalid(detail.chars().take(MAX_DETAIL_CHARS).collect::<String>())
    })
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
