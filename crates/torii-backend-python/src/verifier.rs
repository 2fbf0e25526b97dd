//! Verification, as Python calls it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, header};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use torii_backend::{CacheSettings, ErrorCode, KeySource, VerifierBuilder};

use crate::auth::{ToriiAuth, types};
use crate::errors::{config_error, config_error_in, refusal, setting_error, verify_error};
use crate::headers;
use crate::many::Batch;
use crate::settings::{count, document, seconds, text, text_or_texts, texts, unusable};
use crate::testing::ManualClock;
use crate::wait::{Stage, Verdict, begin, block_on};

/// What of `torii_backend.Verifier` needs no event loop.
#[pyclass(frozen, subclass, module = "torii_backend._native")]
pub(crate) struct Verifier {
    core: torii_backend::Verifier,
    issuer: String,
    header: HeaderName,
}

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(
        signature = (issuer, **settings),
        text_signature = "(issuer, *, audience=None, leeway=30.0, authorized_parties=None, allowed_types=None, \
            header='authorization', jwks_url=None, jwks=None, jwk=None, public_key=None, jwks_file=None, keys=None, \
            stale_limit=86400.0, remember_verified=10000, allow_insecure_http=False, _clock=None)"
    )]
    pub(crate) fn new(issuer: &Bound<'_, PyAny>, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let py = issuer.py();
        let issuer = text("issuer", issuer)?;
        let mut builder = torii_backend::Verifier::builder(&issuer);
        let mut header = header::AUTHORIZATION;
        let mut source = None;
        for (name, value) in settings.into_iter().flatten() {
            let name: PyBackedStr = name.extract()?;
            if value.is_none() {
                continue;
            }
            if SOURCES.contains(&&*name)
                && let Some(other) = source.replace(name.to_string())
            {
                return Err(setting_error(
                    py,
                    &name,
                    format_args!("cannot be combined with {other}"),
                ));
            }
            builder = with(builder, &name, &value)?;
            if &*name == "header" {
                header = HeaderName::try_from(text(&name, &value)?)
                    .map_err(|_| setting_error(py, &name, "is not the name of a header"))?;
            }
        }
        let core = builder.build().map_err(|error| match &source {
            // To the core, all sources of keys are one setting.
            Some(source) if error.setting() == "key source" => config_error_in(py, source, &error),
            _ => config_error(py, &error),
        })?;
        Ok(Self { core, issuer, header })
    }

    /// The issuer, as it was given.
    #[getter]
    fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name of the header that carries the token, in lower case.
    #[getter]
    fn header(&self) -> &str {
        self.header.as_str()
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
    pub(crate) fn verify(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<ToriiAuth> {
        let text = token_text(token).ok_or_else(|| not_text(py))?;
        self.verify_text(py, &text)
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
    fn verify_many<'py>(&self, tokens: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = tokens.py();
        block_on(py, Batch::collect(tokens)?.verify(self.core.clone()))??.into_pyobject(py)
    }

    /// Verify the token in a request's headers, as `authenticate_request` does.
    ///
    /// Raises:
    ///     ToriiAuthError: As `verify`, and for a header that is absent, malformed or ambiguous.
    ///
    pub(crate) fn authenticate_request(
        &self,
        py: Python<'_>,
        headers: &Bound<'_, PyAny>,
    ) -> PyResult<ToriiAuth> {
        let headers = headers::collect(headers, &self.header)?;
        self.verify_text(py, self.bearer_token(py, &headers)?)
    }

    /// Have keys at hand before the first token comes: for a server's start or its readiness probe.
    ///
    /// Raises:
    ///     ToriiKeysUnavailableError: They cannot be had.
    ///
    fn warm_up(&self, py: Python<'_>) -> PyResult<()> {
        block_on(py, self.core.warm_up())?.map_err(|error| verify_error(py, &error))
    }

    /// Return the state of the keys, a `ToriiKeyStatus`.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let status = self.core.status();
        let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
        let fields = PyDict::new(py);
        fields.set_item("url", status.url)?;
        fields.set_item("kids", PyTuple::new(py, status.kids)?)?;
        fields.set_item("age", seconds(status.age))?;
        fields.set_item("generation", status.generation)?;
        let last_error = status.last_error.map(|error| error.with_causes());
        fields.set_item("last_error", last_error)?;
        fields.set_item("next_attempt_in", seconds(status.next_attempt_in))?;
        fields.set_item("fetches_succeeded", status.fetches_succeeded)?;
        fields.set_item("fetches_failed", status.fetches_failed)?;
        fields.set_item("stale_served", status.stale_served)?;
        fields.set_item("unknown_kids", status.unknown_kids)?;
        types(py)?.getattr("ToriiKeyStatus")?.call((), Some(&fields))
    }

    /// Return how often this verifier has come to which conclusion, as `ToriiVerifyCounts`.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let counts = self.core.counts();
        let refused = PyDict::new(py);
        for (code, count) in counts.refused {
            refused.set_item(code, count)?;
        }
        types(py)?.call_method1("ToriiVerifyCounts", (counts.accepted, refused))
    }

    /// Return the fetched keys as text, to start another process with (`keys`).
    ///
    /// `None` before the first fetch, and for keys that were given. Whoever can change the text can sign in as anybody:
    /// keep it where only your servers write.
    fn export_keys(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let Some(keys) = self.core.export_keys() else {
            return Ok(None);
        };
        let text = serde_json::to_string(&keys);
        text.map(Some)
            .map_err(|problem| setting_error(py, "keys", problem))
    }

    #[pyo3(name = "_begin_verify")]
    fn begin_verify<'py>(&self, token: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        begin(token.py(), self.verification(token))
    }

    #[pyo3(name = "_begin_verify_many")]
    fn begin_verify_many<'py>(&self, tokens: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let begun = Batch::collect(tokens).map(|batch| {
            let verdicts = batch.verify(self.core.clone());
            Stage::Open(Box::pin(async { Verdict::Tokens(verdicts.await) }))
        });
        begin(tokens.py(), begun)
    }

    #[pyo3(name = "_begin_authenticate")]
    fn begin_authenticate<'py>(&self, headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        begin(headers.py(), self.verification_of_request(headers))
    }

    #[pyo3(name = "_begin_warm_up")]
    fn begin_warm_up<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let core = self.core.clone();
        let warm_up = async move { Verdict::Keys(core.warm_up().await) };
        begin(py, Ok(Stage::Open(Box::pin(warm_up))))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let issuer = slf.getattr("issuer")?.repr()?;
        Ok(format!("{}({issuer})", slf.get_type().name()?))
    }
}

impl Verifier {
    fn verify_text(&self, py: Python<'_>, token: &str) -> PyResult<ToriiAuth> {
        // A token that is remembered costs less than letting other threads have the GIL.
        let verdict = match self.core.verify_remembered(token) {
            Some(verdict) => verdict,
            None => block_on(py, self.core.verify(token))?,
        };
        verdict
            .map(ToriiAuth::from)
            .map_err(|error| verify_error(py, &error))
    }

    /// Begins to verify, for a coroutine.
    pub(crate) fn verification(&self, token: &Bound<'_, PyAny>) -> PyResult<Stage> {
        let text = token_text(token).ok_or_else(|| not_text(token.py()))?;
        Ok(self.verification_of_text(&text))
    }

    /// Begins to verify the token in a request's headers, for a coroutine.
    pub(crate) fn verification_of_request(&self, headers: &Bound<'_, PyAny>) -> PyResult<Stage> {
        let py = headers.py();
        let headers = headers::collect(headers, &self.header)?;
        Ok(self.verification_of_text(self.bearer_token(py, &headers)?))
    }

    fn verification_of_text(&self, token: &str) -> Stage {
        if let Some(verdict) = self.core.verify_remembered(token) {
            return Stage::Decided(Verdict::Token(verdict));
        }
        let (core, token) = (self.core.clone(), token.to_owned());
        Stage::Open(Box::pin(async move { Verdict::Token(core.verify(&token).await) }))
    }

    fn bearer_token<'h>(&self, py: Python<'_>, headers: &'h HeaderMap) -> PyResult<&'h str> {
        self.core
            .bearer_token(headers)
            .map_err(|error| verify_error(py, &error))
    }
}

/// The text of a token, given as text or as bytes. `None` for anything else, and for what is not Unicode.
pub(crate) fn token_text<'t>(token: &'t Bound<'_, PyAny>) -> Option<Cow<'t, str>> {
    if let Ok(text) = token.cast::<PyString>() {
        return text.to_cow().ok();
    }
    let bytes = token.cast::<PyBytes>().ok()?;
    str::from_utf8(bytes.as_bytes()).ok().map(Cow::Borrowed)
}

/// The refusal of what [`token_text`] does not take.
pub(crate) fn not_text(py: Python<'_>) -> PyErr {
    refusal(
        py,
        ErrorCode::Malformed,
        "the token is neither a str nor bytes of UTF-8",
    )
}

/// The settings that are sources of keys.
const SOURCES: [&str; 5] = ["jwks_url", "jwks", "jwk", "public_key", "jwks_file"];

/// The builder with one more setting.
fn with(builder: VerifierBuilder, name: &str, value: &Bound<'_, PyAny>) -> PyResult<VerifierBuilder> {
    let py = value.py();
    let fails = |problem: &'static str| move |cause: PyErr| unusable(py, name, problem, cause);
    Ok(match name {
        "audience" => builder.audiences(text_or_texts(name, value)?),
        "leeway" => builder.leeway(seconds(name, value)?),
        "authorized_parties" => builder.authorized_parties(texts(name, value)?),
        "allowed_types" => builder.allowed_types(texts(name, value)?),
        "header" => builder.header(text(name, value)?),
        "jwks_url" => builder.key_source(KeySource::Url(text(name, value)?)),
        "jwks" => builder.key_source(KeySource::Jwks(document(name, value)?)),
        "jwk" => builder.key_source(KeySource::Jwk(document(name, value)?)),
        "public_key" => builder.key_source(KeySource::Pem(document(name, value)?)),
        "jwks_file" => {
            let path: PathBuf = value.extract().map_err(fails("must be a path"))?;
            builder.key_source(KeySource::File(path))
        }
        "keys" => {
            let keys = serde_json::from_str(&document(name, value)?);
            builder
                .import_keys(keys.map_err(|_| setting_error(py, name, "is not what `export_keys` returns"))?)
        }
        "stale_limit" => builder.cache(CacheSettings::default().stale_limit(seconds(name, value)?)),
        "remember_verified" => builder.remember_verified(count(name, value)?),
        "allow_insecure_http" => {
            builder.allow_insecure_http(value.extract().map_err(fails("must be a bool"))?)
        }
        "_clock" => {
            let clock = value.cast::<ManualClock>();
            builder.clock(
                clock
                    .map_err(|cause| fails("must be a ManualClock")(cause.into()))?
                    .get()
                    .0
                    .clone(),
            )
        }
        _ => {
            let problem = format!("Verifier() got an unexpected keyword argument '{name}'");
            return Err(PyTypeError::new_err(problem));
        }
    })
}
