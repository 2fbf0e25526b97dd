//! Test keys from fixed seeds, and how they look in a key set.

use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::ops::ReduceNonZero;
use p256::{NonZeroScalar, Scalar};
use sha2::{Digest, Sha256};

use crate::base64url::base64url;
use crate::json::{Object, quoted};

/// The kid of [`Key::signer`].
pub(crate) const SIGNER_KID: &str = "key-1";
/// The kid of [`Key::second`].
pub(crate) const SECOND_KID: &str = "key-2";

static SIGNER: LazyLock<Key> = LazyLock::new(|| Key::from_seed("signer"));
static SECOND: LazyLock<Key> = LazyLock::new(|| Key::from_seed("second"));
static STRANGER: LazyLock<Key> = LazyLock::new(|| Key::from_seed("stranger"));

/// A P-256 key pair.
#[derive(Clone)]
pub(crate) struct Key(SigningKey);

impl Key {
    /// The key that signs unless a case says otherwise.
    pub(crate) fn signer() -> &'static Self {
        &SIGNER
    }

    /// The other key of the default set.
    pub(crate) fn second() -> &'static Self {
        &SECOND
    }

    /// A key that is in no set: the attacker's.
    pub(crate) fn stranger() -> &'static Self {
        &STRANGER
    }

    pub(crate) fn from_seed(seed: &str) -> Self {
        Self::from_scalar(Scalar::reduce_nonzero(&Sha256::digest(seed)))
    }

    pub(crate) fn from_scalar(scalar: Scalar) -> Self {
        let scalar = NonZeroScalar::new(scalar).into_option();
        Self(SigningKey::from(scalar.expect("a private key is not zero")))
    }

    /// The first of the keys seeded `0`, `1`, … for which the condition holds.
    pub(crate) fn search(condition: impl Fn(&Self) -> bool) -> Self {
        let mut keys = (0..10_000).map(|seed| Self::from_seed(&seed.to_string()));
        keys.find(condition)
            .expect("a condition that one key in a few hundred meets")
    }

    /// The ES256 signature, deterministic by RFC 6979.
    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message)
    }

    pub(crate) fn sign_digest(&self, digest: &[u8]) -> Signature {
        self.0
            .sign_prehash(digest)
            .expect("a digest of at least half the curve's size")
    }

    pub(crate) fn private(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// `04 || x || y`.
    pub(crate) fn point(&self) -> [u8; 65] {
        let point = self.0.verifying_key().to_sec1_bytes();
        (*point).try_into().expect("an uncompressed point has 65 bytes")
    }

    pub(crate) fn x(&self) -> [u8; 32] {
        self.point()[1..33].try_into().expect("32 of 65 bytes")
    }

    pub(crate) fn y(&self) -> [u8; 32] {
        self.point()[33..].try_into().expect("32 of 65 bytes")
    }

    /// The public key with all seven members that torii publishes.
    pub(crate) fn jwk(&self, kid: &str) -> Object {
        Object::new()
            .set("kty", quoted("EC"))
            .set("crv", quoted("P-256"))
            .set("alg", quoted("ES256"))
            .set("use", quoted("sig"))
            .set("kid", quoted(kid))
            .set("x", quoted(&base64url(self.x())))
            .set("y", quoted(&base64url(self.y())))
    }
}

/// Two usable keys, so that a verifier that takes the wrong one is seen.
pub(crate) fn default_key_set() -> String {
    key_set([
        Key::signer().jwk(SIGNER_KID).to_string(),
        Key::second().jwk(SECOND_KID).to_string(),
    ])
}

/// A key set of entries given as JSON text.
pub(crate) fn key_set(entries: impl IntoIterator<Item = String>) -> String {
    let entries = entries.into_iter().collect::<Vec<_>>().join(",");
    format!(r#"{{"keys":[{entries}]}}"#)
}

/// HMAC with SHA-256, for tokens that would verify if their header chose the algorithm.
pub(crate) fn hmac(secret: &[u8], message: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a secret of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().into()
}

/// A 256-bit big-endian number plus a small one.
pub(crate) fn add_small(mut number: [u8; 32], small: u8) -> [u8; 32] {
    let mut carry = small;
    for byte in number.iter_mut().rev() {
        let (sum, overflow) = byte.overflowing_add(carry);
        *byte = sum;
        carry = u8::from(overflow);
    }
    number
}
