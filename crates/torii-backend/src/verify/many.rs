//! Verifying many tokens at once.

use std::iter;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::error::VerifyError;
use super::token::auth::Auth;
use super::verifier::Verifier;

/// Tokens that a thread takes at a time: few enough to even out, enough to make taking them cost nothing.
const SHARE: usize = 16;

impl Verifier {
    /// Verifies many tokens, on as many threads as the machine has cores, this one among them: for queues and logs.
    ///
    /// The results are in the order of the tokens, each what [`verify_blocking`](Self::verify_blocking) would have given. In
    /// an `async fn`, call it where your runtime lets you block.
    pub fn verify_many_blocking<T: AsRef<str> + Sync>(&self, tokens: &[T]) -> Vec<Result<Auth, VerifyError>> {
        let Some((first, rest)) = tokens.split_first() else {
            return Vec::new();
        };
        // Alone, so that keys that are not at hand are waited for once, and a batch of one needs no thread.
        let first = self.verify_blocking(first.as_ref());
        let mut results = Vec::new();
        results.resize_with(rest.len(), || None);
        let shares = Mutex::new(rest.chunks(SHARE).zip(results.chunks_mut(SHARE)));
        let work = || {
            loop {
                let share = shares.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((tokens, results)) = share else { return };
                for (token, result) in tokens.iter().zip(results) {
                    *result = Some(self.verify_blocking(token.as_ref()));
                }
            }
        };
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        thread::scope(|scope| {
            for _ in 1..cores.min(rest.len().div_ceil(SHARE)) {
                // A thread that cannot be had leaves its share to the others.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        iter::once(first).chain(results.into_iter().flatten()).collect()
    }
}
