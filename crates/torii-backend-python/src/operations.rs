//! From an operation's name to the core's method.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyTuple};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use torii_backend::{Async, Error, Page, Reply, Torii};

use crate::errors::{caught, request_error};

/// A call of the API that has not been made yet: which operation, and with what.
#[pyclass(frozen, module = "torii_backend._native")]
#[derive(Clone)]
pub(crate) struct Request {
    /// Its name in `contract/operations.toml`.
    #[pyo3(get)]
    pub(crate) operation: String,
    /// The identifiers in its path, in order.
    ids: Vec<String>,
    /// The JSON of its body, or of its filter.
    body: Option<Bytes>,
    limit: Option<u32>,
    cursor: Option<String>,
    timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    retries: bool,
}

#[pymethods]
impl Request {
    #[new]
    #[pyo3(signature = (operation, *ids, body=None, **options))]
    fn new(
        operation: String,
        ids: &Bound<'_, PyTuple>,
        body: Option<&Bound<'_, PyBytes>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let canonical = |id| Ok::<_, PyErr>(canonical(text(&id)?));
        let mut request = Self {
            ids: ids.iter().map(canonical).collect::<Result<_, _>>()?,
            body: body.map(|body| Bytes::copy_from_slice(body.as_bytes())),
            operation,
            limit: None,
            cursor: None,
            timeout: None,
            attempt_timeout: None,
            retries: true,
        };
        for (name, value) in options.into_iter().flatten() {
            let name = text(&name)?;
            request.set(&name, &value)?;
        }
        Ok(request)
    }
}

impl Request {
    /// Sets what a keyword gives. `None` is as if it was not given.
    fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let refused = |problem| request_error(py, &self.operation, format!("{name} {problem}"));
        let seconds = || {
            let seconds = caught(py, value.extract::<f64>())?;
            let seconds = seconds.filter(|_| !value.is_instance_of::<PyBool>());
            let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let duration = duration.filter(|duration| !duration.is_zero());
            duration.ok_or_else(|| refused("must be a number of seconds, more than 0"))
        };
        match name {
            "timeout" | "attempt_timeout" | "retries" | "limit" | "cursor" if value.is_none() => {}
            "timeout" => self.timeout = Some(seconds()?),
            "attempt_timeout" => self.attempt_timeout = Some(seconds()?),
            "retries" => {
                let retries = value.cast::<PyBool>();
                self.retries = retries.map_err(|_| refused("must be True or False"))?.is_true();
            }
            "limit" => {
                let limit = caught(py, value.extract())?;
                self.limit = Some(limit.ok_or_else(|| refused("must be a whole number, 0 or more"))?);
            }
            "cursor" => self.cursor = Some(text(value)?),
            _ => return Err(refused("is no argument of this method")),
        }
        Ok(())
    }
}

/// A call, or a list, with what a request says about this one call.
macro_rules! with_settings {
    ($request:expr, $made:expr) => {{
        let mut made = $made;
        if let Some(limit) = $request.timeout {
            made = made.timeout(limit);
        }
        if let Some(limit) = $request.attempt_timeout {
            made = made.attempt_timeout(limit);
        }
        if !$request.retries {
            made = made.without_retries();
        }
        made
    }};
}

type Call<T> = torii_backend::Call<Async, T>;
type List<T> = torii_backend::List<Async, T>;

/// A call that can be made.
pub(crate) enum Prepared {
    /// Its reply is a document, which stays as it came.
    Document(Call<Box<RawValue>>),
    /// Its reply says nothing.
    Nothing(Call<()>),
    /// Its reply is a page, whose items stay as they came.
    List(List<Box<RawValue>>),
}

impl Prepared {
    /// Makes the call.
    pub(crate) async fn make(self, described: bool) -> Result<Answer, Error> {
        match self {
            Self::Document(call) => Answer::of(call.with_reply().await?, described, |document| {
                Ok(Some(Box::<str>::from(document).into_string().into_bytes()))
            }),
            Self::Nothing(call) => Answer::of(call.with_reply().await?, described, |()| Ok(None)),
            Self::List(list) => Answer::of(list.with_reply().await?, described, |page| {
                page_bytes(&page).map(Some)
            }),
        }
    }
}

/// A reply: the JSON in it, if there is any, and what came with it, if that is asked for.
pub(crate) struct Answer {
    json: Option<Vec<u8>>,
    described: Option<Described>,
}

/// Status, headers, request id, attempts.
type Described = (u16, Vec<(String, String)>, Option<String>, u32);

impl Answer {
    fn of<T>(
        reply: Reply<T>,
        described: bool,
        json: impl FnOnce(T) -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<Self, Error> {
        let described = described.then(|| {
            let field = |(name, value): (&HeaderName, &HeaderValue)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            };
            let headers = reply.headers().iter().map(field).collect();
            let request_id = reply.request_id().map(str::to_owned);
            (reply.status().as_u16(), headers, request_id, reply.attempts())
        });
        let json = json(reply.into_value())?;
        Ok(Self { json, described })
    }
}

impl<'py> IntoPyObject<'py> for Answer {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self.described {
            Some(described) => (self.json, described).into_bound_py_any(py),
            None => self.json.into_bound_py_any(py),
        }
    }
}

/// A page as JSON, its items as they came.
pub(crate) fn page_bytes(page: &Page<Box<RawValue>>) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(page).map_err(|error| Error::Request(error.to_string()))
}

impl Request {
    /// The call that this is for a client.
    pub(crate) fn prepare(&self, torii: &Torii) -> Result<Prepared, Error> {
        let (users, sessions) = (torii.users(), torii.sessions());
        let (organizations, invitations) = (torii.organizations(), torii.invitations());
        let (impersonation, origins) = (torii.impersonation(), torii.allowed_origins());
        let (first, second) = (self.id(0), self.id(1));
        Ok(match self.operation.as_str() {
            "users.list" => self.list(users.list(&self.body()?)),
            "users.create" => self.document(users.create(&self.body()?)),
            "users.get" => self.document(users.get(first)),
            "users.update" => self.document(users.update(first, &self.body()?)),
            "users.update_metadata" => self.document(users.update_metadata(first, &self.body()?)),
            "users.delete" => self.nothing(users.delete(first)),
            "users.ban" => self.document(users.ban(first)),
            "users.unban" => self.document(users.unban(first)),
            "sessions.list_for_user" => self.document(sessions.list_for_user(first)),
            "sessions.revoke" => self.nothing(sessions.revoke(first, second)),
            "sessions.revoke_all_for_user" => self.nothing(sessions.revoke_all_for_user(first)),
            "organizations.list" => self.list(organizations.list(&self.body()?)),
            "organizations.get" => self.document(organizations.get(first)),
            "organizations.update_metadata" => {
                self.document(organizations.update_metadata(first, &self.body()?))
            }
            "organizations.list_members" => self.list(organizations.list_members(first)),
            "organizations.update_member_metadata" => {
                self.document(organizations.update_member_metadata(first, second, &self.body()?))
            }
            "organizations.list_for_user" => self.list(organizations.list_for_user(first)),
            "invitations.list" => self.list(invitations.list(&self.body()?)),
            "invitations.create" => self.document(invitations.create(&self.body()?)),
            "invitations.get" => self.document(invitations.get(first)),
            "invitations.resend" => self.document(invitations.resend(first)),
            "invitations.revoke" => self.nothing(invitations.revoke(first)),
            "invitations.update_metadata" => self.document(invitations.update_metadata(first, &self.body()?)),
            "impersonation.create_token" => self.document(impersonation.create_token(first, &self.body()?)),
            "allowed_origins.list" => self.document(origins.list()),
            "allowed_origins.set" => {
                let call = origins.set(self.body::<Vec<String>>()?).reply_as();
                Prepared::Document(with_settings!(self, call))
            }
            _ => return Err(Error::Request("there is no such operation".to_owned())),
        })
    }

    /// The list that this is for a client.
    pub(crate) fn prepare_list(&self, torii: &Torii) -> Result<List<Box<RawValue>>, Error> {
        match self.prepare(torii)? {
            Prepared::List(list) => Ok(list),
            _ => Err(Error::Request("this is no list".to_owned())),
        }
    }

    fn document<T: DeserializeOwned>(&self, call: Call<T>) -> Prepared {
        let call = call.reply_as();
        Prepared::Document(with_settings!(
            self,
            match &self.body {
                Some(body) => call.with_body(body.clone()),
                None => call,
            }
        ))
    }

    fn nothing(&self, call: Call<()>) -> Prepared {
        Prepared::Nothing(with_settings!(self, call))
    }

    fn list<T: DeserializeOwned>(&self, list: List<T>) -> Prepared {
        let mut list = with_settings!(self, list.items_as());
        if let Some(limit) = self.limit {
            list = list.limit(limit);
        }
        if let Some(cursor) = &self.cursor {
            list = list.cursor(cursor.clone());
        }
        Prepared::List(list)
    }

    fn id(&self, index: usize) -> &str {
        self.ids.get(index).map_or("", String::as_str)
    }

    /// The body as the core's type, which refuses what the API does not have. A filter is sent as the core writes it, any
    /// other body as it is, because numbers in metadata can be larger than the core's.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.body.as_deref().unwrap_or(b"{}")).map_err(|error| {
            let problem = error.to_string();
            // Where it is in a text that the caller has never seen.
            let place = problem.rfind(" at line ").unwrap_or(problem.len());
            Error::Request(problem[..place].to_owned())
        })
    }
}

/// What Python's `str` makes of an object; nothing if it fails, which is no identifier.
fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = value.str().and_then(|text| text.extract());
    Ok(caught(value.py(), text)?.unwrap_or_default())
}

/// An id in the form in which it travels, if it is written in another one that Python's `uuid.UUID` reads. Anything else
/// is left to the core, which refuses it.
fn canonical(id: String) -> String {
    let hex = id.replace("urn:", "").replace("uuid:", "");
    let hex = hex.trim_matches(['{', '}']).replace('-', "");
    if hex.len() != 32 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return id;
    }
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
