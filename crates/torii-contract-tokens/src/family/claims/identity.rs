//! `iss`, `sub` and `pid`: whose token, and where.

use crate::case::{Auth, Case, Family};
use crate::json::quoted;
use crate::token::{ISSUER, Token};

pub(super) fn add_to(family: &mut Family) {
    required_texts(family);
    foreign_issuers(family);
    spelled_issuers(family);
    unusual_ids(family);
    token_id(family);
}

fn token_id(family: &mut Family) {
    let case = |kind: &str, reason: &str, value: &str| {
        Case::new(format!("jti-{kind}"), "RFC 7519 4.1.7", reason).token(Token::valid().claim("jti", value))
    };
    for (kind, value) in [("string", quoted("token-1")), ("empty", quoted(""))] {
        family.add(case(kind, "The name of a token is not looked at.", &value));
    }
    for (kind, value) in [
        ("null", "null"),
        ("number", "7"),
        ("boolean", "true"),
        ("array", r#"["token-1"]"#),
        ("object", "{}"),
    ] {
        let reason = "The name of a token is a string, if it has one.";
        family.add(case(kind, reason, value).refused("claim_type:jti"));
    }
}

fn required_texts(family: &mut Family) {
    for (name, source) in [
        ("iss", "RFC 7519 4.1.1"),
        ("sub", "RFC 7519 4.1.2"),
        ("pid", "policy"),
    ] {
        let reason = "Without this claim the token does not say whose it is.";
        family.add(
            Case::new(format!("{name}-missing"), source, reason)
                .token(Token::valid().without_claim(name))
                .refused(format!("claim_missing:{name}")),
        );
        let wrong = [
            ("null", "null".to_owned()),
            ("empty", quoted("")),
            ("number", "7".to_owned()),
            ("boolean", "true".to_owned()),
            ("array", format!("[{}]", quoted(ISSUER))),
            ("object", format!(r#"{{"id":{}}}"#, quoted(ISSUER))),
        ];
        for (kind, value) in wrong {
            let source = if (name, kind) == ("iss", "array") {
                "CVE-2025-30144"
            } else {
                source
            };
            family.add(
                Case::new(
                    format!("{name}-{kind}"),
                    source,
                    "The claim is a string that is not empty.",
                )
                .token(Token::valid().claim(name, value))
                .refused(format!("claim_type:{name}")),
            );
        }
    }
}

fn foreign_issuers(family: &mut Family) {
    let foreign = [
        ("another-host", "https://evil.torii.so"),
        ("prefix", "https://acme.torii.s"),
        ("scheme-only", "https://"),
        ("longer-host", "https://acme.torii.so.evil.example"),
        ("longer-first-label", "https://not-acme.torii.so"),
        ("with-path", "https://acme.torii.so/other"),
        ("with-slash", "https://acme.torii.so/"),
        ("upper-case-host", "https://ACME.torii.so"),
        ("upper-case-scheme", "HTTPS://acme.torii.so"),
        ("plain-http", "http://acme.torii.so"),
        ("without-scheme", "acme.torii.so"),
        ("default-port", "https://acme.torii.so:443"),
        ("user-information", "https://acme.torii.so@evil.example"),
        ("query", "https://acme.torii.so?"),
        ("fragment", "https://acme.torii.so#"),
        ("trailing-dot", "https://acme.torii.so."),
        ("leading-space", " https://acme.torii.so"),
        ("trailing-newline", "https://acme.torii.so\n"),
        ("trailing-nul", "https://acme.torii.so\0.evil.example"),
        ("percent-encoded", "https://acme%2Etorii.so"),
        ("cyrillic-letter", "https://\u{430}cme.torii.so"),
        ("full-width-dot", "https://acme\u{ff0e}torii.so"),
        ("list", "https://evil.example https://acme.torii.so"),
    ];
    for (kind, issuer) in foreign {
        let source = if kind == "prefix" {
            "CVE-2024-53861"
        } else {
            "RFC 8725 3.8"
        };
        family.add(
            Case::new(
                format!("iss-{kind}"),
                source,
                "Issuers are compared byte for byte; nothing is normalised.",
            )
            .token(Token::valid().claim("iss", quoted(issuer)))
            .refused("issuer_mismatch"),
        );
    }
}

/// Each row: the case, the issuer as configured, as the token has it, and whether they are one.
fn spelled_issuers(family: &mut Family) {
    let rows = [
        (
            "slash-configured-and-claimed",
            "https://acme.torii.so/",
            "https://acme.torii.so/",
            true,
        ),
        (
            "slash-configured-only",
            "https://acme.torii.so/",
            "https://acme.torii.so",
            true,
        ),
        (
            "slash-configured-two-claimed",
            "https://acme.torii.so/",
            "https://acme.torii.so//",
            false,
        ),
        (
            "slashes-configured-and-claimed",
            "https://acme.torii.so///",
            "https://acme.torii.so///",
            true,
        ),
        (
            "slashes-configured-only",
            "https://acme.torii.so///",
            "https://acme.torii.so",
            true,
        ),
        (
            "slashes-configured-one-claimed",
            "https://acme.torii.so///",
            "https://acme.torii.so/",
            false,
        ),
        (
            "path-equal",
            "https://torii.example/acme",
            "https://torii.example/acme",
            true,
        ),
        (
            "path-claimed-with-slash",
            "https://torii.example/acme",
            "https://torii.example/acme/",
            false,
        ),
        (
            "path-not-claimed",
            "https://torii.example/acme",
            "https://torii.example",
            false,
        ),
        (
            "path-of-another-tenant",
            "https://torii.example/acme",
            "https://torii.example/acme2",
            false,
        ),
        (
            "path-with-dot-segments",
            "https://torii.example/acme",
            "https://torii.example/x/../acme",
            false,
        ),
        (
            "upper-case-configured-and-claimed",
            "https://torii.example/ACME",
            "https://torii.example/ACME",
            true,
        ),
        (
            "upper-case-configured-only",
            "https://torii.example/ACME",
            "https://torii.example/acme",
            false,
        ),
        (
            "port-configured-and-claimed",
            "https://acme.torii.so:8443",
            "https://acme.torii.so:8443",
            true,
        ),
        (
            "port-configured-only",
            "https://acme.torii.so:8443",
            "https://acme.torii.so",
            false,
        ),
        (
            "unicode-configured-and-claimed",
            "https://b\u{fc}cher.example",
            "https://b\u{fc}cher.example",
            true,
        ),
        (
            "unicode-configured-ascii-claimed",
            "https://b\u{fc}cher.example",
            "https://xn--bcher-kva.example",
            false,
        ),
        ("loopback", "http://127.0.0.1:8787", "http://127.0.0.1:8787", true),
        (
            "loopback-by-another-name",
            "http://127.0.0.1:8787",
            "http://localhost:8787",
            false,
        ),
    ];
    for (name, configured, claimed, same) in rows {
        let reason =
            "The claim equals the configured text, as given or without its trailing slashes; nothing else.";
        let case = Case::new(format!("iss-{name}"), "RFC 8725 3.8", reason)
            .policy("issuer", quoted(configured))
            .token(Token::valid().claim("iss", quoted(claimed)));
        family.add(match same {
            true => case.accepted(Auth {
                issuer: claimed.to_owned(),
                ..Auth::valid()
            }),
            false => case.refused("issuer_mismatch"),
        });
    }
}

fn unusual_ids(family: &mut Family) {
    let ids = [
        ("not-a-uuid", "user_42"),
        ("upper-case", "01991F3C-7A10-7C41-9D2E-5B6F0A8C1E01"),
        ("beyond-ascii", "J\u{f8}rgen \u{1f600}"),
    ];
    for (kind, id) in ids {
        let reason = "An id is kept as it came; its form is the issuer's affair.";
        let text = id.to_owned();
        let sub = Token::valid().claim("sub", quoted(id));
        let auth = Auth {
            user_id: text.clone(),
            ..Auth::valid()
        };
        family.add(
            Case::new(format!("sub-{kind}"), "policy", reason)
                .token(sub)
                .accepted(auth),
        );
        let pid = Token::valid().claim("pid", quoted(id));
        let auth = Auth {
            environment_id: text,
            ..Auth::valid()
        };
        family.add(
            Case::new(format!("pid-{kind}"), "policy", reason)
                .token(pid)
                .accepted(auth),
        );
    }
}
