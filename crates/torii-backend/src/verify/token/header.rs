//! The header of a token: which key it names, and whether it asks for anything that is not allowed.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::base64url::decode;
use super::json::{self, Json, Wanted};
use crate::verify::error::{ErrorCode, TokenError};

/// Most bytes of a decoded header.
const MAX_HEADER: usize = 4 * 1024;
/// Most bytes of a key's name.
pub(crate) const MAX_KID: usize = 256;
/// Members that change what is signed or how it is read. None is supported, whatever its value.
const EXTENSIONS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// What a verifier takes as headers.
#[derive(Debug, Default)]
pub(crate) struct HeaderPolicy {
    types: AllowedTypes,
    /// The header of the token that was verified last. Nearly all tokens of an issuer have the same one, which need not
    /// be read again.
    last: ArcSwapOption<Accepted>,
}

#[derive(Debug)]
struct Accepted {
    segment: Box<str>,
    kid: Arc<str>,
}

impl HeaderPolicy {
    pub(crate) fn new(types: AllowedTypes) -> Self {
        Self {
            types,
            last: ArcSwapOption::empty(),
        }
    }

    /// Checks a header as it stands in a token, and returns the name of the key.
    pub(super) fn check(&self, segment: &str) -> Result<Arc<str>, TokenError> {
        match self.accepted(segment) {
            Some(kid) => Ok(kid),
            None => check(&decode(segment)?, &self.types),
        }
    }

    /// Remembers the header of a token whose signature was verified. Strangers cannot put theirs in its place.
    pub(crate) fn accept(&self, segment: &str, kid: &Arc<str>) {
        if self.accepted(segment).is_none() {
            self.last.store(Some(Arc::new(Accepted {
                segment: segment.into(),
                kid: kid.clone(),
            })));
        }
    }

    fn accepted(&self, segment: &str) -> Option<Arc<str>> {
        let last = self.last.load();
        let last = last.as_ref().filter(|last| *last.segment == *segment)?;
        Some(last.kid.clone())
    }
}

/// The header's `typ` that a verifier takes. Compared without case and without the prefix `application/`, as RFC 7515,
/// section 4.1.9 says.
#[derive(Clone, Debug)]
pub(crate) struct AllowedTypes {
    types: Vec<String>,
    absence: bool,
}

impl AllowedTypes {
    /// These and nothing else: explicit typing, [RFC 8725, section 3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11).
    pub(crate) fn exactly(types: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self {
            types: types
                .into_iter()
                .map(|typ| bare_type(typ.as_ref()).to_owned())
                .collect(),
            absence: false,
        }
    }

    fn contains(&self, typ: Option<&Json<'_>>) -> bool {
        match typ {
            None => self.absence,
            Some(typ) => typ.as_str().map(bare_type).is_some_and(|typ| {
                let mut types = self.types.iter();
                types.any(|allowed| allowed.eq_ignore_ascii_case(typ))
            }),
        }
    }
}

impl Default for AllowedTypes {
    /// None, `JWT`, or `at+jwt` of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068).
    fn default() -> Self {
        Self {
            absence: true,
            ..Self::exactly(["JWT", "at+jwt"])
        }
    }
}

/// What remains of a type without the prefix that may be left out.
fn bare_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
        _ => typ,
    }
}

/// The members of a header that decide. `jwk`, `jku`, `x5u` and `x5c` are never looked at.
#[derive(Debug, Default)]
struct Header<'t> {
    alg: Option<Json<'t>>,
    typ: Option<Json<'t>>,
    kid: Option<Json<'t>>,
    /// One of [`EXTENSIONS`].
    extension: Option<Json<'t>>,
}

impl<'t> Wanted<'t> for Header<'t> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<Json<'t>>> {
        match name {
            "alg" => Some(&mut self.alg),
            "typ" => Some(&mut self.typ),
            "kid" => Some(&mut self.kid),
            _ => EXTENSIONS.contains(&name).then_some(&mut self.extension),
        }
    }
}

/// Checks a decoded header and returns the name of the key.
fn check(text: &[u8], types: &AllowedTypes) -> Result<Arc<str>, TokenError> {
    if text.len() > MAX_HEADER {
        return Err(TokenError::new(ErrorCode::TooLarge, "the header is too large"));
    }
    let strict = str::from_utf8(text)
        .ok()
        .and_then(|text| json::pick::<Header<'_>>(text).ok());
    let header = strict.ok_or_else(|| TokenError::malformed("the header is not one strict JSON object"))?;
    let kid = header.kid.as_ref().and_then(Json::as_str).unwrap_or_default();
    let (code, detail) = match () {
        () if header.alg.as_ref().and_then(Json::as_str) != Some("ES256") => {
            (ErrorCode::AlgNotAllowed, "the algorithm is not ES256")
        }
        () if header.extension.is_some() => (ErrorCode::CritUnsupported, "the header asks for an extension"),
        () if !types.contains(header.typ.as_ref()) => {
            let detail = "the header's typ is not among the allowed ones";
            (ErrorCode::TypNotAllowed, detail)
        }
        () if kid.len() > MAX_KID => (ErrorCode::TooLarge, "the header's kid is too large"),
        () if kid.is_empty() => (ErrorCode::KidMissing, "the header names no key"),
        () => return Ok(kid.into()),
    };
    Err(TokenError::new(code, detail))
}
