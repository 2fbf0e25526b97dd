//! JSON whose bytes are chosen, not left to a serializer.

use std::fmt::{self, Display};

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON object with its members in the order in which they were set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(Vec<(String, String)>);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets a member to a value given as JSON text; a member that is there already keeps its place.
    pub(crate) fn set(mut self, name: &str, value: impl Display) -> Self {
        let value = value.to_string();
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(member) => member.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The text between the braces.
    pub(crate) fn members(&self) -> String {
        let members = self
            .0
            .iter()
            .map(|(name, value)| format!("{}:{value}", quoted(name)));
        members.collect::<Vec<_>>().join(",")
    }
}

impl Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.members())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The same JSON document in visible ASCII, so that no reader, editor or diff can hide or change a character.
pub(crate) fn to_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' | '\n' => ascii.push(c),
            _ => {
                let units = &mut [0; 2];
                for unit in c.encode_utf16(units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    ascii
}
