//! The emulator's own description, and whether a reply is as it says.

use serde_json::Value;
use tokio::sync::OnceCell;
use torii_backend_types::Timestamp;
use torii_emulator::Emulator;
use uuid::Uuid;

use crate::api::Reply;

/// Statuses that belong to the whole server rather than to an operation.
const GENERAL_REFUSALS: [u16; 2] = [408, 503];

pub(crate) async fn description() -> &'static Value {
    static DESCRIPTION: OnceCell<Value> = OnceCell::const_new();
    DESCRIPTION
        .get_or_init(async || {
            let torii = Emulator::builder().start().await.expect("the emulator starts");
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let reply = client
                .get(format!("{}/openapi.json", torii.api_url()))
                .send()
                .await;
            reply.expect("a reply").json().await.expect("JSON")
        })
        .await
}

/// Holds the reply of an operation against the description: its status, its media type, every member.
pub(crate) async fn check(method: &str, path: &str, reply: &Reply) {
    let description = description().await;
    let title = format!("{method} {path}: {} {}", reply.status, reply.body);
    let path = path.split('?').next().unwrap_or_default();
    let Some(operation) = find(description, &method.to_ascii_lowercase(), path) else {
        assert!(matches!(reply.status.as_u16(), 401 | 404 | 405), "{title}");
        return;
    };
    let Some(expected) = operation["responses"].get(reply.status.as_str()) else {
        assert!(
            GENERAL_REFUSALS.contains(&reply.status.as_u16()),
            "undescribed {title}"
        );
        return;
    };
    let Some((media_type, content)) = expected["content"]
        .as_object()
        .and_then(|types| types.iter().next())
    else {
        assert!(
            reply.body.is_null() && !reply.headers.contains_key("content-type"),
            "{title}"
        );
        return;
    };
    assert_eq!(reply.headers["content-type"], media_type.as_str(), "{title}");
    conforms(description, &content["schema"], &reply.body)
        .unwrap_or_else(|error| panic!("{error} in {title}"));
}

/// The operation of a method at a path. A literal segment counts before a parameter.
fn find<'d>(description: &'d Value, method: &str, path: &str) -> Option<&'d Value> {
    let matching = |template: &str| {
        let (segments, wanted): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let fits = segments.len() == wanted.len()
            && segments
                .iter()
                .zip(&wanted)
                .all(|(segment, wanted)| segment.starts_with('{') || segment == wanted);
        fits.then(|| segments.iter().filter(|segment| segment.starts_with('{')).count())
    };
    let paths = description["paths"].as_object().expect("paths");
    let fitting = paths
        .iter()
        .filter_map(|(template, path)| Some((matching(template)?, path)));
    let (_, path) = fitting.min_by_key(|(parameters, _)| *parameters)?;
    path.get(method)
}

/// Whether a value is as a schema says. Members that the schema does not name are refused.
fn conforms(description: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = description.pointer(&reference[1..]).expect("a component");
        return conforms(description, schema, value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices
            .iter()
            .filter(|choice| conforms(description, choice, value).is_ok());
        return match fitting.count() {
            1 => Ok(()),
            count => Err(format!("{value} fits {count} of {choices:?}")),
        };
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.iter().any(|known| known == kind) {
        return Err(format!("{value} is not {schema}"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        return Err(format!("{value} is none of {values:?}"));
    }
    match value {
        Value::String(text) => match schema["format"].as_str() {
            Some("uuid") => text.parse::<Uuid>().map(drop).map_err(|error| error.to_string()),
            Some("date-time") => text
                .parse::<Timestamp>()
                .map(drop)
                .map_err(|error| error.to_string()),
            _ => Ok(()),
        },
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| conforms(description, &schema["items"], item)),
        Value::Object(members) if schema["additionalProperties"] != true => {
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().expect("a name");
                members.get(name).ok_or_else(|| format!("{name} is missing"))?;
            }
            members.iter().try_for_each(|(name, member)| {
                let known = schema["properties"]
                    .get(name)
                    .ok_or_else(|| format!("{name} is not described"))?;
                conforms(description, known, member).map_err(|error| format!("{name}: {error}"))
            })
        }
        _ => Ok(()),
    }
}
