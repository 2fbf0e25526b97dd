//! What a verified token says: the native half of `torii_backend.ToriiAuth`.

use std::mem;

use once_cell::race::OnceBox;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyAttributeError, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use torii_backend::{ActiveOrganization, Actor, Auth};

use crate::classes::{registered, types};

/// The base class of `ToriiAuth`. It holds the claims of a verified token, and nothing where `ToriiAuth` was made from its
/// fields: these are in the instance's `__dict__`, which takes precedence over [`Field`].
///
/// Libraries such as msgspec allocate instances of a dataclass without `__new__`, as zeroed memory. That is an empty
/// `OnceBox`, which is a null pointer. Nothing else may be added here.
#[pyclass(frozen, subclass, name = "Auth", module = "torii_backend._native")]
pub(crate) struct NativeAuth(OnceBox<Auth>);

/// A new `ToriiAuth` of a verified token.
pub(crate) fn torii_auth(py: Python<'_>, auth: Auth) -> PyResult<Bound<'_, PyAny>> {
    let class = registered(intern!(py, "ToriiAuth"))?;
    #[expect(unsafe_code, reason = "to call `__new__` takes several times as long")]
    // SAFETY: every class has `tp_alloc`, whose type is `allocfunc`. It returns a new reference, or null with an exception
    // set. Zeroed memory is a valid `NativeAuth`.
    let made = unsafe {
        let class = class.as_type_ptr();
        let alloc: ffi::allocfunc = mem::transmute(ffi::PyType_GetSlot(class, ffi::Py_tp_alloc));
        Bound::from_owned_ptr_or_err(py, alloc(class, 0))?
    };
    // It is new, so nothing is in its place.
    let _ = made.cast::<NativeAuth>()?.get().0.set(Box::new(auth));
    Ok(made)
}

#[pymethods]
impl NativeAuth {
    /// Takes any arguments: they are for `__init__`, which a subclass may replace.
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self(OnceBox::new())
    }

    /// Whether this came out of a verification.
    #[getter]
    fn _is_verified(&self) -> bool {
        self.0.get().is_some()
    }

    /// The `ToriiActor` in the user's place (`act`, RFC 8693), or `None`.
    #[getter]
    fn actor<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let made = |mut claims: Claims| claims.remove("act").map(Actor::from_claim);
        let Some(actor) = read(slf, |auth| auth.actor().cloned(), made)? else {
            return Ok(None);
        };
        let claims = match slf.get().0.get() {
            Some(auth) => raw(slf.py(), auth)?,
            None => slf.getattr("raw")?,
        };
        let fields = (actor.subject, claims.get_item("act")?);
        types(slf.py())?.call_method1("ToriiActor", fields).map(Some)
    }

    /// The `ToriiActiveOrganization` that the session has switched to, or `None`.
    #[getter]
    fn organization<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let made = |claims: Claims| {
            let [o, org_id, org_role] = ["o", "org_id", "org_role"].map(|name| claims.get(name));
            ActiveOrganization::from_claims(o, org_id, org_role)
        };
        let Some(active) = read(slf, |auth| auth.organization().cloned(), made)? else {
            return Ok(None);
        };
        let fields = (active.id, active.role, active.slug);
        let class = types(slf.py())?.getattr("ToriiActiveOrganization")?;
        class.call1(fields).map(Some)
    }

    /// Whom the token is for (`aud`): a tuple, empty if `raw` does not say.
    #[getter]
    fn audience<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let made = |claims: Claims| match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(text).collect(),
            one => one.and_then(text).into_iter().collect(),
        };
        PyTuple::new(slf.py(), read(slf, |auth| auth.audience().to_vec(), made)?)
    }

    /// The token's id (`jti`), or `None`.
    #[getter]
    fn jwt_id(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        let made = |claims: Claims| claims.get("jti").and_then(text);
        read(slf, |auth| auth.jwt_id().map(str::to_owned), made)
    }

    /// When the token was issued (`iat`), in Unix seconds; 0 if `raw` does not say.
    #[getter]
    fn issued_at(slf: &Bound<'_, Self>) -> PyResult<u64> {
        read(slf, Auth::issued_at, |claims| {
            seconds(&claims, "iat").unwrap_or(0)
        })
    }

    /// From when on the token is valid (`nbf`), in Unix seconds, or `None`. Verification allows the leeway before it.
    #[getter]
    fn not_before(slf: &Bound<'_, Self>) -> PyResult<Option<u64>> {
        read(slf, Auth::not_before, |claims| seconds(&claims, "nbf"))
    }

    /// When the token expires (`exp`), in Unix seconds; 0 if `raw` does not say. Verification allows the leeway on top.
    #[getter]
    fn expires_at(slf: &Bound<'_, Self>) -> PyResult<u64> {
        read(slf, Auth::expires_at, |claims| {
            seconds(&claims, "exp").unwrap_or(0)
        })
    }
}

/// Gives the class its fields.
pub(crate) fn add_fields(py: Python<'_>) -> PyResult<()> {
    let fields: [Field; 8] = [
        Field("user_id", |py, auth| auth.user_id().into_bound_py_any(py)),
        Field("environment_id", |py, auth| {
            auth.environment_id().into_bound_py_any(py)
        }),
        Field("issuer", |py, auth| auth.issuer().into_bound_py_any(py)),
        Field("email_verified", |py, auth| {
            auth.email_verified().into_bound_py_any(py)
        }),
        Field("profile_complete", |py, auth| {
            auth.profile_complete().into_bound_py_any(py)
        }),
        Field("impersonating", |py, auth| {
            auth.impersonating().into_bound_py_any(py)
        }),
        Field("locale", |py, auth| auth.locale().into_bound_py_any(py)),
        Field("raw", raw),
    ];
    let class = py.get_type::<NativeAuth>();
    fields
        .into_iter()
        .try_for_each(|field| class.setattr(field.0, field))
}

/// A field of `ToriiAuth`, read from the verified token where the instance's `__dict__` has no value.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Field(
    &'static str,
    for<'py> fn(Python<'py>, &Auth) -> PyResult<Bound<'py, PyAny>>,
);

#[pymethods]
impl Field {
    fn __get__<'py>(
        &self,
        instance: Option<&Bound<'py, PyAny>>,
        owner: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Self(name, read) = self;
        let py = owner.py();
        if let Some(instance) = instance
            && let Some(auth) = instance.cast::<NativeAuth>()?.get().0.get()
        {
            let value = read(py, auth)?;
            if *name == "raw" {
                // Kept, so that every access returns the same dict.
                py.get_type::<PyAny>()
                    .call_method1(intern!(py, "__setattr__"), (instance, name, &value))?;
            }
            return Ok(value);
        }
        // As a dataclass's field without a default and without a value.
        let class = owner.getattr("__name__")?;
        Err(PyAttributeError::new_err(format!(
            "'{class}' has no attribute '{name}'"
        )))
    }
}

fn raw<'py>(py: Python<'py>, auth: &Auth) -> PyResult<Bound<'py, PyAny>> {
    let payload: Box<RawValue> = auth.claims().map_err(not_json)?;
    py.import("json")?.call_method1("loads", (payload.get(),))
}

type Claims = Map<String, Value>;

/// What a verified token says or, where the instance was made from its fields, what `raw` says; nothing if that is not a
/// dict.
fn read<T>(
    auth: &Bound<'_, NativeAuth>,
    verified: impl FnOnce(&Auth) -> T,
    made: impl FnOnce(Claims) -> T,
) -> PyResult<T> {
    if let Some(auth) = auth.get().0.get() {
        return Ok(verified(auth));
    }
    let json = auth.py().import("json")?;
    let json: String = json.call_method1("dumps", (auth.getattr("raw")?,))?.extract()?;
    Ok(made(match serde_json::from_str(&json).map_err(not_json)? {
        Value::Object(claims) => claims,
        _ => Claims::new(),
    }))
}

/// What guards look at: the verified token's claims or, where the instance was made from its fields, what these and `raw` say.
pub(crate) fn claims_of(auth: &Bound<'_, PyAny>) -> PyResult<Auth> {
    let auth = auth.cast::<NativeAuth>()?;
    if let Some(verified) = auth.get().0.get() {
        return Ok(verified.clone());
    }
    let mut claims = read(auth, |_| Claims::new(), |claims| claims)?;
    // An issuer or an audience of a test need not be one that a verifier takes, and no guard looks at them.
    claims.retain(|name, _| !["iss", "aud", "nbf", "exp"].contains(&name.as_str()));
    for name in ["email_verified", "profile_complete", "impersonating"] {
        let value = auth.getattr(name)?.is_truthy()?;
        claims.insert(name.to_owned(), Value::Bool(value));
    }
    Auth::for_test(claims).map_err(|problem| PyValueError::new_err(format!("raw: {problem}")))
}

fn text(claim: &Value) -> Option<String> {
    claim.as_str().map(str::to_owned)
}

/// A time, of which fractions are floored, as in verification.
fn seconds(claims: &Claims, name: &str) -> Option<u64> {
    Some(claims.get(name)?.as_f64()? as u64)
}

fn not_json(problem: serde_json::Error) -> PyErr {
    PyValueError::new_err(format!("raw: {problem}"))
}
