//! The payload's JSON. What its members say is the `claims` family.

use crate::case::{Case, Family};
use crate::key::default_key_set;
use crate::token::{Token, seal};
use crate::traps;

pub(super) fn family() -> Family {
    let mut family = Family::new("payload");
    family.key_set("default", default_key_set());
    let valid = Token::valid();
    let header = valid.header_object().to_string();
    for trap in traps::accepted(valid.payload_object()) {
        family.add(Case::new(trap.name, trap.source, trap.reason).token(seal(&header, &trap.bytes)));
    }
    for trap in traps::refused(valid.payload_object()) {
        let case = Case::new(trap.name, trap.source, trap.reason);
        family.add(case.token(seal(&header, &trap.bytes)).refused("malformed"));
    }
    duplicate_claims(&mut family, &header);
    let reason = "A well-formed object without claims lacks the first one that is asked for.";
    family.add(
        Case::new("empty-object", "RFC 7519 7.2", reason)
            .token(seal(&header, "{}"))
            .refused("claim_missing:iss"),
    );
    let reason = "Claims that nobody knows are ignored.";
    let custom = valid
        .claim("https://example.com/plan", r#"{"name":"pro","seats":[1,2,3]}"#)
        .claim("roles", r#"["admin"]"#)
        .claim("ver", "7");
    family.add(Case::new("unknown-claims", "RFC 7519 4", reason).token(custom));
    family
}

fn duplicate_claims(family: &mut Family, header: &str) {
    let members = Token::valid().payload_object().members();
    let rows = [
        ("sub-twice-last", format!(r#"{{{members},"sub":"mallory"}}"#)),
        ("sub-twice-first", format!(r#"{{"sub":"mallory",{members}}}"#)),
        (
            "iss-twice",
            format!(r#"{{{members},"iss":"https://evil.example"}}"#),
        ),
        ("exp-twice", format!(r#"{{{members},"exp":9007199254740991}}"#)),
        (
            "exp-twice-with-escape",
            format!(r#"{{{members},"\u0065xp":9007199254740991}}"#),
        ),
        (
            "act-with-sub-twice",
            format!(r#"{{{members},"act":{{"sub":"a","sub":"b"}}}}"#),
        ),
    ];
    for (name, payload) in rows {
        let reason = "Two readers of one token must not see two values.";
        family.add(
            Case::new(name, "RFC 7519 4", reason)
                .token(seal(header, payload))
                .refused("malformed"),
        );
    }
}
