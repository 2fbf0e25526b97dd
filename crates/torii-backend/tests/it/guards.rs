//! Which callers each guard lets in.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use torii_backend::clock::ManualClock;
use torii_backend::{Auth, Denied, GuardContext, KeySource, Org, Requirement, Verifier};

use crate::support::tokens::{Key, jwks};

const NOW: u64 = 1_800_000_000;

fn new() -> Requirement {
    Requirement::new()
}

fn in_organization(id: &str) -> Value {
    json!({"o": {"id": id, "rol": "org:administrator"}})
}

/// What a requirement says to a caller with these claims, on a route whose path parameter `org_id` is `one`.
fn check(requirement: &Requirement, claims: &Value) -> Result<(), Denied> {
    let parameter = |name: &str| (name == "org_id").then_some(Cow::Borrowed("one"));
    let auth = Auth::for_test(claims).unwrap();
    requirement.check_in(&auth, &GuardContext::new(NOW, &parameter))
}

#[test]
fn each_guard_lets_in_whom_it_names_and_nobody_else() {
    let of_path = || new().organization(Org::FromPath("org_id".to_owned()));
    let plans = || new().claim("plan", ["pro", "team"]);
    let age = |seconds: u64| new().max_age(Duration::from_millis(seconds * 1_000 + 999));
    let issued = |at: u64| json!({"iat": at, "exp": NOW + 9_000});
    let staff = || new().predicate("staff", |auth| auth.user_id().starts_with("staff-"));
    let cases = [
        (
            "verified_email",
            new().verified_email(),
            json!({"email_verified": true}),
            true,
        ),
        (
            "verified_email",
            new().verified_email(),
            json!({"email_verified": false}),
            false,
        ),
        ("verified_email", new().verified_email(), json!({}), false),
        (
            "complete_profile",
            new().complete_profile(),
            json!({"profile_complete": true}),
            true,
        ),
        ("complete_profile", new().complete_profile(), json!({}), true),
        (
            "complete_profile",
            new().complete_profile(),
            json!({"profile_complete": false}),
            false,
        ),
        (
            "organization",
            new().organization(Org::Any),
            in_organization("one"),
            true,
        ),
        (
            "organization",
            new().organization(Org::Any),
            json!({"org_id": "one"}),
            true,
        ),
        (
            "organization",
            new().organization(Org::Any),
            json!({"o": "one"}),
            true,
        ),
        ("organization", new().organization(Org::Any), json!({}), false),
        (
            "organization",
            new().organization(Org::Any),
            in_organization(""),
            false,
        ),
        (
            "organization",
            new().organization(Org::Id("one".into())),
            in_organization("one"),
            true,
        ),
        (
            "organization",
            new().organization(Org::Id("one".into())),
            in_organization("One"),
            false,
        ),
        (
            "organization",
            new().organization(Org::Id("one".into())),
            json!({}),
            false,
        ),
        (
            "organization",
            new().organization(Org::Id(String::new())),
            in_organization(""),
            false,
        ),
        ("organization", of_path(), in_organization("one"), true),
        ("organization", of_path(), in_organization("two"), false),
        ("organization", of_path(), json!({}), false),
        (
            "role",
            new().role("org:administrator"),
            in_organization("one"),
            true,
        ),
        (
            "role",
            new().role("org:administrator"),
            json!({"org_id": "one", "org_role": "org:administrator"}),
            true,
        ),
        (
            "role",
            new().role("org:administrator"),
            json!({"org_id": "one", "org_role": "org:member"}),
            false,
        ),
        (
            "role",
            new().role("org:administrator"),
            json!({"org_role": "org:administrator"}),
            false,
        ),
        (
            "role",
            new().role("org:administrator"),
            json!({"o": "one"}),
            false,
        ),
        ("claim", plans(), json!({"plan": "pro"}), true),
        ("claim", plans(), json!({"plan": ["free", "team"]}), true),
        ("claim", plans(), json!({"plan": "free"}), false),
        ("claim", plans(), json!({"plan": ["free"]}), false),
        ("claim", plans(), json!({"plan": {"pro": "pro"}}), false),
        ("claim", plans(), json!({"plan": null}), false),
        ("claim", plans(), json!({}), false),
        ("claim", new().claim("level", [1]), json!({"level": 1}), true),
        ("claim", new().claim("level", [1]), json!({"level": "1"}), false),
        ("claim", new().claim("level", [1]), json!({"level": true}), false),
        (
            "claim",
            new().claim("plan", Vec::<&str>::new()),
            json!({"plan": "pro"}),
            false,
        ),
        ("no_impersonation", new().no_impersonation(), json!({}), true),
        (
            "no_impersonation",
            new().no_impersonation(),
            json!({"impersonating": true}),
            false,
        ),
        (
            "no_impersonation",
            new().no_impersonation(),
            json!({"act": {"sub": "an operator"}}),
            false,
        ),
        ("max_age", age(300), issued(NOW - 300), true),
        ("max_age", age(300), issued(NOW - 301), false),
        ("max_age", age(0), issued(NOW + 20), true),
        (
            "any_of",
            new().any_of([staff(), plans()]),
            json!({"plan": "pro"}),
            true,
        ),
        (
            "any_of",
            new().any_of([staff(), plans()]),
            json!({"sub": "staff-1"}),
            true,
        ),
        (
            "any_of",
            new().any_of([staff(), plans()]),
            json!({"sub": "guest-1"}),
            false,
        ),
        ("any_of", new().any_of([]), json!({}), false),
        ("any_of", new().any_of([new()]), json!({}), true),
        ("staff", staff(), json!({"sub": "staff-1"}), true),
        ("staff", staff(), json!({"sub": "guest-1"}), false),
    ];
    for (guard, requirement, claims, lets_in) in cases {
        let expected = match lets_in {
            true => Ok(()),
            false => Err(Denied::Guard(guard.into())),
        };
        assert_eq!(
            check(&requirement, &claims),
            expected,
            "{requirement:?}, {claims}"
        );
    }
}

#[test]
fn without_guards_everybody_is_let_in_and_with_several_each_must_agree() {
    assert_eq!(check(&new(), &json!({})), Ok(()));
    let both = new().verified_email().organization(Org::Any);
    let denied = |guard: &'static str| Err(Denied::Guard(guard.into()));
    assert_eq!(check(&both, &json!({"email_verified": true, "o": "one"})), Ok(()));
    assert_eq!(check(&both, &json!({"o": "one"})), denied("verified_email"));
    assert_eq!(
        check(&both, &json!({"email_verified": true})),
        denied("organization")
    );
    // The first that does not agree is named.
    assert_eq!(check(&both, &json!({})), denied("verified_email"));
    assert_eq!(
        check(&both.clone().any_of([both]), &json!({"o": "one"})),
        denied("verified_email")
    );
}

#[test]
fn a_path_parameter_that_the_route_lacks_is_a_mistake_wherever_the_guard_stands() {
    let lost = || new().organization(Org::FromPath("missing".to_owned()));
    let mistake = || Err(Denied::NoPathParameter("missing".to_owned()));
    let administrator = in_organization("one");
    assert_eq!(check(&lost(), &administrator), mistake());
    let nobody = || new().any_of([]);
    assert_eq!(
        check(&new().any_of([lost(), nobody()]), &administrator),
        mistake()
    );
    assert_eq!(
        check(&new().any_of([nobody(), lost()]), &administrator),
        mistake()
    );
    // Another alternative lets the caller in, so that the mistake decides nothing.
    let either = new().any_of([lost(), new().organization(Org::Any)]);
    assert_eq!(check(&either, &administrator), Ok(()));
    // The ordinary check is for requests without path parameters.
    let auth = Auth::for_test(&administrator).unwrap();
    let of_path = new().organization(Org::FromPath("org_id".to_owned()));
    assert_eq!(
        of_path.check(&auth),
        Err(Denied::NoPathParameter("org_id".to_owned()))
    );
}

#[test]
fn a_verifier_checks_by_its_own_clock_and_a_requirement_by_the_systems() {
    let key = Key::new("first");
    let clock = ManualClock::at(NOW);
    let verifier = Verifier::builder("https://acme.torii.so")
        .key_source(KeySource::Jwks(jwks(&[&key])))
        .clock(clock.clone())
        .build()
        .unwrap();
    let claims = json!({
        "iss": "https://acme.torii.so", "sub": "a user", "pid": "an environment", "iat": NOW, "exp": NOW + 900,
    });
    let auth = verifier.verify_blocking(&key.sign(&claims)).unwrap();
    let recent = new().max_age(Duration::from_secs(300));
    let authorize = || verifier.authorize(&auth, &recent, &|_| None);
    assert_eq!(authorize(), Ok(()));
    clock.jump_wall_seconds(301);
    assert_eq!(authorize(), Err(Denied::Guard("max_age".into())));
    assert_eq!(
        recent.check(&Auth::for_test(json!({"iat": 1})).unwrap()),
        Err(Denied::Guard("max_age".into()))
    );
    let future = Auth::for_test(json!({"iat": 9_000_000_000_u64, "exp": 9_000_000_001_u64})).unwrap();
    assert_eq!(recent.check(&future), Ok(()));
}

#[test]
fn only_a_requirement_with_max_age_depends_on_the_time() {
    let recent = || new().max_age(Duration::from_secs(1));
    assert!(recent().has_max_age() && new().any_of([new(), recent()]).has_max_age());
    assert!(!new().has_max_age() && !new().any_of([new().verified_email()]).has_max_age());
}

#[test]
fn a_requirement_shows_its_guards_to_developers() {
    let requirement = new()
        .verified_email()
        .organization(Org::FromPath("org_id".to_owned()))
        .role("org:member")
        .claim("plan", ["pro"])
        .max_age(Duration::from_secs(60))
        .any_of([new().no_impersonation()])
        .predicate("staff", |_| true);
    let shown = format!("{requirement:?}");
    for part in [
        "verified_email",
        r#"FromPath("org_id")"#,
        r#"role("org:member")"#,
        "pro",
        "max_age(60s)",
        "no_impersonation",
        "staff",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    let context = GuardContext::new(NOW, &|_| None);
    assert_eq!(context.now, NOW);
    assert!(format!("{context:?}").contains(&NOW.to_string()));
}

#[test]
fn claims_of_another_shape_are_what_the_guard_claims_refuses() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Plan {
        plan: String,
    }
    let read = |claims: Value| Auth::for_test(claims).unwrap().claims_or_denied::<Plan>();
    assert_eq!(
        read(json!({"plan": "pro"})),
        Ok(Plan {
            plan: "pro".to_owned()
        })
    );
    for claims in [json!({}), json!({"plan": 7}), json!({"plan": ["pro"]})] {
        assert_eq!(read(claims), Err(Denied::Guard("claims".into())));
    }
}
