//! Problem details for HTTP APIs, [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457).

use serde::Serialize;
use serde_json::{Map, Value};

/// The document that comes with a refusal (`application/problem+json`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_uri: Option<String>,
    /// A short summary of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The HTTP status as the document has it. Where it differs from the reply's own, the reply's counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// A URI that names this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// torii's stable code for the problem, such as `invitation_not_pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to quote to torii's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_id: Option<String>,
    /// Every other member of the document.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

impl Problem {
    /// Reads whatever a refusal's body holds. `None` if it is not a JSON object.
    ///
    /// A member of an unexpected type is kept in [`extensions`](Self::extensions) rather than refused. `code` and
    /// `supportId` are looked for at the top level, then inside `properties`.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
            return None;
        };
        let nested = match members.get("properties") {
            Some(Value::Object(properties)) => properties.clone(),
            _ => Map::new(),
        };
        let status = members
            .get("status")
            .and_then(Value::as_u64)
            .and_then(|n| u16::try_from(n).ok());
        if status.is_some() {
            members.remove("status");
        }
        let code = take_text(&mut members, "code").or_else(|| text(&nested, "code"));
        let support_id = ["supportId", "support_id"]
            .iter()
            .find_map(|name| take_text(&mut members, name));
        let support_id = support_id.or_else(|| text(&nested, "supportId"));
        Some(Self {
            type_uri: take_text(&mut members, "type"),
            title: take_text(&mut members, "title"),
            detail: take_text(&mut members, "detail"),
            instance: take_text(&mut members, "instance"),
            status,
            code,
            support_id,
            extensions: members,
        })
    }
}

fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn take_text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    let found = text(members, name);
    if found.is_some() {
        members.remove(name);
    }
    found
}
