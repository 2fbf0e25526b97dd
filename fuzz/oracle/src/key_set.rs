//! RFC 7517 as far as ES256 needs it: what a key set holds under which name.

use std::collections::BTreeMap;

use p256::ecdsa::VerifyingKey;

use crate::base64url;
use crate::json::{self, Json};

const MAX_BYTES: usize = 64 * 1024;
const MAX_ENTRIES: usize = 100;

/// A set with at least one usable key.
#[derive(Clone, Debug)]
pub struct KeySet(BTreeMap<String, Found>);

/// What a set holds under a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Usable(VerifyingKey),
    /// Several usable keys that differ.
    Ambiguous,
    Unusable,
    /// Only entries that no strict reader reads: whether the name is known is open.
    Unreadable,
}

impl KeySet {
    /// Reads a document; `None` stands for a fetch that failed.
    pub fn read(document: &[u8]) -> Option<Self> {
        if document.len() > MAX_BYTES {
            return None;
        }
        let document = json::parse(document)?;
        let Some(Json::Array(entries)) = document.get("keys") else {
            return None;
        };
        if !has_distinct_names(&document) || !has_strict_members(&document) || entries.len() > MAX_ENTRIES {
            return None;
        }
        let exposed = |entry: &Json| {
            let mut published = entries.iter().filter(|other| is_strict_and_private(other));
            coordinates(entry).is_some_and(|point| published.any(|other| coordinates(other) == Some(point)))
        };
        let mut by_name: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        for entry in entries {
            let found = match read_entry(entry) {
                Found::Usable(_) if exposed(entry) => Found::Unusable,
                found => found,
            };
            for name in names(entry) {
                by_name.entry(name).or_default().push(found.clone());
            }
        }
        let by_name: BTreeMap<_, _> = by_name
            .into_iter()
            .map(|(name, found)| (name, together(&found)))
            .collect();
        let is_usable = |found: &Found| matches!(found, Found::Usable(_) | Found::Ambiguous);
        by_name.values().any(is_usable).then_some(Self(by_name))
    }

    pub fn get(&self, kid: &str) -> Option<&Found> {
        self.0.get(kid)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Found)> {
        self.0.iter().map(|(name, found)| (name.as_str(), found))
    }
}

/// Whether two readers find the same members: none is repeated, and each name is a text.
fn has_distinct_names(document: &Json) -> bool {
    let Json::Object(members) = document else {
        return false;
    };
    members.iter().enumerate().all(|(place, (name, _))| {
        String::from_utf16(name).is_ok() && members[..place].iter().all(|(earlier, _)| earlier != name)
    })
}

/// Whether what stands beside the keys is strict JSON.
fn has_strict_members(document: &Json) -> bool {
    let Json::Object(members) = document else {
        return false;
    };
    let keys: Vec<u16> = "keys".encode_utf16().collect();
    let others = members.iter().filter(|(name, _)| *name != keys);
    Json::Object(others.cloned().collect()).is_strict()
}

/// Every name that the entry could be said to have.
fn names(entry: &Json) -> Vec<String> {
    let Json::Object(members) = entry else {
        return Vec::new();
    };
    let kid: Vec<u16> = "kid".encode_utf16().collect();
    members
        .iter()
        .filter(|(name, _)| *name == kid)
        .filter_map(|(_, value)| value.text())
        .filter(|name| !name.is_empty())
        .collect()
}

/// What several entries of one name are.
fn together(found: &[Found]) -> Found {
    let usable: Vec<_> = found
        .iter()
        .filter(|found| matches!(found, Found::Usable(_)))
        .collect();
    match usable.split_first() {
        Some((first, others)) if others.iter().all(|other| other == first) => (*first).clone(),
        Some(_) => Found::Ambiguous,
        None if found.contains(&Found::Unusable) => Found::Unusable,
        None => Found::Unreadable,
    }
}

fn read_entry(entry: &Json) -> Found {
    if !entry.is_strict() {
        return Found::Unreadable;
    }
    match verifying_key(entry) {
        Some(key) => Found::Usable(key),
        None => Found::Unusable,
    }
}

/// The key of a strict entry that may verify ES256.
fn verifying_key(entry: &Json) -> Option<VerifyingKey> {
    let is = |name: &str, text: &str| entry.get(name).is_some_and(|value| value.is(text));
    let may_be = |name: &str, text: &str| entry.get(name).is_none() || is(name, text);
    let may_verify = match entry.get("key_ops") {
        None => true,
        Some(Json::Array(operations)) => {
            operations
                .iter()
                .all(|operation| operation.is("verify") || operation.is("sign"))
                && operations.iter().any(|operation| operation.is("verify"))
                && (1..operations.len()).all(|i| !operations[..i].contains(&operations[i]))
        }
        Some(_) => false,
    };
    let allowed = is("kty", "EC")
        && is("crv", "P-256")
        && may_be("alg", "ES256")
        && may_be("use", "sig")
        && may_verify
        && entry.get("d").is_none();
    if !allowed {
        return None;
    }
    let point = [&[4][..], &coordinates(entry)?.concat()].concat();
    VerifyingKey::from_sec1_bytes(&point).ok()
}

fn coordinates(entry: &Json) -> Option<[[u8; 32]; 2]> {
    let coordinate =
        |name: &str| -> Option<[u8; 32]> { base64url(entry.get(name)?.text()?.as_bytes())?.try_into().ok() };
    Some([coordinate("x")?, coordinate("y")?])
}

fn is_strict_and_private(entry: &Json) -> bool {
    entry.is_strict() && entry.get("d").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#""kty":"EC","crv":"P-256","x":"dZgstSXQ5J2JpGbnDuAi47fd87jlM0HxJIykpqotW5k","y":"uVlKsvjfuVrUjbqFWQkkRpwtdMNaucfPKWa5QTrQGFg""#;

    #[test]
    fn a_set_is_an_object_in_which_nothing_is_repeated() {
        let key = format!(r#"{{"kid":"a",{KEY}}}"#);
        let set = |text: &str| KeySet::read(text.replace('@', &key).as_bytes());
        assert!(set(r#"{"keys":[@],"a":{"b":1}}"#).is_some());
        for text in [
            "[[@]]",
            r#"{"keys":@}"#,
            r#"{"a":1,"keys":[@],"a":1}"#,
            r#"{"keys":[@],"a":{"b":1,"b":1}}"#,
            r#"{"keys":[@],"\u006beys":[@]}"#,
        ] {
            assert!(set(text).is_none(), "{text}");
        }
    }

    #[test]
    fn whether_an_unreadable_entry_has_a_name_is_open() {
        let text = format!(r#"{{"keys":[{{"kid":"a",{KEY}}},{{"kid":"b","x":1e999,{KEY}}}]}}"#);
        let set = KeySet::read(text.as_bytes()).expect("a set");
        assert!(matches!(set.get("a"), Some(Found::Usable(_))));
        assert_eq!(set.get("b"), Some(&Found::Unreadable));
        assert_eq!(set.get("c"), None);
    }
}
