//! From header lines to the token. A pair is one field line as it was received.

mod malformed;

use crate::case::{Case, Family};
use crate::json::quoted;
use crate::key::default_key_set;
use crate::token::{MAX_TOKEN, Token, token_of_length};

/// The longest header value: a token and room for the scheme and its spaces.
const MAX_VALUE: usize = MAX_TOKEN + 64;
const FIELD: &str = "RFC 9110 5.5";
const SCHEME: &str = "RFC 9110 11.4";

pub(super) fn family() -> Family {
    let mut family = Family::new("authorization");
    family.key_set("default", default_key_set());
    let token = Token::valid().text();
    accepted(&mut family, &token);
    missing(&mut family, &token);
    ambiguous(&mut family, &token);
    malformed::malformed_lines(&mut family, &token);
    malformed::bytes(&mut family, &token);
    malformed::malformed_tokens(&mut family, &token);
    sizes(&mut family);
    other_header(&mut family, &token);
    refused_tokens(&mut family);
    family
}

fn accepted(family: &mut Family, token: &str) {
    let rows = [
        (
            "plain",
            "RFC 6750 2.1",
            "The scheme, a space, the token.",
            format!("Bearer {token}"),
        ),
        (
            "scheme-in-lower-case",
            "RFC 9110 11.1",
            "The scheme is compared in any case.",
            format!("bearer {token}"),
        ),
        (
            "scheme-in-upper-case",
            "RFC 9110 11.1",
            "The scheme is compared in any case.",
            format!("BEARER {token}"),
        ),
        (
            "scheme-in-mixed-case",
            "RFC 9110 11.1",
            "The scheme is compared in any case.",
            format!("bEaReR {token}"),
        ),
        (
            "two-spaces",
            SCHEME,
            "One space or more end the scheme.",
            format!("Bearer  {token}"),
        ),
        (
            "many-spaces",
            SCHEME,
            "One space or more end the scheme.",
            format!("Bearer{}{token}", " ".repeat(20)),
        ),
        (
            "leading-space",
            FIELD,
            "Whitespace around a value is not part of it.",
            format!(" Bearer {token}"),
        ),
        (
            "trailing-space",
            FIELD,
            "Whitespace around a value is not part of it.",
            format!("Bearer {token}  "),
        ),
        (
            "tabs-around",
            FIELD,
            "Whitespace around a value is a space or a tab.",
            format!("\t Bearer {token} \t"),
        ),
    ];
    for (name, source, reason, value) in rows {
        family.add(line(name, source, reason, value));
    }
    for (kind, field) in [
        ("title-case", "Authorization"),
        ("upper-case", "AUTHORIZATION"),
        ("mixed-case", "aUTHORIZATION"),
    ] {
        let reason = "Field names are compared in any case.";
        let case = Case::new(format!("name-in-{kind}"), "RFC 9110 5.1", reason);
        family.add(case.headers([(field, format!("Bearer {token}"))]));
    }
    let among = [
        ("host", "api.example".to_owned()),
        ("authorization", format!("Bearer {token}")),
        ("x-torii-user-id", "admin".to_owned()),
        ("cookie", "session=other".to_owned()),
    ];
    let reason = "Other lines neither help nor hurt, and none of them names the user.";
    family.add(Case::new("among-other-lines", "RFC 6750 2.1", reason).headers(among));
}

fn missing(family: &mut Family, token: &str) {
    let bearer = format!("Bearer {token}");
    let rows = [
        ("no-lines", vec![]),
        ("value-empty", vec![("authorization", String::new())]),
        ("value-of-spaces", vec![("authorization", "   ".to_owned())]),
        ("value-of-tabs", vec![("authorization", "\t\t".to_owned())]),
        (
            "token-in-cookie",
            vec![("cookie", format!("authorization={token}; __session={token}"))],
        ),
        (
            "token-in-other-header",
            vec![("x-access-token", token.to_owned())],
        ),
        (
            "token-in-forwarded-header",
            vec![("x-forwarded-authorization", bearer.clone())],
        ),
        (
            "token-for-the-proxy",
            vec![("proxy-authorization", bearer.clone())],
        ),
        (
            "name-with-underscore",
            vec![("http_authorization", bearer.clone())],
        ),
        ("name-longer", vec![("authorization2", bearer)]),
    ];
    for (name, lines) in rows {
        let reason = "Nothing in the Authorization header, and no other place is looked at.";
        family.add(
            Case::new(name, "RFC 6750 3.1", reason)
                .headers(lines)
                .refused("header_missing"),
        );
    }
}

fn ambiguous(family: &mut Family, token: &str) {
    let bearer = || format!("Bearer {token}");
    let other = Token::valid().claim("sub", quoted("mallory")).text();
    let rows = [
        (
            "two-lines-identical",
            vec![("authorization", bearer()), ("authorization", bearer())],
        ),
        (
            "two-lines-different",
            vec![
                ("authorization", bearer()),
                ("authorization", format!("Bearer {other}")),
            ],
        ),
        (
            "two-lines-names-in-two-cases",
            vec![("Authorization", bearer()), ("authorization", bearer())],
        ),
        (
            "two-lines-apart",
            vec![
                ("authorization", bearer()),
                ("host", "api.example".to_owned()),
                ("authorization", bearer()),
            ],
        ),
        (
            "two-lines-first-empty",
            vec![("authorization", String::new()), ("authorization", bearer())],
        ),
        (
            "two-lines-last-empty",
            vec![("authorization", bearer()), ("authorization", String::new())],
        ),
        (
            "two-lines-both-empty",
            vec![("authorization", String::new()), ("authorization", String::new())],
        ),
        (
            "two-lines-of-two-schemes",
            vec![
                ("authorization", "Basic dTpw".to_owned()),
                ("authorization", bearer()),
            ],
        ),
        (
            "three-lines",
            vec![
                ("authorization", bearer()),
                ("authorization", bearer()),
                ("authorization", bearer()),
            ],
        ),
    ];
    for (name, lines) in rows {
        let reason = "Two layers that each take another line would see two users.";
        family.add(
            Case::new(name, "RFC 9110 5.3", reason)
                .headers(lines)
                .refused("header_ambiguous"),
        );
    }
}

fn sizes(family: &mut Family) {
    let scheme = "Bearer";
    let largest = token_of_length(MAX_TOKEN);
    let spaces = " ".repeat(MAX_VALUE - scheme.len() - MAX_TOKEN);
    let reason = "The largest token with as many spaces as the limit leaves.";
    family.add(line(
        "largest-value",
        "policy",
        reason,
        format!("{scheme}{spaces}{largest}"),
    ));
    let reason = "One space beyond the limit.";
    family.add(
        line(
            "value-too-large",
            "policy",
            reason,
            format!("{scheme} {spaces}{largest}"),
        )
        .refused("too_large"),
    );
    let reason = "The value is short enough and its token is not.";
    let token = token_of_length(MAX_TOKEN + 1);
    family.add(line("token-too-large", "policy", reason, format!("{scheme} {token}")).refused("too_large"));
    let commas = "Bearer a,".repeat(MAX_VALUE / 9 + 1);
    let reason = "Size is checked before anything is split.";
    family.add(line("list-too-large", "CVE-2025-30204", reason, commas).refused("too_large"));
}

/// The policy may name another header; then that one is read, and no other.
fn other_header(family: &mut Family, token: &str) {
    let bearer = || format!("Bearer {token}");
    let case = |name: &str, reason: &str, lines: Vec<(&'static str, String)>| {
        Case::new(format!("other-header-{name}"), "policy", reason)
            .policy("header", quoted("X-Forwarded-Authorization"))
            .headers(lines)
    };
    const OTHER: &str = "x-forwarded-authorization";
    let reason = "The configured header is read by the same rules.";
    family.add(case("plain", reason, vec![(OTHER, bearer())]));
    family.add(case(
        "in-upper-case",
        reason,
        vec![("X-FORWARDED-AUTHORIZATION", bearer())],
    ));
    let stranger = Token::valid().claim("sub", quoted("mallory")).text();
    let lines = vec![("authorization", format!("Bearer {stranger}")), (OTHER, bearer())];
    family.add(case(
        "beside-authorization",
        "The Authorization header is not read.",
        lines,
    ));
    let lines = vec![("authorization", "Basic dTpw".to_owned()), (OTHER, bearer())];
    family.add(case(
        "beside-basic",
        "The Authorization header is not read.",
        lines,
    ));
    let reason = "The Authorization header does not stand in for the configured one.";
    family.add(case("missing", reason, vec![("authorization", bearer())]).refused("header_missing"));
    let reason = "A header of one's own choice may hold the token alone.";
    family.add(case("without-scheme", reason, vec![(OTHER, token.to_owned())]));
    let reason = "The scheme alone is not a token.";
    family.add(case("scheme-alone", reason, vec![(OTHER, "Bearer".to_owned())]).refused("header_malformed"));
    let reason = "Another scheme does not carry a token.";
    family.add(
        case("other-scheme", reason, vec![(OTHER, format!("Token {token}"))]).refused("header_malformed"),
    );
    let reason = "Two lines are two lines in any header.";
    family.add(case("twice", reason, vec![(OTHER, bearer()), (OTHER, bearer())]).refused("header_ambiguous"));
}

/// A well-formed line leads to the decision about its token.
fn refused_tokens(family: &mut Family) {
    let rows = [
        ("expired", Token::valid().claim("exp", 0).text(), "expired"),
        ("forged", Token::valid().with_signature([1; 64]), "bad_signature"),
        (
            "unsecured",
            Token::valid().header("alg", quoted("none")).text(),
            "alg_not_allowed",
        ),
        (
            "of-unknown-key",
            Token::valid().kid("key-3").text(),
            "kid_unknown",
        ),
    ];
    for (name, token, code) in rows {
        let reason = "The line is good, so the token decides.";
        family.add(
            line(
                format!("token-{name}"),
                "policy",
                reason,
                format!("Bearer {token}"),
            )
            .refused(code),
        );
    }
}

fn line(name: impl Into<String>, source: &str, reason: &str, value: impl Into<String>) -> Case {
    Case::new(name, source, reason).headers([("authorization", value.into())])
}
