//! What the claims say, each in a token that is well signed.

mod audience;
mod identity;
mod profile;
mod time;

use crate::case::{Case, Family};
use crate::json::quoted;
use crate::key::default_key_set;
use crate::token::{NOW, Token};

pub(super) fn family() -> Family {
    let mut family = Family::new("claims");
    family.key_set("default", default_key_set());
    identity::add_to(&mut family);
    time::add_to(&mut family);
    audience::add_to(&mut family);
    profile::add_to(&mut family);
    precedence(&mut family);
    family
}

/// Each row fails two neighbouring checks: the earlier one decides.
fn precedence(family: &mut Family) {
    let valid = Token::valid;
    let future = NOW + 1000;
    let rows = [
        (
            "iss-before-exp",
            valid()
                .claim("iss", quoted("https://evil.example"))
                .claim("exp", 0),
            "issuer_mismatch",
        ),
        (
            "exp-before-sub",
            valid().claim("exp", 0).without_claim("sub"),
            "expired",
        ),
        (
            "exp-type-before-sub",
            valid().claim("exp", "null").without_claim("sub"),
            "claim_type:exp",
        ),
        (
            "sub-before-pid",
            valid().without_claim("sub").without_claim("pid"),
            "claim_missing:sub",
        ),
        (
            "pid-before-iat",
            valid().without_claim("pid").without_claim("iat"),
            "claim_missing:pid",
        ),
        (
            "iat-before-nbf",
            valid().claim("iat", future).claim("nbf", future),
            "iat_in_future",
        ),
        (
            "nbf-before-aud",
            valid().claim("nbf", future).claim("aud", quoted("other")),
            "not_yet_valid",
        ),
        (
            "aud-before-azp",
            valid().claim("aud", quoted("other")).claim("azp", 7),
            "audience_mismatch",
        ),
        (
            "azp-before-jti",
            valid()
                .claim("aud", quoted("api"))
                .claim("azp", 7)
                .claim("jti", 7),
            "claim_type:azp",
        ),
        (
            "jti-before-impersonating",
            valid()
                .claim("aud", quoted("api"))
                .claim("azp", quoted("web"))
                .claim("jti", 7)
                .claim("impersonating", 7),
            "claim_type:jti",
        ),
    ];
    for (name, token, code) in rows {
        let reason = "Two faults in one token: the check that comes first decides.";
        let case = Case::new(format!("order-{name}"), "policy", reason).token(token);
        let case = case
            .policy("audiences", r#"["api"]"#)
            .policy("authorizedParties", r#"["web"]"#);
        family.add(case.refused(code));
    }
}
