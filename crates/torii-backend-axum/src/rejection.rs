//! Why a handler is not reached.

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use torii_backend::{AccessError, Denied, ErrorCode, VerifyError};
use torii_backend_tower::rejection;

/// Why there is no [`Auth`](crate::Auth) or [`LayerAuth`](crate::LayerAuth). As a response it is the [`rejection`] that the
/// layer gives too.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct AuthRejection(#[from] pub AccessError);

impl AuthRejection {
    /// `None` instead of a rejection for want of credentials.
    pub(crate) fn none_if_anonymous<T>(self) -> Result<Option<T>, Self> {
        match &self.0 {
            AccessError::Unverified(error) if error.code() == ErrorCode::HeaderMissing => Ok(None),
            _ => Err(self),
        }
    }
}

impl From<VerifyError> for AuthRejection {
    fn from(error: VerifyError) -> Self {
        Self(error.into())
    }
}

impl From<Denied> for AuthRejection {
    fn from(denied: Denied) -> Self {
        Self(denied.into())
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        rejection(&self.0).map(Body::from)
    }
}
