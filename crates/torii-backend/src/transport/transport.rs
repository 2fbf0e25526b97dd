//! Carries requests to one API.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, USER_AGENT,
};

use super::mode::{Interrupt, Mode};
use super::request::{Options, Request};
use super::retry::Quota;
use crate::config::{BaseUrl, ConfigError, SecretKey};
use crate::error::Error;
use crate::http_client::{HttpClient, ReqwestClient, user_agent};

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
            connect: ReqwestClient::DEFAULT_CONNECT_TIMEOUT,
            attempt: seconds(10),
            call: seconds(30),
        }
    }
}

/// Carries requests to one API with one secret key.
pub(crate) struct Transport<M: Mode> {
    pub(super) client: Arc<dyn HttpClient>,
    base: BaseUrl,
    pub(super) secret_key: SecretKey,
    authorization: HeaderValue,
    user_agent: HeaderValue,
    pub(super) timeouts: Timeouts,
    #[cfg_attr(
        not(feature = "blocking"),
        expect(dead_code, reason = "only blocking calls ask")
    )]
    pub(super) interrupt: Interrupt,
    pub(super) quota: Quota,
    mode: PhantomData<M>,
}

impl<M: Mode> Transport<M> {
    pub(crate) fn new(
        client: Arc<dyn HttpClient>,
        base: BaseUrl,
        secret_key: SecretKey,
        user_agent_suffix: Option<&str>,
        timeouts: Timeouts,
        interrupt: Interrupt,
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
            interrupt,
            quota: Quota::default(),
            mode: PhantomData,
        })
    }

    pub(super) fn write_down(
        &self,
        request: &Request,
        options: &Options,
    ) -> Result<http::Request<Bytes>, Error> {
        let mut written = http::Request::builder()
            .method(request.operation.method.clone())
            .uri(self.base.join(&request.path_and_query()))
            .body(request.body.clone().unwrap_or_default())
            .map_err(|error| Error::Request(error.to_string()))?;
        let headers = written.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        if request.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if matches!(
            request.operation.method,
            Method::POST | Method::PUT | Method::PATCH
        ) {
            // Said for all clients: left to them, one sends an empty chunked body and another no length at all.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        headers.extend(options.headers.clone());
        Ok(written)
    }
}

impl<M: Mode> fmt::Debug for Transport<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("base", &self.base.as_str())
            .field("secret_key", &self.secret_key)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
