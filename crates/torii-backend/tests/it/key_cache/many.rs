//! Many tokens at once: each gets the answer that it would have got by itself.

use serde_json::json;
use torii_backend::ErrorCode;

use super::{Issuer, NOW, code};

#[test]
fn many_tokens_are_answered_in_their_order_and_with_one_fetch() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let tokens: Vec<_> = (0..200)
        .map(|number| match number % 3 {
            0 => "not a token".to_owned(),
            _ => issuer.key.sign(&json!({
                "iss": issuer.endpoint.url(), "sub": format!("user {number}"), "pid": "an environment",
                "iat": NOW, "exp": NOW + 60,
            })),
        })
        .collect();
    let results = verifier.verify_many_blocking(&tokens);
    assert_eq!(results.len(), tokens.len());
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Ok(auth) => assert_eq!(auth.user_id(), format!("user {number}")),
            Err(error) => assert!(
                number % 3 == 0 && error.code() == ErrorCode::Malformed,
                "{number}: {error}"
            ),
        }
    }
    assert_eq!(issuer.requests(), 1);
    assert_eq!(verifier.counts().accepted, 133);
}

#[test]
fn no_tokens_are_no_answers_and_no_fetch() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    assert!(verifier.verify_many_blocking::<&str>(&[]).is_empty());
    assert_eq!(issuer.requests(), 0);
}

#[test]
fn an_outage_ends_a_batch_instead_of_being_waited_for_by_every_token() {
    let issuer = Issuer::new_down();
    let verifier = issuer.verifier();
    let tokens = vec![issuer.token(); 1_000];
    let results = verifier.verify_many_blocking(&tokens);
    assert!(
        results
            .into_iter()
            .all(|result| code(result) == "jwks_unavailable")
    );
    assert!(issuer.requests() <= 4);
}
