//! The shell around the checks: the only part of verification that may wait.

use std::sync::Arc;

use super::counts::{Tally, VerifyCounts};
use super::credentials::Places;
use super::error::{ErrorCode, TokenError, VerifyError};
use super::keys::Keys;
#[cfg(feature = "http")]
use super::keys::status::KeySnapshot;
use super::keys::status::KeyStatus;
use super::token::auth::{Auth, Signer};
use super::token::claims::{Claims, ClaimsPolicy};
use super::token::header::{AllowedTypes, HeaderPolicy};
use super::token::issuer::Issuer;
use super::token::jws::UnverifiedJws;
use super::token::signature::VerifyingKey;
use super::verified::{TokenDigest, VerifiedTokens};
use crate::clock::Clock;

/// Verifies the tokens of one issuer, or of several. Cheap to clone; clones share everything.
///
/// A token whose key is at hand is verified without I/O and without waiting, also while the issuer's keys cannot be
/// refreshed. Looking the key up takes no lock; looking up a remembered token takes a read lock for a moment. Only the first
/// token waits for a fetch, for 5 s at most ([`VerifierBuilder::fetch_timeout`](crate::VerifierBuilder)); a token with a
/// key not seen before, and the first token after keys lay unused past their time, wait 2.25 s at most. In the child of a fork, see [`process::forked`](crate::process::forked).
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    claims: ClaimsPolicy,
    headers: HeaderPolicy,
    places: Places,
    /// At least one.
    issuers: Box<[Trusted]>,
    clock: Arc<dyn Clock>,
    verified: VerifiedTokens,
    tally: Tally,
}

/// An issuer whose tokens are accepted.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) issuer: Issuer,
    pub(super) keys: Keys,
}

impl Verifier {
    pub(super) fn from_parts(
        claims: ClaimsPolicy,
        types: AllowedTypes,
        places: Places,
        issuers: Vec<Trusted>,
        clock: Arc<dyn Clock>,
        verified: VerifiedTokens,
    ) -> Self {
        Self(Arc::new(Inner {
            claims,
            headers: HeaderPolicy::new(types),
            places,
            issuers: issuers.into(),
            clock,
            verified,
            tally: Tally::default(),
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
            let (claims, place, trusted) = self.claims(&jws)?;
            let key = trusted.keys.get(&jws.kid).await?;
            self.conclude(&jws, &claims, (place, trusted), key, seen)
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
            let (claims, place, trusted) = self.claims(&jws)?;
            let key = trusted.keys.get_blocking(&jws.kid)?;
            self.conclude(&jws, &claims, (place, trusted), key, seen)
        };
        self.counted(outcome())
    }

    /// The answer, if it can be given from memory: the token was verified before, and its key is at hand. Never
    /// waits, fetches nothing and checks no signature.
    ///
    /// `None` says nothing about the token: [`verify`](Self::verify) does. An answer is counted as one of `verify` is, and
    /// `None` is not.
    pub fn verify_remembered(&self, token: &str) -> Option<Result<Auth, VerifyError>> {
        let outcome = self.answer(&self.recall(token))?;
        Some(self.counted(outcome))
    }

    /// Has keys at hand before the first token comes: for a server's start or its readiness probe.
    ///
    /// # Errors
    ///
    /// [`VerifyError::KeysUnavailable`], when they cannot be had.
    pub async fn warm_up(&self) -> Result<(), VerifyError> {
        for trusted in &self.0.issuers {
            trusted.keys.warm_up().await?;
        }
        Ok(())
    }

    /// [`warm_up`](Self::warm_up) for a thread.
    ///
    /// # Errors
    ///
    /// As [`warm_up`](Self::warm_up).
    pub fn warm_up_blocking(&self) -> Result<(), VerifyError> {
        self.0
            .issuers
            .iter()
            .try_for_each(|trusted| trusted.keys.warm_up_blocking())
    }

    /// The state of the keys; with several issuers, of the first one's.
    pub fn status(&self) -> KeyStatus {
        self.0.issuers[0].keys.status()
    }

    /// The state of every issuer's keys, in the order in which the issuers were configured.
    pub fn statuses(&self) -> impl Iterator<Item = (&str, KeyStatus)> {
        let issuers = self.0.issuers.iter();
        issuers.map(|trusted| (trusted.issuer.as_str(), trusted.keys.status()))
    }

    /// How often this verifier has come to which conclusion.
    pub fn counts(&self) -> VerifyCounts {
        self.0.tally.counts()
    }

    /// Whether this verifier, or a clone of it, made `auth`. Another verifier's `auth` may be for another audience or
    /// issuer, and must not be taken for one of this verifier's.
    pub fn made(&self, auth: &Auth) -> bool {
        let mut issuers = self.0.issuers.iter();
        issuers.any(|trusted| trusted.issuer.lent(auth.shared_issuer()))
    }

    /// The fetched keys, to start another process with
    /// ([`VerifierBuilder::import_keys`](crate::VerifierBuilder::import_keys)). `None` before the first fetch, and for
    /// keys that were given. With several issuers, those of the first.
    #[cfg(feature = "http")]
    pub fn export_keys(&self) -> Option<KeySnapshot> {
        match &self.0.issuers[0].keys {
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

    /// The answer from memory alone: the token was verified before, and with what is still a key of the issuer's.
    fn answer(&self, seen: &Seen) -> Option<Result<Auth, VerifyError>> {
        let auth = seen.auth.as_ref()?;
        let signer = auth.signer()?;
        let now = self.0.clock.now();
        let keys = &self.0.issuers.get(signer.issuer)?.keys;
        let holds = keys.hold(&signer.kid, &signer.key, now);
        holds.then(|| self.check_again(auth, seen.digest, now.unix_seconds()))
    }

    /// The claims and the issuer they name, after everything that can be said without a key. For a key that would have to be
    /// fetched, that includes the expiry, so that neither a stranger's token nor an old one causes a request.
    fn claims<'j>(&self, jws: &'j UnverifiedJws<'_>) -> Result<(Claims<'j>, usize, &Trusted), TokenError> {
        let claims = jws.claims()?;
        let (place, trusted) = match &*self.0.issuers {
            [only] => (0, only),
            // What the token says only selects among the configured issuers; the signature has to be by that one's key.
            several => {
                let iss = claims.issuer()?;
                let mut several = several.iter().enumerate();
                let named = several.find(|(_, trusted)| trusted.issuer.spelled(iss).is_some());
                named.ok_or_else(|| {
                    TokenError::new(
                        ErrorCode::IssuerMismatch,
                        "the token is issued by none of the configured issuers",
                    )
                })?
            }
        };
        if !trusted.keys.knows(&jws.kid) {
            let now = self.now();
            self.0.claims.check_before_key(&claims, &trusted.issuer, now)?;
        }
        Ok((claims, place, trusted))
    }

    /// Decides with the issuer's present key of the token's name for it. The time is that after any wait for the key.
    fn conclude(
        &self,
        jws: &UnverifiedJws<'_>,
        claims: &Claims<'_>,
        (issuer, trusted): (usize, &Trusted),
        key: Arc<VerifyingKey>,
        seen: Seen,
    ) -> Result<Auth, VerifyError> {
        match &seen.auth {
            Some(auth) if auth.signer().is_some_and(|signer| Arc::ptr_eq(&signer.key, &key)) => {
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
        let signer = Signer { issuer, kid, key };
        let auth = self
            .0
            .claims
            .check(claims, &trusted.issuer, Some(signer), self.now())?;
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

    /// The present time of the verifier's clock, in Unix seconds.
    pub fn now(&self) -> u64 {
        self.0.clock.now().unix_seconds()
    }

    fn counted(&self, outcome: Result<Auth, VerifyError>) -> Result<Auth, VerifyError> {
        match outcome {
            Ok(auth) => {
                self.0.tally.accept();
                Ok(auth)
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Where a request carries the token.
    pub(super) fn places(&self) -> &Places {
        &self.0.places
    }

    /// Counts a refusal.
    pub(super) fn refused(&self, error: VerifyError) -> VerifyError {
        self.0.tally.refuse(error.code());
        if error.code() == ErrorCode::IssuerMismatch {
            let issuers = self.0.issuers.iter().map(|trusted| trusted.issuer.as_str());
            let issuers: Vec<_> = issuers.collect();
            tracing::debug!(
                ?issuers,
                "a token of another issuer than the configured ones was refused"
            );
        }
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
