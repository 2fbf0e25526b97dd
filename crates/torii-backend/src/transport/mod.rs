//! The request pipeline: a [`Request`] becomes bytes, the bytes travel, the reply becomes a type or an error.

mod call;
mod problem;
mod request;
mod retry;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
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
use crate::error::{Chain, DecodeError, Error};
use crate::http_client::{HttpClient, HttpError, HttpErrorKind, Limits, ReqwestClient, headers, user_agent};
use crate::operation::Operation;
use crate::{process, runtime};

/// Most bytes of a reply.
const MAX_REPLY: usize = 10 * 1024 * 1024;

/// How a client makes its calls: [`Async`] or, with the feature `blocking`, `Blocking`.
pub trait Mode: sealed::Mode {}

/// Calls are awaited.
#[derive(Clone, Copy, Debug)]
pub struct Async;

/// Calls wait on the calling thread.
#[cfg(feature = "blocking")]
#[derive(Clone, Copy, Debug)]
pub struct Blocking;

impl Mode for Async {}
#[cfg(feature = "blocking")]
impl Mode for Blocking {}

mod sealed {
    pub trait Mode: std::fmt::Debug + Copy + Send + Sync + 'static {}

    impl Mode for super::Async {}
    #[cfg(feature = "blocking")]
    impl Mode for super::Blocking {}
}

/// Whom a blocking call asks whether it is to end.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

#[cfg(feature = "blocking")]
impl Interrupt {
    pub(crate) fn new(hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    fn ask(&self) -> bool {
        self.0.as_ref().is_some_and(|hook| hook())
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupt").field(&self.0.is_some()).finish()
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
    client: Arc<dyn HttpClient>,
    base: BaseUrl,
    secret_key: SecretKey,
    authorization: HeaderValue,
    user_agent: HeaderValue,
    timeouts: Timeouts,
    #[cfg_attr(
        not(feature = "blocking"),
        expect(dead_code, reason = "only blocking calls ask")
    )]
    interrupt: Interrupt,
    quota: Quota,
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
    /// Makes a call.
    async fn call<T>(&self, request: Request, options: &Options, read: Read<T>) -> Result<Reply<T>, Error> {
        self.drive(request, options, read, &AtomicBool::new(false)).await
    }
}

#[cfg(feature = "blocking")]
impl Transport<Blocking> {
    /// Makes a call, and waits for it on this thread.
    fn call_blocking<T>(
        &self,
        request: Request,
        options: &Options,
        read: Read<T>,
    ) -> Result<Reply<T>, Error> {
        let (operation, interrupted) = (request.operation, AtomicBool::new(false));
        let mut call = pin!(self.drive(request, options, read, &interrupted));
        loop {
            match runtime::block_on(call.as_mut(), || self.interrupt.ask()) {
                Ok(Some(outcome)) => return outcome,
                // The call ends the next time that it is polled.
                Ok(None) => interrupted.store(true, Ordering::Relaxed),
                Err(error) => return Err(problem::no_reply(operation, 0, false, no_thread(error))),
            }
        }
    }
}

impl<M: Mode> Transport<M> {
    /// Makes as many attempts as the call's class and its time allow. The call ends when `interrupted` is set.
    async fn drive<T>(
        &self,
        request: Request,
        options: &Options,
        read: Read<T>,
        interrupted: &AtomicBool,
    ) -> Result<Reply<T>, Error> {
        let mut call = CallDriver::new(self, &request, options, read)?;
        let span = call.span();
        async {
            loop {
                let (written, limits) = call.next_attempt()?;
                let outcome = unless(interrupted, self.client.send(written, limits)).await;
                let outcome = outcome.unwrap_or(Err(HttpErrorKind::Interrupted.into()));
                match call.judge(outcome) {
                    Next::Done(outcome) => return *outcome,
                    Next::Wait(wait) => {
                        let waited = runtime::sleep_until(Instant::now() + wait)
                            .map_err(|error| call.not_attempted(no_thread(error)))?;
                        if unless(interrupted, waited).await.is_none() {
                            let interrupted = HttpError::before_sending(HttpErrorKind::Interrupted);
                            return Err(call.not_attempted(interrupted));
                        }
                    }
                }
            }
        }
        .instrument(span)
        .await
    }
}

/// The output of `future`, or nothing once `interrupted` is set.
async fn unless<F: Future>(interrupted: &AtomicBool, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if interrupted.load(Ordering::Relaxed) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

fn no_thread(error: io::Error) -> HttpError {
    HttpError::new(HttpErrorKind::Setup, error)
}

/// One call: what is done between its waits.
struct CallDriver<'c, M: Mode, T> {
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

impl<'c, M: Mode, T> CallDriver<'c, M, T> {
    fn new(
        transport: &'c Transport<M>,
        request: &Request,
        options: &Options,
        read: Read<T>,
    ) -> Result<Self, Error> {
        let attempt_limit = options.attempt_timeout.unwrap_or(transport.timeouts.attempt);
        let call_limit = options.timeout.unwrap_or(transport.timeouts.call);
        if attempt_limit.is_zero() || call_limit.is_zero() {
            return Err(ConfigError::new("timeout", "must be longer than zero").into());
        }
        Ok(Self {
            transport,
            operation: request.operation,
            written: transport.write_down(request, options)?,
            read,
            attempts: Attempts::new(request.operation.retry, !options.once),
            started: Instant::now(),
            attempt_limit,
            call_limit,
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

    fn next_attempt(&self) -> Result<(http::Request<Bytes>, Limits), Error> {
        let limit = self.attempt_limit.min(self.left());
        if limit.is_zero() {
            // The wait before this attempt took longer than it should.
            return Err(self.not_attempted(HttpError::before_sending(HttpErrorKind::Timeout)));
        }
        Ok((self.written.clone(), Limits::new(limit, MAX_REPLY)))
    }

    /// Reads a successful reply.
    fn read(&self, reply: &Response<Bytes>) -> Result<T, Error> {
        (self.read)(self.operation, reply).map_err(|error| match error {
            Error::Decode(error) => {
                let excerpt = problem::excerpt(reply.body(), &self.transport.secret_key);
                Error::Decode(DecodeError { excerpt, ..error })
            }
            error => error,
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
            status = outcome.as_ref().ok().map(|reply| reply.status().as_u16()),
            request_id = outcome
                .as_ref()
                .ok()
                .and_then(|reply| headers::request_id(reply.headers())),
            error = outcome
                .as_ref()
                .err()
                .map(|error| tracing::field::display(Chain(error))),
            elapsed_ms = elapsed.as_millis(),
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
        match &result {
            // A refusal is the caller's to handle.
            Err(Error::Api(error)) if attempts == 1 && !error.status.is_server_error() => {}
            // The application ended the call itself.
            Err(error) if error.http_error_kind() == Some(HttpErrorKind::Interrupted) => {}
            Err(error) => tracing::warn!(attempts, error = %Chain(error), "gave up"),
            Ok(_) => {}
        }
        Next::Done(Box::new(result))
    }

    /// The error of a call that ends before its next attempt.
    fn not_attempted(&self, error: HttpError) -> Error {
        problem::no_reply(
            self.operation,
            self.attempts.made(),
            self.attempts.in_doubt(),
            error,
        )
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
