//! What is read from a request of actix-web, and what is left in it.

use std::borrow::Cow;

use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};
use torii_backend::{Auth, Verifier, VerifyError};

/// What the innermost middleware found out about the caller. It is in the request's extensions, and only the middleware
/// can make one.
#[derive(Clone)]
pub(crate) struct Admission(pub(crate) Result<Auth, VerifyError>);

impl Admission {
    /// Puts it into the request, with the [`Auth`] for handlers that ask for it as request data, and removes what was
    /// there.
    pub(crate) fn leave_in(self, request: &HttpRequest) {
        let mut extensions = request.extensions_mut();
        match &self.0 {
            Ok(auth) => extensions.insert(auth.clone()),
            Err(_) => extensions.remove::<Auth>(),
        };
        extensions.insert(self);
    }
}

/// Verifies the token in a request's headers.
pub(crate) async fn authenticate(verifier: &Verifier, headers: &HeaderMap) -> Result<Auth, VerifyError> {
    let token =
        verifier.bearer_token_in(|name| headers.get_all(name.as_str()).map(|value| value.as_bytes()))?;
    verifier.verify(token).await
}

/// The path parameter of a name, decoded as [`web::Path`](actix_web::web::Path) decodes it. Of two with the same name, as
/// nested scopes may have them, neither counts.
pub(crate) fn path_parameter(request: &HttpRequest, name: &str) -> Option<Cow<'static, str>> {
    let parameters = request.match_info();
    let values: Vec<String> = parameters.load().ok()?;
    let mut named = parameters
        .iter()
        .zip(values)
        .filter(|((named, _), _)| *named == name);
    match (named.next(), named.next()) {
        (Some((_, value)), None) => Some(Cow::Owned(value)),
        _ => None,
    }
}

/// Whether it is a browser's question before a request to another origin. It carries no credentials.
pub(crate) fn is_preflight(request: &HttpRequest) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
