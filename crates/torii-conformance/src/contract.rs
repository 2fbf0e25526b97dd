//! The files of `contract/adapters`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The contract of all web adapters.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The key set of the issuer.
    pub(crate) keys: String,
    /// That of the other issuer.
    pub(crate) other_keys: String,
    pub(crate) tokens: Tokens,
    pub(crate) cases: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) issuer: String,
    pub(crate) other_issuer: String,
    /// Unix seconds.
    pub(crate) now: u64,
    tokens: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) needs: Vec<String>,
    pub(crate) request: Request,
    pub(crate) expect: Expect,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Body>,
    pub(crate) chunks: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) websocket: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Body {
    Text(String),
    Repeated { repeat: String, times: usize },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    pub(crate) json: Option<Value>,
    pub(crate) text: Option<String>,
    pub(crate) close: Option<u16>,
    /// `Some(None)`: none is to be selected.
    #[serde(default, deserialize_with = "present")]
    pub(crate) protocol: Option<Option<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Status {
    Only(u16),
    /// The first is the adapter's.
    OneOf(Vec<u16>),
}

impl Contract {
    /// Reads the contract of this repository.
    pub fn read() -> Self {
        Self {
            keys: read("keys.json"),
            other_keys: read("other-keys.json"),
            tokens: parse("tokens.json"),
            cases: parse("cases.json"),
        }
    }

    /// The token of this name.
    pub fn token(&self, name: &str) -> &str {
        let token = self.tokens.tokens.get(name);
        token.unwrap_or_else(|| panic!("tokens.json has no token {name}"))
    }

    /// The users `user-00` to `user-49`, each with a token.
    pub fn users(&self) -> Vec<(String, String)> {
        let numbers = (0..50).map(|number| format!("{number:02}"));
        numbers
            .map(|number| {
                (
                    format!("user-{number}"),
                    self.token(&format!("user_{number}")).to_owned(),
                )
            })
            .collect()
    }

    /// The text with the tokens that it names by `{name}`.
    pub(crate) fn filled(&self, text: &str) -> String {
        let (start, rest) = match text.split_once('{') {
            Some((before, rest)) => (before.to_owned(), rest),
            None => return text.to_owned(),
        };
        match rest.split_once('}') {
            Some((name, after)) if self.tokens.tokens.contains_key(name) => {
                start + self.token(name) + &self.filled(after)
            }
            _ => panic!("{text:?} names no token"),
        }
    }
}

impl Status {
    pub(crate) fn of_the_adapter(&self) -> u16 {
        match self {
            Self::Only(status) => *status,
            Self::OneOf(statuses) => statuses[0],
        }
    }

    /// Whether a server or a router may answer so before the adapter is asked.
    pub(crate) fn may_come_earlier(&self, status: u16) -> bool {
        matches!(self, Self::OneOf(statuses) if statuses[1..].contains(&status))
    }
}

impl Body {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Repeated { repeat, times } => repeat.repeat(*times),
        }
    }
}

/// Tells a member that is null from one that is absent.
fn present<'de, D: Deserializer<'de>>(member: D) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(member).map(Some)
}

fn read(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/adapters");
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn parse<T: DeserializeOwned>(file: &str) -> T {
    serde_json::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
