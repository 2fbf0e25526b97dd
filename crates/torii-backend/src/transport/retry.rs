//! Whether to try again, and when: decided from what happened, without doing anything.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::http_client::{HttpError, HttpErrorKind, headers};
use crate::operation::RetryClass;

/// What is known about an attempt that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The API did nothing: it saw nothing.
    NotSent,
    /// The API did nothing: it said that it would not, for now.
    Refused,
    /// The API may have done it.
    Unknown,
    /// The API did it, but what it says about that is no use.
    Unreadable,
    /// Trying again would bring the same.
    Final,
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Make the next attempt after this wait.
    Retry(Duration),
    /// Return what there is.
    Return,
    /// Return that nobody knows whether it happened.
    OutcomeUnknown,
}

/// Attempts of a call in all.
const NO_REPEAT: u32 = 1;
const ONE_REPEAT: u32 = 2;
const MAX_ATTEMPTS: u32 = 3;
/// Base and cap of the wait before a retry: a random part of base·2ⁿ, AWS's "full jitter".
const TRANSIENT_BASE: Duration = Duration::from_millis(100);
const THROTTLED_BASE: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// Longest `Retry-After` that is waited for; a longer one is the caller's business.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);
/// Chance adds up to this part of a `Retry-After`, so that those who were refused together do not return together.
const RETRY_AFTER_JITTER: f64 = 0.1;
/// An idempotent write that may have been carried out is repeated only this soon after its first attempt.
const IDEMPOTENT_WINDOW: Duration = Duration::from_secs(2);

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Attempts {
    class: RetryClass,
    allowed: bool,
    made: u32,
    /// Whether any of them may have been carried out.
    in_doubt: bool,
    /// What this call has taken from the quota.
    spent: u32,
}

impl Attempts {
    pub(crate) fn new(class: RetryClass, retries_allowed: bool) -> Self {
        Self {
            class,
            allowed: retries_allowed,
            made: 0,
            in_doubt: false,
            spent: 0,
        }
    }

    /// How many attempts have been judged.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// Whether any of them may have been carried out.
    pub(crate) fn in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Judges an attempt that ended `elapsed` after the call's first one began, with `left` of the call's time.
    /// `readable` is whether a successful reply could be read. `chance` is a random number from 0 to 1.
    pub(crate) fn judge(
        &mut self,
        outcome: &Result<Response<Bytes>, HttpError>,
        readable: bool,
        elapsed: Duration,
        left: Duration,
        quota: &Quota,
        chance: f64,
    ) -> Verdict {
        self.made += 1;
        let failure = match outcome {
            Ok(reply) if reply.status().is_success() && readable => {
                quota.give_back(self.spent);
                return Verdict::Return;
            }
            Ok(reply) => self.failure_of_reply(reply),
            Err(error) => self.failure_of_exchange(error),
        };
        self.in_doubt |= failure == Failure::Unknown;
        let reply = outcome.as_ref().ok();
        let retry_after = reply.and_then(|reply| headers::retry_after(reply.headers()));
        match self.wait(failure, retry_after, elapsed, left, chance) {
            Some(wait) if self.allowed && self.spend(failure, quota) => Verdict::Retry(wait),
            _ if failure == Failure::Unknown && self.is_unrepeatable() => Verdict::OutcomeUnknown,
            _ => Verdict::Return,
        }
    }

    /// How long to wait before the next attempt; `None` if there is to be none.
    fn wait(
        &self,
        failure: Failure,
        retry_after: Option<Duration>,
        elapsed: Duration,
        left: Duration,
        chance: f64,
    ) -> Option<Duration> {
        let most = match (self.class, failure) {
            (_, Failure::Final) => NO_REPEAT,
            (RetryClass::Read, Failure::Unreadable) => ONE_REPEAT,
            // What was done need not be repeated to be read.
            (_, Failure::Unreadable) => NO_REPEAT,
            (RetryClass::Read, _) => MAX_ATTEMPTS,
            (RetryClass::Idempotent, _) if self.in_doubt => ONE_REPEAT,
            (RetryClass::Delete | RetryClass::Effect, Failure::Unknown) => NO_REPEAT,
            (RetryClass::Effect, _) => ONE_REPEAT,
            (RetryClass::Idempotent | RetryClass::Delete, _) => MAX_ATTEMPTS,
        };
        let backoff = self.backoff(failure, chance);
        let wait = match retry_after {
            Some(asked) if asked > MAX_RETRY_AFTER => return None,
            Some(asked) => backoff.max(asked) + asked.mul_f64(RETRY_AFTER_JITTER * chance),
            None => backoff,
        };
        let too_late =
            self.class == RetryClass::Idempotent && self.in_doubt && elapsed + wait > IDEMPOTENT_WINDOW;
        (self.made < most && wait < left && !too_late).then_some(wait)
    }

    fn backoff(&self, failure: Failure, chance: f64) -> Duration {
        let base = match failure {
            Failure::Refused => THROTTLED_BASE,
            _ => TRANSIENT_BASE,
        };
        let growth = 2_u32.saturating_pow(self.made - 1);
        base.saturating_mul(growth).min(MAX_BACKOFF).mul_f64(chance)
    }

    fn spend(&mut self, failure: Failure, quota: &Quota) -> bool {
        let cost = match failure {
            Failure::Refused => Quota::THROTTLED,
            _ => Quota::TRANSIENT,
        };
        let taken = quota.take(cost);
        self.spent += if taken { cost } else { 0 };
        taken
    }

    fn is_unrepeatable(&self) -> bool {
        matches!(self.class, RetryClass::Delete | RetryClass::Effect)
    }

    fn failure_of_reply(&self, reply: &Response<Bytes>) -> Failure {
        let says_when = headers::retry_after(reply.headers()).is_some();
        match reply.status() {
            status if status.is_success() => Failure::Unreadable,
            StatusCode::TOO_MANY_REQUESTS => Failure::Refused,
            // These say "not now", but may come from anything on the way: no proof for what must not happen twice.
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY if !self.is_unrepeatable() => {
                Failure::Refused
            }
            StatusCode::SERVICE_UNAVAILABLE if says_when && !self.is_unrepeatable() => Failure::Refused,
            StatusCode::NOT_IMPLEMENTED => Failure::Final,
            status if status.is_server_error() => Failure::Unknown,
            _ => Failure::Final,
        }
    }

    fn failure_of_exchange(&self, error: &HttpError) -> Failure {
        match error.kind() {
            HttpErrorKind::Connect => Failure::NotSent,
            HttpErrorKind::Untrusted | HttpErrorKind::Setup => Failure::Final,
            HttpErrorKind::TooLarge | HttpErrorKind::Interrupted
                if !(self.is_unrepeatable() && error.may_have_been_sent()) =>
            {
                Failure::Final
            }
            HttpErrorKind::TooLarge
            | HttpErrorKind::Interrupted
            | HttpErrorKind::Timeout
            | HttpErrorKind::Broken => Failure::Unknown,
        }
    }
}

/// A client's allowance for retries. When everything fails, it runs out, and calls fail fast instead of multiplying
/// the load. The figures are those of AWS's SDKs.
#[derive(Debug)]
pub(crate) struct Quota(AtomicU32);

impl Quota {
    const FULL: u32 = 500;
    const TRANSIENT: u32 = 14;
    const THROTTLED: u32 = 5;
    /// What a call that needed no retry earns.
    const EARNED: u32 = 1;

    fn take(&self, cost: u32) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(cost)
            })
            .is_ok()
    }

    fn give_back(&self, spent: u32) {
        let earned = spent.max(Self::EARNED);
        let add = |left: u32| Some(left.saturating_add(earned).min(Self::FULL));
        // The closure always has a value, so this cannot fail.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

#[cfg(test)]
mod tests;
