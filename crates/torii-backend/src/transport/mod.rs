//! The request pipeline: a [`Request`] becomes bytes, the bytes travel, the reply becomes a type or an error.

mod exchange;
pub(crate) mod headers;
mod http;
mod problem;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use ::http::{Method, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

pub use exchange::{Exchange, HttpClient, HttpError, HttpErrorKind, Limits};
pub use http::ReqwestClient;

use crate::config::{BaseUrl, ConfigError, SecretKey};
use crate::error::Error;

/// Where the backend API lives below its address.
const API_PATH: &str = "/api/server/v1";
/// Most bytes of a reply.
const MAX_REPLY: usize = 10 * 1024 * 1024;

/// One operation of the API: what all its calls have in common. `contract/operations.toml` lists them.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// The path below the API's, parameters in braces: for errors and logs, where ids have no place.
    pub(crate) template: &'static str,
}

/// One call of an operation.
#[derive(Debug)]
pub(crate) struct Request {
    operation: &'static Operation,
    path: String,
    body: Option<Bytes>,
}

impl Request {
    /// A call with the values of the template's parameters, in order. They are identifiers, so they cannot change
    /// the route.
    pub(crate) fn new(operation: &'static Operation, ids: &[&dyn Display]) -> Self {
        let mut path = API_PATH.to_owned();
        let mut ids = ids.iter();
        for segment in operation.template.split_inclusive('/') {
            match segment.strip_prefix('{').and_then(|_| ids.next()) {
                Some(id) => path.push_str(&format!("{id}{}", if segment.ends_with('/') { "/" } else { "" })),
                None => path.push_str(segment),
            }
        }
        Self {
            operation,
            path,
            body: None,
        }
    }

    /// Adds the query parameters that have a value.
    pub(crate) fn query(mut self, parameters: &[(&str, Option<String>)]) -> Self {
        let present = parameters
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(present)
            .finish();
        if !query.is_empty() {
            self.path.push('?');
            self.path.push_str(&query);
        }
        self
    }

    /// Adds a JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|error| Error::Request(error.to_string()))?;
        self.body = Some(bytes.into());
        Ok(self)
    }
}

/// How long a call may take. Nothing is infinite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) attempt: Duration,
    pub(crate) call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(3),
            attempt: seconds(10),
            call: seconds(30),
        }
    }
}

/// Carries requests to one API with one secret key.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Arc<dyn HttpClient>,
    base: BaseUrl,
    secret_key: SecretKey,
    authorization: HeaderValue,
    user_agent: HeaderValue,
    timeouts: Timeouts,
}

impl Transport {
    pub(crate) fn new(
        client: Arc<dyn HttpClient>,
        base: BaseUrl,
        secret_key: SecretKey,
        user_agent_suffix: Option<&str>,
        timeouts: Timeouts,
    ) -> Result<Self, ConfigError> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", secret_key.expose()))
            .map_err(|_| ConfigError::new("secret key", "cannot be sent in a header"))?;
        // Keeps the key out of the Debug output and the logs of every HTTP library below.
        authorization.set_sensitive(true);
        let user_agent = HeaderValue::try_from(user_agent(user_agent_suffix))
            .map_err(|_| ConfigError::new("user agent suffix", "cannot be sent in a header"))?;
        Ok(Self {
            client,
            base,
            secret_key,
            authorization,
            user_agent,
            timeouts,
        })
    }

    /// Sends a request and reads its reply as `T`.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        let operation = request.operation;
        let reply = self.send(request).await?;
        problem::read_json(operation, &reply)
    }

    /// Sends a request whose reply has nothing in it that matters.
    pub(crate) async fn run(&self, request: Request) -> Result<(), Error> {
        self.send(request).await.map(drop)
    }

    async fn send(&self, request: Request) -> Result<Response<Bytes>, Error> {
        let operation = request.operation;
        let limits = Limits::new(self.timeouts.attempt.min(self.timeouts.call), MAX_REPLY);
        let outcome = self.client.send(self.write_down(request)?, limits).await;
        let reply = outcome.map_err(|error| problem::no_reply(operation, error))?;
        tracing::debug!(
            operation = operation.name,
            status = reply.status().as_u16(),
            "torii replied"
        );
        if reply.status().is_success() {
            Ok(reply)
        } else {
            Err(problem::refusal(operation, &reply, &self.secret_key))
        }
    }

    fn write_down(&self, request: Request) -> Result<::http::Request<Bytes>, Error> {
        let mut builder = ::http::Request::builder()
            .method(request.operation.method.clone())
            .uri(self.base.join(&request.path))
            .header(AUTHORIZATION, &self.authorization)
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, &self.user_agent);
        if request.body.is_some() {
            builder = builder.header(CONTENT_TYPE, "application/json");
        }
        builder
            .body(request.body.unwrap_or_default())
            .map_err(|error| Error::Request(error.to_string()))
    }
}

/// What we call ourselves, with the application's own name behind it.
pub(crate) fn user_agent(suffix: Option<&str>) -> String {
    const OURS: &str = concat!("torii-backend-rust/", env!("CARGO_PKG_VERSION"));
    suffix.map_or_else(|| OURS.to_owned(), |suffix| format!("{OURS} {suffix}"))
}
