//! What a handler of the backend API answers with: a JSON document with 200, or one of these.

use axum::Json as Reply;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;

use super::openapi::{Answer, Described, Schemas};

/// 201 with what was created.
pub(super) struct Created<T>(pub(super) T);

/// 204.
pub(super) struct NoContent;

/// 200 without a body.
pub(super) struct Empty;

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response<Body> {
        (StatusCode::CREATED, Reply(self.0)).into_response()
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response<Body> {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl IntoResponse for Empty {
    fn into_response(self) -> Response<Body> {
        StatusCode::OK.into_response()
    }
}

impl<T: Described> Answer for Reply<T> {
    const STATUS: StatusCode = StatusCode::OK;

    fn schema(schemas: &mut Schemas) -> Option<Value> {
        Some(T::schema(schemas))
    }
}

impl<T: Described> Answer for Created<T> {
    const STATUS: StatusCode = StatusCode::CREATED;

    fn schema(schemas: &mut Schemas) -> Option<Value> {
        Some(T::schema(schemas))
    }
}

impl Answer for NoContent {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;

    fn schema(_: &mut Schemas) -> Option<Value> {
        None
    }
}

impl Answer for Empty {
    const STATUS: StatusCode = StatusCode::OK;

    fn schema(_: &mut Schemas) -> Option<Value> {
        None
    }
}
