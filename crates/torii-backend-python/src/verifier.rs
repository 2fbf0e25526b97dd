//! Verification, as Python calls it.

use std::time::Duration;

use http::{HeaderName, header};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use torii_backend::http_client::ReqwestClient;
use torii_backend::{CacheSettings, Chain, KeySource, KeyStatus, VerifierBuilder};

use crate::classes::types;
use crate::clock::{self, ToldClock};
use crate::errors::{config_error, config_error_in, setting_error, verify_error};
use crate::headers;
use crate::many::Batch;
use crate::settings::{count, document, flag, http_client, path, seconds, text, text_or_texts, texts};
use crate::testing::ManualClock;
use crate::token_arg::{not_text, token_text};
use crate::wait::{Open, Stage, Verdict, answer, begin, wait};

/// The native half of `torii_backend.Verifier`. Its settings are set by `__init__`, so that a subclass can have another one.
#[pyclass(frozen, subclass, module = "torii_backend._native")]
pub(crate) struct Verifier(PyOnceLock<Configured>);

struct Configured {
    core: torii_backend::Verifier,
    issuers: Vec<String>,
    header: HeaderName,
    time: Time,
    told: ToldClock,
    /// The verifier for the time that a test's replacement of `time.time` tells.
    travelling: PyOnceLock<torii_backend::Verifier>,
}

/// Where the time comes from.
enum Time {
    /// The system, or what a test has put in the place of `time.time`. Then a verifier of its own is built.
    System(Box<VerifierBuilder>),
    /// The argument `clock`.
    Asked(Py<PyAny>),
    Manual,
}

impl Configured {
    fn new(issuer: &Bound<'_, PyAny>, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let py = issuer.py();
        let issuers = text_or_texts("issuer", issuer)?;
        let Some((first, others)) = issuers.split_first() else {
            return Err(setting_error(py, "issuer", "is an empty list"));
        };
        let mut builder = torii_backend::Verifier::builder(first);
        for other in others {
            builder = builder.accept_issuer(other, KeySource::default());
        }
        let mut header = header::AUTHORIZATION;
        let mut source = None;
        let (mut time, told) = (None, ToldClock::default());
        let (mut proxy, mut ca_file) = (None, None);
        for (name, value) in settings.into_iter().flatten() {
            let name: PyBackedStr = name.extract()?;
            if value.is_none() {
                continue;
            }
            if SOURCES.contains(&&*name)
                && let Some(other) = source.replace(name.to_string())
            {
                let problem = format_args!("cannot be combined with {other}");
                return Err(setting_error(py, &name, problem));
            }
            if SOURCES.contains(&&*name) && !others.is_empty() {
                return Err(setting_error(
                    py,
                    &name,
                    "cannot be combined with several issuers",
                ));
            }
            match (&*name, value.cast::<ManualClock>()) {
                ("clock", Ok(manual)) => {
                    builder = builder.clock(manual.get().0.clone());
                    time = Some(Time::Manual);
                }
                ("clock", Err(_)) => {
                    told.ask(&value)?;
                    builder = builder.clock(told.clone());
                    time = Some(Time::Asked(value.clone().unbind()));
                }
                ("proxy", _) => proxy = Some(value.clone()),
                ("ca_file", _) => ca_file = Some(value.clone()),
                _ => builder = with(builder, &name, &value)?,
            }
            if &*name == "header" {
                header = HeaderName::try_from(text(&name, &value)?)
                    .map_err(|_| setting_error(py, &name, "is not the name of a header"))?;
            }
        }
        if proxy.is_some() || ca_file.is_some() {
            let http = ReqwestClient::builder().connect_timeout(CONNECT_TIMEOUT);
            let http = http_client(http, proxy.as_ref(), ca_file.as_ref())?.build();
            builder = builder.http_client(http.map_err(|error| config_error(py, &error))?);
        }
        let core = builder.clone().build().map_err(|error| match &source {
            // To the core, all sources of keys are one setting.
            Some(source) if error.setting() == "key source" => config_error_in(py, source, &error),
            _ => config_error(py, &error),
        })?;
        Ok(Self {
            core,
            issuers,
            header,
            time: time.unwrap_or_else(|| Time::System(Box::new(builder))),
            told,
            travelling: PyOnceLock::new(),
        })
    }

    /// The core's verifier, whose clock shows the present time as Python tells it.
    fn core(&self, py: Python<'_>) -> PyResult<&torii_backend::Verifier> {
        match &self.time {
            Time::Manual => Ok(&self.core),
            Time::Asked(clock) => {
                self.told.ask(clock.bind(py))?;
                Ok(&self.core)
            }
            Time::System(builder) => {
                let Some(time) = clock::replaced(py)? else {
                    return Ok(&self.core);
                };
                self.told.ask(&time)?;
                self.travelling.get_or_try_init(py, || {
                    let builder = VerifierBuilder::clone(builder);
                    let built = builder.clock(self.told.clone()).build();
                    built.map_err(|error| config_error(py, &error))
                })
            }
        }
    }
}

#[pymethods]
impl Verifier {
    /// Takes any arguments: they are for `__init__`, which a subclass may replace.
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self(PyOnceLock::new())
    }

    #[pyo3(signature = (issuer, **settings))]
    fn __init__(&self, issuer: &Bound<'_, PyAny>, settings: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let configured = Configured::new(issuer, settings)?;
        let set = self.0.set(issuer.py(), configured);
        set.map_err(|_| PyTypeError::new_err("a verifier cannot be changed: make a new one"))
    }

    /// The issuer, as it was given; of several, the first.
    #[getter]
    fn issuer(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.configured(py)?.issuers.first().map_or("", String::as_str))
    }

    /// The name of the header that carries the token, in lower case.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.configured(py)?.header.as_str())
    }

    /// Verify a token, given as `str` or `bytes`.
    ///
    /// Waits only for keys that are not at hand, 5 s at most; in a coroutine, use `verify_async`.
    ///
    /// Raises:
    ///     ToriiAuthError: The token is refused.
    ///     ToriiTokenExpiredError: It is refused because it has expired.
    ///     ToriiKeysUnavailableError: The issuer's keys cannot be had, which says nothing about the token.
    ///
    pub(crate) fn verify<'py>(&self, token: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        answer(token.py(), self.verification(token)?)
    }

    /// Verify many tokens, `str` or `bytes`, on all cores: for logs and queues.
    ///
    /// Returns a list in the order of the tokens: for each the `ToriiAuth` that `verify` would have returned, or the
    /// `ToriiAuthError` that it would have raised. Nothing is raised for a token, and other threads run meanwhile.
    ///
    /// >>> from torii_backend import ToriiAuthError, Verifier
    /// >>> verifier = Verifier(issuer)
    /// >>> for answer in verifier.verify_many([token, "not a token"]):
    /// ...     if isinstance(answer, ToriiAuthError):
    /// ...         print(answer.code)
    /// ...     else:
    /// ...         print(answer.email_verified)
    /// False
    /// malformed
    ///
    /// Raises:
    ///     TypeError: `tokens` cannot be iterated over, or is a single token.
    ///
    fn verify_many<'py>(&self, tokens: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        wait(tokens.py(), self.verification_of_many(tokens)?)
    }

    /// Verify the token in a request's headers, as `authenticate_request` does.
    ///
    /// Raises:
    ///     ToriiAuthError: As `verify`, and for a header that is absent, malformed or ambiguous.
    ///
    pub(crate) fn authenticate_request<'py>(
        &self,
        headers: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer(headers.py(), self.verification_of_request(headers)?)
    }

    /// Have keys at hand before the first token comes: for a server's start or its readiness probe.
    ///
    /// Raises:
    ///     ToriiKeysUnavailableError: They cannot be had.
    ///
    fn warm_up<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        wait(py, self.warming_up(py)?)
    }

    /// Return the state of the keys, a `ToriiKeyStatus`; of several issuers, that of the first one's.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        key_status(py, self.core(py)?.status())
    }

    /// Return the state of every issuer's keys, a dict of `ToriiKeyStatus` by issuer.
    fn statuses<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let statuses = PyDict::new(py);
        let issuers = &self.configured(py)?.issuers;
        for (issuer, (_, status)) in issuers.iter().zip(self.core(py)?.statuses()) {
            statuses.set_item(issuer, key_status(py, status)?)?;
        }
        Ok(statuses)
    }

    /// Return how often this verifier has come to which conclusion, as `ToriiVerifyCounts`.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let counts = self.core(py)?.counts();
        let refused = PyDict::new(py);
        for (code, count) in counts.refused {
            refused.set_item(code, count)?;
        }
        types(py)?.call_method1("ToriiVerifyCounts", (counts.accepted, refused))
    }

    /// Return the fetched keys as text, to start another process with (`keys`).
    ///
    /// `None` before the first fetch, and for keys that were given; of several issuers, those of the first. Whoever can change the text can sign in as anybody:
    /// keep it where only your servers write.
    fn export_keys(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let Some(keys) = self.core(py)?.export_keys() else {
            return Ok(None);
        };
        let text = serde_json::to_string(&keys);
        text.map(Some)
            .map_err(|problem| setting_error(py, "keys", problem))
    }

    /// The present time of the verifier's clock, in whole Unix seconds: for guards.
    fn _now(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.core(py)?.now())
    }

    #[pyo3(name = "_begin_verify")]
    fn begin_verify<'py>(&self, token: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        begin(token.py(), self.verification(token))
    }

    #[pyo3(name = "_begin_verify_many")]
    fn begin_verify_many<'py>(&self, tokens: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        begin(tokens.py(), self.verification_of_many(tokens).map(Stage::Open))
    }

    #[pyo3(name = "_begin_authenticate")]
    fn begin_authenticate<'py>(&self, headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        begin(headers.py(), self.verification_of_request(headers))
    }

    #[pyo3(name = "_begin_warm_up")]
    fn begin_warm_up<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        begin(py, self.warming_up(py).map(Stage::Open))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let issuers = &slf.get().configured(slf.py())?.issuers;
        let issuers = match issuers.as_slice() {
            [issuer] => PyString::new(slf.py(), issuer).repr()?,
            several => PyList::new(slf.py(), several)?.repr()?,
        };
        Ok(format!("{}({issuers})", slf.get_type().name()?))
    }
}

impl Verifier {
    /// A verifier with settings.
    pub(crate) fn configured_with(issuer: &Bound<'_, PyAny>, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let verifier = Self(PyOnceLock::new());
        verifier.__init__(issuer, Some(settings))?;
        Ok(verifier)
    }

    fn configured(&self, py: Python<'_>) -> PyResult<&Configured> {
        let configured = self.0.get(py);
        configured.ok_or_else(|| PyRuntimeError::new_err("Verifier.__init__() was not called"))
    }

    fn core(&self, py: Python<'_>) -> PyResult<&torii_backend::Verifier> {
        self.configured(py)?.core(py)
    }

    /// Begins to verify.
    pub(crate) fn verification(&self, token: &Bound<'_, PyAny>) -> PyResult<Stage> {
        let py = token.py();
        let text = token_text(token).ok_or_else(|| not_text(py))?;
        Ok(verification_of_text(self.core(py)?, &text))
    }

    /// Begins to verify the token in a request's headers.
    pub(crate) fn verification_of_request(&self, headers: &Bound<'_, PyAny>) -> PyResult<Stage> {
        let py = headers.py();
        let core = self.core(py)?;
        let headers = headers::collect(headers, core)?;
        let token = core.bearer_token(&headers);
        Ok(verification_of_text(
            core,
            token.map_err(|error| verify_error(py, &error))?,
        ))
    }

    fn verification_of_many(&self, tokens: &Bound<'_, PyAny>) -> PyResult<Open> {
        let verdicts = Batch::collect(tokens)?.verify(self.core(tokens.py())?.clone());
        Ok(Box::pin(async { Verdict::Tokens(verdicts.await) }))
    }

    fn warming_up(&self, py: Python<'_>) -> PyResult<Open> {
        let core = self.core(py)?.clone();
        Ok(Box::pin(async move { Verdict::Keys(core.warm_up().await) }))
    }
}

fn key_status(py: Python<'_>, status: KeyStatus) -> PyResult<Bound<'_, PyAny>> {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
    let fields = PyDict::new(py);
    fields.set_item("url", status.url)?;
    fields.set_item("kids", PyTuple::new(py, status.kids)?)?;
    fields.set_item("age", seconds(status.age))?;
    fields.set_item("generation", status.generation)?;
    let last_error = status.last_error.map(|error| Chain(&*error).to_string());
    fields.set_item("last_error", last_error)?;
    fields.set_item("next_attempt_in", seconds(status.next_attempt_in))?;
    fields.set_item("fetches_succeeded", status.fetches_succeeded)?;
    fields.set_item("fetches_failed", status.fetches_failed)?;
    fields.set_item("stale_served", status.stale_served)?;
    fields.set_item("unknown_kids", status.unknown_kids)?;
    types(py)?.getattr("ToriiKeyStatus")?.call((), Some(&fields))
}

fn verification_of_text(core: &torii_backend::Verifier, token: &str) -> Stage {
    // A token that is remembered costs less than letting other threads have the GIL.
    if let Some(verdict) = core.verify_remembered(token) {
        return Stage::Decided(Verdict::Token(verdict));
    }
    let (core, token) = (core.clone(), token.to_owned());
    Stage::Open(Box::pin(async move { Verdict::Token(core.verify(&token).await) }))
}

/// For a connection to where keys are, as in the core: two attempts are made in the time of a fetch.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The settings that are sources of keys.
const SOURCES: [&str; 5] = ["jwks_url", "jwks", "jwk", "public_key", "jwks_file"];

/// The builder with one more setting.
fn with(builder: VerifierBuilder, name: &str, value: &Bound<'_, PyAny>) -> PyResult<VerifierBuilder> {
    let py = value.py();
    Ok(match name {
        "audience" => builder.audiences(text_or_texts(name, value)?),
        "leeway" => builder.leeway(seconds(name, value)?),
        "authorized_parties" => builder.authorized_parties(texts(name, value)?),
        "allowed_types" => builder.allowed_types(texts(name, value)?),
        "header" => builder.header(text(name, value)?),
        "cookie" => builder.cookie(text(name, value)?),
        "websocket_protocol" => builder.websocket_protocol(flag(name, value)?),
        "jwks_url" => builder.key_source(KeySource::Url(text(name, value)?)),
        "jwks" => builder.key_source(KeySource::Jwks(document(name, value)?)),
        "jwk" => builder.key_source(KeySource::Jwk(document(name, value)?)),
        "public_key" => builder.key_source(KeySource::Pem(document(name, value)?)),
        "jwks_file" => builder.key_source(KeySource::File(path(name, value)?)),
        "keys" => {
            let keys = serde_json::from_str(&document(name, value)?);
            builder
                .import_keys(keys.map_err(|_| setting_error(py, name, "is not what `export_keys` returns"))?)
        }
        "stale_limit" => builder.cache(CacheSettings::default().stale_limit(seconds(name, value)?)),
        "remember_verified" => builder.remember_verified(count(name, value)?),
        "timeout" => builder.fetch_timeout(seconds(name, value)?),
        "allow_insecure_http" => builder.allow_insecure_http(flag(name, value)?),
        _ => {
            let problem = format!("Verifier() got an unexpected keyword argument '{name}'");
            return Err(PyTypeError::new_err(problem));
        }
    })
}
