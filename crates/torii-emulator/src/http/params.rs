//! What stands in a path and in a query.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use torii_backend_types::{InvalidId, UserId};

use crate::error::Error;

/// The one id of a path.
pub(super) struct Id<A>(pub(super) A);

/// The two ids of a path, in its order.
pub(super) struct Ids<A, B>(pub(super) A, pub(super) B);

/// Which page of a list.
pub(super) struct Paging {
    pub(super) limit: Option<i32>,
    pub(super) after: Option<UserId>,
}

impl<S: Send + Sync, A> FromRequestParts<S> for Id<A>
where
    A: TryFrom<String, Error = InvalidId>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable_path())?;
        Ok(Self(read(id)?))
    }
}

impl<S: Send + Sync, A, B> FromRequestParts<S> for Ids<A, B>
where
    A: TryFrom<String, Error = InvalidId>,
    B: TryFrom<String, Error = InvalidId>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable_path())?;
        Ok(Self(read(first)?, read(second)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Texts {
            limit: Option<String>,
            cursor: Option<String>,
        }
        let Query(Texts { limit, cursor }) = Query::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::invalid("the query cannot be read"))?;
        let limit = limit
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Error::invalid("limit must be a whole number of 32 bits"))?;
        let after = cursor
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Error::invalid("cursor must be the nextCursor of another page"))?;
        Ok(Self { limit, after })
    }
}

fn read<A: TryFrom<String, Error = InvalidId>>(text: String) -> Result<A, Error> {
    text.try_into()
        .map_err(|error: InvalidId| Error::invalid(error.to_string()))
}

fn unreadable_path() -> Error {
    Error::invalid("the path cannot be read")
}
