//! The functions that verify, and the verifiers behind them.

use std::borrow::Cow;

use http::header::AUTHORIZATION;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use torii_backend::VerifierBuilder;

use crate::verifier::Verifier;
use crate::wait::begin;

/// Verify the token of an end-user and return its claims.
///
/// Args:
///     token: The token as the application's frontend sent it, `str` or `bytes`.
///     issuer: The issuer's URL, from the torii dashboard. It is configuration: never take it from a token or a request.
///     audience: What the token's `aud` must hold one of. Without it, a token that has an `aud` is refused.
///     leeway: Whole seconds that clocks may differ, from 0 to 300.
///
/// The first call for an issuer fetches its keys; later ones use them and refresh them in the background. All calls of a
/// process share the keys. Waits only for keys that are not at hand, 5 s at most; in a coroutine, use
/// `verify_token_async`.
///
/// >>> from torii_backend import verify_token
/// >>> auth = verify_token(token, issuer=issuer)
/// >>> auth.user_id == user_id
/// True
///
/// Raises:
///     ToriiAuthError: The token is refused; `code` says why.
///     ToriiTokenExpiredError: It is refused because it has expired.
///     ToriiKeysUnavailableError: The issuer's keys cannot be had, which says nothing about the token.
///     ToriiConfigError: A setting cannot be used.
///
#[pyfunction]
#[pyo3(
    signature = (token, *, issuer, audience=None, leeway=None),
    text_signature = "(token, *, issuer, audience=None, leeway=30.0)"
)]
pub(crate) fn verify_token<'py>(
    token: &Bound<'py, PyAny>,
    issuer: &Bound<'py, PyAny>,
    audience: Option<&Bound<'py, PyAny>>,
    leeway: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let verifier = shared_verifier(issuer, audience, leeway, None)?;
    verifier.get().verify(token)
}

/// Verify the token in a request's headers and return its claims.
///
/// Args:
///     headers: The headers of any framework: a mapping of names to text or bytes, the pairs of an ASGI scope, a WSGI
///         environ, Django's `META`. Names are compared without case. A header that came twice is refused.
///     issuer: As for `verify_token`, and so are `audience` and `leeway`.
///     audience: What the token's `aud` must hold one of.
///     leeway: Whole seconds that clocks may differ, from 0 to 300.
///     header: The header that carries `Bearer` and the token. Unless it is `authorization`, that one is not looked at.
///
/// >>> from torii_backend import authenticate_request
/// >>> auth = authenticate_request({"Authorization": f"Bearer {token}"}, issuer=issuer)
/// >>> auth.user_id == user_id
/// True
///
/// Raises:
///     ToriiAuthError: As `verify_token`; the codes for the header are `header_missing`, `header_malformed` and
///         `header_ambiguous`.
///     ToriiConfigError: A setting cannot be used, or `headers` is nothing of the kind.
///
#[pyfunction]
#[pyo3(
    signature = (headers, *, issuer, audience=None, leeway=None, header=None),
    text_signature = "(headers, *, issuer, audience=None, leeway=30.0, header='authorization')"
)]
pub(crate) fn authenticate_request<'py>(
    headers: &Bound<'py, PyAny>,
    issuer: &Bound<'py, PyAny>,
    audience: Option<&Bound<'py, PyAny>>,
    leeway: Option<&Bound<'py, PyAny>>,
    header: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let verifier = shared_verifier(issuer, audience, leeway, header)?;
    verifier.get().authenticate_request(headers)
}

/// `verify_token` for a coroutine or, for the headers of a request, `authenticate_request`. Raises nothing: a bad answer
/// waits in the `Verification`.
#[pyfunction]
#[pyo3(signature = (given, *, issuer, audience, leeway, header=None, is_request=false))]
pub(crate) fn begin_verification<'py>(
    given: &Bound<'py, PyAny>,
    issuer: &Bound<'py, PyAny>,
    audience: Option<&Bound<'py, PyAny>>,
    leeway: Option<&Bound<'py, PyAny>>,
    header: Option<&Bound<'py, PyAny>>,
    is_request: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let verifier = shared_verifier(issuer, audience, leeway, header);
    let begun = verifier.and_then(|verifier| match is_request {
        true => verifier.get().verification_of_request(given),
        false => verifier.get().verification(given),
    });
    begin(issuer.py(), begun)
}

/// Forget all keys that were fetched: for test suites. A `Verifier` that exists keeps its own.
///
/// >>> from torii_backend import clear_jwks_cache_for_tests
/// >>> clear_jwks_cache_for_tests()
///
#[pyfunction]
pub(crate) fn clear_jwks_cache_for_tests(py: Python<'_>) {
    verifiers(py).clear();
    torii_backend::forget_shared_keys();
}

/// Most verifiers behind the functions. Issuers are configuration, so that only a mistake leads here.
const MOST_SHARED: usize = 256;

/// The verifiers behind the functions, by their settings. A dict, because whoever holds the GIL has it alone: no fork finds
/// it locked or half changed.
static SHARED: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The dict; the module makes it when it is imported, so that no fork finds another thread at it.
pub(crate) fn verifiers(py: Python<'_>) -> &Bound<'_, PyDict> {
    SHARED.get_or_init(py, || PyDict::new(py).unbind()).bind(py)
}

/// The verifier with these settings, which may not have been looked at.
fn shared_verifier<'py>(
    issuer: &Bound<'py, PyAny>,
    audience: Option<&Bound<'py, PyAny>>,
    leeway: Option<&Bound<'py, PyAny>>,
    header: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, Verifier>> {
    let py = issuer.py();
    let shared = verifiers(py);
    // The functions for coroutines spell the defaults out.
    let leeway = leeway.filter(|leeway| {
        !leeway
            .cast_exact::<PyFloat>()
            .is_ok_and(|leeway| leeway.value() == VerifierBuilder::DEFAULT_LEEWAY.as_secs_f64())
    });
    let header = header.filter(|header| {
        !header
            .cast_exact::<PyString>()
            .is_ok_and(|header| *header == AUTHORIZATION.as_str())
    });
    let key = key_of([Some(issuer), audience, leeway, header]);
    if let Some(key) = &key
        && let Some(verifier) = shared.get_item(key)?
    {
        return Ok(verifier.cast_into()?);
    }
    let settings = PyDict::new(py);
    for (name, value) in [("audience", audience), ("leeway", leeway), ("header", header)] {
        settings.set_item(name, value)?;
    }
    let verifier = Bound::new(py, Verifier::configured_with(issuer, &settings)?)?;
    if let Some(key) = key {
        if shared.len() >= MOST_SHARED {
            shared.clear();
        }
        shared.set_item(key, &verifier)?;
    }
    Ok(verifier)
}

/// The settings as a dict's key: the issuer alone where that is all. `None` where they are of other types than usual: a
/// comparison of such might run code, or find them equal to what they are not. A verifier for these is made each time; the
/// issuer's keys are shared all the same.
fn key_of<'py>(settings: [Option<&Bound<'py, PyAny>>; 4]) -> Option<Bound<'py, PyAny>> {
    if let [Some(issuer), None, None, None] = settings {
        return issuer.is_exact_instance_of::<PyString>().then(|| issuer.clone());
    }
    fn is_plain(value: &Bound<'_, PyAny>) -> bool {
        value.is_exact_instance_of::<PyString>()
            || value.is_exact_instance_of::<PyFloat>()
            || value.is_exact_instance_of::<PyInt>()
            || value.is_none()
    }
    fn part<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        if is_plain(value) {
            return Some(value.clone());
        }
        let texts = match value.cast_exact::<PyList>() {
            Ok(list) => Cow::Owned(list.to_tuple()),
            Err(_) => Cow::Borrowed(value.cast_exact::<PyTuple>().ok()?),
        };
        texts
            .iter()
            .all(|text| is_plain(&text))
            .then(|| texts.into_owned().into_any())
    }
    let py = settings.iter().flatten().next()?.py();
    let none = py.None().into_bound(py);
    let [issuer, audience, leeway, header] = settings.map(|value| part(value.unwrap_or(&none)));
    let key = (issuer?, audience?, leeway?, header?);
    Some(key.into_pyobject(py).ok()?.into_any())
}
