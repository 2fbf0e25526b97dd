//! `exp`, `iat` and `nbf` against the clock.

use std::fmt::Display;

use crate::case::{Auth, Case, Family};
use crate::token::{EXPIRES_AT, LEEWAY, NOW, Token};

/// The largest integer that every JSON parser keeps exact: 2^53 - 1.
const MAX_TIME: i64 = 9_007_199_254_740_991;
/// The most that a policy may forgive, in seconds.
const MAX_LEEWAY: i64 = 300;

pub(super) fn add_to(family: &mut Family) {
    types(family);
    expiry(family);
    issue(family);
    not_before(family);
    leeway(family);
    clocks(family);
}

fn types(family: &mut Family) {
    let claims = [
        ("exp", "RFC 7519 4.1.4"),
        ("iat", "RFC 7519 4.1.6"),
        ("nbf", "RFC 7519 4.1.5"),
    ];
    let wrong = [
        ("null", "null", "Null is no time, and not the absence of one."),
        ("string", r#""1790000000""#, "A time is a number, not its digits."),
        ("empty-string", r#""""#, "A time is a number."),
        (
            "date",
            r#""2026-09-21T14:13:20Z""#,
            "A time is a number, not a date.",
        ),
        (
            "true",
            "true",
            "A boolean is no number, also where a language counts it as 1.",
        ),
        ("array", "[1790000000]", "A time is a number."),
        ("object", "{}", "A time is a number."),
        ("negative", "-1", "Times start at the epoch."),
        (
            "negative-fraction",
            "-0.5",
            "Below the epoch by half a second is below the epoch.",
        ),
        (
            "beyond-53-bits",
            "9007199254740992",
            "Beyond 2^53 - 1 parsers disagree about the number.",
        ),
        (
            "beyond-64-bits",
            "99999999999999999999",
            "Beyond 2^53 - 1 parsers disagree about the number.",
        ),
        ("huge", "1e300", "A double without a meaning as a time."),
    ];
    for (name, source) in claims {
        for (kind, value, reason) in wrong {
            let source = if (name, kind) == ("nbf", "string") {
                "CVE-2026-25537"
            } else {
                source
            };
            family.add(
                Case::new(format!("{name}-{kind}"), source, reason)
                    .token(Token::valid().claim(name, value))
                    .refused(format!("claim_type:{name}")),
            );
        }
    }
    for (name, source) in &claims[..2] {
        family.add(
            Case::new(
                format!("{name}-missing"),
                *source,
                "A token says when it was made and when it ends.",
            )
            .token(Token::valid().without_claim(name))
            .refused(format!("claim_missing:{name}")),
        );
    }
}

fn expiry(family: &mut Family) {
    let source = "RFC 7519 4.1.4";
    let case = |name: &str, reason: &str, exp: &dyn Display| {
        Case::new(name, source, reason).token(Token::valid().claim("exp", exp))
    };
    let until = |expires_at| Auth {
        expires_at,
        ..Auth::valid()
    };
    let rows = [
        ("exp-ahead", "The token ends in the future.", NOW + 1),
        ("exp-now", "The leeway covers a token that ends this second.", NOW),
        (
            "exp-within-leeway",
            "The last second that the leeway covers.",
            NOW - LEEWAY + 1,
        ),
        ("exp-largest", "The largest exact number is a time.", MAX_TIME),
    ];
    for (name, reason, exp) in rows {
        family.add(case(name, reason, &exp).accepted(until(exp)));
    }
    let rows = [
        (
            "exp-at-leeway",
            "When the leeway is used up the token has expired.",
            NOW - LEEWAY,
        ),
        (
            "exp-past-leeway",
            "One second beyond the leeway.",
            NOW - LEEWAY - 1,
        ),
        ("exp-zero", "The epoch is a time, long past.", 0),
        (
            "exp-in-milliseconds-of-1970",
            "A small number is a time in 1970, not in other units.",
            1_790_000,
        ),
    ];
    for (name, reason, exp) in rows {
        family.add(case(name, reason, &exp).refused("expired"));
    }
    let floored = "A fraction of a second is cut off.";
    family.add(case("exp-fraction", floored, &format!("{EXPIRES_AT}.9")));
    family.add(case(
        "exp-exponent",
        "An exponent is another way to write the number.",
        &"1.7900003e9",
    ));
    family.add(case(
        "exp-fraction-zero",
        "A number with a fraction of zero is an integer.",
        &format!("{EXPIRES_AT}.0"),
    ));
    let at_leeway = format!("{}.999", NOW - LEEWAY);
    family.add(case("exp-fraction-at-leeway", floored, &at_leeway).refused("expired"));
    let nearest = "A number is the nearest double, however many digits it has.";
    let long = format!("{}.99999980000", NOW - LEEWAY);
    family.add(case("exp-fraction-of-many-digits", nearest, &long).refused("expired"));
}

fn issue(family: &mut Family) {
    let source = "RFC 7519 4.1.6";
    let case = |name: &str, reason: &str, iat: &dyn Display| {
        Case::new(name, source, reason).token(Token::valid().claim("iat", iat))
    };
    let at = |issued_at| Auth {
        issued_at,
        ..Auth::valid()
    };
    let rows = [
        ("iat-now", "Made this second.", NOW),
        (
            "iat-at-leeway",
            "The issuer's clock may be ahead by the leeway.",
            NOW + LEEWAY,
        ),
        ("iat-zero", "An old token is as good as its expiry says.", 0),
    ];
    for (name, reason, iat) in rows {
        family.add(case(name, reason, &iat).accepted(at(iat)));
    }
    let rows = [
        (
            "iat-past-leeway",
            "One second more than the leeway forgives.",
            NOW + LEEWAY + 1,
        ),
        (
            "iat-in-milliseconds",
            "Milliseconds are a far future in seconds.",
            NOW * 1000,
        ),
        (
            "iat-largest",
            "The largest exact number is a time, far ahead.",
            MAX_TIME,
        ),
    ];
    for (name, reason, iat) in rows {
        family.add(case(name, reason, &iat).refused("iat_in_future"));
    }
    let floored = format!("{}.9", NOW + LEEWAY);
    family.add(
        case(
            "iat-fraction-at-leeway",
            "A fraction of a second is cut off.",
            &floored,
        )
        .accepted(at(NOW + LEEWAY)),
    );
    let reason = "The two times are compared with the clock, not with each other.";
    let backwards = Token::valid().claim("iat", NOW + 20).claim("exp", NOW + 10);
    let auth = Auth {
        issued_at: NOW + 20,
        expires_at: NOW + 10,
        ..Auth::valid()
    };
    family.add(
        Case::new("iat-after-exp", "policy", reason)
            .token(backwards)
            .accepted(auth),
    );
}

fn not_before(family: &mut Family) {
    let source = "RFC 7519 4.1.5";
    let case = |name: &str, reason: &str, nbf: &dyn Display| {
        Case::new(name, source, reason).token(Token::valid().claim("nbf", nbf))
    };
    family.add(case("nbf-now", "Good from this second on.", &NOW));
    family.add(case("nbf-zero", "Good since the epoch.", &0));
    family.add(case(
        "nbf-at-leeway",
        "The issuer's clock may be ahead by the leeway.",
        &(NOW + LEEWAY),
    ));
    let reason = "One second more than the leeway forgives.";
    family.add(case("nbf-past-leeway", reason, &(NOW + LEEWAY + 1)).refused("not_yet_valid"));
    let reason = "The largest exact number is a time, far ahead.";
    family.add(case("nbf-largest", reason, &MAX_TIME).refused("not_yet_valid"));
    let reason = "A fraction of a second is cut off.";
    family.add(case(
        "nbf-fraction-at-leeway",
        reason,
        &format!("{}.9", NOW + LEEWAY),
    ));
}

fn leeway(family: &mut Family) {
    let case = |name: String, reason: &str, leeway: i64, claim: &str, time: i64| {
        Case::new(name, "RFC 7519 4.1.4", reason)
            .policy("leewaySeconds", leeway)
            .token(Token::valid().claim(claim, time))
    };
    for leeway in [0, 1, MAX_LEEWAY] {
        let named = |kind: &str| format!("{kind}-with-leeway-{leeway}");
        let exp = NOW - leeway;
        let ended = "The configured leeway is used up.";
        family.add(case(named("exp-at"), ended, leeway, "exp", exp).refused("expired"));
        let auth = Auth {
            expires_at: exp + 1,
            ..Auth::valid()
        };
        let last = "The last second that the configured leeway covers.";
        family.add(case(named("exp-within"), last, leeway, "exp", exp + 1).accepted(auth));
        let ahead = "The configured leeway and not a second more.";
        let auth = Auth {
            issued_at: NOW + leeway,
            ..Auth::valid()
        };
        family.add(case(named("iat-at"), ahead, leeway, "iat", NOW + leeway).accepted(auth));
        family.add(case(named("iat-past"), ahead, leeway, "iat", NOW + leeway + 1).refused("iat_in_future"));
        family.add(case(named("nbf-at"), ahead, leeway, "nbf", NOW + leeway));
        family.add(case(named("nbf-past"), ahead, leeway, "nbf", NOW + leeway + 1).refused("not_yet_valid"));
    }
}

/// The same token under other clocks.
fn clocks(family: &mut Family) {
    let case = |name: &str, reason: &str, now: i64, token: Token| {
        Case::new(name, "policy", reason).now(now).token(token)
    };
    let young = || Token::valid().claim("iat", 0).claim("exp", 0);
    let auth = Auth {
        issued_at: 0,
        expires_at: 0,
        ..Auth::valid()
    };
    let reason = "The leeway reaches below the epoch; the subtraction must not wrap around.";
    family.add(case("clock-near-the-epoch", reason, LEEWAY - 1, young()).accepted(auth));
    let reason = "The same token one second later.";
    family.add(case("clock-at-the-leeway-after-the-epoch", reason, LEEWAY, young()).refused("expired"));
    let reason = "Times beyond 2038 are times.";
    let late = 1 << 33;
    let auth = Auth {
        issued_at: late,
        expires_at: late + 60,
        ..Auth::valid()
    };
    let token = Token::valid().claim("iat", late).claim("exp", late + 60);
    family.add(case("clock-beyond-32-bits", reason, late, token).accepted(auth));
    let reason = "The clock stands before the token was made, as after a reset.";
    family.add(case("clock-before-the-token", reason, 1_000, Token::valid()).refused("iat_in_future"));
    let reason = "The last second of a good token, leeway included.";
    let last = EXPIRES_AT + LEEWAY - 1;
    family.add(case("clock-at-the-last-second", reason, last, Token::valid()));
    let reason = "One second later it has expired.";
    family.add(case("clock-past-the-last-second", reason, last + 1, Token::valid()).refused("expired"));
}
