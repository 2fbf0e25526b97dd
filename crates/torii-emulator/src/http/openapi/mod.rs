//! The emulator's own API description, from the same table that its routes are made of.
//!
//! A row of the table ([`Operation`]) names a method, a path and a handler. What the operation takes and gives is
//! read off the handler's signature ([`Signature`]), and what the types look like is beside each type ([`Described`]).

mod operation;
pub(super) mod schema;
mod schemas;
mod signature;

use serde_json::{Map, Value, json};

pub(super) use operation::{Operation, Security, delete, get, patch, post, put};
pub(super) use schema::{Described, Schemas, described};
pub(super) use signature::{Answer, Parameter, Part, Signature};

/// The description of the operations of each API, which is served below its prefix at `server`.
pub(super) fn document(apis: &[(&str, &[Operation])], server: &str) -> Value {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    for (prefix, operations) in apis {
        for operation in *operations {
            let path = paths
                .entry(format!("{prefix}{}", operation.path()))
                .or_insert_with(|| json!({}));
            path[operation.method().as_str().to_ascii_lowercase()] = operation.describe(&mut schemas);
        }
    }
    paths.insert("/sign-in".to_owned(), sign_in());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Local torii",
            "description": "What the emulator serves. Refusals are problem documents with a code. \
                What is marked with `x-torii-emulator` is the emulator's own: torii publishes nothing like it.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": server }],
        "security": [{ "secretKey": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.into_components(),
            "securitySchemes": {
                "secretKey": { "type": "http", "scheme": "bearer" },
                "accessToken": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "sessionCookie": { "type": "apiKey", "in": "cookie", "name": "__client_session" },
                "sessionHeader": { "type": "apiKey", "in": "header", "name": "X-Torii-Session-Token" },
            },
        },
    })
}

/// The page to sign in on, which takes a form rather than JSON.
fn sign_in() -> Value {
    let redirect_url = json!({ "type": "string", "format": "uri" });
    let page = |description: &str| json!({ "description": description, "content": { "text/html": { "schema": { "type": "string" } } } });
    json!({
        "get": {
            "operationId": "page.sign_in",
            "summary": "The page where a user signs in",
            "x-torii-emulator": true,
            "security": [],
            "parameters": [{ "name": "redirect_url", "in": "query", "required": true, "schema": redirect_url }],
            "responses": { "200": page("The form."), "400": page("The address is not allowed.") },
        },
        "post": {
            "operationId": "page.submit_sign_in",
            "summary": "Open a session and go back to redirect_url, with the parameter torii_token",
            "x-torii-emulator": true,
            "security": [],
            "requestBody": { "required": true, "content": { "application/x-www-form-urlencoded": { "schema": {
                "type": "object",
                "required": ["redirect_url"],
                "properties": {
                    "redirect_url": redirect_url,
                    "user_id": { "type": "string", "format": "uuid" },
                    "email": { "type": "string" },
                    "password": { "type": "string" },
                    "create": { "type": "string", "enum": ["ada"] },
                },
            } } } },
            "responses": {
                "303": { "description": "Signed in." },
                "400": page("The address is not allowed."),
                "403": page("The form comes from another page."),
                "422": page("The form again, and why."),
            },
        },
    })
}
