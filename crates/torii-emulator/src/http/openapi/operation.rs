//! A row of the table: how an operation is routed and described.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{self, MethodRouter};
use serde_json::{Value, json};
use torii_backend_types::Problem;

use super::schema::{Described as _, Schemas};
use super::signature::{Operates, Signature};
use crate::engine::Engine;
use crate::error::Error;

/// Statuses that every operation can be refused with.
const COMMON_REFUSALS: [u16; 2] = [400, 401];
/// Statuses that an operation with a body can be refused with, besides.
const BODY_REFUSALS: [u16; 2] = [413, 415];
/// Most characters of a parameter's name that a refusal repeats.
const MAX_REPEATED_CHARS: usize = 100;

/// What an operation must be called with.
#[derive(Clone, Copy)]
pub(in crate::http) enum Security {
    SecretKey,
    /// The session of a user, or its access token.
    Session,
    Nothing,
}

/// An operation of the backend API or of the client API.
pub(in crate::http) struct Operation {
    method: Method,
    path: &'static str,
    /// What `contract/operations.toml` calls it.
    name: &'static str,
    summary: &'static str,
    refusals: &'static [u16],
    security: Security,
    /// Whether torii publishes nothing like it.
    ours: bool,
    signature: fn(&mut Schemas) -> Signature,
    handler: MethodRouter<Arc<Engine>>,
}

macro_rules! constructors {
    ($($function:ident $method:ident),+) => {
        $(
            /// An operation that has yet to say how it can be refused.
            pub(in crate::http) fn $function<T: 'static, H: Operates<T>>(
                path: &'static str,
                name: &'static str,
                summary: &'static str,
                handler: H,
            ) -> Operation {
                Operation {
                    method: Method::$method,
                    path,
                    name,
                    summary,
                    refusals: &[],
                    security: Security::SecretKey,
                    ours: false,
                    signature: H::signature,
                    handler: routing::$function(handler),
                }
            }
        )+
    };
}

constructors!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

impl Operation {
    /// The statuses of refusals, but for those that every operation has.
    pub(in crate::http) fn refuses(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }

    pub(in crate::http) fn secured_by(self, security: Security) -> Self {
        Self { security, ..self }
    }

    /// torii publishes nothing like it.
    pub(in crate::http) fn ours(self) -> Self {
        Self { ours: true, ..self }
    }

    pub(in crate::http) fn path(&self) -> &'static str {
        self.path
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The route: the handler, behind a check that the query holds nothing that the description does not have.
    pub(in crate::http) fn into_route(self) -> MethodRouter<Arc<Engine>> {
        let signature = (self.signature)(&mut Schemas::default());
        let names: Arc<[&'static str]> = signature.query.iter().map(|parameter| parameter.name).collect();
        self.handler.route_layer(from_fn_with_state(names, check_query))
    }

    pub(super) fn describe(&self, schemas: &mut Schemas) -> Value {
        let Signature {
            path_ids: _,
            query,
            body,
            status,
            reply,
        } = (self.signature)(schemas);
        let in_path = path_names(self.path).map(|name| {
            json!({
                "name": name, "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" },
            })
        });
        let in_query = query.into_iter().map(|parameter| {
            json!({
                "name": parameter.name, "in": "query", "required": false, "schema": parameter.schema,
                "description": parameter.summary,
            })
        });
        let mut described = json!({
            "operationId": self.name,
            "summary": self.summary,
            "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
            "responses": { status.as_str(): success(status, reply) },
        });
        match self.security {
            Security::SecretKey => {}
            Security::Session => {
                described["security"] =
                    json!([{ "sessionCookie": [] }, { "sessionHeader": [] }, { "accessToken": [] }]);
            }
            Security::Nothing => described["security"] = json!([]),
        }
        if self.ours {
            described["x-torii-emulator"] = json!(true);
        }
        let problem = Problem::schema(schemas);
        let of_body: &[u16] = if body.is_some() { &BODY_REFUSALS } else { &[] };
        for refusal in COMMON_REFUSALS.iter().chain(self.refusals).chain(of_body) {
            described["responses"][refusal.to_string()] = json!({
                "description": "Refused.",
                "content": { "application/problem+json": { "schema": problem } },
            });
        }
        if let Some((required, schema)) = body {
            described["requestBody"] = json!({
                "required": required, "content": { "application/json": { "schema": schema } },
            });
        }
        described
    }
}

fn success(status: StatusCode, reply: Option<Value>) -> Value {
    let mut success = json!({ "description": status.canonical_reason().unwrap_or_default() });
    if let Some(schema) = reply {
        success["content"] = json!({ "application/json": { "schema": schema } });
    }
    success
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

async fn check_query(
    State(known): State<Arc<[&'static str]>>,
    Query(pairs): Query<Vec<(String, String)>>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(next.run(request).await),
        Some((name, _)) => {
            let name: String = name.chars().take(MAX_REPEATED_CHARS).collect();
            Err(Error::invalid(format!("the operation has no parameter {name:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server_api::operations;

    #[test]
    fn a_handler_takes_as_many_ids_as_its_path_has() {
        for operation in operations() {
            let signature = (operation.signature)(&mut Schemas::default());
            let names = path_names(operation.path).count();
            assert_eq!(
                signature.path_ids, names,
                "{} {}",
                operation.method, operation.path
            );
        }
    }
}
