//! ES256: ECDSA over P-256 with SHA-256, [RFC 7518, section 3.4](https://www.rfc-editor.org/rfc/rfc7518#section-3.4).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

/// Bytes of a signature: R and S, 32 bytes each.
pub(crate) const SIGNATURE_LENGTH: usize = 64;
/// Bytes of one coordinate of a point.
pub(crate) const COORDINATE_LENGTH: usize = 32;
/// The tag of an uncompressed point (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// A P-256 public key, parsed once and known to be a point on the curve.
#[derive(Debug)]
pub(crate) struct VerifyingKey(ParsedPublicKey);

impl VerifyingKey {
    /// A key from its affine coordinates. `None` if they are not a point on the curve.
    pub(crate) fn from_coordinates(x: &[u8; COORDINATE_LENGTH], y: &[u8; COORDINATE_LENGTH]) -> Option<Self> {
        let mut point = [UNCOMPRESSED; 1 + 2 * COORDINATE_LENGTH];
        point[1..=COORDINATE_LENGTH].copy_from_slice(x);
        point[1 + COORDINATE_LENGTH..].copy_from_slice(y);
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .ok()
            .map(Self)
    }

    /// Whether `signature` over `message` is this key's. One of another length than [`SIGNATURE_LENGTH`] never is.
    // Never inlined: `benches/instructions.rs` leaves it out by its name.
    #[inline(never)]
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
