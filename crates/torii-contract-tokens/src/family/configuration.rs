//! What a verifier may be configured with. There is no token: the answer comes when the verifier is built.

use crate::case::{Case, Family};
use crate::json::quoted;
use crate::token::ISSUER;

const JWKS_PATH: &str = "/_torii/.well-known/jwks.json";
/// The longest issuer, in bytes.
const MAX_ISSUER: usize = 2048;

pub(super) fn family() -> Family {
    let mut family = Family::new("configuration");
    issuers(&mut family);
    loopback(&mut family);
    insecure(&mut family);
    schemes(&mut family);
    parts(&mut family);
    characters(&mut family);
    sizes_and_types(&mut family);
    leeway(&mut family);
    lists(&mut family);
    header_names(&mut family);
    family
}

fn issuer(name: impl Into<String>, source: &str, reason: &str, issuer: &str) -> Case {
    Case::new(name, source, reason).policy("issuer", quoted(issuer))
}

/// Each row: the case, the issuer, and the base of its key set's URL.
fn issuers(family: &mut Family) {
    let rows = [
        ("plain", "https://acme.torii.so", "https://acme.torii.so"),
        ("one-slash", "https://acme.torii.so/", "https://acme.torii.so"),
        (
            "three-slashes",
            "https://acme.torii.so///",
            "https://acme.torii.so",
        ),
        (
            "custom-domain",
            "https://torii.example.com",
            "https://torii.example.com",
        ),
        ("path", "https://torii.example/acme", "https://torii.example/acme"),
        (
            "path-and-slash",
            "https://torii.example/tenants/acme/",
            "https://torii.example/tenants/acme",
        ),
        (
            "path-with-escape",
            "https://torii.example/a%2Fb",
            "https://torii.example/a%2Fb",
        ),
        (
            "path-with-at-sign",
            "https://torii.example/@acme",
            "https://torii.example/@acme",
        ),
        ("port", "https://acme.torii.so:8443", "https://acme.torii.so:8443"),
        ("trailing-dot", "https://acme.torii.so.", "https://acme.torii.so."),
        (
            "unicode-host",
            "https://b\u{fc}cher.example",
            "https://xn--bcher-kva.example",
        ),
        (
            "ascii-form-of-unicode-host",
            "https://xn--bcher-kva.example",
            "https://xn--bcher-kva.example",
        ),
        ("ip-address", "https://10.0.0.1", "https://10.0.0.1"),
        (
            "ipv6-address",
            "https://[2001:db8::1]:8443",
            "https://[2001:db8::1]:8443",
        ),
        (
            "loopback-with-tls",
            "https://localhost:8443",
            "https://localhost:8443",
        ),
    ];
    for (name, text, base) in rows {
        let reason = "Any https origin with any path; the key set is below it.";
        let case = issuer(format!("issuer-{name}"), "policy", reason, text);
        family.add(case.configured(format!("{base}{JWKS_PATH}")));
    }
    let rows = [
        ("default-port", "https://acme.torii.so:443"),
        ("default-port-and-path", "https://torii.example:443/acme"),
        ("default-port-of-http", "http://localhost:80"),
        ("upper-case-host", "https://ACME.torii.so"),
        ("upper-case-scheme", "HTTPS://acme.torii.so"),
    ];
    for (name, text) in rows {
        let reason = "No token has this spelling, so every token would be refused.";
        family.add(issuer(format!("issuer-{name}"), "policy", reason, text).refused("config_error"));
    }
}

fn loopback(family: &mut Family) {
    let loopback = [
        ("ipv4", "http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("ipv4-without-port", "http://127.0.0.1", "http://127.0.0.1"),
        (
            "ipv4-with-path",
            "http://127.0.0.1:8787/acme/",
            "http://127.0.0.1:8787/acme",
        ),
        (
            "ipv4-last",
            "http://127.255.255.254:1",
            "http://127.255.255.254:1",
        ),
        ("name", "http://localhost:8787", "http://localhost:8787"),
        ("ipv6", "http://[::1]:8787", "http://[::1]:8787"),
    ];
    for (name, text, base) in loopback {
        let reason = "Plain http never leaves the machine here.";
        let case = issuer(format!("http-loopback-{name}"), "RFC 8252 7.3", reason, text);
        family.add(case.configured(format!("{base}{JWKS_PATH}")));
    }
    let elsewhere = [
        ("host", "http://acme.torii.so"),
        ("all-interfaces", "http://0.0.0.0:8787"),
        ("all-interfaces-ipv6", "http://[::]:8787"),
        ("private-address", "http://10.0.0.1"),
        ("neighbour-below", "http://126.255.255.255"),
        ("neighbour-above", "http://128.0.0.1"),
        ("loopback-as-prefix", "http://127.0.0.1.evil.example"),
        ("localhost-as-prefix", "http://localhost.evil.example"),
        ("localhost-as-suffix", "http://evil-localhost"),
        ("localhost-as-domain", "http://app.localhost"),
        ("localhost-with-dot", "http://localhost."),
        ("localhost-with-number", "http://localhost6"),
        ("localhost-as-user", "http://localhost@evil.example"),
        ("localhost-in-path", "http://evil.example/localhost"),
        ("ipv4-in-ipv6", "http://[::ffff:127.0.0.1]"),
        ("private-ipv4-in-ipv6", "http://[::ffff:10.0.0.1]"),
    ];
    for (name, text) in elsewhere {
        let reason = "Keys fetched over plain http from elsewhere could be anybody's.";
        family.add(issuer(format!("http-{name}"), "policy", reason, text).refused("config_error"));
    }
    let disguised = [
        ("two-parts", "http://127.1"),
        ("three-parts", "http://127.0.1"),
        ("hexadecimal", "http://0x7f.1"),
        ("hexadecimal-whole", "http://0x7f000001"),
        ("octal", "http://0177.0.0.1"),
        ("decimal", "http://2130706433"),
        ("leading-zeros", "http://127.000.000.001"),
        ("trailing-dot", "http://127.0.0.1."),
        ("full-width-digits", "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1"),
        ("percent-encoded", "http://%31%32%37.0.0.1"),
        ("percent-encoded-name", "http://%6cocalhost"),
        ("full-width-name", "http://\u{ff4c}ocalhost"),
        ("ipv6-in-full", "http://[0:0:0:0:0:0:0:1]"),
        ("ipv6-with-zeros", "http://[::0001]"),
    ];
    for (name, text) in disguised {
        let reason = "Some parsers read this as loopback and some do not; loopback is written plainly.";
        family.add(issuer(format!("http-disguised-{name}"), "policy", reason, text).refused("config_error"));
    }
}

/// The setting that permits plain http to another machine, and nothing else.
fn insecure(family: &mut Family) {
    let case = |name: &str, reason: &str, text: &str, allowed: &str| {
        issuer(format!("insecure-{name}"), "policy", reason, text).policy("allowInsecureHttp", allowed)
    };
    let plain = "http://acme.torii.so:8080";
    let reason = "Whoever asks for plain http by name gets it.";
    family.add(case("allowed", reason, plain, "true").configured(format!("{plain}{JWKS_PATH}")));
    let reason = "The setting changes nothing for an issuer with TLS.";
    family.add(case("allowed-beside-tls", reason, ISSUER, "true").configured(format!("{ISSUER}{JWKS_PATH}")));
    let reason = "Saying no is the default.";
    family.add(case("denied", reason, plain, "false").refused("config_error"));
    let reason = "The setting is a boolean.";
    family.add(case("of-another-type", reason, plain, r#""true""#).refused("config_error"));
    let reason = "The setting permits plain http and no other scheme or part.";
    for (name, text) in [
        ("other-scheme", "ftp://acme.torii.so"),
        ("user", "http://user:pw@acme.torii.so"),
        ("query", "http://acme.torii.so?x=1"),
        ("space", "http://acme.torii.so "),
    ] {
        family.add(case(name, reason, text, "true").refused("config_error"));
    }
}

fn schemes(family: &mut Family) {
    let rows = [
        ("none", "acme.torii.so"),
        ("relative", "//acme.torii.so"),
        ("path-only", "/acme"),
        ("ftp", "ftp://acme.torii.so"),
        ("file", "file:///etc/passwd"),
        ("data", r#"data:application/json,{"keys":[]}"#),
        ("javascript", "javascript:alert(1)"),
        ("websocket", "wss://acme.torii.so"),
        ("unix-socket", "http+unix://%2Fvar%2Frun%2Ftorii.sock"),
        ("longer", "httpss://acme.torii.so"),
        ("without-slashes", "https:acme.torii.so"),
        ("one-slash", "https:/acme.torii.so"),
        ("three-slashes", "https:///acme.torii.so"),
        ("loopback-without-slashes", "http:localhost:8787"),
        ("alone", "https://"),
        ("host-missing-with-port", "https://:8443"),
    ];
    for (name, text) in rows {
        let reason = "An issuer starts with `https://` and a host; other texts are not repaired.";
        family.add(issuer(format!("scheme-{name}"), "policy", reason, text).refused("config_error"));
    }
}

fn parts(family: &mut Family) {
    let rows = [
        ("user", "https://user@acme.torii.so"),
        ("user-and-password", "https://user:pw@acme.torii.so"),
        ("user-empty", "https://@acme.torii.so"),
        ("user-and-password-empty", "https://:@acme.torii.so"),
        ("user-like-a-host", "https://acme.torii.so@evil.example"),
        (
            "user-like-a-host-with-port",
            "https://acme.torii.so:443@evil.example",
        ),
        ("query", "https://acme.torii.so?x=1"),
        ("query-after-path", "https://acme.torii.so/acme?x=1"),
        ("query-empty", "https://acme.torii.so?"),
        ("fragment", "https://acme.torii.so#x"),
        ("fragment-after-slash", "https://acme.torii.so/#/x"),
        ("fragment-empty", "https://acme.torii.so#"),
        ("port-too-large", "https://acme.torii.so:65536"),
        ("port-not-a-number", "https://acme.torii.so:https"),
        ("bracket-open", "https://[::1"),
        ("ipv6-wrong", "https://[::g]"),
        ("ipv4-out-of-range", "https://256.256.256.256"),
    ];
    for (name, text) in rows {
        let reason = "An issuer is an origin with an optional path; a key set's URL is made of nothing else.";
        family.add(issuer(format!("part-{name}"), "policy", reason, text).refused("config_error"));
    }
}

fn characters(family: &mut Family) {
    let rows = [
        ("backslash", "https://acme.torii.so\\x"),
        ("backslash-before-at-sign", "https://evil.example\\@acme.torii.so"),
        ("backslashes-for-slashes", "https:\\\\acme.torii.so"),
        ("leading-space", " https://acme.torii.so"),
        ("trailing-space", "https://acme.torii.so "),
        ("space-inside", "https://acme.torii.so/a b"),
        ("trailing-newline", "https://acme.torii.so\n"),
        ("newline-inside", "https://acme\n.torii.so"),
        ("tab-inside", "https://acme\t.torii.so"),
        ("carriage-return", "https://acme.torii.so\r"),
        ("nul", "https://acme.torii.so\0"),
        ("escape", "https://acme.torii.so/\u{1b}[0m"),
        ("delete", "https://acme.torii.so/\u{7f}"),
        ("next-line", "https://acme.torii.so/\u{85}"),
        ("no-break-space", "https://acme.torii.so/\u{a0}"),
        ("line-separator", "https://acme.torii.so/\u{2028}"),
        ("ideographic-space", "https://acme.torii.so\u{3000}"),
    ];
    for (name, text) in rows {
        let reason = "URL parsers drop or change such characters, each in its own way.";
        family.add(issuer(format!("character-{name}"), "policy", reason, text).refused("config_error"));
    }
}

fn sizes_and_types(family: &mut Family) {
    let of_length = |bytes: usize| format!("{ISSUER}/{}", "p".repeat(bytes - ISSUER.len() - 1));
    let largest = of_length(MAX_ISSUER);
    let case = issuer(
        "issuer-of-2048-bytes",
        "policy",
        "The limit itself is fine.",
        &largest,
    );
    family.add(case.configured(format!("{largest}{JWKS_PATH}")));
    let reason = "One byte beyond the limit.";
    family.add(
        issuer(
            "issuer-of-2049-bytes",
            "policy",
            reason,
            &of_length(MAX_ISSUER + 1),
        )
        .refused("config_error"),
    );
    let values = [
        ("empty", r#""""#),
        ("blank", r#""  ""#),
        ("slashes", r#""///""#),
        ("null", "null"),
        ("number", "7"),
        ("boolean", "true"),
        ("array", r#"["https://acme.torii.so"]"#),
    ];
    for (name, value) in values {
        let case = Case::new(
            format!("issuer-{name}"),
            "policy",
            "A verifier has one issuer, given as text.",
        );
        family.add(case.policy("issuer", value).refused("config_error"));
    }
}

fn leeway(family: &mut Family) {
    let case = |name: &str, reason: &str, value: &str| {
        Case::new(format!("leeway-{name}"), "policy", reason).policy("leewaySeconds", value)
    };
    let jwks_url = format!("{ISSUER}{JWKS_PATH}");
    for (name, value) in [("none", "0"), ("default", "30"), ("largest", "300")] {
        let reason = "Whole seconds from none to five minutes.";
        family.add(case(name, reason, value).configured(&jwks_url));
    }
    let refused = [
        ("negative", "-1"),
        ("too-large", "301"),
        ("huge", "1000000000"),
        ("beyond-64-bits", "18446744073709551616"),
        ("string", r#""30""#),
        ("empty-string", r#""""#),
        ("true", "true"),
        ("false", "false"),
        ("array", "[30]"),
        ("object", r#"{"seconds":30}"#),
    ];
    for (name, value) in refused {
        let reason = "A leeway out of range or of another type would keep dead tokens alive.";
        family.add(case(name, reason, value).refused("config_error"));
    }
}

fn lists(family: &mut Family) {
    let jwks_url = format!("{ISSUER}{JWKS_PATH}");
    for (member, name) in [
        ("audiences", "audiences"),
        ("authorizedParties", "authorized-parties"),
        ("types", "types"),
    ] {
        let case = |kind: &str, reason: &str, value: &str| {
            Case::new(format!("{name}-{kind}"), "policy", reason).policy(member, value)
        };
        for (kind, value) in [("one", r#"["JWT"]"#), ("two", r#"["JWT","https://app.example"]"#)] {
            family.add(case(kind, "A list with something in it.", value).configured(&jwks_url));
        }
        let refused = [
            ("empty", "[]"),
            ("of-empty-string", r#"[""]"#),
            ("with-empty-string", r#"["JWT",""]"#),
            ("of-numbers", "[7]"),
            ("with-null", r#"["JWT",null]"#),
            ("string", r#""JWT""#),
            ("empty-string", r#""""#),
            ("number", "7"),
            ("boolean", "true"),
            ("object", r#"{"JWT":true}"#),
        ];
        for (kind, value) in refused {
            let reason = "A list without a text, or another type, would match nobody or anybody.";
            family.add(case(kind, reason, value).refused("config_error"));
        }
    }
}

fn header_names(family: &mut Family) {
    let case = |kind: &str, reason: &str, value: &str| {
        Case::new(format!("header-{kind}"), "RFC 9110 5.6.2", reason).policy("header", value)
    };
    let jwks_url = format!("{ISSUER}{JWKS_PATH}");
    let names = [
        ("authorization", r#""authorization""#),
        ("in-title-case", r#""X-Forwarded-Authorization""#),
        ("of-all-token-characters", r#""!#$%&'*+-.^_`|~09azAZ""#),
    ];
    for (kind, value) in names {
        family.add(case(kind, "A field name is a token.", value).configured(&jwks_url));
    }
    let refused = [
        ("empty", r#""""#),
        ("with-space", r#""x authorization""#),
        ("with-trailing-space", r#""authorization ""#),
        ("with-colon", r#""authorization:""#),
        ("pseudo", r#"":authority""#),
        ("with-comma", r#""a,b""#),
        ("with-slash", r#""a/b""#),
        ("with-quotes", r#""\"a\"""#),
        ("with-line-end", r#""a\r\nb""#),
        ("with-nul", r#""a\u0000""#),
        ("beyond-ascii", r#""autoris\u00e9""#),
        ("number", "7"),
        ("array", r#"["authorization"]"#),
    ];
    for (kind, value) in refused {
        let reason = "A name that no request can carry would refuse everybody.";
        family.add(case(kind, reason, value).refused("config_error"));
    }
}
