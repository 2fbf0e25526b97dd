//! Where a request's token is found, and what is no token.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use torii_backend::{KeySource, Verifier, VerifierBuilder};

use crate::support::tokens::{Key, jwks};

/// A request's fields, as they were received.
type Fields<'f> = [(&'f str, &'f [u8])];

fn builder() -> VerifierBuilder {
    Verifier::builder("https://acme.torii.so").key_source(KeySource::Jwks(jwks(&[&Key::new("first")])))
}

/// The token, or the code of the refusal.
fn found(verifier: &Verifier, fields: &Fields<'_>) -> String {
    let values = |name: &HeaderName| {
        let name = name.as_str().to_owned();
        let named = fields.iter().filter(move |(field, _)| *field == name);
        named.map(|(_, value)| *value).collect::<Vec<_>>().into_iter()
    };
    let counted = |verifier: &Verifier| {
        verifier
            .counts()
            .refused
            .iter()
            .map(|(_, count)| count)
            .sum::<u64>()
    };
    let before = counted(verifier);
    let found = verifier.bearer_token_in(values);
    assert_eq!(
        counted(verifier) - before,
        u64::from(found.is_err()),
        "every refusal is counted once"
    );
    let found = found.map_or_else(|error| error.code().to_string(), str::to_owned);

    // The same from a map of headers, which cannot hold every value.
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return found;
        };
        headers.append(HeaderName::try_from(*name).unwrap(), value);
    }
    let in_map = verifier.bearer_token(&headers);
    assert_eq!(
        in_map.map_or_else(|error| error.code().to_string(), str::to_owned),
        found
    );
    found
}

fn check(verifier: &Verifier, cases: &[(&Fields<'_>, &str)]) {
    for (fields, expected) in cases {
        let shown: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name, String::from_utf8_lossy(value)))
            .collect();
        assert_eq!(found(verifier, fields), *expected, "{shown:?}");
    }
}

#[test]
fn the_header_holds_bearer_and_a_token() {
    let large = [b"Bearer ".to_vec(), vec![b'x'; 20_000]].concat();
    check(
        &builder().build().unwrap(),
        &[
            (&[], "header_missing"),
            (&[("authorization", b"")], "header_missing"),
            (&[("authorization", b" \t ")], "header_missing"),
            (&[("authorization", b"Bearer t.o.k")], "t.o.k"),
            (&[("authorization", b"bEARER t.o.k")], "t.o.k"),
            (&[("authorization", b"\t Bearer   t.o.k \t")], "t.o.k"),
            // What is between is the token's affair.
            (&[("authorization", b"Bearer t.o.k x")], "t.o.k x"),
            (&[("authorization", b"Bearer")], "header_malformed"),
            (&[("authorization", b"Bearer ")], "header_malformed"),
            (&[("authorization", b"t.o.k")], "header_malformed"),
            (&[("authorization", b"Basic dTpw")], "header_malformed"),
            (&[("authorization", b"Bearer\tt.o.k")], "header_malformed"),
            (&[("authorization", b"Bearer t.o\x7f.k")], "header_malformed"),
            (&[("authorization", b"Bearer t.o\0.k")], "header_malformed"),
            (&[("authorization", b"Bearer t.\xc3\xb6.k")], "header_malformed"),
            (&[("authorization", b"Bearer t.\xff.k")], "header_malformed"),
            (&[("authorization", &large)], "too_large"),
            (
                &[
                    ("authorization", b"Bearer t.o.k"),
                    ("authorization", b"Bearer t.o.k"),
                ],
                "header_ambiguous",
            ),
            (
                &[("authorization", b""), ("authorization", b"Bearer t.o.k")],
                "header_ambiguous",
            ),
            // Nobody said that these may hold a token.
            (&[("cookie", b"session=t.o.k")], "header_missing"),
            (&[("sec-websocket-protocol", b"bearer, t.o.k")], "header_missing"),
            (&[("x-token", b"t.o.k")], "header_missing"),
        ],
    );
}

#[test]
fn a_header_of_ones_own_may_hold_the_token_alone() {
    check(
        &builder().header("x-token").build().unwrap(),
        &[
            (&[("x-token", b"t.o.k")], "t.o.k"),
            (&[("x-token", b"Bearer t.o.k")], "t.o.k"),
            (&[("x-token", b"bearer")], "header_malformed"),
            (&[("x-token", b"Basic dTpw")], "header_malformed"),
            (
                &[("x-token", b"t.o.k"), ("x-token", b"t.o.k")],
                "header_ambiguous",
            ),
            (&[("authorization", b"Bearer t.o.k")], "header_missing"),
        ],
    );
    // It is the same header, whoever names it.
    check(
        &builder().header("Authorization").build().unwrap(),
        &[(&[("authorization", b"t.o.k")], "header_malformed")],
    );
}

#[test]
fn a_cookie_holds_the_token_alone() {
    let large = [b"session=".to_vec(), vec![b'x'; 20_000]].concat();
    check(
        &builder().cookie("session").build().unwrap(),
        &[
            (&[], "header_missing"),
            (&[("cookie", b"session=t.o.k")], "t.o.k"),
            (&[("cookie", b"a=1; session=t.o.k; b=2")], "t.o.k"),
            (&[("cookie", b"a=1;session=t.o.k;b=2")], "t.o.k"),
            (&[("cookie", b" session= t.o.k ")], "t.o.k"),
            (&[("cookie", b"session=t.o.k=")], "t.o.k="),
            (&[("cookie", b"a=1"), ("cookie", b"session=t.o.k")], "t.o.k"),
            // Only this name, letter by letter.
            (&[("cookie", b"Session=t.o.k")], "header_missing"),
            (
                &[("cookie", b"xsession=t.o.k; sessionx=t.o.k; a=session=t.o.k")],
                "header_missing",
            ),
            (&[("cookie", b"session; session =t.o.k")], "header_missing"),
            (&[("cookie", b"session=")], "header_missing"),
            (&[("cookie", b"session=t.o.k; session=t.o.k")], "header_ambiguous"),
            (&[("cookie", b"session=; session=t.o.k")], "header_ambiguous"),
            (
                &[("cookie", b"session=t.o.k"), ("cookie", b"session=t.o.k")],
                "header_ambiguous",
            ),
            (&[("cookie", b"session=t.\xff.k")], "header_malformed"),
            // Other cookies are nobody's business.
            (&[("cookie", b"a=\xff; session=t.o.k")], "t.o.k"),
            (&[("cookie", &large)], "too_large"),
        ],
    );
    for name in ["", "a b", "a=b", "a;b", "a\"b", "s\u{e9}ance", "a\tb"] {
        let error = builder().cookie(name).build().unwrap_err().to_string();
        assert!(error.contains("cookie"), "{error}");
    }
    builder().cookie("__Host-session.1").build().unwrap();
}

#[test]
fn among_the_subprotocols_the_token_follows_bearer() {
    let large = [b"bearer, ".to_vec(), vec![b'x'; 20_000]].concat();
    let verifier = builder().websocket_protocol(true).build().unwrap();
    check(
        &verifier,
        &[
            (&[], "header_missing"),
            (&[("sec-websocket-protocol", b"")], "header_missing"),
            (&[("sec-websocket-protocol", b"bearer, t.o.k")], "t.o.k"),
            (&[("sec-websocket-protocol", b"Bearer,t.o.k")], "t.o.k"),
            (&[("sec-websocket-protocol", b"chat, bearer, t.o.k, v2")], "t.o.k"),
            (
                &[
                    ("sec-websocket-protocol", b"chat"),
                    ("sec-websocket-protocol", b"bearer, t.o.k"),
                ],
                "t.o.k",
            ),
            (
                &[
                    ("sec-websocket-protocol", b""),
                    ("sec-websocket-protocol", b"bearer, t.o.k"),
                ],
                "t.o.k",
            ),
            (&[("sec-websocket-protocol", b"chat, t.o.k")], "header_missing"),
            (&[("sec-websocket-protocol", b"t.o.k, chat")], "header_missing"),
            (&[("sec-websocket-protocol", b"bearer")], "header_malformed"),
            (&[("sec-websocket-protocol", b"bearer, ")], "header_malformed"),
            (
                &[("sec-websocket-protocol", b"bearer, , t.o.k")],
                "header_malformed",
            ),
            // The token has to stand in the same field.
            (
                &[
                    ("sec-websocket-protocol", b"bearer"),
                    ("sec-websocket-protocol", b"t.o.k"),
                ],
                "header_malformed",
            ),
            (
                &[("sec-websocket-protocol", b"bearer, t.o.k, bearer, t.o.k")],
                "header_ambiguous",
            ),
            (
                &[
                    ("sec-websocket-protocol", b"bearer, t.o.k"),
                    ("sec-websocket-protocol", b"bearer, t.o.k"),
                ],
                "header_ambiguous",
            ),
            (
                &[("sec-websocket-protocol", b"bearer, t.\xff.k")],
                "header_malformed",
            ),
            (&[("sec-websocket-protocol", &large)], "too_large"),
        ],
    );
    let selected = |values: &[&'static str]| {
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        verifier.selected_protocol(values.into_iter()).map(str::to_owned)
    };
    assert_eq!(selected(&["chat, bearer, t.o.k"]).as_deref(), Some("bearer"));
    assert_eq!(selected(&["chat", "Bearer, t.o.k"]).as_deref(), Some("Bearer"));
    for none in [&[][..], &["chat"], &["bearer"], &["bearer, t.o.k, bearer, t.o.k"]] {
        assert_eq!(selected(none), None, "{none:?}");
    }
    let deaf = builder().build().unwrap();
    assert_eq!(deaf.selected_protocol([&b"bearer, t.o.k"[..]].into_iter()), None);
}

#[test]
fn the_first_place_that_holds_something_decides() {
    let verifier = builder()
        .websocket_protocol(true)
        .cookie("session")
        .build()
        .unwrap();
    let read: Vec<_> = verifier.credential_headers().map(HeaderName::as_str).collect();
    assert_eq!(read, ["authorization", "sec-websocket-protocol", "cookie"]);
    let header = ("authorization", &b"Bearer header"[..]);
    let protocol = ("sec-websocket-protocol", &b"bearer, protocol"[..]);
    let cookie = ("cookie", &b"session=cookie"[..]);
    check(
        &verifier,
        &[
            (&[header, protocol, cookie], "header"),
            (&[protocol, cookie], "protocol"),
            (&[cookie], "cookie"),
            // An empty place holds nothing.
            (&[("authorization", b""), protocol, cookie], "protocol"),
            (&[("sec-websocket-protocol", b"chat"), cookie], "cookie"),
            // A bad one is not made good by the next.
            (
                &[("authorization", b"Basic dTpw"), protocol, cookie],
                "header_malformed",
            ),
            (&[header, header, cookie], "header_ambiguous"),
            (
                &[("sec-websocket-protocol", b"bearer"), cookie],
                "header_malformed",
            ),
            (&[("cookie", b"session=; a=1")], "header_missing"),
        ],
    );
}
