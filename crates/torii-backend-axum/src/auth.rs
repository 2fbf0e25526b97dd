//! The extractors.

use std::ops::Deref;

use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use torii_backend::{ErrorCode, Verifier, VerifyError};
use torii_backend_tower::{Admission, misconfigured, rejection};

/// Who is calling: a [`torii_backend::Auth`] as an extractor.
///
/// The request's token is verified with the [`Verifier`] in the router's state, once per request: what this verifier has
/// found already, in an [`AuthLayer`](crate::AuthLayer) in front or for another argument, is taken over. What another
/// verifier found is not. As `Option<Auth>` it is `None` when no credentials were sent, and only then.
///
/// Routers whose state has no verifier use [`LayerAuth`].
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
        let verifier = Verifier::from_ref(state);
        let found = parts.extensions.get::<torii_backend::Auth>();
        if let Some(auth) = found.filter(|auth| verifier.made(auth)) {
            return Ok(Self(auth.clone()));
        }
        let auth = verifier.authenticate_request(&parts.headers).await?;
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

/// Who is calling, as the innermost [`AuthLayer`](crate::AuthLayer) in front of the route found out. Works with any
/// state, because the layer has the [`Verifier`].
///
/// As `Option<LayerAuth>` it is `None` when an [optional](crate::AuthLayer::optional) layer let a request without
/// credentials through, and only then. On a route without a layer both answer 500 to every request: see
/// [`LayerAuthRejection::NoLayer`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerAuth(pub torii_backend::Auth);

impl Deref for LayerAuth {
    type Target = torii_backend::Auth;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LayerAuth {
    type Rejection = LayerAuthRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let admission = parts.extensions.get::<Admission>().cloned();
        let admission = admission.ok_or(LayerAuthRejection::NoLayer)?;
        Ok(admission.into_result().map(Self)?)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for LayerAuth {
    type Rejection = LayerAuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(auth) => Ok(Some(auth)),
            Err(LayerAuthRejection::Refused(_)) => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

/// Why there is no [`LayerAuth`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerAuthRejection {
    /// The layer let a request without credentials through: 401, as the layer answers when it is not optional.
    #[error(transparent)]
    Refused(#[from] VerifyError),
    /// There is no layer in front of the route, so nobody has verified anything: 500, and an `error` in the log.
    #[error("no AuthLayer is in front of a route that asks for LayerAuth")]
    NoLayer,
}

impl IntoResponse for LayerAuthRejection {
    fn into_response(self) -> Response {
        match &self {
            Self::Refused(error) => rejection(error),
            Self::NoLayer => misconfigured(&self.to_string()),
        }
        .map(Body::from)
        .into_response()
    }
}
