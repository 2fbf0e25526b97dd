//! A key set: whether it is one, which of its keys can be used, and what becomes of tokens that name its keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torii_backend::hazmat_for_test_vectors::verify_jws;
use torii_backend::{KeySource, Verifier};
use torii_fuzz::{signer_jwk, token_for};
use torii_oracle::{Found, KeySet};

/// Most names of a set with which a token is tried.
const TRIED: usize = 4;

fuzz_target!(|data: &[u8]| {
    let Some(document) = torii_fuzz::document(data) else {
        return;
    };
    let oracle = KeySet::read(document.as_bytes());
    let names: Vec<_> = oracle.iter().flat_map(KeySet::iter).collect();
    let usable: Vec<_> = names
        .iter()
        .filter(|(_, found)| matches!(found, Found::Usable(_)))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let builder = Verifier::builder("https://acme.torii.so").key_source(KeySource::Jwks(document.clone()));
    let ours = builder.build().ok().map(|verifier| verifier.status().kids);
    assert_eq!(ours, oracle.is_some().then_some(usable));

    let signer = KeySet::read(format!(r#"{{"keys":[{}]}}"#, signer_jwk()).as_bytes());
    let signer = signer.as_ref().and_then(|set| set.get("key-1"));
    // A header holds no longer names.
    for (name, found) in names
        .into_iter()
        .filter(|(name, _)| name.len() <= 256)
        .take(TRIED)
    {
        let outcome = verify_jws(&token_for(name), &document).map_err(|code| code.to_string());
        match (found, outcome.as_ref().map(|_| ()).map_err(String::as_str)) {
            (Found::Usable(_), Ok(())) => assert_eq!(Some(found), signer, "{name:?}"),
            (Found::Usable(_), Err("bad_signature")) => assert_ne!(Some(found), signer, "{name:?}"),
            (Found::Ambiguous, Err("key_ambiguous")) | (Found::Unusable, Err("key_unusable")) => {}
            (Found::Unreadable, Err("key_unusable" | "kid_unknown")) => {}
            (_, outcome) => panic!("{name:?}: {found:?}, and {outcome:?}"),
        }
    }
});
