//! What the token says about its user: flags, the actor, the active organization, the locale.

use crate::case::{Auth, Case, Family, Organization};
use crate::json::quoted;
use crate::token::Token;

/// JSON values that are not booleans, though a language may count some of them as one.
const NOT_A_BOOLEAN: [(&str, &str); 7] = [
    ("null", "null"),
    ("string-true", r#""true""#),
    ("string-false", r#""false""#),
    ("one", "1"),
    ("zero", "0"),
    ("array", "[true]"),
    ("object", "{}"),
];

pub(super) fn add_to(family: &mut Family) {
    flags(family);
    impersonation(family);
    actor(family);
    organization(family);
    locale(family);
}

fn flags(family: &mut Family) {
    let values = [
        ("missing", None),
        ("true", Some("true")),
        ("false", Some("false")),
    ];
    let values = values
        .into_iter()
        .chain(NOT_A_BOOLEAN.map(|(kind, value)| (kind, Some(value))));
    for (kind, value) in values {
        let flagged = |token: Token, name| match value {
            Some(value) => token.claim(name, value),
            None => token.without_claim(name),
        };
        // The other flag differs from its usual value, so that one read in the other's place is seen.
        let incomplete = Token::valid().claim("profile_complete", false);
        let auth = Auth {
            email_verified: kind == "true",
            profile_complete: false,
            ..Auth::valid()
        };
        let reason = "Only `true` says that an address was verified.";
        let case = Case::new(format!("email-verified-{kind}"), "policy", reason);
        family.add(case.token(flagged(incomplete, "email_verified")).accepted(auth));

        let unverified = Token::valid().claim("email_verified", quoted("no"));
        let auth = Auth {
            email_verified: false,
            profile_complete: kind != "false",
            ..Auth::valid()
        };
        let reason = "Only `false` says that something is still to be filled in.";
        let case = Case::new(format!("profile-complete-{kind}"), "policy", reason);
        family.add(case.token(flagged(unverified, "profile_complete")).accepted(auth));
    }
}

fn impersonation(family: &mut Family) {
    for (kind, value) in [("true", true), ("false", false)] {
        let auth = Auth {
            impersonating: value,
            ..Auth::valid()
        };
        let case = Case::new(
            format!("impersonating-{kind}"),
            "policy",
            "The claim as it stands, without an actor.",
        );
        family.add(
            case.token(Token::valid().claim("impersonating", value))
                .accepted(auth),
        );
    }
    for (kind, value) in NOT_A_BOOLEAN {
        let reason = "A claim that hides an impersonation when misread must not be guessed at.";
        family.add(
            Case::new(format!("impersonating-{kind}"), "policy", reason)
                .token(Token::valid().claim("impersonating", value))
                .refused("claim_type:impersonating"),
        );
    }
}

fn actor(family: &mut Family) {
    let reason = "The claim's presence means that somebody acts in the user's place; its `sub` names who.";
    let acts = [
        ("subject", r#"{"sub":"admin-1"}"#, Some("admin-1")),
        (
            "subject-among-others",
            r#"{"iss":"x","sub":"admin-1","reason":"support"}"#,
            Some("admin-1"),
        ),
        (
            "chain",
            r#"{"sub":"admin-1","act":{"sub":"admin-2"}}"#,
            Some("admin-1"),
        ),
        ("subject-empty", r#"{"sub":""}"#, Some("")),
        ("subject-number", r#"{"sub":7}"#, None),
        ("subject-null", r#"{"sub":null}"#, None),
        ("empty-object", "{}", None),
        ("string", r#""admin-1""#, None),
        ("array", r#"[{"sub":"admin-1"}]"#, None),
        ("number", "7", None),
        ("false", "false", None),
        ("null", "null", None),
    ];
    let acting = |actor: Option<&str>| Auth {
        impersonating: true,
        actor: actor.map(str::to_owned),
        ..Auth::valid()
    };
    for (kind, value, actor) in acts {
        let case = Case::new(format!("act-{kind}"), "RFC 8693 4.1", reason);
        family.add(
            case.token(Token::valid().claim("act", value))
                .accepted(acting(actor)),
        );
    }
    let token = || Token::valid().claim("act", r#"{"sub":"admin-1"}"#);
    let case = |name: &str, reason: &str| Case::new(name, "RFC 8693 4.1", reason);
    let reason = "An actor is an actor, whatever the other claim says.";
    let denied = token().claim("impersonating", false);
    family.add(
        case("act-with-impersonating-false", reason)
            .token(denied)
            .accepted(acting(Some("admin-1"))),
    );
    let reason = "Both spellings agree.";
    let agreed = token().claim("impersonating", true);
    family.add(
        case("act-with-impersonating-true", reason)
            .token(agreed)
            .accepted(acting(Some("admin-1"))),
    );
    let reason = "An actor does not excuse a claim of the wrong type.";
    let wrong = token().claim("impersonating", "1");
    family.add(
        case("act-with-impersonating-one", reason)
            .token(wrong)
            .refused("claim_type:impersonating"),
    );
}

fn organization(family: &mut Family) {
    let found = |id: &str, role: Option<&str>, slug: Option<&str>| {
        let [role, slug] = [role, slug].map(|text| text.map(str::to_owned));
        let id = id.to_owned();
        Some(Organization { id, role, slug })
    };
    let old = |id: &str, role: &str| Token::valid().claim("org_id", id).claim("org_role", role);
    let new = |o: &str| Token::valid().claim("o", o);
    let both = |o: &str| old(r#""org-1""#, r#""member""#).claim("o", o);
    let whole = found("org-1", Some("owner"), Some("acme"));
    let fallback = found("org-1", Some("member"), None);
    let rows = [
        (
            "object-short",
            new(r#"{"id":"org-1","rol":"owner","slg":"acme"}"#),
            whole.clone(),
        ),
        (
            "object-long",
            new(r#"{"id":"org-1","role":"owner","slug":"acme"}"#),
            whole.clone(),
        ),
        (
            "object-both-spellings",
            new(r#"{"id":"org-1","role":"x","rol":"owner","slug":"y","slg":"acme"}"#),
            whole.clone(),
        ),
        (
            "object-with-more",
            new(r#"{"id":"org-1","rol":"owner","slg":"acme","per":"read","fpm":[1]}"#),
            whole.clone(),
        ),
        (
            "object-id-only",
            new(r#"{"id":"org-1"}"#),
            found("org-1", None, None),
        ),
        (
            "object-other-types",
            new(r#"{"id":"org-1","rol":7,"slg":null}"#),
            found("org-1", None, None),
        ),
        ("object-empty", new("{}"), None),
        ("object-id-number", new(r#"{"id":7,"rol":"owner"}"#), None),
        ("object-id-null", new(r#"{"id":null}"#), None),
        ("string", new(r#""org-1""#), found("org-1", None, None)),
        ("null", new("null"), None),
        ("array", new(r#"["org-1"]"#), None),
        ("number", new("7"), None),
        ("boolean", new("true"), None),
        ("pair", old(r#""org-1""#, r#""member""#), fallback.clone()),
        (
            "pair-without-role",
            Token::valid().claim("org_id", r#""org-1""#),
            found("org-1", None, None),
        ),
        (
            "pair-without-id",
            Token::valid().claim("org_role", r#""member""#),
            None,
        ),
        (
            "pair-role-number",
            old(r#""org-1""#, "7"),
            found("org-1", None, None),
        ),
        ("pair-id-null", old("null", r#""member""#), None),
        ("pair-id-number", old("7", r#""member""#), None),
        (
            "object-before-pair",
            both(r#"{"id":"org-2","rol":"owner"}"#),
            found("org-2", Some("owner"), None),
        ),
        (
            "string-before-pair",
            both(r#""org-2""#),
            found("org-2", None, None),
        ),
        ("pair-when-object-is-empty", both("{}"), fallback.clone()),
        ("pair-when-null", both("null"), fallback),
    ];
    for (name, token, organization) in rows {
        let reason =
            "`o` counts first, as an object with an id or as the id; then `org_id`; other types say nothing.";
        let auth = Auth {
            organization,
            ..Auth::valid()
        };
        family.add(
            Case::new(format!("organization-{name}"), "policy", reason)
                .token(token)
                .accepted(auth),
        );
    }
}

fn locale(family: &mut Family) {
    let rows = [
        ("known", r#""da""#, Some("da")),
        ("unknown", r#""x-klingon""#, Some("x-klingon")),
        ("empty", r#""""#, Some("")),
        ("null", "null", None),
        ("number", "7", None),
        ("array", r#"["da"]"#, None),
    ];
    for (kind, value, locale) in rows {
        let auth = Auth {
            locale: locale.map(str::to_owned),
            ..Auth::valid()
        };
        let reason = "A string is kept as it came; other types say nothing.";
        let case = Case::new(format!("locale-{kind}"), "policy", reason);
        family.add(case.token(Token::valid().claim("locale", value)).accepted(auth));
    }
}
