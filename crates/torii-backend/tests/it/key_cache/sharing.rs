//! Who shares keys and who must not, how they are carried to another process, and what is shown of them.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use torii_backend::{
    Auth, CacheSettings, KeySnapshot, KeySource, Verifier, VerifyError, verify_token, verify_token_blocking,
};

use super::{
    DAY, HOUR, Issuer, TTL, claims, code, eventually_failed, eventually_fetched, key_set, let_requests_come,
};
use crate::faults::in_a_child;
use crate::support::faultd::{Faultd, Reply};
use crate::support::log::Log;
use crate::support::tokens::{Key, jwks};

/// A token for verifiers with the system's clock.
fn token_of_today(issuer: &Issuer) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    issuer.key.sign(&claims(&issuer.endpoint.url(), now.as_secs()))
}

#[tokio::test]
async fn verifiers_with_the_defaults_share_one_cache() {
    let issuer = Issuer::new();
    let (url, token) = (issuer.endpoint.url(), token_of_today(&issuer));
    for _ in 0..100 {
        let verifier = Verifier::builder(&url)
            .leeway(Duration::from_secs(5))
            .build()
            .unwrap();
        assert_eq!(code(verifier.verify(&token).await), "ok");
    }
    assert_eq!(
        code(Verifier::new(format!("{url}/")).unwrap().verify(&token).await),
        "ok"
    );
    assert_eq!(code(verify_token(&token, &url).await), "ok");
    assert_eq!(
        code(
            tokio::task::spawn_blocking(move || verify_token_blocking(&token, &url))
                .await
                .unwrap()
        ),
        "ok"
    );
    assert_eq!(issuer.requests(), 1);
}

#[test]
fn of_more_than_256_issuers_the_one_that_was_not_used_for_longest_is_forgotten() {
    let test =
        "key_cache::sharing::of_more_than_256_issuers_the_one_that_was_not_used_for_longest_is_forgotten";
    in_a_child(test, &[], || {
        let log = Log::default();
        tracing_subscriber::fmt().with_writer(log.clone()).init();
        type Door = fn(&str, &str) -> Result<Auth, VerifyError>;
        let doors: [Door; 2] = [
            |token, issuer| Verifier::new(issuer)?.verify_blocking(token),
            |token, issuer| verify_token_blocking(token, issuer),
        ];
        for door in doors {
            // One that is used rarely, and others that are used often.
            let issuers: Vec<_> = (0..8).map(|_| Issuer::new()).collect();
            let requests_after_use = |place: usize| {
                let issuer = &issuers[place];
                let outcome = door(&token_of_today(issuer), &issuer.endpoint.url());
                assert_eq!(code(outcome), "ok");
                issuer.requests()
            };
            let meet = |count: u32| {
                for _ in 0..count {
                    let other = format!("https://{:x}.example", fastrand::u128(..));
                    assert!(door("not a token", &other).is_err());
                }
            };
            let all_once =
                |places: Range<usize>| places.map(requests_after_use).all(|requests| requests == 1);
            assert!(all_once(0..8));
            meet(248);
            assert!(all_once(0..8), "there is room for 256");
            meet(248);
            assert!(all_once(1..8), "each was used again after 248 others");
            meet(1);
            assert!(all_once(1..8));
            assert_eq!(requests_after_use(0), 2, "one more than there is room for");
        }
        assert_eq!(log.text().matches("more issuers than are remembered").count(), 1);
    });
}

#[test]
fn keys_that_were_forgotten_are_fetched_again() {
    // In a process of its own, because other tests share keys too.
    let test = "key_cache::sharing::keys_that_were_forgotten_are_fetched_again";
    in_a_child(test, &[], || {
        let issuer = Issuer::new();
        let (url, token) = (issuer.endpoint.url(), token_of_today(&issuer));
        let before = Verifier::new(&url).unwrap();
        let doors: [&dyn Fn() -> String; 2] = [&|| code(verify_token_blocking(&token, &url)), &|| {
            code(Verifier::new(&url).unwrap().verify_blocking(&token))
        }];
        for (place, door) in doors.into_iter().cycle().take(4).enumerate() {
            assert_eq!([door(), door()], ["ok", "ok"]);
            assert_eq!(issuer.requests(), place + 1);
            torii_backend::forget_shared_keys();
        }
        assert_eq!(code(before.verify_blocking(&token)), "ok");
        assert_eq!(issuer.requests(), 4, "a verifier keeps what it has");
    });
}

#[test]
fn verifiers_with_a_clock_or_a_cache_of_their_own_do_not_share() {
    let issuer = Issuer::new();
    issuer.warm_verifier();
    issuer.warm_verifier();
    assert_eq!(issuer.requests(), 2);
    let clone = issuer.warm_verifier().clone();
    clone.warm_up_blocking().unwrap();
    assert_eq!(issuer.requests(), 3);
    let of_their_own = || Verifier::builder(issuer.endpoint.url()).cache(CacheSettings::default());
    for place in 4..6 {
        of_their_own().build().unwrap().warm_up_blocking().unwrap();
        assert_eq!(issuer.requests(), place);
    }
}

#[test]
fn two_issuers_with_a_key_of_the_same_name_never_share_it() {
    let (one, other) = (Issuer::new(), Issuer::new());
    let (verifier, other_verifier) = (one.warm_verifier(), other.warm_verifier());
    assert_eq!(code(verifier.verify_blocking(&one.token())), "ok");
    assert_eq!(code(other_verifier.verify_blocking(&other.token())), "ok");
    assert_eq!(
        code(verifier.verify_blocking(&other.key.sign(&one.claims()))),
        "bad_signature"
    );
    assert_eq!(code(verifier.verify_blocking(&other.token())), "bad_signature");
    assert_eq!(
        code(verifier.verify_blocking(&one.key.sign(&other.claims()))),
        "issuer_mismatch"
    );

    // The same through the caches that the process shares.
    let forged = |signer: &Issuer, named: &Issuer| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        signer.key.sign(&claims(&named.endpoint.url(), now.as_secs()))
    };
    for issuer in [&one, &other] {
        assert_eq!(
            code(verify_token_blocking(
                &token_of_today(issuer),
                &issuer.endpoint.url()
            )),
            "ok"
        );
    }
    let forgery = forged(&other, &one);
    assert_eq!(
        code(verify_token_blocking(&forgery, &one.endpoint.url())),
        "bad_signature"
    );
    assert_eq!(
        code(verify_token_blocking(&forgery, &other.endpoint.url())),
        "issuer_mismatch"
    );
}

#[test]
fn keys_from_another_address_verify_the_issuer_s_tokens() {
    let issuer = Issuer::new_down();
    let mirror = Faultd::start(key_set(&[&issuer.key]));
    let source = KeySource::Url(format!("{}/mirrored.json", mirror.url()));
    let verifier = issuer.builder().key_source(source).build().unwrap();
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
    assert_eq!(mirror.requests()[0].line(), "GET /mirrored.json HTTP/1.1");
}

/// The snapshot as another process gets it.
fn carried(verifier: &Verifier) -> KeySnapshot {
    let text = serde_json::to_string(&verifier.export_keys().unwrap()).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn exported_keys_serve_another_process_without_a_fetch() {
    let issuer = Issuer::new();
    let snapshot = carried(&issuer.warm_verifier());
    issuer.endpoint.down();
    let verifier = issuer.builder().import_keys(snapshot).build().unwrap();
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
    assert_eq!(
        code(verifier.verify_blocking(&issuer.token_naming("unknown"))),
        "kid_unknown"
    );
    assert_eq!(verifier.status().kids, ["first"]);
}

#[test]
fn imported_keys_are_as_old_as_their_fetch() {
    let issuer = Issuer::new();
    let snapshot = carried(&issuer.warm_verifier());
    issuer.clock.advance(23 * HOUR);
    issuer.endpoint.down();
    let verifier = issuer.builder().import_keys(snapshot).build().unwrap();
    assert_eq!(verifier.status().age, Some(23 * HOUR));
    for jump in [-3600, 3600] {
        issuer.clock.jump_wall_seconds(jump);
        assert_eq!(verifier.status().age, Some(23 * HOUR), "the wall clock jumped");
    }
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
    eventually_failed(&verifier, 1);
    issuer.clock.advance(HOUR);
    assert_eq!(
        code(verifier.verify_blocking(&issuer.token())),
        "jwks_unavailable"
    );
}

#[test]
fn an_imported_key_dies_with_the_next_refresh() {
    let issuer = Issuer::new();
    let snapshot = carried(&issuer.warm_verifier());
    issuer.endpoint.set(key_set(&[&Key::new("second")]));
    issuer.clock.advance(TTL);
    let verifier = issuer.builder().import_keys(snapshot).build().unwrap();
    assert_eq!(verifier.status().generation, 1);
    assert_eq!(
        code(verifier.verify_blocking(&issuer.token())),
        "ok",
        "the refresh is under way"
    );
    eventually_fetched(&verifier, 1);
    assert_eq!(verifier.status().generation, 2);
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "kid_unknown");
}

#[test]
fn an_import_does_not_bring_back_a_key_that_newer_keys_lack() {
    let issuer = Issuer::new();
    let url = issuer.endpoint.url();
    let shared = |snapshot: Option<KeySnapshot>| {
        let builder = Verifier::builder(&url);
        snapshot
            .into_iter()
            .fold(builder, |builder, snapshot| builder.import_keys(snapshot))
            .build()
            .unwrap()
    };
    // A snapshot of an hour ago, as a file on a disk would be.
    shared(None).warm_up_blocking().unwrap();
    let mut text = serde_json::to_value(shared(None).export_keys().unwrap()).unwrap();
    let second = Key::new("second");
    text["jwks"] = jwks(&[&second]).into();
    text["fetched_at_unix_millis"] = (text["fetched_at_unix_millis"].as_u64().unwrap() - 3_600_000).into();
    let old: KeySnapshot = serde_json::from_value(text.clone()).unwrap();

    let verifier = shared(Some(old));
    assert_eq!(verifier.status().kids, ["first"]);
    assert_eq!(code(verifier.verify_blocking(&token_of_today(&issuer))), "ok");
    assert_eq!(issuer.requests(), 1);

    // One from the future counts as one of this moment.
    text["fetched_at_unix_millis"] =
        (text["fetched_at_unix_millis"].as_u64().unwrap() + DAY.as_millis() as u64).into();
    let newer = shared(Some(serde_json::from_value(text).unwrap()));
    let status = newer.status();
    assert_eq!((status.kids, status.generation), (vec!["second".to_owned()], 2));
}

#[test]
fn keys_of_another_issuer_and_broken_ones_are_not_imported() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let foreign = other.warm_verifier().export_keys().unwrap();
    let error = issuer.builder().import_keys(foreign).build().unwrap_err();
    assert_eq!(error.setting(), "import_keys");

    let mut text = serde_json::to_value(issuer.warm_verifier().export_keys().unwrap()).unwrap();
    text["jwks"] = r#"{"keys": []}"#.into();
    let empty: KeySnapshot = serde_json::from_value(text).unwrap();
    let error = issuer.builder().import_keys(empty.clone()).build().unwrap_err();
    assert_eq!(error.setting(), "import_keys");
    let given = KeySource::Jwks(jwks(&[&issuer.key]));
    let error = issuer
        .builder()
        .key_source(given)
        .import_keys(empty)
        .build()
        .unwrap_err();
    assert_eq!(error.setting(), "import_keys");
    assert!(
        issuer.verifier().export_keys().is_none(),
        "nothing has been fetched"
    );
}

#[test]
fn the_status_tells_the_truth() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let before = verifier.status();
    let url = format!("{}/_torii/.well-known/jwks.json", issuer.endpoint.url());
    assert_eq!(
        (before.url, before.kids, before.age),
        (Some(url), Vec::new(), None)
    );
    assert_eq!(
        (
            before.generation,
            before.fetches_succeeded,
            before.last_error.is_none()
        ),
        (0, 0, true)
    );

    verifier.warm_up_blocking().unwrap();
    issuer.clock.advance(Duration::from_secs(7));
    let warm = verifier.status();
    assert_eq!(
        (warm.kids, warm.age),
        (vec!["first".to_owned()], Some(Duration::from_secs(7)))
    );
    assert_eq!(
        (warm.generation, warm.fetches_succeeded, warm.fetches_failed),
        (1, 1, 0)
    );

    issuer.endpoint.set(Reply::new(418));
    issuer.clock.advance(TTL);
    for _ in 0..3 {
        assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
        eventually_failed(&verifier, 1);
    }
    assert_eq!(
        code(verifier.verify_blocking(&issuer.token_naming("unknown"))),
        "kid_unknown"
    );
    let failed = verifier.status();
    assert_eq!(
        (failed.stale_served, failed.unknown_kids, failed.fetches_failed),
        (3, 1, 1)
    );
    assert!(failed.last_error.unwrap().to_string().contains("418"));
    assert!(failed.next_attempt_in.unwrap() >= Duration::from_secs(1));
    assert_eq!(failed.age, Some(TTL + Duration::from_secs(7)));

    issuer.endpoint.set(key_set(&[&issuer.key, &Key::new("second")]));
    issuer.outlast_backoff(&verifier);
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
    eventually_fetched(&verifier, 2);
    let renewed = verifier.status();
    assert_eq!(
        (renewed.kids.len(), renewed.generation, renewed.age),
        (2, 2, Some(Duration::ZERO))
    );
    assert!(renewed.last_error.is_none() && renewed.next_attempt_in.is_none());
}

#[test]
fn the_counts_name_every_conclusion() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let mut late = issuer.claims();
    late["exp"] = (super::NOW - DAY.as_secs()).into();
    let mut nobody = issuer.claims();
    nobody.as_object_mut().unwrap().remove("sub");
    for token in [
        issuer.token(),
        issuer.token(),
        issuer.key.sign(&late),
        issuer.key.sign(&nobody),
    ] {
        let _ = verifier.verify_blocking(&token);
    }
    for garbage in ["", "a.b", "a.b.c"] {
        let _ = verifier.verify_blocking(garbage);
    }
    let down = Issuer::new_down();
    let unavailable = down.verifier();
    let _ = unavailable.verify_blocking(&down.token());
    let_requests_come();
    assert_eq!(unavailable.counts().refused, [("jwks_unavailable", 1)]);
    assert_eq!(unavailable.status().unknown_kids, 0, "its key may well be known");
    let counts = verifier.counts();
    assert_eq!(counts.accepted, 2);
    assert_eq!(
        counts.refused,
        [("malformed", 3), ("claim_missing", 1), ("expired", 1)]
    );
    assert_eq!(verifier.clone().counts(), counts, "clones count together");
    assert_eq!(issuer.warm_verifier().counts().accepted, 0);
}
