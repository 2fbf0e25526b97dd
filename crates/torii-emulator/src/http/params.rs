//! What stands in a path, in a query and in a form.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use torii_backend_types::{InvalidId, InvitationFilter, InvitationStatus};
use url::form_urlencoded;

use super::body::{check_media_type, received};
use super::openapi::{Parameter, Part, Schemas, Signature, schema};
use crate::error::Error;
use crate::page::{DEFAULT_PAGE_LENGTH, Paging};

/// The one id of a path. A text that is not a UUID is nobody's id: it is refused with the status that the operation
/// documents for an unknown one, `UNKNOWN`.
pub(super) struct Id<A, const UNKNOWN: u16 = 404>(pub(super) A);

/// The two ids of a path, in its order.
pub(super) struct Ids<A, B, const UNKNOWN: u16 = 404>(pub(super) A, pub(super) B);

/// The part of a name that a list is searched for.
pub(super) struct Name(pub(super) Option<String>);

/// What a list of invitations is narrowed to.
pub(super) struct Filter(pub(super) InvitationFilter);

impl<S: Send + Sync, A, const UNKNOWN: u16> FromRequestParts<S> for Id<A, UNKNOWN>
where
    A: TryFrom<String, Error = InvalidId>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable_path())?;
        Ok(Self(read::<_, UNKNOWN>(id)?))
    }
}

impl<S: Send + Sync, A, B, const UNKNOWN: u16> FromRequestParts<S> for Ids<A, B, UNKNOWN>
where
    A: TryFrom<String, Error = InvalidId>,
    B: TryFrom<String, Error = InvalidId>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable_path())?;
        Ok(Self(read::<_, UNKNOWN>(first)?, read::<_, UNKNOWN>(second)?))
    }
}

impl<S: Send + Sync, I: FromStr + Display> FromRequestParts<S> for Paging<I> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let query = Pairs::of(parts)?;
        let limit = query
            .sole("limit")?
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Error::invalid("limit must be a whole number of 32 bits"))?;
        let after = query
            .sole("cursor")?
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Error::invalid("cursor must be the nextCursor of another page"))?;
        Ok(Self::new(limit, after))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Ok(Self(Pairs::of(parts)?.sole("name")?.map(str::to_owned)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Filter {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let query = Pairs::of(parts)?;
        Ok(Self(InvitationFilter {
            statuses: query.all("status").map(InvitationStatus::from).collect(),
            search: query.sole("search")?.map(str::to_owned),
        }))
    }
}

impl<A, const UNKNOWN: u16> Part for Id<A, UNKNOWN> {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        signature.path_ids += 1;
    }
}

impl<A, B, const UNKNOWN: u16> Part for Ids<A, B, UNKNOWN> {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        signature.path_ids += 2;
    }
}

impl<I> Part for Paging<I> {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        let mut limit = schema::int32();
        limit["default"] = DEFAULT_PAGE_LENGTH.into();
        signature.query.extend([
            Parameter {
                name: "limit",
                schema: limit,
                summary: "Most items in the page; cut to 1–100.",
            },
            Parameter {
                name: "cursor",
                schema: schema::uuid(),
                summary: "The `nextCursor` of the page before.",
            },
        ]);
    }
}

impl Part for Name {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        signature.query.push(Parameter {
            name: "name",
            schema: schema::text(),
            summary: "A part of the name, in any case.",
        });
    }
}

impl Part for Filter {
    fn describe(signature: &mut Signature, _: &mut Schemas) {
        signature.query.extend([
            Parameter {
                name: "status",
                schema: schema::list(schema::text()),
                summary: "PENDING, ACCEPTED, REVOKED or EXPIRED; repeated for any of several.",
            },
            Parameter {
                name: "search",
                schema: schema::text(),
                summary: "A part of the address, in any case.",
            },
        ]);
    }
}

/// The parameters of a query, or the fields of a form, in its order.
pub(super) struct Pairs(Vec<(String, String)>);

/// The fields of a form that came as the body.
pub(super) struct Form(pub(super) Pairs);

impl<S: Sync> FromRequestParts<S> for Pairs {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::of(parts)
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let body = received(parts)?;
        check_media_type(&parts.headers, "application/x-www-form-urlencoded")?;
        Ok(Self(Pairs(form_urlencoded::parse(&body).into_owned().collect())))
    }
}

impl Pairs {
    fn of(parts: &Parts) -> Result<Self, Error> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|_| Error::invalid("the query cannot be read"))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(found, _)| found == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The parameter's value, which may come once.
    pub(super) fn sole(&self, name: &str) -> Result<Option<&str>, Error> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Error::invalid(format!("{name} came twice"))),
        }
    }
}

fn read<A: TryFrom<String, Error = InvalidId>, const UNKNOWN: u16>(text: String) -> Result<A, Error> {
    text.try_into().map_err(|error: InvalidId| match UNKNOWN {
        403 => Error::forbidden(error.to_string()),
        _ => Error::not_found(error.to_string()),
    })
}

fn unreadable_path() -> Error {
    Error::invalid("the path cannot be read")
}
