//! Key sets, [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517): which keys in one may verify ES256.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::auth::Signer;
use super::base64url;
use super::error::KeySetError;
use super::json;
use super::signature::{COORDINATE_LENGTH, VerifyingKey};

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

type Point = ([u8; COORDINATE_LENGTH], [u8; COORDINATE_LENGTH]);

impl KeySet {
    /// Reads a JWKS document. Keys that cannot be used are passed over one by one; none at all is an error.
    pub(crate) fn from_jwks(document: &[u8]) -> Result<Self, KeySetError> {
        if document.len() > MAX_KEY_SET {
            return Err(KeySetError::TooLarge { limit: MAX_KEY_SET });
        }
        let text = str::from_utf8(document).map_err(|_| KeySetError::Malformed("not UTF-8"))?;
        let keys: Vec<&RawValue> = json::members(text)
            .and_then(|members| serde_json::from_str(members.get("keys").map_or("null", |keys| keys.get())))
            .map_err(|_| KeySetError::Malformed("not a JSON object with one `keys` array"))?;
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::Malformed("too many keys"));
        }
        let mut set = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        for key in keys {
            set.insert(key.get().as_bytes());
        }
        set.some_usable()
    }

    /// Reads a single JWK. Without a `kid` it answers to every name.
    pub(crate) fn from_jwk(document: &[u8]) -> Result<Self, KeySetError> {
        let jwk = json::object(document).map_err(|_| KeySetError::Malformed("not one strict JSON object"))?;
        let (key, point) = usable(&jwk).ok_or(KeySetError::NoUsableKey)?;
        match jwk.get("kid") {
            None => Ok(Self {
                unnamed: Some(Slot::Usable { key, point }),
                ..Self::default()
            }),
            Some(Value::String(kid)) => {
                let keys = BTreeMap::from([(kid.clone(), Slot::Usable { key, point })]);
                Ok(Self {
                    keys,
                    ..Self::default()
                })
            }
            Some(_) => Err(KeySetError::NoUsableKey),
        }
    }

    /// Takes the public key of a DER `SubjectPublicKeyInfo`. It answers to every name.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, KeySetError> {
        let key = Arc::new(VerifyingKey::from_spki(der).ok_or(KeySetError::NoUsableKey)?);
        Ok(Self {
            unnamed: Some(Slot::Usable {
                key,
                point: Point::default(),
            }),
            ..Self::default()
        })
    }

    /// What the set holds under `kid`.
    pub(crate) fn get(&self, kid: &str) -> Option<&Slot> {
        self.keys.get(kid).or(self.unnamed.as_ref())
    }

    /// Whether the set still has the very key that a token was verified with.
    pub(crate) fn holds(&self, signer: &Signer) -> bool {
        matches!(self.get(&signer.kid), Some(Slot::Usable { key, .. }) if Arc::ptr_eq(key, &signer.key))
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
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn insert(&mut self, jwk: &[u8]) {
        let strict = json::object(jwk);
        // A key with, say, duplicate members is no key, but its name is still worth knowing for the error.
        let kid = match &strict {
            Ok(jwk) => jwk.get("kid").and_then(Value::as_str).map(str::to_owned),
            Err(_) => serde_json::from_slice::<Value>(jwk)
                .ok()
                .and_then(|v| Some(v.get("kid")?.as_str()?.to_owned())),
        };
        let Some(kid) = kid.filter(|kid| !kid.is_empty()) else {
            return;
        };
        let found = match strict.ok().as_ref().and_then(usable) {
            Some((key, point)) => Slot::Usable { key, point },
            None => Slot::Unusable,
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
        let any = self.keys.values().any(|slot| !matches!(slot, Slot::Unusable));
        if any {
            Ok(self)
        } else {
            Err(KeySetError::NoUsableKey)
        }
    }
}

/// The key of a JWK that may verify ES256, by RFC 7517, section 4 and RFC 7518, section 6.2.1.
fn usable(jwk: &Map<String, Value>) -> Option<(Arc<VerifyingKey>, Point)> {
    let is = |name: &str, value: &str| jwk.get(name).and_then(Value::as_str) == Some(value);
    let absent_or = |name: &str, value: &str| !jwk.contains_key(name) || is(name, value);
    // A private key that is published is known to everybody.
    let allowed = is("kty", "EC")
        && is("crv", "P-256")
        && absent_or("alg", "ES256")
        && absent_or("use", "sig")
        && jwk.get("key_ops").is_none_or(may_verify)
        && !jwk.contains_key("d");
    if !allowed {
        return None;
    }
    let (x, y) = (coordinate(jwk.get("x")?)?, coordinate(jwk.get("y")?)?);
    Some((Arc::new(VerifyingKey::from_coordinates(&x, &y)?), (x, y)))
}

/// `key_ops` must contain `verify`, and no operation twice.
fn may_verify(operations: &Value) -> bool {
    let Some(operations) = operations.as_array() else {
        return false;
    };
    let distinct = operations
        .iter()
        .enumerate()
        .all(|(i, op)| op.is_string() && !operations[..i].contains(op));
    distinct && operations.iter().any(|op| op == "verify")
}

fn coordinate(value: &Value) -> Option<[u8; COORDINATE_LENGTH]> {
    base64url::decode_exactly(value.as_str()?).ok()?
}
