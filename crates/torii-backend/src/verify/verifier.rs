//! The shell around the checks: the only part of verification that may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{HeaderMap, HeaderName};

use super::auth::{Auth, Signer};
use super::bearer;
use super::claims::{Claims, ClaimsPolicy};
use super::error::{ErrorCode, TokenError, VerifyError};
use super::header::{AllowedTypes, HeaderPolicy};
use super::key_source::Keys;
use super::remote::{KeySnapshot, KeyStatus};
use super::signature::VerifyingKey;
use super::token::UnverifiedJws;
use super::verified::{TokenDigest, VerifiedTokens};
use crate::clock::Clock;

/// Verifies the tokens of one issuer. Cheap to clone; clones share everything.
///
/// A token whose key is at hand is verified without I/O, without waiting and without a lock. Only the first token, a
/// token with a key not seen before, and the first token after keys lay unused past their time may wait, 5 s and
/// 2.25 s at most. In the child of a fork, see [`process::forked`](crate::process::forked).
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    claims: ClaimsPolicy,
    headers: HeaderPolicy,
    header: HeaderName,
    keys: Keys,
    clock: Arc<dyn Clock>,
    verified: VerifiedTokens,
    tally: Tally,
}

/// Written by every verification, so it keeps away from what every verification reads: on a cache line of its own, or on
/// the pair of them that processors fetch together.
#[derive(Debug)]
#[repr(align(128))]
struct Tally {
    accepted: AtomicU64,
    refused: [AtomicU64; ErrorCode::COUNT],
}

/// How often a verifier has come to which conclusion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyCounts {
    /// Accepted tokens.
    pub accepted: u64,
    /// Every code that has occurred (`claim_missing` and `claim_type` without the claim's name), and how often.
    pub refused: Vec<(&'static str, u64)>,
}

impl Verifier {
    pub(crate) fn from_parts(
        claims: ClaimsPolicy,
        types: AllowedTypes,
        header: HeaderName,
        keys: Keys,
        clock: Arc<dyn Clock>,
        verified: VerifiedTokens,
    ) -> Self {
        let tally = Tally {
            accepted: AtomicU64::new(0),
            refused: std::array::from_fn(|_| AtomicU64::new(0)),
        };
        Self(Arc::new(Inner {
            claims,
            headers: HeaderPolicy::new(types),
            header,
            keys,
            clock,
            verified,
            tally,
        }))
    }

    /// Verifies a token. The future is ready at once when the key is at hand, and runs on any executor.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Token`] when the token is refused, [`VerifyError::KeysUnavailable`] when the issuer's keys cannot
    /// be had.
    pub async fn verify(&self, token: &str) -> Result<Auth, VerifyError> {
        let outcome = async {
            let seen = self.recall(token);
            if let Some(outcome) = self.answer(&seen) {
                return outcome;
            }
            let jws = UnverifiedJws::parse(token, &self.0.headers)?;
            let claims = self.claims(&jws)?;
            let key = self.0.keys.get(&jws.kid).await?;
            self.conclude(&jws, &claims, key, seen)
        };
        self.counted(outcome.await)
    }

    /// [`verify`](Self::verify) for a thread; needs no runtime. In an `async fn`, use `verify`: this one may block.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_blocking(&self, token: &str) -> Result<Auth, VerifyError> {
        let outcome = || {
            let seen = self.recall(token);
            if let Some(outcome) = self.answer(&seen) {
                return outcome;
            }
            let jws = UnverifiedJws::parse(token, &self.0.headers)?;
            let claims = self.claims(&jws)?;
            let key = self.0.keys.get_blocking(&jws.kid)?;
            self.conclude(&jws, &claims, key, seen)
        };
        self.counted(outcome())
    }

    /// The answer, if it can be given from memory: the token was verified before, and its key is at hand and fresh. Never
    /// waits, fetches nothing and checks no signature.
    ///
    /// `None` says nothing about the token: [`verify`](Self::verify) does. An answer is counted as one of `verify` is, and
    /// `None` is not.
    pub fn verify_remembered(&self, token: &str) -> Option<Result<Auth, VerifyError>> {
        let outcome = self.answer(&self.recall(token))?;
        Some(self.counted(outcome))
    }

    /// The token in a request's headers, not verified: `Authorization: Bearer <token>`, or the header configured by
    /// [`VerifierBuilder::header`](crate::VerifierBuilder::header). A refusal is counted.
    ///
    /// # Errors
    ///
    /// With the codes `header_missing`, `header_malformed`, `header_ambiguous` and `too_large`.
    pub fn bearer_token<'h>(&self, headers: &'h HeaderMap) -> Result<&'h str, VerifyError> {
        bearer::token(headers, &self.0.header).map_err(|error| self.refused(error.into()))
    }

    /// Verifies the token in a request's headers: `Authorization: Bearer <token>`, or the header configured by
    /// [`VerifierBuilder::header`](crate::VerifierBuilder::header).
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify), and with the codes `header_missing`, `header_malformed` and `header_ambiguous`.
    pub async fn authenticate_request(&self, headers: &HeaderMap) -> Result<Auth, VerifyError> {
        self.verify(self.bearer_token(headers)?).await
    }

    /// [`authenticate_request`](Self::authenticate_request) for a thread.
    ///
    /// # Errors
    ///
    /// As [`authenticate_request`](Self::authenticate_request).
    pub fn authenticate_request_blocking(&self, headers: &HeaderMap) -> Result<Auth, VerifyError> {
        self.verify_blocking(self.bearer_token(headers)?)
    }

    /// Has keys at hand before the first token comes: for a server's start or its readiness probe.
    ///
    /// # Errors
    ///
    /// [`VerifyError::KeysUnavailable`], when they cannot be had.
    pub async fn warm_up(&self) -> Result<(), VerifyError> {
        match &self.0.keys {
            Keys::Remote(remote) => remote.warm_up().await,
            Keys::Given(_) => Ok(()),
        }
    }

    /// [`warm_up`](Self::warm_up) for a thread.
    ///
    /// # Errors
    ///
    /// As [`warm_up`](Self::warm_up).
    pub fn warm_up_blocking(&self) -> Result<(), VerifyError> {
        match &self.0.keys {
            Keys::Remote(remote) => remote.warm_up_blocking(),
            Keys::Given(_) => Ok(()),
        }
    }

    /// The state of the keys.
    pub fn status(&self) -> KeyStatus {
        match &self.0.keys {
            Keys::Remote(remote) => remote.status(),
            Keys::Given(set) => KeyStatus::of_given(set),
        }
    }

    /// How often this verifier has come to which conclusion.
    pub fn counts(&self) -> VerifyCounts {
        let refused = ErrorCode::NAMES.iter().zip(&self.0.tally.refused);
        let refused = refused.map(|(name, count)| (*name, count.load(Ordering::Relaxed)));
        VerifyCounts {
            accepted: self.0.tally.accepted.load(Ordering::Relaxed),
            refused: refused.filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// Whether this verifier, or a clone of it, made `auth`. Another verifier's `auth` may be for another audience or
    /// issuer, and must not be taken for one of this verifier's.
    pub fn made(&self, auth: &Auth) -> bool {
        self.0.claims.made(auth)
    }

    /// The fetched keys, to start another process with
    /// ([`VerifierBuilder::import_keys`](crate::VerifierBuilder::import_keys)). `None` before the first fetch, and for
    /// keys that were given.
    pub fn export_keys(&self) -> Option<KeySnapshot> {
        match &self.0.keys {
            Keys::Remote(remote) => remote.export(),
            Keys::Given(_) => None,
        }
    }

    /// What memory knows about a token.
    fn recall(&self, token: &str) -> Seen {
        let digest = self.0.verified.digest(token);
        let auth = digest.and_then(|digest| self.0.verified.get(&digest));
        Seen { digest, auth }
    }

    /// The answer from memory alone: the token was verified before, and with what is still a fresh key of the issuer's.
    fn answer(&self, seen: &Seen) -> Option<Result<Auth, VerifyError>> {
        let auth = seen.auth.as_ref()?;
        let now = self.0.clock.now();
        let holds = self.0.keys.hold_fresh(auth.signer(), now);
        holds.then(|| self.check_again(auth, seen.digest, now.unix_seconds()))
    }

    /// The claims, after everything that can be said without a key. For a key that would have to be fetched, that includes
    /// the issuer and the expiry, so that neither a stranger's token nor an old one causes a request.
    fn claims<'j>(&self, jws: &'j UnverifiedJws<'_>) -> Result<Claims<'j>, TokenError> {
        let claims = jws.claims()?;
        if !self.0.keys.knows(&jws.kid) {
            self.0.claims.check_before_key(&claims, self.now())?;
        }
        Ok(claims)
    }

    /// Decides with the issuer's present key of the token's name for it. The time is that after any wait for the key.
    fn conclude(
        &self,
        jws: &UnverifiedJws<'_>,
        claims: &Claims<'_>,
        key: Arc<VerifyingKey>,
        seen: Seen,
    ) -> Result<Auth, VerifyError> {
        match &seen.auth {
            Some(auth) if Arc::ptr_eq(&auth.signer().key, &key) => {
                return self.check_again(auth, seen.digest, self.now());
            }
            _ => {}
        }
        // The signature first, so that the codes for claims tell a forger nothing.
        if !jws.is_signed_by(&key) {
            return Err(TokenError::new(ErrorCode::BadSignature, "the signature is not the key's").into());
        }
        let kid = jws.kid.clone();
        self.0.headers.accept(jws.header, &kid);
        let auth = self.0.claims.check(claims, Signer { kid, key }, self.now())?;
        if let Some(digest) = seen.digest {
            self.0.verified.insert(digest, auth.clone());
        }
        Ok(auth)
    }

    /// Decides about a token whose signature was verified before, with what is still the issuer's key.
    fn check_again(&self, auth: &Auth, digest: Option<TokenDigest>, now: u64) -> Result<Auth, VerifyError> {
        let checked = self.0.claims.check_times(auth.times(), now);
        if let (Err(_), Some(digest)) = (&checked, digest) {
            self.0.verified.remove(&digest);
        }
        Ok(checked.map(|()| auth.clone())?)
    }

    fn now(&self) -> u64 {
        self.0.clock.now().unix_seconds()
    }

    fn counted(&self, outcome: Result<Auth, VerifyError>) -> Result<Auth, VerifyError> {
        if outcome.is_ok() {
            self.0.tally.accepted.fetch_add(1, Ordering::Relaxed);
        }
        outcome.map_err(|error| self.refused(error))
    }

    /// Counts a refusal.
    fn refused(&self, error: VerifyError) -> VerifyError {
        self.0.tally.refused[error.code().index()].fetch_add(1, Ordering::Relaxed);
        error
    }
}

/// What memory knows about a token.
struct Seen {
    /// `None` for a token that is not to be remembered.
    digest: Option<TokenDigest>,
    /// What it said, if its signature was verified before.
    auth: Option<Auth>,
}
