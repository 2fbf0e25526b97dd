//! The errors of verification.

use std::fmt::Display;

use pyo3::prelude::*;
use torii_backend::{Chain, ConfigError, Denied, ErrorCode, VerifyError};

use super::exception;

/// The exception for a token that is not accepted.
pub(crate) fn verify_error(py: Python<'_>, error: &VerifyError) -> PyErr {
    let message = Chain(error).to_string();
    let code = error.code();
    match error {
        VerifyError::Config(error) => config_error(py, error),
        VerifyError::KeysUnavailable(error) => {
            exception(py, "ToriiKeysUnavailableError", &message, |keywords| {
                keywords.set_item("code", code.to_string())?;
                keywords.set_item("retry_after", error.retry_after().as_secs_f64())
            })
        }
        _ => {
            let challenge = error.www_authenticate();
            let challenge = challenge.as_ref().and_then(|challenge| challenge.to_str().ok());
            let class = match code {
                ErrorCode::Expired => "ToriiTokenExpiredError",
                _ => "ToriiAuthError",
            };
            exception(py, class, &message, |keywords| {
                keywords.set_item("code", code.to_string())?;
                keywords.set_item("www_authenticate", challenge)
            })
        }
    }
}

/// The exception for what is refused before the core sees it.
pub(crate) fn refusal(py: Python<'_>, code: ErrorCode, detail: &str) -> PyErr {
    // The challenge is the exception's default: a token was sent.
    exception(py, "ToriiAuthError", &format!("{code}: {detail}"), |keywords| {
        keywords.set_item("code", code.to_string())
    })
}

/// The exception for a caller that the guard of this name does not let in.
pub(crate) fn denied_error(py: Python<'_>, guard: &str) -> PyErr {
    let message = Denied::Guard(guard.to_owned().into()).to_string();
    exception(py, "ToriiDeniedError", &message, |keywords| {
        keywords.set_item("guard", guard)
    })
}

/// The exception for a setting that the core cannot use.
pub(crate) fn config_error(py: Python<'_>, error: &ConfigError) -> PyErr {
    config_error_in(py, argument(error.setting()), error)
}

/// [`config_error`], where the argument is known that the setting came from.
pub(crate) fn config_error_in(py: Python<'_>, argument: &str, error: &ConfigError) -> PyErr {
    let message = error.to_string();
    let problem = message.strip_prefix(error.setting()).unwrap_or(&message);
    setting_error(py, argument, problem.trim_start_matches([':', ' ']))
}

/// The exception for an argument that cannot be a setting.
pub(crate) fn setting_error(py: Python<'_>, argument: &str, problem: impl Display) -> PyErr {
    exception(py, "ToriiConfigError", &format!("{argument}: {problem}"), |_| {
        Ok(())
    })
}

/// What a setting of the core is called in Python, where the two differ.
fn argument(setting: &str) -> &str {
    match setting {
        "audiences" => "audience",
        "cache" => "stale_limit",
        "fetch timeout" => "timeout",
        "import_keys" => "keys",
        "key file" => "jwks_file",
        "root certificates" => "ca_file",
        "secret key" => "secret_key",
        "user agent suffix" => "user_agent_suffix",
        other => other,
    }
}
