//! What a verified token says, as Python sees it.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use torii_backend::{ActiveOrganization, Actor, Auth};

/// The claims of a verified token.
///
/// `verify_token` makes them. For a test of your own, make one from the fields; the other attributes are read from `raw`.
///
/// It is frozen and compares, prints and pickles as a dataclass of its eight fields, and `dataclasses.asdict` and
/// `dataclasses.replace` take it for one.
///
/// >>> from torii_backend import ToriiAuth
/// >>> auth = ToriiAuth(
/// ...     user_id="user-1",
/// ...     environment_id="environment-1",
/// ...     issuer="https://acme.torii.so",
/// ...     email_verified=True,
/// ...     profile_complete=True,
/// ...     impersonating=False,
/// ...     locale=None,
/// ...     raw={"sub": "user-1", "org_id": "organization-1", "org_role": "org:administrator"},
/// ... )
/// >>> auth.organization.role
/// 'org:administrator'
#[pyclass(frozen, subclass, module = "torii_backend.types")]
pub(crate) struct ToriiAuth(Source);

enum Source {
    Verified(Auth),
    /// Made from its fields, in their order. As in any dataclass, nothing is checked.
    Made([Py<PyAny>; FIELDS.len()]),
}

/// The constructor's arguments, in their order.
const FIELDS: [&str; 8] = [
    "user_id",
    "environment_id",
    "issuer",
    "email_verified",
    "profile_complete",
    "impersonating",
    "locale",
    "raw",
];

impl From<Auth> for ToriiAuth {
    fn from(auth: Auth) -> Self {
        Self(Source::Verified(auth))
    }
}

#[pymethods]
impl ToriiAuth {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "they are the fields")]
    fn new(
        user_id: Py<PyAny>,
        environment_id: Py<PyAny>,
        issuer: Py<PyAny>,
        email_verified: Py<PyAny>,
        profile_complete: Py<PyAny>,
        impersonating: Py<PyAny>,
        locale: Py<PyAny>,
        raw: Py<PyAny>,
    ) -> Self {
        Self(Source::Made([
            user_id,
            environment_id,
            issuer,
            email_verified,
            profile_complete,
            impersonating,
            locale,
            raw,
        ]))
    }

    /// The end-user's id (`sub`).
    #[getter]
    fn user_id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.field(py, 0, Auth::user_id)
    }

    /// The id of the environment that the user belongs to (`pid`).
    #[getter]
    fn environment_id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.field(py, 1, Auth::environment_id)
    }

    /// Who issued the token (`iss`): the configured issuer, as the token spells it.
    #[getter]
    fn issuer<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.field(py, 2, Auth::issuer)
    }

    /// Whether an address of the user has been verified. Only JSON `true` counts; absent is `False`.
    #[getter]
    fn email_verified<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.field(py, 3, |auth| auth.email_verified())
    }

    /// Whether the required profile fields are filled. Absent is `True`.
    #[getter]
    fn profile_complete<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.field(py, 4, |auth| auth.profile_complete())
    }

    /// Whether somebody acts in the user's place: `impersonating` is true, or there is an `act` claim.
    #[getter]
    fn impersonating<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.field(py, 5, |auth| auth.impersonating())
    }

    /// The user's preferred locale, such as `en`, or `None`.
    #[getter]
    fn locale<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.field(py, 6, Auth::locale)
    }

    /// Every claim: a new dict each time, as `json.loads` makes it of the payload that was signed.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.0 {
            Source::Verified(auth) => {
                let payload: Box<RawValue> = auth.claims().map_err(not_json)?;
                py.import("json")?.call_method1("loads", (payload.get(),))
            }
            Source::Made([.., raw]) => py.import("copy")?.call_method1("deepcopy", (raw,)),
        }
    }

    /// The `ToriiActor` in the user's place (`act`, RFC 8693), or `None`.
    #[getter]
    fn actor<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let actor = match &self.0 {
            Source::Verified(auth) => auth.actor().cloned(),
            Source::Made([.., raw]) => claims(py, raw)?.remove("act").map(Actor::from_claim),
        };
        let Some(actor) = actor else { return Ok(None) };
        let claim = self.raw(py)?.get_item("act")?;
        types(py)?
            .call_method1("ToriiActor", (actor.subject, claim))
            .map(Some)
    }

    /// The `ToriiActiveOrganization` that the session has switched to, or `None`.
    #[getter]
    fn organization<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let active = match &self.0 {
            Source::Verified(auth) => auth.organization().cloned(),
            Source::Made([.., raw]) => {
                let claims = claims(py, raw)?;
                let [o, org_id, org_role] = ["o", "org_id", "org_role"].map(|name| claims.get(name));
                ActiveOrganization::from_claims(o, org_id, org_role)
            }
        };
        let Some(active) = active else { return Ok(None) };
        let fields = (active.id, active.role, active.slug);
        types(py)?
            .call_method1("ToriiActiveOrganization", fields)
            .map(Some)
    }

    /// When the token was issued (`iat`), in Unix seconds; 0 if `raw` does not say.
    #[getter]
    fn issued_at(&self, py: Python<'_>) -> PyResult<u64> {
        match &self.0 {
            Source::Verified(auth) => Ok(auth.issued_at()),
            Source::Made([.., raw]) => time(py, raw, "iat"),
        }
    }

    /// When the token expires (`exp`), in Unix seconds; 0 if `raw` does not say. Verification allows the leeway on top.
    #[getter]
    fn expires_at(&self, py: Python<'_>) -> PyResult<u64> {
        match &self.0 {
            Source::Verified(auth) => Ok(auth.expires_at()),
            Source::Made([.., raw]) => time(py, raw, "exp"),
        }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let mut fields = Vec::with_capacity(FIELDS.len());
        for (name, value) in FIELDS.iter().zip(slf.get().values(slf.py())?.iter()) {
            fields.push(format!("{name}={}", value.repr()?));
        }
        Ok(format!("{}({})", slf.get_type().qualname()?, fields.join(", ")))
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<bool> {
        if slf.is(other) {
            return Ok(true);
        }
        let py = slf.py();
        Ok(slf.get_type().is(other.get_type()) && slf.get().values(py)?.eq(other.get().values(py)?)?)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type(), slf.get().values(slf.py())?))
    }

    /// Nothing can be changed in one, so none differs from its copy.
    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf
    }

    #[pyo3(signature = (**changes))]
    fn __replace__<'py>(
        slf: &Bound<'py, Self>,
        changes: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("dataclasses")?
            .getattr("replace")?
            .call((slf,), changes)
    }

    fn __setattr__(&self, name: &Bound<'_, PyAny>, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        frozen(name, "assign to")
    }

    fn __delattr__(&self, name: &Bound<'_, PyAny>) -> PyResult<()> {
        frozen(name, "delete")
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, FIELDS)
    }

    #[classattr]
    fn __dataclass_fields__() -> Late {
        Late
    }
}

impl ToriiAuth {
    fn field<'a, 'py, T: IntoPyObject<'py>>(
        &'a self,
        py: Python<'py>,
        index: usize,
        verified: impl FnOnce(&'a Auth) -> T,
    ) -> PyResult<Bound<'py, PyAny>> {
        match &self.0 {
            Source::Verified(auth) => verified(auth).into_bound_py_any(py),
            Source::Made(fields) => Ok(fields[index].bind(py).clone()),
        }
    }

    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(
            py,
            [
                self.user_id(py)?,
                self.environment_id(py)?,
                self.issuer(py)?,
                self.email_verified(py)?,
                self.profile_complete(py)?,
                self.impersonating(py)?,
                self.locale(py)?,
                self.raw(py)?,
            ],
        )
    }
}

/// The claims as the core reads them; none where `raw` is not a dict.
fn claims(py: Python<'_>, raw: &Py<PyAny>) -> PyResult<Map<String, Value>> {
    let text: String = py.import("json")?.call_method1("dumps", (raw,))?.extract()?;
    match serde_json::from_str(&text).map_err(not_json)? {
        Value::Object(claims) => Ok(claims),
        _ => Ok(Map::new()),
    }
}

fn time(py: Python<'_>, raw: &Py<PyAny>, claim: &str) -> PyResult<u64> {
    // Fractions are floored, as in verification.
    let seconds = claims(py, raw)?.get(claim).and_then(Value::as_f64);
    Ok(seconds.map_or(0, |seconds| seconds as u64))
}

/// Stands for the class's `__dataclass_fields__` until somebody looks for them, because verifying a token must not load
/// `dataclasses`: `torii_backend.types` puts the fields in this place.
#[pyclass(frozen)]
struct Late;

#[pymethods]
impl Late {
    fn __get__<'py>(
        &self,
        _instance: Option<&Bound<'py, PyAny>>,
        owner: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        types(owner.py())?
            .getattr("AuthFields")?
            .getattr("__dataclass_fields__")
    }
}

/// The Python classes of which there are instances only when somebody asks for one.
pub(crate) fn types(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("torii_backend.types")
}

fn frozen(name: &Bound<'_, PyAny>, verb: &str) -> PyResult<()> {
    let error = name.py().import("dataclasses")?.getattr("FrozenInstanceError")?;
    Err(PyErr::from_value(
        error.call1((format!("cannot {verb} field {}", name.repr()?),))?,
    ))
}

fn not_json(problem: serde_json::Error) -> PyErr {
    PyValueError::new_err(format!("raw: {problem}"))
}
