//! Faults: what a test wants to go wrong, and which request it strikes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;

/// The longest [`Fault::latency_ms`]: a minute.
pub const MAX_FAULT_LATENCY_MS: u64 = 60_000;
/// How many faults there may be.
const MAX_FAULTS: usize = 1_000;

/// What happens to requests that match, instead of or on top of their real reply.
///
/// The first fault that strikes wins. One with neither `status`, `body` nor `abort` lets the real reply through,
/// late or with other headers.
///
/// ```
/// use torii_emulator::Fault;
///
/// let fault = Fault { status: Some(503), times: Some(2), ..Fault::at("/api/server/v1/users/*") };
/// # let _ = fault;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The method to match; `None` matches every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path to match, without the query. `*` stands for any run of characters, `/` among them.
    pub path: String,
    /// The status to answer with. Without a `body`, a problem document comes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long to wait first, in milliseconds; at most [`MAX_FAULT_LATENCY_MS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Headers to set on the reply.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body to answer with: a text as it is, anything else as JSON. The status is 200 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// How the connection breaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<Abort>,
    /// How often it strikes before it is spent; `None` never is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How likely it is to strike a request that matches, from 0 to 1; `None` is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Where the draws for `probability` start. The same seed strikes the same requests; `None` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// How a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Abort {
    /// A TCP reset before any byte of a reply.
    Reset,
    /// The reply's head with its full length, half of its body, then the end of the connection. A reply without a
    /// body does not come at all.
    Truncate,
    /// No reply, on a connection that stays open until the client gives up or the emulator stops.
    Hang,
}

impl Fault {
    /// A fault that matches `path` and does nothing yet.
    pub fn at(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }

    fn check(&self) -> Result<(), Error> {
        let Self {
            method,
            path,
            status,
            latency_ms,
            headers,
            body,
            abort,
            times,
            probability,
            seed: _,
        } = self;
        if !path.starts_with(['/', '*']) {
            return Err(Error::invalid("path must begin with / or *"));
        }
        if method
            .as_deref()
            .is_some_and(|method| Method::from_bytes(method.as_bytes()).is_err())
        {
            return Err(Error::invalid("method is not one"));
        }
        if status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err(Error::invalid("status must be within 200–599"));
        }
        if latency_ms.is_some_and(|wait| wait > MAX_FAULT_LATENCY_MS) {
            return Err(Error::invalid(format!(
                "latencyMs must be at most {MAX_FAULT_LATENCY_MS}"
            )));
        }
        if *times == Some(0) {
            return Err(Error::invalid("times must be at least 1"));
        }
        if probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err(Error::invalid("probability must be within 0–1"));
        }
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::invalid("headers: a name is not one"))?;
            if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
                return Err(Error::invalid(format!(
                    "headers: {name} frames the reply; use abort to break it"
                )));
            }
            HeaderValue::from_str(value)
                .map_err(|_| Error::invalid(format!("headers: the value of {name} is not one")))?;
        }
        if status.is_none() && latency_ms.is_none() && headers.is_empty() && body.is_none() && abort.is_none()
        {
            return Err(Error::invalid("the fault does nothing"));
        }
        Ok(())
    }
}

/// The faults that are set, in the order in which they are tried.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Armed>>,
}

struct Armed {
    fault: Fault,
    draws: fastrand::Rng,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) -> Result<(), Error> {
        fault.check()?;
        let mut armed = self.armed();
        if armed.len() >= MAX_FAULTS {
            return Err(Error::conflict(
                "too_many_faults",
                format!("there are {MAX_FAULTS} faults already"),
            ));
        }
        let draws = fastrand::Rng::with_seed(fault.seed.unwrap_or_default());
        armed.push(Armed { fault, draws });
        Ok(())
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.armed().iter().map(|armed| armed.fault.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.armed().clear();
    }

    /// The fault that this request suffers, which is one time less from now on.
    pub(crate) fn strike(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut armed = self.armed();
        let place = armed.iter_mut().position(|armed| armed.strikes(method, path))?;
        let fault = armed[place].fault.clone();
        match &mut armed[place].fault.times {
            Some(1) => {
                armed.remove(place);
            }
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }

    fn armed(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    fn strikes(&mut self, method: &Method, path: &str) -> bool {
        let fault = &self.fault;
        let same_method = fault
            .method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()));
        same_method
            && matches(&fault.path, path)
            && fault
                .probability
                .is_none_or(|probability| self.draws.f64() < probability)
    }
}

/// Whether `path` is `pattern`, in which `*` stands for any run of characters.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        let cases = [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/", false),
            ("*", "/anything/at/all", true),
            ("/a/*", "/a/", true),
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/a", false),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a/c", false),
            ("/*a*b", "/xaxbxab", true),
            ("/*ab*ab", "/ab", false),
            ("*.json", "/x/jwks.json", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_seed_repeats_its_draws() {
        let draws = |seed| {
            let faults = Faults::default();
            let fault = Fault {
                status: Some(503),
                probability: Some(0.5),
                seed: Some(seed),
                ..Fault::at("*")
            };
            faults.add(fault).expect("a valid fault");
            let struck: Vec<bool> = (0..64)
                .map(|_| faults.strike(&Method::GET, "/").is_some())
                .collect();
            struck
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        assert!(draws(7).contains(&true) && draws(7).contains(&false));
    }
}
