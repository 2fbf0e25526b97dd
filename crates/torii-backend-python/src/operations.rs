//! From an operation's name to the core's method.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use torii_backend::{Async, Blocking, Call, Error, List, Mode, Page, Torii};

use crate::errors::request_error;

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
    body: Vec<u8>,
    limit: Option<u32>,
    cursor: Option<String>,
    timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    retries: bool,
}

#[pymethods]
impl Request {
    #[new]
    #[pyo3(signature = (operation, *ids, body=None, limit=None, cursor=None, timeout=None, attempt_timeout=None, retries=true))]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn new(
        operation: String,
        ids: &Bound<'_, PyTuple>,
        body: Option<&Bound<'_, PyBytes>>,
        limit: Option<&Bound<'_, PyAny>>,
        cursor: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        attempt_timeout: Option<&Bound<'_, PyAny>>,
        retries: bool,
    ) -> PyResult<Self> {
        let refuse = |problem: String| request_error(ids.py(), &operation, problem);
        let seconds = |name: &str, value: Option<&Bound<'_, PyAny>>| {
            let Some(value) = value else { return Ok(None) };
            let seconds = value.extract::<f64>().ok();
            let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            match duration.filter(|duration| !duration.is_zero()) {
                Some(duration) => Ok(Some(duration)),
                None => Err(refuse(format!("{name} must be a number of seconds, more than 0"))),
            }
        };
        let limit = limit.map(|limit| limit.extract()).transpose();
        let limit = limit.map_err(|_| refuse("limit must be a whole number, 0 or more".to_owned()))?;
        Ok(Self {
            ids: ids.iter().map(|id| text(&id)).collect(),
            body: body.map_or_else(|| b"{}".to_vec(), |body| body.as_bytes().to_vec()),
            limit,
            cursor: cursor.map(text),
            timeout: seconds("timeout", timeout)?,
            attempt_timeout: seconds("attempt_timeout", attempt_timeout)?,
            retries,
            operation,
        })
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

/// A call of one client or the other.
pub(crate) enum Prepared<M: Mode> {
    /// Its reply is a document, which stays as it came.
    Document(Call<M, Box<RawValue>>),
    /// Its reply says nothing.
    Nothing(Call<M, ()>),
    /// Its reply is a page, whose items stay as they came.
    List(List<M, Box<RawValue>>),
}

impl Prepared<Blocking> {
    /// Makes the call on this thread. Brings the JSON of the reply, if it has one.
    pub(crate) fn send(self) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Document(call) => call.send().map(bytes),
            Self::Nothing(call) => call.send().map(|()| None),
            Self::List(list) => list.send().and_then(|page| page_bytes(&page)).map(Some),
        }
    }
}

impl Prepared<Async> {
    /// Makes the call. Brings the JSON of the reply, if it has one.
    pub(crate) async fn make(self) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Document(call) => call.await.map(bytes),
            Self::Nothing(call) => call.await.map(|()| None),
            Self::List(list) => list.await.and_then(|page| page_bytes(&page)).map(Some),
        }
    }
}

fn bytes(document: Box<RawValue>) -> Option<Vec<u8>> {
    Some(Box::<str>::from(document).into_string().into_bytes())
}

/// A page as JSON, its items as they came.
pub(crate) fn page_bytes(page: &Page<Box<RawValue>>) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(page).map_err(|error| Error::Request(error.to_string()))
}

impl Request {
    /// The call that this is for a client.
    pub(crate) fn prepare<M: Mode>(&self, torii: &Torii<M>) -> Result<Prepared<M>, Error> {
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
            "allowed_origins.set" => self.document(origins.set(self.body::<Vec<String>>()?)),
            _ => return Err(Error::Request("there is no such operation".to_owned())),
        })
    }

    /// The list that this is for a client.
    pub(crate) fn prepare_list<M: Mode>(&self, torii: &Torii<M>) -> Result<List<M, Box<RawValue>>, Error> {
        match self.prepare(torii)? {
            Prepared::List(list) => Ok(list),
            _ => Err(Error::Request("this is no list".to_owned())),
        }
    }

    fn document<M: Mode, T: DeserializeOwned>(&self, call: Call<M, T>) -> Prepared<M> {
        Prepared::Document(with_settings!(self, call.reply_as()))
    }

    fn nothing<M: Mode>(&self, call: Call<M, ()>) -> Prepared<M> {
        Prepared::Nothing(with_settings!(self, call))
    }

    fn list<M: Mode, T: DeserializeOwned>(&self, list: List<M, T>) -> Prepared<M> {
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

    /// The body as the type that the core sends: whatever a front door is given, the bytes are the same.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Request(error.to_string()))
    }
}

/// What Python's `str` makes of an object; nothing if it fails, which is no identifier.
fn text(value: &Bound<'_, PyAny>) -> String {
    value.str().and_then(|text| text.extract()).unwrap_or_default()
}
