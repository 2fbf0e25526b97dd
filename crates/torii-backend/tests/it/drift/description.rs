//! An OpenAPI description, as far as torii's uses the format.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value, json};

/// What the paths of the description start with.
const API_PATH: &str = "/api/server/v1";
/// The fields of the API's first generation, which we still send on purpose.
pub(super) const FIRST_GENERATION: [&str; 4] = ["name", "phone", "address", "dateOfBirth"];

pub(super) struct Description(Value);

impl Description {
    pub(super) fn new(document: Value) -> Self {
        Self(document)
    }

    /// The same, with another value at a JSON pointer. `null` removes what is there.
    pub(super) fn with(&self, pointer: &str, value: Value) -> Self {
        let mut document = self.0.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(parent) if value.is_null() => drop(parent.remove(name.parse().unwrap())),
            Value::Array(parent) => parent.insert(name.parse().unwrap(), value),
            Value::Object(parent) if value.is_null() => drop(parent.remove(name).unwrap()),
            Value::Object(parent) => drop(parent.insert(name.replace("~1", "/"), value)),
            other => panic!("{pointer}: {other}"),
        }
        Self(document)
    }

    pub(super) fn endpoints(&self) -> impl Iterator<Item = Endpoint<'_>> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        paths.flat_map(move |(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| Endpoint {
                document: &self.0,
                method,
                path,
                operation,
            })
        })
    }

    pub(super) fn schemas(&self) -> impl Iterator<Item = Schema<'_>> {
        let names = self.0["components"]["schemas"].as_object().unwrap().keys();
        names.map(|name| self.schema(name))
    }

    pub(super) fn schema(&self, name: &str) -> Schema<'_> {
        let (name, schema) = self.0["components"]["schemas"]
            .as_object()
            .and_then(|schemas| schemas.get_key_value(name))
            .unwrap_or_else(|| panic!("the description has no schema {name}"));
        Schema {
            document: &self.0,
            name,
            schema,
        }
    }
}

/// An operation.
pub(super) struct Endpoint<'d> {
    document: &'d Value,
    method: &'d str,
    path: &'d str,
    operation: &'d Value,
}

impl<'d> Endpoint<'d> {
    pub(super) fn is_patch(&self) -> bool {
        self.method == "patch"
    }

    /// The names of the query's parameters.
    pub(super) fn parameters(&self) -> BTreeSet<String> {
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        query
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(super) fn request(&self) -> Option<Schema<'d>> {
        self.body(&self.operation["requestBody"])
    }

    /// What a reply of this status brings. `None` if no such reply is described, `Some(None)` if it brings nothing.
    pub(super) fn reply(&self, status: u16) -> Option<Option<Schema<'d>>> {
        let reply = self.operation["responses"].get(status.to_string())?;
        Some(self.body(reply))
    }

    /// Whether any refusal is described. Of some operations, none is.
    pub(super) fn refuses(&self) -> bool {
        let replies = self.operation["responses"].as_object().unwrap();
        replies.keys().any(|status| status.starts_with('4'))
    }

    fn body(&self, of: &'d Value) -> Option<Schema<'d>> {
        Some(Schema {
            document: self.document,
            name: self.path,
            schema: of.get("content")?["application/json"].get("schema")?,
        })
    }
}

impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.strip_prefix(API_PATH).unwrap();
        write!(f, "{} {path}", self.method.to_uppercase())
    }
}

/// What is said about a value.
#[derive(Clone, Copy)]
pub(super) struct Schema<'d> {
    document: &'d Value,
    name: &'d str,
    schema: &'d Value,
}

impl<'d> Schema<'d> {
    pub(super) fn name(&self) -> &'d str {
        self.name
    }

    /// The members of an object with known members.
    pub(super) fn members(&self) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document;
        let members = self.resolved()["properties"].as_object().into_iter().flatten();
        members.map(move |(name, schema)| Self {
            document,
            name,
            schema,
        })
    }

    pub(super) fn requires(&self, member: &str) -> bool {
        let required = self.resolved()["required"].as_array();
        required.is_some_and(|required| required.iter().any(|name| name == member))
    }

    pub(super) fn is_nullable(&self) -> bool {
        let kind = &self.resolved()["type"];
        kind.as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
    }

    /// Whether it is an object with any members.
    pub(super) fn is_bag(&self) -> bool {
        self.kind() == "object" && self.resolved().get("properties").is_none()
    }

    /// The values of an enumeration, or of an array of them.
    pub(super) fn values(&self) -> Vec<&'d str> {
        let schema = self.items().unwrap_or(*self).resolved();
        schema["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|value| value.as_str().unwrap())
            .collect()
    }

    /// A text as the value of this: alone, or as the only item of an array.
    pub(super) fn holding(&self, text: &str) -> Value {
        if self.kind() == "array" {
            json!([text])
        } else {
            json!(text)
        }
    }

    /// A value with every member.
    pub(super) fn sample(&self) -> Value {
        let schema = self.resolved();
        if let Some(value) = self.values().first() {
            return self.holding(value);
        }
        match (self.kind(), schema["format"].as_str().unwrap_or_default()) {
            ("string", "uuid") => json!("01931a73-8b00-7000-8000-000000000000"),
            ("string", "date-time") => json!("2026-05-16T09:30:00Z"),
            ("string", _) => json!("some text"),
            ("integer", "int32") => json!(i32::MAX),
            ("integer", _) => json!(i64::MAX),
            ("boolean", _) => json!(true),
            ("array", _) => json!([self.items().unwrap().sample()]),
            _ if self.is_bag() => json!({"key": {"deep": [1, null]}}),
            _ => self
                .members()
                .map(|member| (member.name.to_owned(), member.sample()))
                .collect(),
        }
    }

    /// Values that this cannot be.
    pub(super) fn strangers(&self) -> Vec<Value> {
        match (
            self.kind(),
            self.resolved()["format"].as_str().unwrap_or_default(),
        ) {
            ("string", "uuid") => vec![json!("some text"), json!(7)],
            ("string", "date-time") => vec![json!("yesterday"), json!(7)],
            ("string", _) => vec![json!(7), json!({})],
            ("integer", "int32") => vec![json!("7"), json!(1.5), json!(i64::from(i32::MAX) + 1)],
            ("integer", _) => vec![json!("7"), json!(1.5), json!(i64::MAX as u64 + 1)],
            ("boolean", _) => vec![json!("true"), json!(1)],
            ("array", _) => {
                let items = self
                    .items()
                    .unwrap()
                    .strangers()
                    .into_iter()
                    .map(|item| json!([item]));
                items.chain([json!({}), json!("some text")]).collect()
            }
            _ => vec![json!([]), json!("some text")],
        }
    }

    /// What is wrong with a value. Lengths and ranges are left to the service.
    pub(super) fn faults(&self, value: &Value) -> Vec<String> {
        let fault = |what: &str| vec![format!("{}: {what}: {value}", self.name)];
        let format = self.resolved()["format"].as_str().unwrap_or_default();
        match (self.kind(), value) {
            (_, Value::Null) if self.is_nullable() => Vec::new(),
            ("string", Value::String(text)) => {
                let values = self.values();
                let ok = match format {
                    "uuid" => text.parse::<torii_backend::UserId>().is_ok(),
                    "date-time" => text.ends_with('Z') && text.parse::<torii_backend::Timestamp>().is_ok(),
                    _ => values.is_empty() || values.contains(&text.as_str()),
                };
                if ok { Vec::new() } else { fault("not described") }
            }
            ("integer", Value::Number(number)) if number.is_i64() => Vec::new(),
            ("boolean", Value::Bool(_)) => Vec::new(),
            ("array", Value::Array(items)) => {
                let schema = self.items().unwrap();
                items.iter().flat_map(|item| schema.faults(item)).collect()
            }
            ("object", Value::Object(_)) if self.is_bag() => Vec::new(),
            ("object", Value::Object(members)) => self.member_faults(members),
            _ => fault("of another type"),
        }
    }

    fn member_faults(&self, given: &Map<String, Value>) -> Vec<String> {
        let described: Vec<_> = self.members().collect();
        let absent = described.iter().filter(|member| self.requires(member.name));
        let absent = absent.filter(|member| !given.contains_key(member.name));
        let absent = absent.map(|member| format!("{} is missing", member.name));
        let wrong = given.iter().flat_map(|(name, value)| {
            match described.iter().find(|member| member.name == name) {
                Some(member) => member.faults(value),
                None if FIRST_GENERATION.contains(&name.as_str()) => Vec::new(),
                None => vec![format!("{name} is not described")],
            }
        });
        absent.chain(wrong).collect()
    }

    fn items(&self) -> Option<Self> {
        let schema = self.resolved().get("items")?;
        Some(Self { schema, ..*self })
    }

    fn kind(&self) -> &'d str {
        match &self.resolved()["type"] {
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .find(|kind| *kind != "null"),
            kind => kind.as_str(),
        }
        .unwrap_or_default()
    }

    fn resolved(&self) -> &'d Value {
        match self.schema["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => self.schema,
        }
    }

    /// Whether two schemas are the same one.
    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.resolved(), other.resolved())
    }
}
