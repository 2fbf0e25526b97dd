//! The API client, as Python calls it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use torii_backend::http_client::{ReqwestClient, ReqwestClientBuilder};
use torii_backend::{ConfigError, Torii, ToriiBuilder};

use crate::call::Outcome;
use crate::errors::{config_error, setting_error};
use crate::operations::Request;
use crate::pages::Pages;
use crate::settings;
use crate::task::{Task, start};
use crate::wait::{Open, Verdict, wait};

/// A client of the API for callers of both kinds. It opens no connection before its first call.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Client {
    builder: ToriiBuilder,
    http: ReqwestClientBuilder,
    torii: ArcSwap<Torii>,
    /// What kind of secret key it has, such as `sk_live_***`.
    #[pyo3(get)]
    secret_key: &'static str,
    #[pyo3(get)]
    api_url: String,
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
            .user_agent_suffix(suffix);
        let http = ReqwestClient::builder().connect_timeout(limit("connect_timeout", connect_timeout)?);
        let mut http = settings::http_client(http, proxy, ca_file)?;
        if let Some(most) = max_idle_connections {
            http = http.pool_max_idle_per_host(settings::count("max_idle_connections", most)?);
        }
        let torii = connected(&builder, &http).map_err(|error| config_error(py, &error))?;
        let kinds = [("sk_live_", "sk_live_***"), ("sk_test_", "sk_test_***")];
        Ok(Self {
            builder,
            http,
            torii: ArcSwap::from_pointee(torii),
            secret_key: kinds
                .iter()
                .find(|(prefix, _)| key.starts_with(prefix))
                .map_or("***", |(_, shown)| shown),
            api_url,
        })
    }

    /// Makes a call and waits for it. Returns the JSON of the reply, if it has one; with `described`, a pair of it and
    /// `(status, headers, request_id, attempts)`.
    #[pyo3(signature = (request, described=false))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'py, Request>,
        described: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        wait(py, self.open(request.get(), described))
    }

    /// Makes a call, and calls `done(reply, error)` from another thread. The reply is as that of `call`.
    #[pyo3(signature = (request, done, described=false))]
    fn start(
        &self,
        py: Python<'_>,
        request: &Bound<'_, Request>,
        done: Py<PyAny>,
        described: bool,
    ) -> PyResult<Task> {
        start(py, done, self.open(request.get(), described))
    }

    /// Walks a list page by page.
    fn pages(&self, request: &Bound<'_, Request>) -> Pages {
        Pages::new(Torii::clone(&self.torii.load()), request.get())
    }

    /// Closes the connections that no call needs. A call after that opens new ones.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let torii = connected(&self.builder, &self.http).map_err(|error| config_error(py, &error))?;
        self.torii.store(Arc::new(torii));
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

impl Client {
    fn open(&self, request: &Request, described: bool) -> Open {
        let prepared = request.prepare(&self.torii.load());
        let operation = request.operation.clone();
        Box::pin(async move {
            let reply = match prepared {
                Ok(prepared) => prepared.make(described).await,
                Err(error) => Err(error),
            };
            Verdict::Reply(Outcome { operation, reply })
        })
    }
}

fn connected(builder: &ToriiBuilder, http: &ReqwestClientBuilder) -> Result<Torii, ConfigError> {
    builder.clone().http_client(http.clone().build()?).build()
}
