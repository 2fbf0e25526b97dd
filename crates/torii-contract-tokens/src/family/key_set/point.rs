//! The type, the curve and the point of a key.

use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, Scalar};

use super::{EC_KEY, entry, entry_of, jwk, unusable};
use crate::base64url::base64url;
use crate::case::Family;
use crate::json::{Object, quoted};
use crate::key::{Key, SIGNER_KID, add_small};

/// The prime of the field: coordinates are below it.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    let mut place = 4;
    while place < 20 {
        prime[place] = 0;
        place += 1;
    }
    prime[7] = 1;
    prime
};

pub(super) fn types_and_curves(family: &mut Family) {
    let rsa = Object::new()
        .set("kty", quoted("RSA"))
        .set("kid", quoted(SIGNER_KID))
        .set("n", quoted(&base64url([0xc5; 256])))
        .set("e", quoted("AQAB"));
    let octets = Object::new()
        .set("kty", quoted("oct"))
        .set("kid", quoted(SIGNER_KID))
        .set("k", quoted(&base64url(Key::signer().point())));
    let edwards = Object::new()
        .set("kty", quoted("OKP"))
        .set("crv", quoted("Ed25519"))
        .set("kid", quoted(SIGNER_KID))
        .set("x", quoted(&base64url(Key::signer().x())));
    let kty = |value: &str| jwk().set("kty", value);
    unusable(
        family,
        "RFC 7517 4.1",
        "ES256 keys have the type `EC`, spelled like this.",
        [
            ("rsa", rsa),
            ("symmetric", octets),
            ("ed25519", edwards),
            ("kty-missing", jwk().without("kty")),
            ("kty-rsa-with-a-point", kty(r#""RSA""#)),
            ("kty-lower-case", kty(r#""ec""#)),
            ("kty-trailing-space", kty(r#""EC ""#)),
            ("kty-null", kty("null")),
            ("kty-number", kty("2")),
            ("kty-array", kty(r#"["EC"]"#)),
        ],
    );
    let crv = |value: &str| jwk().set("crv", value);
    let wide = crv(r#""P-384""#)
        .set("x", quoted(&base64url([1; 48])))
        .set("y", quoted(&base64url([2; 48])));
    unusable(
        family,
        "RFC 7518 6.2.1.1",
        "ES256 keys lie on the curve `P-256`, spelled like this.",
        [
            ("p-384", wide),
            ("crv-missing", jwk().without("crv")),
            ("crv-p-384-with-a-p-256-point", crv(r#""P-384""#)),
            ("crv-secp256k1", crv(r#""secp256k1""#)),
            ("crv-lower-case", crv(r#""p-256""#)),
            ("crv-other-name", crv(r#""prime256v1""#)),
            ("crv-trailing-space", crv(r#""P-256 ""#)),
            ("crv-null", crv("null")),
            ("crv-number", crv("256")),
        ],
    );
}

pub(super) fn coordinates(family: &mut Family) {
    let signer = Key::signer();
    let point = |x: &[u8], y: &[u8]| {
        jwk()
            .set("x", quoted(&base64url(x)))
            .set("y", quoted(&base64url(y)))
    };
    let (x, y) = (signer.x(), signer.y());
    let small_x = (1..=u8::MAX).map(|x| add_small([0; 32], x)).find_map(lift);
    let (low_x, its_y) = small_x.expect("every other number is the x of a point");
    let beyond_prime = add_small(PRIME, low_x[31]);
    unusable(
        family,
        "RFC 8725 3.4",
        "A point that is not on the curve lets an attacker choose another curve.",
        [
            ("off-curve", point(&x, &add_small(y, 1))),
            ("coordinates-swapped", point(&y, &x)),
            ("x-twice", point(&x, &x)),
            ("both-zero", point(&[0; 32], &[0; 32])),
            ("both-all-ones", point(&[0xff; 32], &[0xff; 32])),
            ("x-not-reduced", point(&beyond_prime, &its_y)),
            ("x-is-the-prime", point(&PRIME, &y)),
        ],
    );
    let opposite = Key::from_scalar(-scalar_of(signer));
    let reason = "The mirrored point is on the curve and another key.";
    let case = entry(
        family,
        "y-negated",
        "RFC 7518 3.4",
        reason,
        opposite.jwk(SIGNER_KID),
    );
    family.add(case.refused("bad_signature"));

    let zero_x = Key::search(|key| key.x()[0] == 0);
    let stripped = zero_x
        .jwk(SIGNER_KID)
        .set("x", quoted(&base64url(&zero_x.x()[1..])));
    let reason = "A coordinate has 32 bytes, its leading zero byte included.";
    let case = entry_of(
        &zero_x,
        family,
        "x-of-31-bytes",
        "RFC 7518 6.2.1.2",
        reason,
        stripped,
    );
    family.add(case.refused("key_unusable"));
    let longer = [&[0], &x[..]].concat();
    let compressed = [&[2 + y[31] % 2], &x[..]].concat();
    unusable(
        family,
        "RFC 7518 6.2.1.2",
        "A coordinate has 32 bytes.",
        [
            ("x-of-33-bytes", point(&longer, &y)),
            ("y-of-33-bytes", point(&x, &[&[0], &y[..]].concat())),
            ("y-of-31-bytes", point(&x, &y[..31])),
            ("x-empty", point(&[], &y)),
            ("y-empty", point(&x, &[])),
            ("x-compressed", point(&compressed, &y)),
            ("x-is-the-whole-point", point(&signer.point(), &y)),
        ],
    );
}

pub(super) fn spelled_coordinates(family: &mut Family) {
    let x = base64url(Key::signer().x());
    let (front, last) = x.split_at(x.len() - 1);
    // A last character of 32 bytes in base64 has two unused bits, so the next letter spells the same bytes.
    let sloppy = format!("{front}{}", char::from(last.as_bytes()[0] + 1));
    let with = |x: &str| jwk().set("x", quoted(x));
    let hex = Key::signer()
        .x()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    unusable(
        family,
        "RFC 7515 2",
        "Coordinates are unpadded base64url in its one spelling.",
        [
            ("x-padded", with(&format!("{x}="))),
            ("x-with-trailing-bits", with(&sloppy)),
            ("x-with-leading-space", with(&format!(" {x}"))),
            ("x-with-newline", with(&format!("{}\n{}", &x[..20], &x[20..]))),
            ("x-hexadecimal", with(&hex)),
            (
                "y-padded",
                jwk().set("y", quoted(&format!("{}=", base64url(Key::signer().y())))),
            ),
        ],
    );
    let dashed = Key::search(|key| base64url(key.x()).contains('-') && base64url(key.x()).contains('_'));
    let standard = base64url(dashed.x()).replace('-', "+").replace('_', "/");
    let reason = "The alphabet with + and / is another encoding.";
    let jwk_of_dashed = dashed.jwk(SIGNER_KID).set("x", quoted(&standard));
    let case = entry_of(
        &dashed,
        family,
        "x-in-standard-base64",
        "RFC 7515 2",
        reason,
        jwk_of_dashed,
    );
    family.add(case.refused("key_unusable"));
    let absent = "A point has two coordinates, and both are strings.";
    unusable(
        family,
        EC_KEY,
        absent,
        [
            ("x-missing", jwk().without("x")),
            ("y-missing", jwk().without("y")),
            ("x-null", jwk().set("x", "null")),
            ("y-null", jwk().set("y", "null")),
            ("x-number", jwk().set("x", 7)),
            ("x-array", jwk().set("x", "[1,2]")),
        ],
    );
}

/// The point with this x and an even y, if there is one.
fn lift(x: [u8; 32]) -> Option<([u8; 32], [u8; 32])> {
    let compressed = [&[2], &x[..]].concat();
    let point = PublicKey::from_sec1_bytes(&compressed).ok()?.to_sec1_point(false);
    Some((x, point.as_bytes()[33..].try_into().ok()?))
}

fn scalar_of(key: &Key) -> Scalar {
    Scalar::from_repr(key.private().into())
        .into_option()
        .expect("a private key is below the order")
}
