//! The emulator's own API description, from the same table that its routes are made of.
//!
//! A row of the table ([`Operation`]) names a method, a path and a handler. What the operation takes and gives is
//! read off the handler's signature ([`Signature`]), and what the types look like is beside each type ([`Described`]).

mod operation;
pub(super) mod schema;
mod schemas;
mod signature;

use serde_json::{Map, Value, json};

pub(super) use operation::{Operation, delete, get, patch, post, put};
pub(super) use schema::{Described, Schemas};
pub(super) use signature::{Answer, Parameter, Part, Signature};

/// The description of `operations`, which are served below `prefix` at `server`.
pub(super) fn document(operations: &[Operation], prefix: &str, server: &str) -> Value {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths
            .entry(format!("{prefix}{}", operation.path()))
            .or_insert_with(|| json!({}));
        path[operation.method().as_str().to_ascii_lowercase()] = operation.describe(&mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Local torii: backend API",
            "description": "What the emulator serves. Refusals are problem documents with a code.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": server }],
        "security": [{ "secretKey": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.into_components(),
            "securitySchemes": { "secretKey": { "type": "http", "scheme": "bearer" } },
        },
    })
}
