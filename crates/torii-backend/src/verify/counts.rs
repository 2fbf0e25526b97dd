//! How often a verifier has come to which conclusion.

use std::sync::atomic::{AtomicU64, Ordering};

use super::error::ErrorCode;

/// Written by every verification, so it keeps away from what every verification reads: on a cache line of its own, or on
/// the pair of them that processors fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Tally {
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

impl Tally {
    pub(super) fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refuse(&self, code: ErrorCode) {
        self.refused[code.index()].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> VerifyCounts {
        let refused = ErrorCode::names().into_iter().zip(&self.refused);
        let refused = refused.map(|(name, count)| (name, count.load(Ordering::Relaxed)));
        VerifyCounts {
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: refused.filter(|(_, count)| *count > 0).collect(),
        }
    }
}
