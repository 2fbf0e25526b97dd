//! What an operation takes and gives, read off its handler.

use std::sync::Arc;

use axum::extract::State;
use axum::handler::Handler;
use axum::http::StatusCode;
use serde_json::Value;

use super::schema::Schemas;
use crate::engine::Engine;
use crate::error::Error;

/// What a handler takes and gives.
#[derive(Default)]
pub(in crate::http) struct Signature {
    /// How many ids it reads from the path.
    pub(in crate::http) path_ids: usize,
    pub(in crate::http) query: Vec<Parameter>,
    /// Whether a body is required, and its schema.
    pub(in crate::http) body: Option<(bool, Value)>,
    pub(in crate::http) status: StatusCode,
    /// The schema of the reply, if there is one.
    pub(in crate::http) reply: Option<Value>,
}

/// A parameter of the query, which may always be left out.
pub(in crate::http) struct Parameter {
    pub(in crate::http) name: &'static str,
    pub(in crate::http) schema: Value,
    pub(in crate::http) summary: &'static str,
}

/// A part of a request that a handler takes.
pub(in crate::http) trait Part {
    fn describe(signature: &mut Signature, schemas: &mut Schemas);
}

/// What a handler gives when it does not refuse.
pub(in crate::http) trait Answer {
    const STATUS: StatusCode;

    fn schema(schemas: &mut Schemas) -> Option<Value>;
}

/// A handler whose parts and answer are all described. `T` is the tuple by which axum tells handlers apart.
pub(in crate::http) trait Operates<T>: Handler<T, Arc<Engine>> {
    fn signature(schemas: &mut Schemas) -> Signature;
}

macro_rules! operates {
    ($($part:ident)+) => {
        impl<H, M, F, A, $($part),+> Operates<(M, $($part),+)> for H
        where
            H: Handler<(M, $($part),+), Arc<Engine>> + Fn($($part),+) -> F,
            F: Future<Output = Result<A, Error>>,
            A: Answer,
            $($part: Part),+
        {
            fn signature(schemas: &mut Schemas) -> Signature {
                let mut signature = Signature {
                    status: A::STATUS,
                    reply: A::schema(schemas),
                    ..Signature::default()
                };
                $($part::describe(&mut signature, schemas);)+
                signature
            }
        }
    };
}

operates!(P1);
operates!(P1 P2);
operates!(P1 P2 P3);
operates!(P1 P2 P3 P4);

impl Part for State<Arc<Engine>> {
    fn describe(_: &mut Signature, _: &mut Schemas) {}
}
