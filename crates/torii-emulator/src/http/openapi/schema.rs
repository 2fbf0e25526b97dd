//! JSON Schema, as far as the description needs it.

use serde_json::{Map, Value, json};
use torii_backend_types::Page;

/// A type that travels, and its schema.
pub(in crate::http) trait Described {
    /// The schema, or a reference to it after it has been put among `schemas`.
    fn schema(schemas: &mut Schemas) -> Value;
}

/// Gives each type the schema of its name.
macro_rules! described {
    ($($type:ident = $object:expr;)+) => {
        $(
            impl Described for $type {
                fn schema(schemas: &mut Schemas) -> serde_json::Value {
                    schemas.named(stringify!($type), $object)
                }
            }
        )+
    };
}
pub(in crate::http) use described;

/// The named schemas of a description.
#[derive(Default)]
pub(in crate::http) struct Schemas(Map<String, Value>);

/// An object under construction.
#[derive(Default)]
pub(in crate::http) struct Object {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    closed: bool,
}

impl Schemas {
    /// Names a schema and refers to it.
    pub(in crate::http) fn named(&mut self, name: &str, schema: impl Into<Value>) -> Value {
        self.0.insert(name.to_owned(), schema.into());
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    pub(in crate::http) fn into_components(self) -> Map<String, Value> {
        self.0
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        list(T::schema(schemas))
    }
}

impl<T: Described> Described for Page<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        let item = T::schema(schemas);
        let of = item["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let name = format!("{}Page", of.unwrap_or_default());
        let page = Object::reply()
            .required("items", list(item))
            .optional("nextCursor", nullable(uuid()))
            .required("hasMore", boolean());
        schemas.named(&name, page)
    }
}

impl Object {
    /// An object that may get more members in a later version.
    pub(in crate::http) fn reply() -> Self {
        Self::default()
    }

    /// An object whose other members are refused.
    pub(in crate::http) fn request() -> Self {
        Self {
            closed: true,
            ..Self::default()
        }
    }

    pub(in crate::http) fn required(mut self, name: &'static str, schema: Value) -> Self {
        self.required.push(name);
        self.optional(name, schema)
    }

    pub(in crate::http) fn optional(mut self, name: &'static str, schema: Value) -> Self {
        self.properties.insert(name.to_owned(), schema);
        self
    }

    /// A text of the API's first generation, which its description does not have any more.
    pub(in crate::http) fn deprecated(self, name: &'static str) -> Self {
        let mut schema = nullable(text());
        schema["deprecated"] = json!(true);
        self.optional(name, schema)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        let Object {
            properties,
            required,
            closed,
        } = object;
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    }
}

pub(in crate::http) fn text() -> Value {
    json!({ "type": "string" })
}

pub(in crate::http) fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

pub(in crate::http) fn instant() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

pub(in crate::http) fn one_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Value {
    json!({ "type": "string", "enum": texts.into_iter().collect::<Vec<_>>() })
}

pub(in crate::http) fn boolean() -> Value {
    json!({ "type": "boolean" })
}

pub(in crate::http) fn int32() -> Value {
    json!({ "type": "integer", "format": "int32" })
}

pub(in crate::http) fn int64() -> Value {
    json!({ "type": "integer", "format": "int64" })
}

pub(in crate::http) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A bag of application data.
pub(in crate::http) fn bag() -> Value {
    json!({ "type": "object", "additionalProperties": true })
}

/// The schema with `null` as one more value.
pub(in crate::http) fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    schema
}
