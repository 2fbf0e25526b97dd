//! The API client, as Python calls it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use torii_backend::http_client::{ReqwestClient, ReqwestClientBuilder};
use torii_backend::{BlockingTorii, ConfigError, Torii, ToriiBuilder};

use crate::call::{Outcome, interruptible, signal_came};
use crate::errors::{config_error, setting_error};
use crate::operations::Request;
use crate::pages::{AsyncPages, Pages};
use crate::settings;
use crate::task::{self, Task};

/// A client of the API for callers of both kinds. It opens no connection before its first call.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Client {
    builder: ToriiBuilder,
    http: ReqwestClientBuilder,
    connected: ArcSwap<Connected>,
    /// What kind of secret key it has, such as `sk_live_***`.
    #[pyo3(get)]
    secret_key: &'static str,
    #[pyo3(get)]
    api_url: String,
}

/// The connections of both kinds of callers.
struct Connected {
    blocking: BlockingTorii,
    asynchronous: Torii,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (
        secret_key, *, api_url, timeout, attempt_timeout, connect_timeout, allow_insecure_http, user_agent_suffix,
        proxy, ca_file, max_idle_connections
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn new(
        py: Python<'_>,
        secret_key: &Bound<'_, PyAny>,
        api_url: Option<&Bound<'_, PyAny>>,
        timeout: &Bound<'_, PyAny>,
        attempt_timeout: &Bound<'_, PyAny>,
        connect_timeout: &Bound<'_, PyAny>,
        allow_insecure_http: &Bound<'_, PyAny>,
        user_agent_suffix: Option<&Bound<'_, PyAny>>,
        proxy: Option<&Bound<'_, PyAny>>,
        ca_file: Option<&Bound<'_, PyAny>>,
        max_idle_connections: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        const OURS: &str = concat!("torii-backend-python/", env!("CARGO_PKG_VERSION"));
        let key = settings::text("secret_key", secret_key)?;
        let api_url = match api_url {
            Some(url) => settings::text("api_url", url)?,
            None => Torii::DEFAULT_API_URL.to_owned(),
        };
        let suffix = match user_agent_suffix {
            Some(suffix) => format!("{OURS} {}", settings::text("user_agent_suffix", suffix)?),
            None => OURS.to_owned(),
        };
        let builder = Torii::builder(&key)
            .api_url(&api_url)
            .call_timeout(limit("timeout", timeout)?)
            .attempt_timeout(limit("attempt_timeout", attempt_timeout)?)
            .allow_insecure_http(settings::flag("allow_insecure_http", allow_insecure_http)?)
            .user_agent_suffix(suffix)
            .interrupt(signal_came);
        let http = ReqwestClient::builder().connect_timeout(limit("connect_timeout", connect_timeout)?);
        let mut http = settings::http_client(http, proxy, ca_file)?;
        if let Some(most) = max_idle_connections {
            http = http.pool_max_idle_per_host(settings::count("max_idle_connections", most)?);
        }
        let connected = Connected::new(&builder, &http).map_err(|error| config_error(py, &error))?;
        let kinds = [("sk_live_", "sk_live_***"), ("sk_test_", "sk_test_***")];
        Ok(Self {
            builder,
            http,
            connected: ArcSwap::from_pointee(connected),
            secret_key: kinds
                .iter()
                .find(|(prefix, _)| key.starts_with(prefix))
                .map_or("***", |(_, shown)| shown),
            api_url,
        })
    }

    /// Makes a call on this thread, with the GIL released. Returns the JSON of the reply, if it has one; with `described`,
    /// a pair of it and `(status, headers, request_id, attempts)`.
    #[pyo3(signature = (request, described=false))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'py, Request>,
        described: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (connected, request) = (self.connected.load_full(), request.get());
        let (reply, raised) = interruptible(py, || request.prepare(&connected.blocking)?.send(described));
        if let Some(raised) = raised {
            return Err(raised);
        }
        let operation = request.operation.clone();
        Outcome { operation, reply }.into_pyobject(py)
    }

    /// Makes a call on the runtime, and calls `done(reply, error)` from there. The reply is as that of `call`.
    #[pyo3(signature = (request, done, described=false))]
    fn start(
        &self,
        py: Python<'_>,
        request: &Bound<'_, Request>,
        done: Py<PyAny>,
        described: bool,
    ) -> PyResult<Task> {
        let request = request.get();
        let prepared = request.prepare(&self.connected.load().asynchronous);
        let operation = request.operation.clone();
        task::start(py, done, async move {
            let reply = match prepared {
                Ok(prepared) => prepared.make(described).await,
                Err(error) => Err(error),
            };
            Ok(Outcome { operation, reply })
        })
    }

    /// Walks a list page by page on the threads that ask.
    fn pages(&self, request: &Bound<'_, Request>) -> Pages {
        Pages::new(self.connected.load().blocking.clone(), request.get())
    }

    /// Walks a list page by page on the runtime.
    fn async_pages(&self, request: &Bound<'_, Request>) -> AsyncPages {
        AsyncPages::new(self.connected.load().asynchronous.clone(), request.get())
    }

    /// Closes the connections that no call needs. A call after that opens new ones.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let connected =
            Connected::new(&self.builder, &self.http).map_err(|error| config_error(py, &error))?;
        self.connected.store(Arc::new(connected));
        Ok(())
    }

    /// Refuses to be pickled or copied: a secret key stays where it was put.
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a client holds a secret key and is neither pickled nor copied",
        ))
    }
}

/// A time limit, which is longer than zero.
fn limit(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    match settings::seconds(argument, value)? {
        Duration::ZERO => Err(setting_error(value.py(), argument, "must be more than 0")),
        limit => Ok(limit),
    }
}

impl Connected {
    fn new(builder: &ToriiBuilder, http: &ReqwestClientBuilder) -> Result<Self, ConfigError> {
        let builder = builder.clone().http_client(http.clone().build()?);
        Ok(Self {
            blocking: builder.clone().build_blocking()?,
            asynchronous: builder.build()?,
        })
    }
}
