//! The shell around the checks: the only part of verification that may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{HeaderMap, HeaderName};

use super::auth::Auth;
use super::bearer;
use super::claims::ClaimsPolicy;
use super::error::{ErrorCode, TokenError, VerifyError};
use super::key_source::Keys;
use super::remote::{KeySnapshot, KeyStatus};
use super::signature::VerifyingKey;
use super::token::{AllowedTypes, UnverifiedToken};
use super::verified::{TokenDigest, VerifiedToken, VerifiedTokens};
use crate::clock::Clock;

/// Verifies the tokens of one issuer. Cheap to clone; clones share everything.
///
/// A token whose key is at hand is verified without I/O, without waiting and without a lock. Only the first token, a
/// token with a key not seen before, and the first token after keys lay unused past their time may wait, 5 s and
/// 2 s at most. In the child of a fork, see [`process::forked`](crate::process::forked).
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    claims: ClaimsPolicy,
    types: AllowedTypes,
    header: HeaderName,
    keys: Keys,
    clock: Arc<dyn Clock>,
    verified: VerifiedTokens,
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
        let refused = std::array::from_fn(|_| AtomicU64::new(0));
        Self(Arc::new(Inner {
            claims,
            types,
            header,
            keys,
            clock,
            verified,
            accepted: AtomicU64::new(0),
            refused,
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
            let sought = self.seek(token)?;
            let key = self.0.keys.get(sought.kid()).await?;
            self.conclude(sought, key)
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
            let sought = self.seek(token)?;
            let key = self.0.keys.get_blocking(sought.kid())?;
            self.conclude(sought, key)
        };
        self.counted(outcome())
    }

    /// The answer, if it can be given from memory: the token was verified before, and its key is at hand and fresh. Never
    /// waits, fetches nothing and checks no signature.
    ///
    /// `None` says nothing about the token: [`verify`](Self::verify) does. An answer is counted as one of `verify` is, and
    /// `None` is not.
    pub fn verify_remembered(&self, token: &str) -> Option<Result<Auth, VerifyError>> {
        let digest = self.0.verified.digest(token)?;
        let verified = self.0.verified.get(&digest)?;
        let key = self.0.keys.get_fresh(&verified.kid)?;
        Arc::ptr_eq(&verified.key, &key).then(|| self.counted(self.check_again(verified, &digest)))
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
        let refused = ErrorCode::NAMES.iter().zip(&self.0.refused);
        let refused = refused.map(|(name, count)| (*name, count.load(Ordering::Relaxed)));
        VerifyCounts {
            accepted: self.0.accepted.load(Ordering::Relaxed),
            refused: refused.filter(|(_, count)| *count > 0).collect(),
        }
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

    /// Everything that can be said without a key. For a key that would have to be fetched, that includes the issuer
    /// and the expiry, so that neither a stranger's token nor an old one causes a request.
    fn seek<'t>(&self, text: &'t str) -> Result<Sought<'t>, TokenError> {
        let digest = self.0.verified.digest(text);
        if let Some(digest) = digest
            && let Some(verified) = self.0.verified.get(&digest)
            && self.0.keys.knows(&verified.kid)
        {
            let token = Token::Verified(verified, digest);
            return Ok(Sought { text, token });
        }
        let token = UnverifiedToken::parse(text, &self.0.types)?;
        if !self.0.keys.knows(&token.jws.kid) {
            self.0.claims.check_before_key(&token.claims, self.now())?;
        }
        let token = Token::Unverified(token, digest);
        Ok(Sought { text, token })
    }

    /// Decides with the issuer's present key of that name. The time is that after any wait for it.
    fn conclude(&self, sought: Sought<'_>, key: Arc<VerifyingKey>) -> Result<Auth, VerifyError> {
        let (token, digest) = match sought.token {
            Token::Verified(verified, digest) if Arc::ptr_eq(&verified.key, &key) => {
                return self.check_again(verified, &digest);
            }
            // Another key has that name by now.
            Token::Verified(_, digest) => (UnverifiedToken::parse(sought.text, &self.0.types)?, Some(digest)),
            Token::Unverified(token, digest) => (token, digest),
        };
        let UnverifiedToken { jws, claims } = token;
        // The signature first, so that the codes for claims tell a forger nothing.
        if !key.verifies(jws.signing_input, &jws.signature) {
            return Err(TokenError::new(ErrorCode::BadSignature, "the signature is not the key's").into());
        }
        let auth = self.0.claims.check(claims, jws.payload, self.now())?;
        if let Some(digest) = digest {
            let verified = VerifiedToken {
                auth: auth.clone(),
                kid: jws.kid.into(),
                key,
            };
            self.0.verified.insert(digest, verified);
        }
        Ok(auth)
    }

    /// Decides about a token whose signature was verified before, with what is still the issuer's key.
    fn check_again(&self, verified: VerifiedToken, digest: &TokenDigest) -> Result<Auth, VerifyError> {
        let checked = self.0.claims.check_times(verified.auth.times(), self.now());
        if checked.is_err() {
            self.0.verified.remove(digest);
        }
        Ok(checked.map(|()| verified.auth)?)
    }

    fn now(&self) -> u64 {
        self.0.clock.now().unix_seconds()
    }

    fn counted(&self, outcome: Result<Auth, VerifyError>) -> Result<Auth, VerifyError> {
        if outcome.is_ok() {
            self.0.accepted.fetch_add(1, Ordering::Relaxed);
        }
        outcome.map_err(|error| self.refused(error))
    }

    /// Counts a refusal.
    fn refused(&self, error: VerifyError) -> VerifyError {
        self.0.refused[error.code().index()].fetch_add(1, Ordering::Relaxed);
        error
    }
}

/// A token that waits for its key.
struct Sought<'t> {
    text: &'t str,
    token: Token<'t>,
}

enum Token<'t> {
    /// Its signature was verified before.
    Verified(VerifiedToken, TokenDigest),
    Unverified(UnverifiedToken<'t>, Option<TokenDigest>),
}

impl Sought<'_> {
    fn kid(&self) -> &str {
        match &self.token {
            Token::Verified(verified, _) => &verified.kid,
            Token::Unverified(token, _) => &token.jws.kid,
        }
    }
}
