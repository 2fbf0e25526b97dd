//! The log of what arrived. It holds no header, no query and no body, and so no secret.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde::{Serialize, Serializer};
use torii_backend_types::Timestamp;

/// How many requests are remembered; the oldest are forgotten first.
const MAX_RECORDS: usize = 10_000;
/// Most characters of a path that are kept.
const MAX_PATH_CHARS: usize = 2_000;

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The reply's status. `None` while there is none, and for good where a fault aborted the reply or the client
    /// went away.
    pub status: Option<u16>,
    /// When the request arrived, by the emulator's clock.
    pub time: Timestamp,
    /// How long the reply took. `None` where there was none.
    #[serde(rename = "durationMs", serialize_with = "milliseconds")]
    pub duration: Option<Duration>,
}

#[derive(Default)]
pub(crate) struct RequestLog {
    records: Arc<Mutex<Records>>,
}

#[derive(Default)]
struct Records {
    kept: VecDeque<RequestRecord>,
    /// The number of the first one kept: requests are numbered in the order of arrival.
    first: u64,
}

/// A request that is being answered.
pub(crate) struct Pending {
    records: Arc<Mutex<Records>>,
    number: u64,
    since: Instant,
}

impl RequestLog {
    pub(crate) fn arrived(&self, method: &Method, path: &str, time: Timestamp) -> Pending {
        let mut records = lock(&self.records);
        if records.kept.len() == MAX_RECORDS {
            records.kept.pop_front();
            records.first += 1;
        }
        records.kept.push_back(RequestRecord {
            method: method.to_string(),
            path: path.chars().take(MAX_PATH_CHARS).collect(),
            status: None,
            time,
            duration: None,
        });
        Pending {
            records: Arc::clone(&self.records),
            number: records.first + records.kept.len() as u64 - 1,
            since: Instant::now(),
        }
    }

    pub(crate) fn list(&self) -> Vec<RequestRecord> {
        lock(&self.records).kept.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut records = lock(&self.records);
        records.first += records.kept.len() as u64;
        records.kept.clear();
    }
}

impl Pending {
    pub(crate) fn answered(self, status: StatusCode) {
        let mut records = lock(&self.records);
        // It may be forgotten by now.
        let place = self.number.checked_sub(records.first);
        let record = place
            .and_then(|place| usize::try_from(place).ok())
            .and_then(|place| records.kept.get_mut(place));
        if let Some(record) = record {
            record.status = Some(status.as_u16());
            record.duration = Some(self.since.elapsed());
        }
    }
}

fn lock(records: &Mutex<Records>) -> MutexGuard<'_, Records> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

fn milliseconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration
        .map(|duration| duration.as_secs_f64() * 1_000.0)
        .serialize(serializer)
}
