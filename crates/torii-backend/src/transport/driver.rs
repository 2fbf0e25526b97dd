//! The driver of a call: attempts and the waits between them, on any executor or on the calling thread.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use tracing::Instrument;

#[cfg(feature = "blocking")]
use super::mode::Blocking;
use super::mode::{Async, Mode};
use super::problem;
use super::reply::{Read, Reply};
use super::request::{Options, Request};
use super::retry::{Attempts, Verdict};
use super::transport::Transport;
use crate::chain::Chain;
use crate::config::ConfigError;
use crate::error::{DecodeError, Error, OutcomeUnknown};
use crate::http_client::{HttpError, HttpErrorKind, Limits, headers};
use crate::operation::Operation;
use crate::{process, runtime};

/// Most bytes of a reply.
const MAX_REPLY: usize = 10 * 1024 * 1024;

impl Transport<Async> {
    /// Makes a call.
    pub(super) async fn call<T>(
        &self,
        request: Request,
        options: &Options,
        read: Read<T>,
    ) -> Result<Reply<T>, Error> {
        self.drive(request, options, read, &AtomicBool::new(false)).await
    }
}

#[cfg(feature = "blocking")]
impl Transport<Blocking> {
    /// Makes a call, and waits for it on this thread.
    pub(super) fn call_blocking<T>(
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
            let cause = match &outcome {
                Ok(reply) => reply.status().to_string(),
                Err(error) => Chain(error).to_string(),
            };
            let (operation, wait_ms) = (self.operation.name, wait.as_millis());
            tracing::info!(
                operation,
                attempt = attempts,
                cause,
                wait_ms,
                "another attempt will be made"
            );
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
            Verdict::OutcomeUnknown => Error::OutcomeUnknown(Box::new(OutcomeUnknown {
                operation: self.operation,
                attempts,
                elapsed,
                source: error,
            })),
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
