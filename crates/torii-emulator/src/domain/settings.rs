//! What torii's dashboard would configure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::origins::check_url;
use super::profile::{MAX_TEXT_CHARS, check_length};
use super::templates::{self, JwtTemplate};
use super::{Domain, MAX_TOKEN_LIFETIME_SECONDS};
use crate::error::Error;

/// How long a token lasts that does not say, unless the [`Settings`] do.
pub const DEFAULT_TOKEN_LIFETIME_SECONDS: i64 = 300;
/// The first [`Settings::sign_up_url`].
pub const DEFAULT_SIGN_UP_URL: &str = "http://localhost:3000/sign-up";
/// The first [`Settings::jwks_cache_control`].
const DEFAULT_JWKS_CACHE_CONTROL: &str = "public, max-age=300";

/// What torii's dashboard would configure, for all environments at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Settings {
    /// The lifetime of tokens that do not ask for one. [`DEFAULT_TOKEN_LIFETIME_SECONDS`] at first.
    pub token_lifetime_seconds: i64,
    /// How tokens name the active organization.
    pub claim_style: ClaimStyle,
    /// The `Cache-Control` of the key set; `None` sends none.
    pub jwks_cache_control: Option<String>,
    /// Whether operators may act in a user's place.
    pub impersonation: ImpersonationSettings,
    /// Where an impersonation lands that names no address; `None` at first.
    pub landing_url: Option<String>,
    /// Where invitations lead; without one they are refused. [`DEFAULT_SIGN_UP_URL`] at first.
    pub sign_up_url: Option<String>,
    /// How many invitations an environment may create; `None`, as at first, is any number.
    pub invitation_rate_limit: Option<InvitationRateLimit>,
    /// Whether users may sign up by themselves. They may at first.
    pub sign_up_enabled: bool,
    /// Whether who signs up must accept the terms. Not at first.
    pub require_legal_consent: bool,
    /// The JWT templates; none at first.
    pub jwt_templates: Vec<JwtTemplate>,
}

/// How tokens name the active organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimStyle {
    /// The claims `org_id` and `org_role`.
    #[default]
    #[serde(rename = "org_id")]
    OrgId,
    /// The claim `o`, an object of `id`, `rol` and `slg`. torii publishes its name, the members are a guess.
    #[serde(rename = "o")]
    O,
}

/// Whether operators may act in a user's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ImpersonationSettings {
    /// Off refuses with 403. On at first, unlike at torii.
    pub enabled: bool,
    /// Off refuses with 402.
    pub plan_included: bool,
    /// How many tokens an environment may mint within
    /// [`IMPERSONATION_PERIOD_SECONDS`](crate::IMPERSONATION_PERIOD_SECONDS); `None` is any number.
    pub quota: Option<u32>,
}

/// A number of invitations within a time that moves along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvitationRateLimit {
    /// How many invitations; 0 refuses every one.
    pub invitations: u32,
    /// Within how many seconds; at least 1.
    pub per_seconds: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime_seconds: DEFAULT_TOKEN_LIFETIME_SECONDS,
            claim_style: ClaimStyle::default(),
            jwks_cache_control: Some(DEFAULT_JWKS_CACHE_CONTROL.to_owned()),
            impersonation: ImpersonationSettings::default(),
            landing_url: None,
            sign_up_url: Some(DEFAULT_SIGN_UP_URL.to_owned()),
            invitation_rate_limit: None,
            sign_up_enabled: true,
            require_legal_consent: false,
            jwt_templates: Vec::new(),
        }
    }
}

impl Default for ImpersonationSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            plan_included: true,
            quota: None,
        }
    }
}

impl Domain {
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Writers take turns, so that `change` is given what the one before it left.
    pub(crate) async fn change_settings(
        &self,
        change: impl FnOnce(&Settings) -> Result<Settings, Error> + Send + 'static,
    ) -> Result<Settings, Error> {
        let (before, after) = (Arc::clone(&self.settings), Arc::clone(&self.settings));
        self.store
            .write_then(
                move |tx| {
                    let settings = change(&before.load())?;
                    settings.check()?;
                    tx.set_settings(&settings)?;
                    Ok(settings)
                },
                move |settings| {
                    after.store(Arc::new(settings.clone()));
                    settings
                },
            )
            .await
    }
}

impl Settings {
    /// These settings with the members that `changes` names; `null` is a value.
    pub(crate) fn with(&self, changes: Map<String, Value>) -> Result<Self, Error> {
        let mut merged = serde_json::to_value(self).map_err(Error::internal)?;
        lay_over(&mut merged, Value::Object(changes));
        serde_path_to_error::deserialize(merged)
            .map_err(|error| Error::invalid(format!("{}: {}", error.path(), error.inner())))
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let Self {
            token_lifetime_seconds,
            claim_style: _,
            jwks_cache_control,
            impersonation: _,
            landing_url,
            sign_up_url,
            invitation_rate_limit,
            sign_up_enabled: _,
            require_legal_consent: _,
            jwt_templates,
        } = self;
        if !(1..=MAX_TOKEN_LIFETIME_SECONDS).contains(token_lifetime_seconds) {
            return Err(Error::invalid(format!(
                "tokenLifetimeSeconds must be within 1–{MAX_TOKEN_LIFETIME_SECONDS}"
            )));
        }
        let cache_control = jwks_cache_control.as_deref().unwrap_or_default();
        check_length("jwksCacheControl", cache_control, MAX_TEXT_CHARS)?;
        if cache_control.contains(|c: char| !c.is_ascii_graphic() && c != ' ') {
            return Err(Error::invalid("jwksCacheControl must be visible ASCII"));
        }
        for (field, url) in [("landingUrl", landing_url), ("signUpUrl", sign_up_url)] {
            if let Some(url) = url {
                check_url(field, url)?;
            }
        }
        if invitation_rate_limit.is_some_and(|limit| limit.per_seconds == 0) {
            return Err(Error::invalid(
                "invitationRateLimit: perSeconds must be at least 1",
            ));
        }
        templates::check(jwt_templates)
    }
}

fn lay_over(settings: &mut Value, changes: Value) {
    match (settings, changes) {
        (Value::Object(settings), Value::Object(changes)) => {
            for (name, change) in changes {
                lay_over(settings.entry(name).or_insert(Value::Null), change);
            }
        }
        (settings, change) => *settings = change,
    }
}
