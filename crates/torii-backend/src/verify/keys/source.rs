//! Where a verifier's keys come from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::jwks::{KeySet, MAX_KEY_SET, within_limit};
use crate::config::ConfigError;
use crate::verify::error::KeySetError;

/// Where the keys come from. Every source but the remote ones works without a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// The issuer's own key set, fetched when the first token comes and kept fresh. The default. Needs the feature `http`.
    #[default]
    Issuer,
    /// A key set at another address than the issuer's, which is asked for exactly as it is written here. It is trusted as
    /// much as the issuer would be. An https address (or http on loopback), without credentials and fragment. Needs the
    /// feature `http`.
    Url(String),
    /// The text of a PEM with one P-256 public key (`BEGIN PUBLIC KEY`, the point uncompressed, as is usual) and nothing else.
    /// It answers to every `kid`.
    Pem(String),
    /// The text of one JWK. Without a `kid` it answers to every one.
    Jwk(String),
    /// The text of a key set.
    Jwks(String),
    /// A file with any of the three texts, read once when the verifier is built.
    File(PathBuf),
}

/// How each section of a PEM begins ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)); text around sections is allowed.
const PEM_BEGIN: &str = "-----BEGIN ";

/// Reads the keys of a source that needs no network; `None` for one that does.
pub(in crate::verify) fn read(source: &KeySource) -> Result<Option<KeySet>, ConfigError> {
    let parsed = match source {
        KeySource::Issuer | KeySource::Url(_) => return Ok(None),
        KeySource::Pem(text) => from_pem(text),
        KeySource::Jwk(text) => KeySet::from_jwk(text.as_bytes()),
        KeySource::Jwks(text) => KeySet::from_jwks(text.as_bytes()),
        KeySource::File(path) => {
            // The path is not repeated: whoever mistakes it for the key puts the key here.
            let text = read_file(path)
                .map_err(|error| ConfigError::new("key file", format!("cannot be read: {error}")))?;
            from_any(&text)
        }
    };
    parsed
        .map(Some)
        .map_err(|error| ConfigError::new("key source", error.to_string()))
}

#[cfg(not(feature = "http"))]
pub(in crate::verify) fn needs_http() -> ConfigError {
    ConfigError::new(
        "key source",
        "keys can only be fetched with torii-backend's feature `http`",
    )
}

/// The text of a file, as far as to tell that it is too large.
fn read_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let most = MAX_KEY_SET as u64 + 1;
    File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

fn from_any(text: &str) -> Result<KeySet, KeySetError> {
    within_limit(text.as_bytes())?;
    if !text.trim_start().starts_with('{') && text.contains(PEM_BEGIN) {
        return from_pem(text);
    }
    // Only a key set has a member `keys`.
    match KeySet::from_jwks(text.as_bytes()) {
        Err(KeySetError::Malformed(_)) => KeySet::from_jwk(text.as_bytes()),
        outcome => outcome,
    }
}

fn from_pem(text: &str) -> Result<KeySet, KeySetError> {
    const PROBLEM: KeySetError = KeySetError::Malformed("not a PEM with one public key and nothing else");
    // Which of two would be meant? And a private key does not belong on a server that verifies.
    if text.matches(PEM_BEGIN).count() != 1 {
        return Err(PROBLEM);
    }
    let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).map_err(|_| PROBLEM)?;
    KeySet::from_spki(der.as_ref())
}
