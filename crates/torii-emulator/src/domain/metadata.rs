//! Metadata bags: how they merge, and how much they may hold.

use serde_json::{Map, Value};
use torii_backend_types::{Metadata, UpdateMetadata};

use crate::error::{Error, ErrorKind};
use crate::records::compact;

/// Most bytes that a budget allows, as compact JSON. A user's three bags share one, an invitation's two as well;
/// an organization's and a membership's bags have one each.
const MAX_METADATA_BYTES: usize = 8 * 1024;

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

/// [`merge`] into each of the two bags that the patch names.
pub(super) fn merge_both(public: &mut Metadata, private: &mut Metadata, patch: UpdateMetadata) {
    let UpdateMetadata {
        public_metadata,
        private_metadata,
    } = patch;
    merge(public, public_metadata.unwrap_or_default());
    merge(private, private_metadata.unwrap_or_default());
}

/// A bag as it is first stored: merging it into nothing drops its nulls.
pub(super) fn first_bag(given: Option<Metadata>) -> Metadata {
    let mut bag = Metadata::new();
    merge(&mut bag, given.unwrap_or_default());
    bag
}

/// Refuses a patch that would change nothing by its form.
pub(super) fn check_names_a_bag(patch: &UpdateMetadata) -> Result<(), Error> {
    if *patch == UpdateMetadata::default() {
        return Err(Error::invalid(
            "the body must name publicMetadata, privateMetadata or both",
        ));
    }
    Ok(())
}

/// Refuses bags that share a budget and, as they would be stored, are over it.
pub(super) fn check_budget(bags: &[&Metadata]) -> Result<(), Error> {
    let bytes: usize = bags.iter().map(|bag| compact(bag).len()).sum();
    if bytes > MAX_METADATA_BYTES {
        return Err(Error::new(
            ErrorKind::Invalid,
            "metadata_too_large",
            format!("the metadata would take {bytes} bytes; {MAX_METADATA_BYTES} is the most"),
        ));
    }
    Ok(())
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
