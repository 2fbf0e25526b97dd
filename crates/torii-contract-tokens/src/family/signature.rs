//! The signature: its form, its range, what it covers and who made it.

use p256::Scalar;
use p256::elliptic_curve::ops::Reduce;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::base64url::base64url;
use crate::case::{Case, Family};
use crate::json::quoted;
use crate::key::{Key, SECOND_KID, SIGNER_KID, add_small, default_key_set, key_set};
use crate::token::{NOW, Token};

const ES256: &str = "RFC 7518 3.4";

pub(super) fn family() -> Family {
    let mut family = Family::new("signature");
    family.key_set("default", default_key_set());
    forms(&mut family);
    ranges(&mut family);
    malleability(&mut family);
    crafted(&mut family);
    changed(&mut family);
    covered(&mut family);
    signers(&mut family);
    precedence(&mut family);
    family
}

fn forms(family: &mut Family) {
    let valid = Token::valid();
    let signature = valid.signature();
    let (r, s) = halves(&signature);
    let hex = signature
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let der = Key::signer().sign(valid.signing_input().as_bytes()).to_der();
    let json = format!(r#"{{"r":"{}","s":"{}"}}"#, base64url(r), base64url(s));
    let rows = [
        ("one-byte", vec![0], "A signature has 64 bytes."),
        ("one-half", r.to_vec(), "A signature has 64 bytes."),
        ("63-bytes", signature[..63].to_vec(), "A signature has 64 bytes."),
        (
            "65-bytes",
            [&signature[..], &[0]].concat(),
            "A signature has 64 bytes, and no recovery byte.",
        ),
        (
            "leading-zero-byte",
            [&[0], &signature[..]].concat(),
            "A signature has 64 bytes.",
        ),
        (
            "96-bytes",
            [&signature[..], &[0; 32]].concat(),
            "96 bytes are a signature on another curve.",
        ),
        (
            "twice",
            [signature, signature].concat(),
            "A signature has 64 bytes.",
        ),
        (
            "der",
            der.as_bytes().to_vec(),
            "The two numbers are joined, not encoded in ASN.1.",
        ),
        (
            "hexadecimal",
            hex.into_bytes(),
            "The two numbers are bytes, not digits.",
        ),
        (
            "json",
            json.into_bytes(),
            "The two numbers are bytes, not members.",
        ),
        (
            "base64-twice",
            base64url(signature).into_bytes(),
            "The bytes are encoded once.",
        ),
        ("halves-swapped", [s, r].concat(), "r comes before s."),
        (
            "little-endian",
            [reversed(r), reversed(s)].concat(),
            "Each number is big-endian.",
        ),
    ];
    for (name, bytes, reason) in rows {
        family.add(
            Case::new(name, ES256, reason)
                .token(valid.with_signature(bytes))
                .refused("bad_signature"),
        );
    }
}

/// 0 < r < n and 0 < s < n, where n is the order of the curve.
fn ranges(family: &mut Family) {
    let valid = Token::valid();
    let signature = valid.signature();
    let (r, s) = halves(&signature);
    let (zero, order) = ([0; 32], order());
    let rows = [
        ("r-zero", zero, s),
        ("s-zero", r, zero),
        ("r-and-s-zero", zero, zero),
        ("r-order", order, s),
        ("s-order", r, order),
        ("r-and-s-order", order, order),
        ("r-order-s-zero", order, zero),
        ("r-above-order", add_small(order, 1), s),
        ("s-above-order", r, add_small(order, 1)),
        ("r-and-s-all-ones", [0xff; 32], [0xff; 32]),
    ];
    for (name, r, s) in rows {
        let reason = "Both numbers lie between zero and the order of the curve, exclusive.";
        let token = valid.with_signature([r, s].concat());
        family.add(
            Case::new(name, "CVE-2022-21449", reason)
                .token(token)
                .refused("bad_signature"),
        );
    }
    let one = add_small(zero, 1);
    let reason = "In range, and the signature of nothing.";
    let token = valid.with_signature([one, one].concat());
    family.add(
        Case::new("r-and-s-one", ES256, reason)
            .token(token)
            .refused("bad_signature"),
    );
}

fn malleability(family: &mut Family) {
    let valid = Token::valid().claim("jti", quoted("1"));
    let signature = Key::signer().sign(valid.signing_input().as_bytes());
    let low = signature.normalize_s();
    let (r, s) = low.split_scalars();
    let high = [r.to_bytes(), (-*s).to_bytes()].concat();
    let negated_r = [(-*r).to_bytes(), s.to_bytes()].concat();
    let reason = "ES256 has no rule for the half that s lies in.";
    family.add(Case::new("low-s", ES256, reason).token(valid.with_signature(low.to_bytes())));
    family.add(Case::new("high-s", ES256, reason).token(valid.with_signature(high)));
    let reason = "What holds for s does not hold for r.";
    family.add(
        Case::new("negated-r", ES256, reason)
            .token(valid.with_signature(negated_r))
            .refused("bad_signature"),
    );
}

/// Signatures of rare forms, each with a key made for it.
fn crafted(family: &mut Family) {
    let token = Token::valid();
    let small_s = Scalar::from(5_u64);
    let (key, signature) = craft(&token, Scalar::from(7_u64), small_s);
    family.key_set("small-s", key_set([key.jwk(SIGNER_KID).to_string()]));
    let case = |name: &str, reason: &str, signature: Vec<u8>| {
        Case::new(name, ES256, reason)
            .key_set("small-s")
            .token(token.with_signature(signature))
    };
    let padded = "A small number keeps its leading zero bytes.";
    family.add(case("small-s", padded, signature.to_vec()));
    let (r, _) = halves(&signature);
    let above = [r, add_small(order(), 5)].concat();
    let reason = "The order added to a good s gives a second signature, were it reduced before the check.";
    family.add(case("small-s-plus-order", reason, above).refused("bad_signature"));
    let minimal = [&r[..], &[5]].concat();
    family.add(case("small-s-without-zeros", "Each number has 32 bytes.", minimal).refused("bad_signature"));

    let mut nonces = (1..10_000_u64).map(Scalar::from);
    let leading_zero = |nonce: &Scalar| Key::from_scalar(*nonce).x()[0] == 0;
    let nonce = nonces.find(leading_zero).expect("one nonce in 256 does");
    let (key, signature) = craft(&token, nonce, Scalar::from(u64::MAX));
    family.key_set("leading-zero-r", key_set([key.jwk(SIGNER_KID).to_string()]));
    let case = |name: &str, reason: &str, signature: &[u8]| {
        Case::new(name, ES256, reason)
            .key_set("leading-zero-r")
            .token(token.with_signature(signature))
    };
    family.add(case("leading-zero-r", padded, &signature));
    family.add(
        case("leading-zero-r-cut", "Each number has 32 bytes.", &signature[1..]).refused("bad_signature"),
    );
}

/// One part of a signed token, changed afterwards.
fn changed(family: &mut Family) {
    let valid = Token::valid();
    let signature = valid.signature();
    for (name, place) in [
        ("first-bit-of-r", 0),
        ("last-bit-of-r", 31),
        ("first-bit-of-s", 32),
        ("last-bit-of-s", 63),
    ] {
        let mut bytes = signature;
        bytes[place] ^= if name.starts_with("first") { 0x80 } else { 1 };
        let reason = "One bit makes it another signature.";
        let token = valid.with_signature(bytes);
        family.add(
            Case::new(format!("changed-{name}"), ES256, reason)
                .token(token)
                .refused("bad_signature"),
        );
    }
    let changes = [
        ("sub", Token::valid().claim("sub", quoted("mallory"))),
        ("exp", Token::valid().claim("exp", NOW + 301)),
        ("claim-added", Token::valid().claim("act", "null")),
        ("claim-removed", Token::valid().without_claim("email_verified")),
        ("header-added", Token::valid().header("typ", quoted("JWT"))),
        ("kid", Token::valid().kid(SECOND_KID)),
    ];
    for (name, changed) in changes {
        let reason = "The signature covers the header and the payload.";
        let token = changed.with_signature(signature);
        family.add(
            Case::new(format!("changed-{name}"), "RFC 7515 5.2", reason)
                .token(token)
                .refused("bad_signature"),
        );
    }
    let (header, _) = valid.segments();
    let spaced = format!("{} ", valid.payload_object());
    let token = format!("{header}.{}.{}", base64url(spaced), base64url(signature));
    let reason = "The signature covers the text as sent: the same object with a space more is other text.";
    family.add(
        Case::new("changed-whitespace", "RFC 7515 5.2", reason)
            .token(token)
            .refused("bad_signature"),
    );
}

/// Signatures by the right key over the wrong bytes.
fn covered(family: &mut Family) {
    let valid = Token::valid();
    let (header, payload) = valid.segments();
    let input = valid.signing_input();
    let decoded = format!("{}.{}", valid.header_object(), valid.payload_object());
    let texts = [
        ("header-only", header.clone()),
        ("payload-only", payload.clone()),
        ("segments-without-dot", format!("{header}{payload}")),
        ("segments-swapped", format!("{payload}.{header}")),
        ("segments-and-dot", format!("{input}.")),
        ("segments-and-newline", format!("{input}\n")),
        ("decoded-segments", decoded),
        ("nothing", String::new()),
    ];
    for (name, text) in texts {
        let reason = "A good signature over other bytes than the first two segments with a dot between.";
        let token = valid.with_signature(Key::signer().sign(text.as_bytes()).to_bytes());
        family.add(
            Case::new(format!("covers-{name}"), "RFC 7515 5.1", reason)
                .token(token)
                .refused("bad_signature"),
        );
    }
    let digests = [
        ("sha-384", Sha384::digest(&input).to_vec()),
        ("sha-512", Sha512::digest(&input).to_vec()),
        ("sha-256-twice", Sha256::digest(Sha256::digest(&input)).to_vec()),
    ];
    for (name, digest) in digests {
        let token = valid.with_signature(Key::signer().sign_digest(&digest).to_bytes());
        let case = Case::new(
            format!("digest-{name}"),
            ES256,
            "ES256 hashes once, with SHA-256.",
        );
        family.add(case.token(token).refused("bad_signature"));
    }
}

fn signers(family: &mut Family) {
    let case =
        |name: &str, source: &str, reason: &str, token: Token| Case::new(name, source, reason).token(token);
    let reason = "Signed by a key that the issuer does not have.";
    let stranger = Token::valid().signed_by(Key::stranger());
    family.add(case("by-a-stranger", "RFC 7515 5.2", reason, stranger).refused("bad_signature"));
    let reason = "Signed by the issuer's other key: the name in the header decides.";
    let second = Token::valid().signed_by(Key::second());
    family.add(case("by-the-second-key", "RFC 7515 5.2", reason, second).refused("bad_signature"));

    family.key_set(
        "same-kid-of-another-issuer",
        key_set([Key::stranger().jwk(SIGNER_KID).to_string()]),
    );
    let reason = "Two issuers may use one kid; a key belongs to its issuer and to nobody else.";
    let case = |name: &str, token: Token| {
        Case::new(name, "policy", reason)
            .policy("issuer", quoted("https://beta.torii.so"))
            .key_set("same-kid-of-another-issuer")
            .token(token)
            .refused("bad_signature")
    };
    family.add(case("same-kid-token-of-another-issuer", Token::valid()));
    let claimed = Token::valid().claim("iss", quoted("https://beta.torii.so"));
    family.add(case("same-kid-claiming-this-issuer", claimed));
}

/// A bad signature is reported before anything that the claims say.
fn precedence(family: &mut Family) {
    let forged = || Token::valid().signed_by(Key::stranger());
    let rows = [
        ("issuer", forged().claim("iss", quoted("https://evil.example"))),
        ("missing-issuer", forged().without_claim("iss")),
        ("expiry", forged().claim("exp", 0)),
        ("expiry-type", forged().claim("exp", "null")),
        ("subject", forged().without_claim("sub")),
        ("environment", forged().claim("pid", 7)),
        ("issue-time", forged().claim("iat", NOW + 1000)),
        ("not-before", forged().claim("nbf", NOW + 1000)),
        ("audience", forged().claim("aud", quoted("api"))),
        ("impersonation", forged().claim("impersonating", 7)),
    ];
    for (name, token) in rows {
        let reason = "What an unsigned token claims is nobody's claim, so the answer does not depend on it.";
        family.add(
            Case::new(format!("before-{name}"), "policy", reason)
                .token(token)
                .refused("bad_signature"),
        );
    }
}

/// A key and a signature under it for this token, with the nonce and s given: d = (s·k - z) / r.
fn craft(token: &Token, nonce: Scalar, s: Scalar) -> (Key, [u8; 64]) {
    let z = <Scalar as Reduce<p256::FieldBytes>>::reduce(&Sha256::digest(token.signing_input()));
    let r = <Scalar as Reduce<p256::FieldBytes>>::reduce(&Key::from_scalar(nonce).x().into());
    let inverse = r.invert().into_option().expect("r is not zero");
    let key = Key::from_scalar((s * nonce - z) * inverse);
    let signature = [r.to_bytes(), s.to_bytes()].concat();
    (key, signature.try_into().expect("two numbers of 32 bytes"))
}

/// The order of the curve.
fn order() -> [u8; 32] {
    add_small((-Scalar::ONE).to_bytes().into(), 1)
}

fn halves(signature: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let half = |range: std::ops::Range<usize>| signature[range].try_into().expect("32 of 64 bytes");
    (half(0..32), half(32..64))
}

fn reversed(mut number: [u8; 32]) -> [u8; 32] {
    number.reverse();
    number
}
