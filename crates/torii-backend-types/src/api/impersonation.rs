//! Acting in a user's place.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::UserId;

/// The body of "mint an impersonation token".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateImpersonationToken {
    /// On whose behalf it happens; a user of the same environment. Goes into the audit log.
    pub actor_user_id: UserId,
    /// Why it happens, 500 characters at most. Goes into the audit log.
    pub reason: String,
    /// Where the browser lands, at one of the environment's allowed origins; `None` is the environment's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// How long the token can be redeemed, 60 to 600; `None` is 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<i64>,
}

impl CreateImpersonationToken {
    /// A token for this actor and reason, with the service's defaults.
    pub fn new(actor_user_id: UserId, reason: impl Into<String>) -> Self {
        Self {
            actor_user_id,
            reason: reason.into(),
            redirect_url: None,
            expires_in_seconds: None,
        }
    }
}

/// A token that opens one session in a user's place. `Debug` shows neither it nor the address that carries it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct ImpersonationToken {
    /// The token, good for one use.
    pub token: String,
    /// How long it can be redeemed.
    pub expires_in_seconds: i64,
    /// An address that redeems it in a browser; `None` when there is no page to land on.
    #[serde(default)]
    pub url: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for ImpersonationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImpersonationToken")
            .field("expires_in_seconds", &self.expires_in_seconds)
            .finish_non_exhaustive()
    }
}
