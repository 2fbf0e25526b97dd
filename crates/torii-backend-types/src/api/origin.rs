//! Origins that may use the client API beyond those that the dashboard derives.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The origins of an environment, such as `capacitor://localhost`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct AllowedOrigins {
    /// Scheme, host and port of each.
    pub origins: Vec<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of "replace the origins".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAllowedOrigins {
    /// All of them; those that are not named are removed.
    pub origins: Vec<String>,
}
