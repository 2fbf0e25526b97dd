//! Where a verifier's keys come from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::auth::Signer;
use super::cache::{from_slot, unknown};
use super::error::{KeySetError, VerifyError};
use super::jwks::{KeySet, MAX_KEY_SET, within_limit};
use super::remote::RemoteKeys;
use super::signature::VerifyingKey;
use crate::clock::Moment;
use crate::config::ConfigError;

/// Where the keys come from. Every source but the remote ones works without a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// The issuer's own key set, fetched when the first token comes and kept fresh. The default.
    #[default]
    Issuer,
    /// A key set at another address than the issuer's. It is trusted as much as the issuer would be.
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

/// A source's keys, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) enum Keys {
    Given(Arc<KeySet>),
    Remote(Arc<RemoteKeys>),
}

impl Keys {
    /// Whether the key is at hand, however old.
    pub(crate) fn knows(&self, kid: &str) -> bool {
        match self {
            Self::Given(set) => set.get(kid).is_some(),
            Self::Remote(remote) => remote.knows(kid),
        }
    }

    /// Whether the key is still the issuer's, and so fresh that nothing needs to be decided.
    pub(crate) fn hold_fresh(&self, signer: &Signer, now: Moment) -> bool {
        match self {
            Self::Given(set) => set.holds(signer),
            Self::Remote(remote) => remote.look_fresh(now, |keys| keys.holds(signer)) == Some(true),
        }
    }

    pub(crate) async fn get(&self, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        match self {
            Self::Given(set) => given(set, kid),
            Self::Remote(remote) => remote.get(kid).await,
        }
    }

    pub(crate) fn get_blocking(&self, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        match self {
            Self::Given(set) => given(set, kid),
            Self::Remote(remote) => remote.get_blocking(kid),
        }
    }
}

fn given(set: &KeySet, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
    let slot = set.get(kid).ok_or_else(|| unknown(kid))?;
    Ok(from_slot(kid, slot)?)
}

/// Reads the keys of a source that needs no network; `None` for one that does.
pub(crate) fn read(source: &KeySource) -> Result<Option<KeySet>, ConfigError> {
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
    // A JWK has no `keys`; a key set has nothing else that matters.
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
