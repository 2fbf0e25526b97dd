//! JWT templates: claims with shortcodes such as `{{ user.email }}`, resolved when a token is signed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use torii_backend_types::User;

use super::MAX_TOKEN_LIFETIME_SECONDS;
use super::profile::{MAX_NAME_CHARS, check_required};
use crate::error::{Error, ErrorKind};

/// Most bytes of a template's claims.
const MAX_CLAIMS_BYTES: usize = 8 * 1024;

/// Claims that an environment adds to tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct JwtTemplate {
    /// The name by which a token is asked for.
    pub name: String,
    /// The claims. Texts may hold shortcodes; the standard claims win over them.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// The lifetime of its tokens; `None` is that of every token. Session tokens never take it.
    #[serde(default)]
    pub lifetime_seconds: Option<i64>,
    /// Whether session tokens carry its claims. One template at most.
    #[serde(default)]
    pub default: bool,
}

impl JwtTemplate {
    /// A template that is asked for by name.
    pub fn new(name: impl Into<String>, claims: Map<String, Value>) -> Self {
        Self {
            name: name.into(),
            claims,
            lifetime_seconds: None,
            default: false,
        }
    }

    /// The claims for `user`.
    pub(super) fn claims_for(&self, user: &User) -> Map<String, Value> {
        self.claims
            .iter()
            .map(|(name, value)| (name.clone(), resolve(value, user)))
            .collect()
    }
}

pub(super) fn named<'t>(templates: &'t [JwtTemplate], name: &str) -> Result<&'t JwtTemplate, Error> {
    let found = templates.iter().find(|template| template.name == name);
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "template_not_found",
            "no JWT template has this name",
        )
    })
}

pub(super) fn check(templates: &[JwtTemplate]) -> Result<(), Error> {
    for (place, template) in templates.iter().enumerate() {
        let within = |error: Error| Error::invalid(format!("jwtTemplates[{place}]: {}", error.detail()));
        check_required("name", &template.name, MAX_NAME_CHARS).map_err(within)?;
        let twice = templates
            .iter()
            .take(place)
            .any(|earlier| earlier.name == template.name);
        let length = Value::Object(template.claims.clone()).to_string().len();
        let problem = match template.lifetime_seconds {
            _ if twice => "name came twice",
            _ if length > MAX_CLAIMS_BYTES => "claims are too long",
            Some(seconds) if !(1..=MAX_TOKEN_LIFETIME_SECONDS).contains(&seconds) => {
                "lifetimeSeconds is out of range"
            }
            _ => continue,
        };
        return Err(within(Error::invalid(problem)));
    }
    match templates.iter().filter(|template| template.default).count() {
        0 | 1 => Ok(()),
        _ => Err(Error::invalid("jwtTemplates: one at most may be the default")),
    }
}

fn resolve(value: &Value, user: &User) -> Value {
    match value {
        Value::String(text) => resolve_text(text, user),
        Value::Array(items) => items.iter().map(|item| resolve(item, user)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), resolve(value, user)))
            .collect::<Map<_, _>>()
            .into(),
        value => value.clone(),
    }
}

/// A text that is one shortcode becomes what it stands for, with its type. Within a longer text it becomes text.
fn resolve_text(text: &str, user: &User) -> Value {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, code, after)) = next_shortcode(rest) {
        let value = lookup(code, user);
        if before.is_empty() && after.is_empty() && resolved.is_empty() {
            return value.unwrap_or(Value::Null);
        }
        resolved.push_str(before);
        match value {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => resolved.push_str(&text),
            Some(value) => resolved.push_str(&value.to_string()),
        }
        rest = after;
    }
    resolved.push_str(rest);
    Value::String(resolved)
}

/// What is before the first `{{ … }}`, in it and after it.
fn next_shortcode(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (code, after) = rest.split_once("}}")?;
    Some((before, code, after))
}

/// `user.path`, or `user.path || "default"`.
fn lookup(code: &str, user: &User) -> Option<Value> {
    let (path, default) = match code.split_once("||") {
        None => (code, None),
        Some((path, default)) => (path, serde_json::from_str(default.trim()).ok()),
    };
    let found = path
        .trim()
        .strip_prefix("user.")
        .and_then(|path| user_value(path, user));
    found.filter(|value| !value.is_null()).or(default)
}

/// Private metadata is never told: who has the token can read it.
fn user_value(path: &str, user: &User) -> Option<Value> {
    let (name, deeper) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = match name {
        "public_metadata" => Value::Object(user.public_metadata.clone()),
        "unsafe_metadata" => Value::Object(user.unsafe_metadata.clone()),
        "id" => json!(user.id),
        "email" => json!(user.email),
        "email_verified" => json!(user.email_verified_at.is_some()),
        "name" => json!(user.name),
        "first_name" => json!(user.first_name),
        "last_name" => json!(user.last_name),
        "locale" => json!(user.locale),
        _ => return None,
    };
    match deeper {
        None => Some(value),
        Some(path) => path
            .split('.')
            .try_fold(value, |value, member| value.get(member).cloned()),
    }
}
