//! `aud` and `azp`: for whom the token was made, and through whom.

use crate::case::{Case, Family};
use crate::token::Token;

const AUDIENCE: &str = "RFC 7519 4.1.3";

pub(super) fn add_to(family: &mut Family) {
    audience_without_policy(family);
    audience(family);
    authorized_party(family);
}

fn audience_without_policy(family: &mut Family) {
    let present = [
        ("string", r#""api""#),
        ("issuer", r#""https://acme.torii.so""#),
        ("array", r#"["api"]"#),
        ("empty-array", "[]"),
        ("empty-string", r#""""#),
        ("null", "null"),
    ];
    for (kind, value) in present {
        let reason = "A token that names an audience is for nobody who has not said to be it.";
        family.add(
            Case::new(format!("aud-unconfigured-{kind}"), AUDIENCE, reason)
                .token(Token::valid().claim("aud", value))
                .refused("audience_mismatch"),
        );
    }
}

fn audience(family: &mut Family) {
    let case = |name: &str, reason: &str, configured: &str, token: Token| {
        Case::new(format!("aud-{name}"), AUDIENCE, reason)
            .policy("audiences", configured)
            .token(token)
    };
    let api = r#"["api"]"#;
    let two = r#"["api","admin"]"#;
    let aud = |value: &str| Token::valid().claim("aud", value);
    let reason = "One audience of the token is one of ours.";
    family.add(case("string", reason, api, aud(r#""api""#)));
    family.add(case("array-of-one", reason, api, aud(r#"["api"]"#)));
    family.add(case("first-of-array", reason, api, aud(r#"["api","other"]"#)));
    family.add(case("last-of-array", reason, api, aud(r#"["other","api"]"#)));
    family.add(case("repeated-in-array", reason, api, aud(r#"["api","api"]"#)));
    family.add(case("second-configured", reason, two, aud(r#""admin""#)));
    family.add(case("both-configured", reason, two, aud(r#"["admin","api"]"#)));

    let reason = "Who asks for an audience asks for it to be there.";
    family.add(case("missing", reason, api, Token::valid()).refused("claim_missing:aud"));

    let reason = "Audiences are compared byte for byte.";
    let other = [
        ("other", r#""other""#),
        ("array-of-others", r#"["other","another"]"#),
        ("empty-array", "[]"),
        ("empty-string", r#""""#),
        ("prefix", r#""ap""#),
        ("longer", r#""api2""#),
        ("upper-case", r#""API""#),
        ("trailing-space", r#""api ""#),
        ("list-in-a-string", r#""other api""#),
        ("wildcard", r#""*""#),
    ];
    for (kind, value) in other {
        family.add(case(kind, reason, api, aud(value)).refused("audience_mismatch"));
    }
    let reason = "An audience is a string or an array of strings, to the last element.";
    let wrong = [
        ("null", "null"),
        ("number", "7"),
        ("boolean", "true"),
        ("object", r#"{"api":true}"#),
        ("array-with-number", r#"["api",7]"#),
        ("array-with-null", r#"["api",null]"#),
        ("array-in-array", r#"[["api"]]"#),
        ("array-with-object", r#"[{"api":1},"api"]"#),
    ];
    for (kind, value) in wrong {
        family.add(case(kind, reason, api, aud(value)).refused("claim_type:aud"));
    }
}

fn authorized_party(family: &mut Family) {
    let case = |name: &str, reason: &str, token: Token| {
        Case::new(format!("azp-{name}"), "policy", reason)
            .policy("authorizedParties", r#"["web","https://app.example"]"#)
            .token(token)
    };
    let azp = |value: &str| Token::valid().claim("azp", value);
    family.add(case(
        "first-configured",
        "The party is one of ours.",
        azp(r#""web""#),
    ));
    family.add(case(
        "second-configured",
        "The party is one of ours.",
        azp(r#""https://app.example""#),
    ));
    let reason = "Who asks for a party asks for it to be there.";
    family.add(case("missing", reason, Token::valid()).refused("claim_missing:azp"));
    let reason = "Parties are compared byte for byte.";
    let other = [
        ("other", r#""mobile""#),
        ("empty", r#""""#),
        ("prefix", r#""https://app.exampl""#),
        ("longer", r#""https://app.example.evil.example""#),
        ("upper-case", r#""WEB""#),
        ("trailing-slash", r#""https://app.example/""#),
    ];
    for (kind, value) in other {
        family.add(case(kind, reason, azp(value)).refused("audience_mismatch"));
    }
    let reason = "A party is one string.";
    for (kind, value) in [
        ("null", "null"),
        ("number", "7"),
        ("boolean", "true"),
        ("array", r#"["web"]"#),
        ("object", "{}"),
    ] {
        family.add(case(kind, reason, azp(value)).refused("claim_type:azp"));
    }
    let reason = "Nobody asked for a party, so the claim is not read.";
    for (kind, value) in [("string", r#""anything""#), ("number", "7"), ("null", "null")] {
        let case = Case::new(format!("azp-unconfigured-{kind}"), "policy", reason);
        family.add(case.token(azp(value)));
    }
}
