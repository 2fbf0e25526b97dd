//! The extractors.

use std::ops::Deref;

use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use torii_backend::{ErrorCode, Verifier, VerifyError};
use torii_backend_tower::rejection;

/// Who is calling: a [`torii_backend::Auth`] as an extractor.
///
/// Taken from the [`AuthLayer`](crate::AuthLayer) in front, if there is one; otherwise the request's token is verified
/// with the [`Verifier`] in the router's state, once per request. As `Option<Auth>` it is `None` when no credentials
/// were sent, and only then.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth(pub torii_backend::Auth);

impl Deref for Auth {
    type Target = torii_backend::Auth;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S> FromRequestParts<S> for Auth
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        if let Some(auth) = parts.extensions.get::<torii_backend::Auth>() {
            return Ok(Self(auth.clone()));
        }
        let auth = Verifier::from_ref(state)
            .authenticate_request(&parts.headers)
            .await?;
        parts.extensions.insert(auth.clone());
        Ok(Self(auth))
    }
}

impl<S> OptionalFromRequestParts<S> for Auth
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(auth) => Ok(Some(auth)),
            Err(AuthRejection(error)) if error.code() == ErrorCode::HeaderMissing => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

/// Why there is no [`Auth`]. As a response it is the [`rejection`] that the layer gives too.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct AuthRejection(#[from] pub VerifyError);

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        rejection(&self.0).map(Body::from)
    }
}
