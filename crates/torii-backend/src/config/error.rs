//! The error of a setting.

use std::borrow::Cow;

/// A setting that cannot be used. The message names the setting and the rule, and never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    setting: &'static str,
    problem: Cow<'static, str>,
}

impl ConfigError {
    pub(crate) fn new(setting: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self {
            setting,
            problem: problem.into(),
        }
    }

    /// Which setting is wrong, such as `issuer` or `secret key`.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}
