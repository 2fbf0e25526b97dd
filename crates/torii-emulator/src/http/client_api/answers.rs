//! Answers of the client API that are more than JSON: cookies given and taken, and a redirect.

use axum::Json as Reply;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::Value;

use super::replies::SessionReply;
use crate::domain::SignedIn;
use crate::error::Error;
use crate::http::cookies;
use crate::http::openapi::{Answer, Described as _, Schemas};

/// A session for a browser, by cookies, or for an app, in the body.
pub(super) struct Session {
    signed_in: SignedIn,
    native: bool,
}

/// A browser on its way, signed in.
pub(super) struct Landing {
    signed_in: SignedIn,
    url: String,
}

/// A browser that is signed out.
pub(super) struct SignedOut;

impl Session {
    pub(super) fn new(signed_in: SignedIn, native: bool) -> Self {
        Self { signed_in, native }
    }
}

impl Landing {
    pub(super) fn new(signed_in: SignedIn, url: String) -> Self {
        Self { signed_in, url }
    }
}

impl IntoResponse for Session {
    fn into_response(self) -> Response<Body> {
        let Self { signed_in, native } = self;
        let mut response = Reply(SessionReply::new(&signed_in, native)).into_response();
        if !native && let Err(error) = cookies::set(response.headers_mut(), &signed_in) {
            return error.into_response();
        }
        private(response)
    }
}

impl IntoResponse for Landing {
    fn into_response(self) -> Response<Body> {
        let Self { signed_in, url } = self;
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        let location = HeaderValue::try_from(url).map_err(Error::internal);
        match location.and_then(|location| cookies::set(headers, &signed_in).map(|()| location)) {
            Ok(location) => headers.insert(LOCATION, location),
            Err(error) => return error.into_response(),
        };
        private(response)
    }
}

impl IntoResponse for SignedOut {
    fn into_response(self) -> Response<Body> {
        let mut response = StatusCode::NO_CONTENT.into_response();
        cookies::clear(response.headers_mut());
        response
    }
}

/// Not for caches.
fn private(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Answer for Session {
    const STATUS: StatusCode = StatusCode::OK;

    fn schema(schemas: &mut Schemas) -> Option<Value> {
        Some(SessionReply::schema(schemas))
    }
}

impl Answer for Landing {
    const STATUS: StatusCode = StatusCode::SEE_OTHER;

    fn schema(_: &mut Schemas) -> Option<Value> {
        None
    }
}

impl Answer for SignedOut {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;

    fn schema(_: &mut Schemas) -> Option<Value> {
        None
    }
}
