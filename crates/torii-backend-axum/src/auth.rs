//! The extractors.

use std::ops::Deref;

use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;
use torii_backend::{AccessError, NoClaims, Verifier};
use torii_backend_tower::Admission;

use crate::rejection::AuthRejection;

/// Who is calling: a [`torii_backend::Auth`] as an extractor, with the token's claims as a type of your own.
///
/// The request's token is verified with the [`Verifier`] in the router's state, once per request: what this verifier has
/// found already, in an [`AuthLayer`](crate::AuthLayer) in front or for another argument, is taken over. What another
/// verifier found is not. As `Option<Auth>` it is `None` when no credentials were sent, and only then.
///
/// Claims that do not have the shape of `C` are refused with 403 and the guard's name `claims`.
///
/// Routers whose state has no verifier use [`LayerAuth`].
#[derive(Clone, Debug, PartialEq)]
pub struct Auth<C = NoClaims> {
    /// Who is calling.
    pub caller: torii_backend::Auth,
    /// What else the token says.
    pub claims: C,
}

impl<C> Deref for Auth<C> {
    type Target = torii_backend::Auth;

    fn deref(&self) -> &Self::Target {
        &self.caller
    }
}

impl<S, C> FromRequestParts<S> for Auth<C>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
    C: DeserializeOwned,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let verifier = Verifier::from_ref(state);
        let found = parts.extensions.get::<torii_backend::Auth>();
        let caller = match found.filter(|auth| verifier.made(auth)) {
            Some(auth) => auth.clone(),
            None => {
                let auth = verifier.authenticate_request(&parts.headers).await?;
                parts.extensions.insert(auth.clone());
                auth
            }
        };
        let claims = caller.claims_or_denied()?;
        Ok(Self { caller, claims })
    }
}

impl<S, C> OptionalFromRequestParts<S> for Auth<C>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
    C: DeserializeOwned,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        let auth = <Self as FromRequestParts<S>>::from_request_parts(parts, state).await;
        auth.map_or_else(AuthRejection::none_if_anonymous, |auth| Ok(Some(auth)))
    }
}

/// Who is calling, as the innermost [`AuthLayer`](crate::AuthLayer) in front of the route found out. Works with any
/// state, because the layer has the [`Verifier`].
///
/// As `Option<LayerAuth>` it is `None` when an [optional](crate::AuthLayer::optional) layer let a request without
/// credentials through, and only then. On a route without a layer both answer 500 to every request, because nobody has
/// verified anything. Claims are read as for [`Auth`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerAuth<C = NoClaims> {
    /// Who is calling.
    pub caller: torii_backend::Auth,
    /// What else the token says.
    pub claims: C,
}

impl<C> Deref for LayerAuth<C> {
    type Target = torii_backend::Auth;

    fn deref(&self) -> &Self::Target {
        &self.caller
    }
}

impl<S, C> FromRequestParts<S> for LayerAuth<C>
where
    S: Send + Sync,
    C: DeserializeOwned,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let admission = parts.extensions.get::<Admission>().cloned();
        let admission = admission.ok_or(AuthRejection(AccessError::Misconfigured(NO_LAYER.into())))?;
        let caller = admission.into_result()?;
        let claims = caller.claims_or_denied()?;
        Ok(Self { caller, claims })
    }
}

impl<S, C> OptionalFromRequestParts<S> for LayerAuth<C>
where
    S: Send + Sync,
    C: DeserializeOwned,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        let auth = <Self as FromRequestParts<S>>::from_request_parts(parts, state).await;
        auth.map_or_else(AuthRejection::none_if_anonymous, |auth| Ok(Some(auth)))
    }
}

const NO_LAYER: &str = "no AuthLayer is in front of a route that asks for LayerAuth";
