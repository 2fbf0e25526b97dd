//! What callers meet while the endpoint is in trouble.

use std::thread;
use std::time::Duration;

use super::{Figure, shown};
use crate::key_cache::replies::{Cold, Warm, good};
use crate::support::faultd::{Faultd, Reply, Script};

/// How a cold caller and warm ones fare at endpoints in trouble, all at the same time.
pub(super) struct Met {
    pairs: Vec<(Cold, Warm)>,
}

impl Met {
    pub(super) fn when<F: FnOnce(&Faultd) + Clone + Send>(troubles: Vec<F>) -> Self {
        thread::scope(|scope| {
            let pairs: Vec<_> = troubles
                .into_iter()
                .map(|trouble| {
                    let again = trouble.clone();
                    (
                        scope.spawn(|| Cold::when(trouble)),
                        scope.spawn(|| Warm::when(again)),
                    )
                })
                .collect();
            let joined = pairs
                .into_iter()
                .map(|(cold, warm)| (cold.join().unwrap(), warm.join().unwrap()));
            Self {
                pairs: joined.collect(),
            }
        })
    }

    pub(super) fn at(scripts: impl IntoIterator<Item = impl Into<Script>>) -> Self {
        let troubles = scripts.into_iter().map(|script| {
            let script = script.into();
            move |endpoint: &Faultd| endpoint.set(script)
        });
        Self::when(troubles.collect())
    }

    pub(super) fn with_statuses(statuses: &[u16]) -> Self {
        Self::at(statuses.iter().map(|status| Reply::new(*status).body(good())))
    }

    /// The longest wait without keys, and with them.
    fn waits(&self) -> [Duration; 2] {
        let cold = self.pairs.iter().map(|(cold, _)| cold.took).max();
        let warm = self.pairs.iter().map(|(_, warm)| warm.longest).max();
        [cold, warm].map(Option::unwrap_or_default)
    }

    /// Cold callers are told to try again within the limit, and warm ones are served.
    pub(super) fn within(&self, limit: Duration) -> Figure {
        let is_kept = |(cold, warm): &(Cold, Warm)| cold.is_told_to_try_again() && warm.is_served();
        let [cold, warm] = self.waits();
        let kept = self.pairs.iter().filter(|pair| is_kept(pair)).count();
        let measured = format!(
            "{kept} of {} kept: cold unavailable in {}, warm served in {}",
            self.pairs.len(),
            shown(cold),
            shown(warm)
        );
        Figure::of(kept == self.pairs.len(), measured).in_time(cold <= limit)
    }

    /// The same, with so many requests for each cold caller.
    pub(super) fn with_requests(&self, requests: usize) -> Figure {
        let mut figure = self.within(Duration::from_secs(5));
        let counts = self.pairs.iter().map(|(cold, _)| cold.issuer.requests());
        let most = counts.clone().max().unwrap_or_default();
        figure.measured = format!("{}, requests: {most}", figure.measured);
        match counts.clone().all(|count| count == requests) {
            true => figure,
            false => Figure::of(false, figure.measured),
        }
    }
}
