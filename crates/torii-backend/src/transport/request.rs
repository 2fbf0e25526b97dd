//! What one call of an operation says.

use std::fmt::{self, Display};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use torii_backend_types::PageRequest;
use url::form_urlencoded;

use crate::error::Error;
use crate::operation::Operation;

/// Where the backend API lives below its address.
const API_PATH: &str = "/api/server/v1";

/// One call of an operation. `Debug` shows no body, which may hold a password.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) operation: &'static Operation,
    path: String,
    query: Vec<(&'static str, String)>,
    pub(crate) page: PageRequest,
    pub(crate) body: Option<Bytes>,
}

impl Request {
    /// A call with the values of the template's parameters, in order. They are identifiers, so they cannot change
    /// the route.
    pub(crate) fn new(operation: &'static Operation, ids: &[&dyn Display]) -> Self {
        let mut path = API_PATH.to_owned();
        let mut ids = ids.iter();
        for segment in operation.template.split('/').skip(1) {
            path.push('/');
            match segment.strip_prefix('{').and_then(|_| ids.next()) {
                Some(id) => path.push_str(&id.to_string()),
                None => path.push_str(segment),
            }
        }
        Self {
            operation,
            path,
            query: Vec::new(),
            page: PageRequest::default(),
            body: None,
        }
    }

    /// Adds a query parameter for each value.
    pub(crate) fn query(mut self, name: &'static str, values: impl IntoIterator<Item: Display>) -> Self {
        let values = values.into_iter().map(|value| (name, value.to_string()));
        self.query.extend(values);
        self
    }

    /// Adds a JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|error| Error::Request(error.to_string()))?;
        self.body = Some(bytes.into());
        Ok(self)
    }

    /// The path and the query, percent-encoded.
    pub(crate) fn path_and_query(&self) -> String {
        let limit = self.page.limit.map(|limit| ("limit", limit.to_string()));
        let cursor = self
            .page
            .cursor
            .as_ref()
            .map(|cursor| ("cursor", cursor.to_string()));
        let parameters = self.query.iter().cloned().chain(limit).chain(cursor);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{query}", self.path)
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation.name)
            .field("path_and_query", &self.path_and_query())
            .field("body_length", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// The settings of one call. `Debug` shows the headers' names only: a value may be a secret.
#[derive(Clone, Default)]
pub(super) struct Options {
    pub(super) timeout: Option<Duration>,
    pub(super) attempt_timeout: Option<Duration>,
    pub(super) once: bool,
    pub(super) headers: HeaderMap,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("timeout", &self.timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("once", &self.once)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish()
    }
}
