//! `typ`: what the token was made for.

use super::NOT_A_TEXT;
use crate::case::{Case, Family};
use crate::json::quoted;
use crate::token::Token;

pub(super) fn kinds(family: &mut Family) {
    let source = "RFC 7519 5.1";
    let allowed = [
        ("jwt", "JWT"),
        ("jwt-in-lower-case", "jwt"),
        ("jwt-in-title-case", "Jwt"),
        ("jwt-with-prefix", "application/jwt"),
        ("jwt-with-prefix-in-upper-case", "APPLICATION/JWT"),
        ("access-token", "at+jwt"),
        ("access-token-in-upper-case", "AT+JWT"),
        ("access-token-with-prefix", "application/at+jwt"),
        ("access-token-with-prefix-in-title-case", "Application/At+Jwt"),
    ];
    for (kind, value) in allowed {
        let reason = "Media types are compared in any case, with or without `application/`.";
        let token = Token::valid().header("typ", quoted(value));
        family.add(Case::new(format!("typ-allowed-{kind}"), source, reason).token(token));
    }
    for (kind, value) in NOT_A_TEXT {
        let case = Case::new(format!("typ-{kind}"), "RFC 7515 4.1.9", "The type is a string.");
        family.add(
            case.token(Token::valid().header("typ", value))
                .refused("typ_not_allowed"),
        );
    }
    let refused = [
        ("empty", ""),
        ("application-alone", "application/"),
        ("application-twice", "application/application/jwt"),
        ("other-separator", "application-jwt"),
        ("other-tree", "text/jwt"),
        ("jose", "JOSE"),
        ("id-token", "id_token+jwt"),
        ("logout-token", "logout+jwt"),
        ("security-event", "secevent+jwt"),
        ("proof-of-possession", "dpop+jwt"),
        ("disclosure", "dc+sd-jwt"),
        ("leading-space", " JWT"),
        ("trailing-space", "JWT "),
        ("with-parameter", "JWT;charset=utf-8"),
        ("prefix", "JW"),
        ("dotless-i", "appl\u{131}cation/jwt"),
    ];
    for (kind, value) in refused {
        let reason = "A token made for another use must not pass as an access token.";
        let token = Token::valid().header("typ", quoted(value));
        family.add(
            Case::new(format!("typ-refused-{kind}"), "RFC 8725 3.11", reason)
                .token(token)
                .refused("typ_not_allowed"),
        );
    }
}

pub(super) fn configured_kinds(family: &mut Family) {
    let case = |name: &str, reason: &str, types: &str, token: Token| {
        Case::new(name, "RFC 8725 3.11", reason)
            .policy("types", types)
            .token(token)
    };
    let typed = |kind: &str| Token::valid().header("typ", quoted(kind));
    let only_at = r#"["at+jwt"]"#;
    let custom = r#"["JWT","application/acme+jwt"]"#;
    let reason = "A configured list replaces the default one.";
    family.add(case("types-configured-match", reason, only_at, typed("at+jwt")));
    family.add(case(
        "types-configured-match-with-prefix",
        reason,
        only_at,
        typed("application/AT+jwt"),
    ));
    family.add(case("types-configured-no-match", reason, only_at, typed("JWT")).refused("typ_not_allowed"));
    let reason = "Who asks for a type asks for it to be there.";
    family.add(case("types-configured-absent", reason, only_at, Token::valid()).refused("typ_not_allowed"));
    let reason = "A configured name is as free in case and prefix as the token's.";
    family.add(case(
        "types-configured-with-prefix",
        reason,
        custom,
        typed("ACME+JWT"),
    ));
    family.add(case("types-configured-second", reason, custom, typed("jwt")));
    family.add(case("types-configured-neither", reason, custom, typed("at+jwt")).refused("typ_not_allowed"));
}
