//! Key sets, [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517): which keys in one may verify ES256.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::verify::error::{ErrorCode, KeySetError, TokenError};
use crate::verify::token::header::MAX_KID;
use crate::verify::token::signature::{COORDINATE_LENGTH, VerifyingKey};
use crate::verify::token::{base64url, json};

/// Most bytes of a key set.
pub(crate) const MAX_KEY_SET: usize = 64 * 1024;
/// Most keys in a key set.
const MAX_KEYS: usize = 100;

/// The keys of one issuer, by name.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: BTreeMap<String, Slot>,
    /// A key that came without a name, as a PEM does: it answers to every name.
    unnamed: Option<Slot>,
    /// The document, to tell whether a later one differs and to export.
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "given keys do not change"))]
    text: String,
}

/// What a key set holds under one name.
#[derive(Debug)]
pub(crate) enum Slot {
    Usable {
        key: Arc<VerifyingKey>,
        point: Point,
    },
    /// Two usable keys that differ.
    Ambiguous,
    /// A key that may not or cannot verify ES256.
    Unusable,
}

/// A `SubjectPublicKeyInfo` up to the coordinates of an uncompressed point on P-256, known by its name: DER leaves no other
/// spelling ([RFC 5480, section 2](https://www.rfc-editor.org/rfc/rfc5480#section-2)).
const P256_SPKI: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

type Point = ([u8; COORDINATE_LENGTH], [u8; COORDINATE_LENGTH]);

impl KeySet {
    /// Reads a JWKS document. Keys that cannot be used are passed over one by one; none at all is an error.
    pub(crate) fn from_jwks(document: &[u8]) -> Result<Self, KeySetError> {
        within_limit(document)?;
        let text = str::from_utf8(document).map_err(|_| KeySetError::Malformed("not UTF-8"))?;
        let keys: Vec<&RawValue> = json::member(text, "keys")
            .and_then(|keys| serde_json::from_str(keys.map_or("null", RawValue::get)))
            .map_err(|_| KeySetError::Malformed("not a JSON object with one `keys` array"))?;
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::Malformed("too many keys"));
        }
        let read = |key: &&RawValue| json::object(key.get().as_bytes()).ok();
        let jwks: Vec<_> = keys.iter().map(read).collect();
        let exposed: Vec<Point> = jwks.iter().flatten().filter_map(exposed).collect();
        let mut set = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        for (key, jwk) in keys.iter().zip(&jwks) {
            set.insert(key.get(), jwk.as_ref(), &exposed);
        }
        set.some_usable()
    }

    /// Reads a single JWK. Without a `kid` it answers to every name.
    pub(crate) fn from_jwk(document: &[u8]) -> Result<Self, KeySetError> {
        within_limit(document)?;
        let jwk = json::object(document).map_err(|_| KeySetError::Malformed("not one strict JSON object"))?;
        let slot = usable(&jwk).ok_or(KeySetError::NoUsableKey)?;
        match jwk.get("kid") {
            None => Ok(Self::of_unnamed(slot)),
            Some(Value::String(kid)) if (1..=MAX_KID).contains(&kid.len()) => Ok(Self {
                keys: BTreeMap::from([(kid.clone(), slot)]),
                ..Self::default()
            }),
            Some(_) => Err(KeySetError::Malformed(
                "the key's `kid` is not a text, is empty, or is too long",
            )),
        }
    }

    /// Takes the public key of a DER `SubjectPublicKeyInfo`. It answers to every name.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, KeySetError> {
        let point = der.strip_prefix(&P256_SPKI).and_then(|point| {
            let (x, y) = point.split_first_chunk()?;
            Some((*x, y.try_into().ok()?))
        });
        let slot = point.and_then(Slot::at).ok_or(KeySetError::NoUsableKey)?;
        Ok(Self::of_unnamed(slot))
    }

    fn of_unnamed(slot: Slot) -> Self {
        Self {
            unnamed: Some(slot),
            ..Self::default()
        }
    }

    /// What the set holds under `kid`.
    pub(crate) fn get(&self, kid: &str) -> Option<&Slot> {
        self.keys.get(kid).or(self.unnamed.as_ref())
    }

    /// The usable key of this name, or why there is none.
    pub(crate) fn find(&self, kid: &str) -> Result<Arc<VerifyingKey>, TokenError> {
        from_slot(kid, self.get(kid).ok_or_else(|| unknown(kid))?)
    }

    /// Whether `key` is the set's key of this name.
    pub(crate) fn holds(&self, kid: &str, key: &Arc<VerifyingKey>) -> bool {
        matches!(self.get(kid), Some(Slot::Usable { key: held, .. }) if Arc::ptr_eq(held, key))
    }

    /// The names of the keys that can be used.
    pub(crate) fn kids(&self) -> Vec<String> {
        let usable = self
            .keys
            .iter()
            .filter(|(_, slot)| matches!(slot, Slot::Usable { .. }));
        usable.map(|(kid, _)| kid.clone()).collect()
    }

    /// The JWKS document that the set was read from.
    #[cfg(feature = "http")]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Takes in a key, written as `text`, and read if it is strict JSON.
    fn insert(&mut self, text: &str, jwk: Option<&Map<String, Value>>, exposed: &[Point]) {
        // A key with, say, duplicate members is no key, but its name is still worth knowing for the error.
        let kid = match jwk {
            Some(jwk) => jwk.get("kid").and_then(Value::as_str).map(str::to_owned),
            None => serde_json::from_str::<Named>(text).ok().map(|named| named.kid),
        };
        let Some(kid) = kid.filter(|kid| !kid.is_empty()) else {
            return;
        };
        let found = match jwk.and_then(usable) {
            Some(Slot::Usable { point, .. }) if exposed.contains(&point) => Slot::Unusable,
            found => found.unwrap_or(Slot::Unusable),
        };
        match self.keys.entry(kid) {
            Entry::Vacant(vacant) => {
                vacant.insert(found);
            }
            Entry::Occupied(mut occupied) => match (occupied.get(), &found) {
                (Slot::Usable { point: one, .. }, Slot::Usable { point: other, .. }) if one != other => {
                    occupied.insert(Slot::Ambiguous);
                }
                (Slot::Unusable, _) => {
                    occupied.insert(found);
                }
                _ => {}
            },
        }
    }

    fn some_usable(self) -> Result<Self, KeySetError> {
        match self.keys.values().all(|slot| matches!(slot, Slot::Unusable)) {
            true => Err(KeySetError::NoUsableKey),
            false => Ok(self),
        }
    }
}

/// Refuses what is larger than keys have any reason to be.
pub(crate) fn within_limit(document: &[u8]) -> Result<(), KeySetError> {
    match document.len() > MAX_KEY_SET {
        true => Err(KeySetError::TooLarge { limit: MAX_KEY_SET }),
        false => Ok(()),
    }
}

impl Slot {
    /// The key at a point, if that is on the curve.
    fn at(point: Point) -> Option<Self> {
        let key = Arc::new(VerifyingKey::from_coordinates(&point.0, &point.1)?);
        Some(Self::Usable { key, point })
    }
}

/// The key in a slot, or why it cannot be used.
pub(crate) fn from_slot(kid: &str, slot: &Slot) -> Result<Arc<VerifyingKey>, TokenError> {
    match slot {
        Slot::Usable { key, .. } => Ok(key.clone()),
        Slot::Ambiguous => {
            let detail = format!("the issuer has two different keys named {}", shown(kid));
            Err(TokenError::new(ErrorCode::KeyAmbiguous, detail))
        }
        Slot::Unusable => {
            let detail = format!("the issuer's key named {} cannot verify ES256", shown(kid));
            Err(TokenError::new(ErrorCode::KeyUnusable, detail))
        }
    }
}

pub(crate) fn unknown(kid: &str) -> TokenError {
    TokenError::new(
        ErrorCode::KidUnknown,
        format!("the issuer has no key named {}", shown(kid)),
    )
}

/// A key's name for people: escaped, and at most 64 characters of it.
fn shown(kid: &str) -> String {
    const MOST: usize = 64;
    let escaped: String = kid.escape_default().take(MOST + 1).collect();
    match escaped.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", &escaped[..end]),
        None => format!("`{escaped}`"),
    }
}

/// The name of a key, whatever else it says.
#[derive(Deserialize)]
struct Named {
    kid: String,
}

/// The key of a JWK that may verify ES256, by RFC 7517, section 4 and RFC 7518, section 6.2.1.
fn usable(jwk: &Map<String, Value>) -> Option<Slot> {
    let is = |name: &str, value: &str| jwk.get(name).and_then(Value::as_str) == Some(value);
    let absent_or = |name: &str, value: &str| !jwk.contains_key(name) || is(name, value);
    let allowed = is("kty", "EC")
        && is("crv", "P-256")
        && absent_or("alg", "ES256")
        && absent_or("use", "sig")
        && jwk.get("key_ops").is_none_or(may_verify)
        && !jwk.contains_key("d");
    if !allowed {
        return None;
    }
    Slot::at(point(jwk)?)
}

/// The point of a private key that is published: what it signs, anybody can sign. Whatever the entry is meant for, no other
/// entry makes a key of its point.
fn exposed(jwk: &Map<String, Value>) -> Option<Point> {
    jwk.get("d").and_then(|_| point(jwk))
}

/// `key_ops` must contain `verify`, nothing that is not for signatures, and no operation twice (RFC 7517, section 4.3).
fn may_verify(operations: &Value) -> bool {
    let Some(operations) = operations.as_array() else {
        return false;
    };
    let for_signatures = |op: &Value| op == "verify" || op == "sign";
    let fits = |(place, op): (usize, &Value)| for_signatures(op) && !operations[..place].contains(op);
    operations.iter().enumerate().all(fits) && operations.iter().any(|op| op == "verify")
}

fn point(jwk: &Map<String, Value>) -> Option<Point> {
    Some((coordinate(jwk.get("x")?)?, coordinate(jwk.get("y")?)?))
}

fn coordinate(value: &Value) -> Option<[u8; COORDINATE_LENGTH]> {
    base64url::decode_exactly(value.as_str()?).ok()?
}
