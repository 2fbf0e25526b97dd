//! Metadata bags: how they merge, and how much they may hold.

use serde_json::{Map, Value};
use torii_backend_types::{Metadata, User};

use crate::error::{Error, ErrorKind};

/// Most bytes that a user's three bags may hold together, as compact JSON.
pub(crate) const MAX_USER_METADATA_BYTES: usize = 8 * 1024;

/// Merges `patch` into `bag` at every depth. A `null` member deletes its key; an array replaces what was there.
pub(super) fn merge(bag: &mut Metadata, patch: Metadata) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                bag.remove(&key);
            }
            Value::Object(patch) => {
                let member = bag.entry(key).or_insert(Value::Null);
                // What was not an object gives way to one, so that no `null` of the patch stays behind in it.
                if !member.is_object() {
                    *member = Value::Object(Map::new());
                }
                if let Value::Object(inner) = member {
                    merge(inner, patch);
                }
            }
            value => {
                bag.insert(key, value);
            }
        }
    }
}

/// Refuses a user whose bags, as they would be stored, are over the budget.
pub(super) fn check_budget(user: &User) -> Result<(), Error> {
    let bags = [
        &user.public_metadata,
        &user.private_metadata,
        &user.unsafe_metadata,
    ];
    let bytes: usize = bags.into_iter().map(|bag| compact(bag).len()).sum();
    if bytes > MAX_USER_METADATA_BYTES {
        return Err(Error::new(
            ErrorKind::Invalid,
            "metadata_too_large",
            format!("the user's metadata would take {bytes} bytes; {MAX_USER_METADATA_BYTES} is the most"),
        ));
    }
    Ok(())
}

/// A bag as JSON without spaces, the form that is measured and stored.
pub(crate) fn compact(bag: &Metadata) -> String {
    // Of a value rather than a map: that rendering cannot fail.
    Value::Object(bag.clone()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_reaches_every_depth_and_leaves_no_null() {
        let cases = [
            (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
            (json!({"a": 1}), json!({"a": null}), json!({})),
            (
                json!({"a": {"b": 1, "c": 2}}),
                json!({"a": {"b": null}}),
                json!({"a": {"c": 2}}),
            ),
            (
                json!({"a": 1}),
                json!({"a": {"b": null, "c": 3}}),
                json!({"a": {"c": 3}}),
            ),
            (
                json!({}),
                json!({"a": {"b": {"c": null}}}),
                json!({"a": {"b": {}}}),
            ),
            (json!({"a": [1, 2]}), json!({"a": [null]}), json!({"a": [null]})),
            (json!({"a": {"b": 1}}), json!({"a": 2}), json!({"a": 2})),
            (json!({"a": {"b": 1}}), json!({"a": {}}), json!({"a": {"b": 1}})),
        ];
        for (bag, patch, expected) in cases {
            let (Value::Object(mut merged), Value::Object(patch)) = (bag.clone(), patch.clone()) else {
                panic!("a case is not two objects");
            };
            merge(&mut merged, patch.clone());
            assert_eq!(Value::Object(merged), expected, "{bag} with {patch:?}");
        }
    }
}
