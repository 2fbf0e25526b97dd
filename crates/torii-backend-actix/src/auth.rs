//! The extractors.

use std::borrow::Cow;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;
use torii_backend::{AccessError, ErrorCode, NoClaims, Verifier};

use crate::error::AuthError;
use crate::request::{Admission, authenticate};

/// Who is calling: a [`torii_backend::Auth`] as an extractor, with the claims as a type of your own.
///
/// With a `web::Data<Verifier>` in the application, the request's token is verified with that verifier. What it has found
/// already, in an [`AuthMiddleware`](crate::AuthMiddleware) in front or for another argument, is taken over. What another
/// verifier found is not. Without one, the caller is whom the innermost middleware found; without a
/// middleware, every request is answered with 500, and an error in the log.
///
/// Claims that do not have the shape of `C` are answered with 403 and the guard `claims`.
///
/// Do not ask for `Option<Auth>`: actix-web makes `None` of every error, so that a refused token is taken for none. Ask
/// for [`OptionalAuth`].
#[derive(Clone, Debug, PartialEq)]
pub struct Auth<C = NoClaims> {
    caller: torii_backend::Auth,
    claims: C,
}

impl<C> Auth<C> {
    /// The claims as your type.
    pub fn claims(&self) -> &C {
        &self.claims
    }

    /// The caller and the claims, each on its own.
    pub fn into_parts(self) -> (torii_backend::Auth, C) {
        (self.caller, self.claims)
    }
}

impl<C> Deref for Auth<C> {
    type Target = torii_backend::Auth;

    fn deref(&self) -> &Self::Target {
        &self.caller
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for Auth<C> {
    type Error = AuthError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AuthError>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { with_claims(caller(&request).await?) })
    }
}

/// The caller of a request that may come without credentials: `None` when none were sent, and only then.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionalAuth<C = NoClaims>(pub Option<Auth<C>>);

impl<C> Deref for OptionalAuth<C> {
    type Target = Option<Auth<C>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for OptionalAuth<C> {
    type Error = AuthError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AuthError>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match caller(&request).await {
                Ok(caller) => Ok(Self(Some(with_claims(caller)?))),
                Err(AccessError::Unverified(error)) if error.code() == ErrorCode::HeaderMissing => {
                    Ok(Self(None))
                }
                Err(error) => Err(error.into()),
            }
        })
    }
}

async fn caller(request: &HttpRequest) -> Result<torii_backend::Auth, AccessError> {
    let Some(verifier) = request.app_data::<Data<Verifier>>() else {
        let admission = request.extensions().get::<Admission>().cloned();
        let Admission(outcome) = admission.ok_or(NO_VERIFIER)?;
        return Ok(outcome?);
    };
    if let Some(auth) = request.extensions().get::<torii_backend::Auth>()
        && verifier.made(auth)
    {
        return Ok(auth.clone());
    }
    let auth = authenticate(verifier, request.headers()).await?;
    // For another argument of the handler.
    request.extensions_mut().insert(auth.clone());
    Ok(auth)
}

const NO_VERIFIER: AccessError = AccessError::Misconfigured(Cow::Borrowed(
    "a handler asks for its caller, and there is neither an AuthMiddleware nor a web::Data<Verifier>",
));

fn with_claims<C: DeserializeOwned>(caller: torii_backend::Auth) -> Result<Auth<C>, AuthError> {
    let claims = caller.claims_or_denied()?;
    Ok(Auth { caller, claims })
}
