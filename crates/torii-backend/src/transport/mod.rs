//! The request pipeline: a [`Request`] becomes bytes, the bytes travel, the reply becomes a type or an error.

mod call;
mod problem;
mod request;
mod retry;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, USER_AGENT,
};
use http::{Method, Response};
use tracing::Instrument;

pub use call::{Call, CallFuture, Reply};
pub(crate) use request::Request;

use self::call::{Options, Read};
use self::retry::{Attempts, Quota, Verdict};
use crate::config::{BaseUrl, ConfigError, SecretKey};
use crate::error::Error;
use crate::http_client::interrupt::Interrupt;
use crate::http_client::{
    BlockingHttpClient, HttpClient, HttpError, HttpErrorKind, Limits, ReqwestClient, user_agent,
};
use crate::operation::Operation;
use crate::process;

/// Most bytes of a reply.
const MAX_REPLY: usize = 10 * 1024 * 1024;

/// How a client makes its calls: [`Async`] or [`Blocking`].
pub trait Mode: sealed::Mode {}

/// Calls are awaited.
#[derive(Clone, Copy, Debug)]
pub struct Async;

/// Calls are made on the calling thread, without a runtime.
#[derive(Clone, Copy, Debug)]
pub struct Blocking;

impl Mode for Async {}
impl Mode for Blocking {}

mod sealed {
    use super::{BlockingHttpClient, HttpClient};

    pub trait Mode: std::fmt::Debug + Copy + Send + Sync + 'static {
        /// What performs the exchanges.
        type Client: ?Sized + std::fmt::Debug + Send + Sync;
    }

    impl Mode for super::Async {
        type Client = dyn HttpClient;
    }

    impl Mode for super::Blocking {
        type Client = dyn BlockingHttpClient;
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
            connect: ReqwestClient::DEFAULT_CONNECT_TIMEOUT,
            attempt: seconds(10),
            call: seconds(30),
        }
    }
}

/// Carries requests to one API with one secret key.
pub(crate) struct Transport<M: Mode> {
    client: Arc<M::Client>,
    base: BaseUrl,
    secret_key: SecretKey,
    authorization: HeaderValue,
    user_agent: HeaderValue,
    timeouts: Timeouts,
    /// Asked where a blocking call waits before another attempt.
    interrupt: Interrupt,
    quota: Quota,
}

impl<M: Mode> Transport<M> {
    pub(crate) fn new(
        client: Arc<M::Client>,
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
        })
    }

    fn write_down(&self, request: &Request, options: &Options) -> Result<http::Request<Bytes>, Error> {
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

impl Transport<Async> {
    /// Makes a call: as many attempts as its class and its time allow.
    async fn call<T>(&self, request: Request, options: &Options, read: Read<T>) -> Result<Reply<T>, Error> {
        let mut course = Course::new(self, &request, options, read)?;
        let span = course.span();
        async {
            loop {
                let outcome = match course.next_attempt() {
                    Ok((written, limits)) => self.client.send(written, limits).await,
                    Err(error) => Err(error),
                };
                match course.judge(outcome) {
                    Next::Wait(wait) => tokio::time::sleep(wait).await,
                    Next::Done(outcome) => return *outcome,
                }
            }
        }
        .instrument(span)
        .await
    }
}

impl Transport<Blocking> {
    /// [`call`](Transport::<Async>::call), on this thread.
    fn call_blocking<T>(
        &self,
        request: Request,
        options: &Options,
        read: Read<T>,
    ) -> Result<Reply<T>, Error> {
        let mut course = Course::new(self, &request, options, read)?;
        let span = course.span();
        let _entered = span.enter();
        loop {
            let outcome = course
                .next_attempt()
                .and_then(|(written, limits)| self.client.send(written, limits));
            match course.judge(outcome) {
                Next::Wait(wait) if self.interrupt.sleep(wait).is_err() => return Err(course.interrupted()),
                Next::Wait(_) => {}
                Next::Done(outcome) => return *outcome,
            }
        }
    }
}

/// One call on its way: what both drivers do between their waits.
struct Course<'c, M: Mode, T> {
    transport: &'c Transport<M>,
    operation: &'static Operation,
    written: http::Request<Bytes>,
    read: Read<T>,
    attempts: Attempts,
    started: Instant,
    attempt_limit: Duration,
    call_limit: Duration,
}

enum Next<T> {
    Wait(Duration),
    Done(Box<Result<Reply<T>, Error>>),
}

impl<'c, M: Mode, T> Course<'c, M, T> {
    fn new(
        transport: &'c Transport<M>,
        request: &Request,
        options: &Options,
        read: Read<T>,
    ) -> Result<Self, Error> {
        Ok(Self {
            transport,
            operation: request.operation,
            written: transport.write_down(request, options)?,
            read,
            attempts: Attempts::new(request.operation.retry, !options.once),
            started: Instant::now(),
            attempt_limit: options.attempt_timeout.unwrap_or(transport.timeouts.attempt),
            call_limit: options.timeout.unwrap_or(transport.timeouts.call),
        })
    }

    /// A span that names the operation, never an id.
    fn span(&self) -> tracing::Span {
        tracing::debug_span!(
            "torii call",
            operation = self.operation.name,
            method = %self.operation.method,
            path = self.operation.template,
        )
    }

    fn next_attempt(&self) -> Result<(http::Request<Bytes>, Limits), HttpError> {
        let limit = self.attempt_limit.min(self.left());
        if limit.is_zero() {
            // A wait that took longer than it should leaves no time; that is no doubt about what was sent.
            return Err(HttpError::new(HttpErrorKind::Connect, "no time was left"));
        }
        Ok((self.written.clone(), Limits::new(limit, MAX_REPLY)))
    }

    /// Reads a successful reply.
    fn read(&self, reply: &Response<Bytes>) -> Result<T, Error> {
        (self.read)(self.operation, reply).or_else(|_| {
            // The error quotes the reply.
            let mut masked = Response::new(problem::masked(reply.body(), &self.transport.secret_key));
            *masked.status_mut() = reply.status();
            (self.read)(self.operation, &masked)
        })
    }

    fn judge(&mut self, outcome: Result<Response<Bytes>, HttpError>) -> Next<T> {
        let value = match &outcome {
            Ok(reply) if reply.status().is_success() => Some(self.read(reply)),
            _ => None,
        };
        let readable = matches!(value, Some(Ok(_)));
        let (elapsed, quota) = (self.started.elapsed(), &self.transport.quota);
        let verdict = self
            .attempts
            .judge(&outcome, readable, elapsed, self.left(), quota, process::chance());
        let attempts = self.attempts.made();
        tracing::debug!(
            attempts,
            status = outcome.as_ref().ok().map(|r| r.status().as_u16()),
            ?verdict,
            "attempt ended"
        );
        if let Verdict::Retry(wait) = verdict {
            return Next::Wait(wait);
        }
        let result = match (value, outcome) {
            (Some(Ok(value)), Ok(reply)) => {
                let (parts, _) = reply.into_parts();
                Ok(Reply {
                    value,
                    status: parts.status,
                    headers: parts.headers,
                    attempts,
                })
            }
            (Some(Err(error)), _) => Err(error),
            (None, Ok(reply)) => Err(problem::refusal(
                self.operation,
                &reply,
                attempts,
                &self.transport.secret_key,
            )),
            (_, Err(error)) => {
                let sent = self.attempts.in_doubt() || error.may_have_been_sent();
                Err(problem::no_reply(self.operation, attempts, sent, error))
            }
        };
        let result = result.map_err(|error| match verdict {
            Verdict::OutcomeUnknown => problem::outcome_unknown(self.operation, attempts, elapsed, error),
            _ => error,
        });
        if attempts > 1
            && let Err(error) = &result
        {
            tracing::warn!(attempts, %error, "gave up");
        }
        Next::Done(Box::new(result))
    }

    /// The error of a call that was to make another attempt and was interrupted instead.
    fn interrupted(&self) -> Error {
        let (attempts, sent) = (self.attempts.made(), self.attempts.in_doubt());
        let error = HttpError::interrupted_before_sending();
        problem::no_reply(self.operation, attempts, sent, error)
    }

    fn left(&self) -> Duration {
        self.call_limit.saturating_sub(self.started.elapsed())
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
