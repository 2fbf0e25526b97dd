//! Pages of other origins that may use the client API: those at the allowed origins, and apps in a web view.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use crate::engine::Engine;
use crate::error::Error;

/// Below it, pages of allowed origins may call.
const CLIENT_API: &str = "/_torii/";
/// What torii allows without being told, but without cookies: where apps run in a web view.
const NATIVE: [&str; 4] = [
    "capacitor://localhost",
    "ionic://localhost",
    "http://localhost",
    "https://localhost",
];

/// A page that may call.
pub(in crate::http) struct Page {
    origin: HeaderValue,
    with_cookies: bool,
}

impl Page {
    /// The page that sends the request, if it is an allowed one of another origin.
    pub(in crate::http) async fn of(
        engine: &Engine,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, Error> {
        if !path.starts_with(CLIENT_API) {
            return Ok(None);
        }
        let mut origins = headers.get_all(ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return Ok(None);
        };
        let environment = engine.domain.environment(0)?;
        let listed = engine.domain.allowed_origins(environment).await?.origins;
        let is_listed = listed.iter().any(|listed| origin == listed.as_str());
        let is_allowed = is_listed || NATIVE.iter().any(|native| origin == native);
        Ok(is_allowed.then(|| Self {
            origin: origin.clone(),
            with_cookies: is_listed,
        }))
    }

    /// The answer to the question whether the page may call, if it asks that.
    pub(in crate::http) fn preflight(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        asks.then(|| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            let headers = response.headers_mut();
            headers.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
            );
            headers.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("authorization, content-type, x-torii-session-token"),
            );
            self.mark(response)
        })
    }

    /// Lets the page read the response.
    pub(in crate::http) fn mark(&self, mut response: Response<Body>) -> Response<Body> {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if self.with_cookies {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        response
    }
}
