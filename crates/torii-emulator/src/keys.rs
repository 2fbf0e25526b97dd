//! The signing keys: ES256, made here, kept beside the database and never inside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, StartError};

/// The published keys, newest first. The first one signs.
pub(crate) struct Keys {
    ring: ArcSwap<Vec<Arc<SigningKey>>>,
    /// Where the ring is kept; `None` keeps it in memory only.
    file: Option<PathBuf>,
    /// Held while the ring changes, so that the file and the memory change in the same order.
    changing: Mutex<()>,
}

/// A public key as the key set lists it. It has no room for the private part.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Jwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    r#use: &'static str,
    kid: String,
    x: String,
    y: String,
}

/// The document at the key set's address.
#[derive(Debug, Serialize)]
pub(crate) struct JwkSet {
    keys: Vec<Jwk>,
}

impl Keys {
    /// A new key that lives as long as the process.
    pub(crate) fn in_memory() -> Result<Self, StartError> {
        let key = SigningKey::generate().map_err(StartError::Internal)?;
        Ok(Self::new(vec![Arc::new(key)], None))
    }

    /// The keys of `file`, which is created with one new key if there is none.
    pub(crate) fn open(file: PathBuf) -> Result<Self, StartError> {
        let ring = match read(&file)? {
            Some(ring) => ring,
            None => {
                let ring = vec![Arc::new(SigningKey::generate().map_err(StartError::Internal)?)];
                write(&file, &ring).map_err(|source| StartError::File {
                    path: file.clone(),
                    source,
                })?;
                ring
            }
        };
        Ok(Self::new(ring, Some(file)))
    }

    fn new(ring: Vec<Arc<SigningKey>>, file: Option<PathBuf>) -> Self {
        Self {
            ring: ArcSwap::from_pointee(ring),
            file,
            changing: Mutex::new(()),
        }
    }

    pub(crate) fn jwk_set(&self) -> JwkSet {
        JwkSet {
            keys: self.ring.load().iter().map(|key| key.public.clone()).collect(),
        }
    }

    /// A compact JWT of `claims`, by the newest key.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Result<String, Error> {
        let ring = self.ring.load();
        let key = ring
            .first()
            .ok_or_else(|| Error::internal("the key ring is empty"))?;
        key.sign(claims).map_err(Error::internal)
    }

    /// Adds a key that signs from now on and returns its id. `retire` withdraws the one that signed until now.
    /// Blocks on the disk.
    pub(crate) fn rotate(&self, retire: bool) -> Result<String, Error> {
        let new = Arc::new(SigningKey::generate().map_err(Error::internal)?);
        let kid = new.public.kid.clone();
        self.change(|ring| {
            if retire {
                ring.remove(0);
            }
            ring.insert(0, new);
            Ok(())
        })?;
        Ok(kid)
    }

    /// Withdraws a key that does not sign any more. Blocks on the disk.
    pub(crate) fn remove(&self, kid: &str) -> Result<(), Error> {
        self.change(|ring| match ring.iter().position(|key| key.public.kid == kid) {
            None => Err(Error::not_found("no key with this id is published")),
            Some(0) => Err(Error::conflict(
                "signing_key_in_use",
                "this key signs the tokens; rotate first, then remove it",
            )),
            Some(place) => {
                ring.remove(place);
                Ok(())
            }
        })
    }

    /// The file changes first: a key that signs is a key that survives a restart.
    fn change(&self, work: impl FnOnce(&mut Vec<Arc<SigningKey>>) -> Result<(), Error>) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ring = self.ring.load().as_ref().clone();
        work(&mut ring)?;
        if let Some(file) = &self.file {
            write(file, &ring).map_err(Error::internal)?;
        }
        self.ring.store(Arc::new(ring));
        Ok(())
    }
}

/// The key file of `database` in a folder of keys, which is made when needed, for its owner alone.
pub(crate) fn file_in(folder: &Path, database: &Path) -> Result<PathBuf, StartError> {
    create_folder(folder).map_err(|source| StartError::File {
        path: folder.to_owned(),
        source,
    })?;
    let hash = digest::digest(&digest::SHA256, database.as_os_str().as_encoded_bytes());
    Ok(folder.join(format!("{}.keys", URL_SAFE_NO_PAD.encode(hash))))
}

struct SigningKey {
    pair: EcdsaKeyPair,
    public: Jwk,
}

impl SigningKey {
    fn generate() -> Result<Self, String> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| "the system gave no signing key".to_owned())
            .and_then(Self::from_pair)
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self, String> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes)
            .map_err(|_| "it holds something that is not a P-256 key".to_owned())
            .and_then(Self::from_pair)
    }

    fn from_pair(pair: EcdsaKeyPair) -> Result<Self, String> {
        // SEC 1, section 2.3.3: the uncompressed point is 4, then x, then y.
        let Some((4, point)) = pair.public_key().as_ref().split_first() else {
            return Err("a public key has an unexpected form".to_owned());
        };
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let public = Jwk {
            kty: "EC",
            crv: "P-256",
            alg: "ES256",
            r#use: "sig",
            kid: thumbprint(&x, &y),
            x,
            y,
        };
        Ok(Self { pair, public })
    }

    fn sign(&self, claims: &Map<String, Value>) -> Result<String, String> {
        #[derive(Serialize)]
        struct Header<'a> {
            alg: &'a str,
            kid: &'a str,
            typ: &'a str,
        }
        let header = Header {
            alg: self.public.alg,
            kid: &self.public.kid,
            typ: "JWT",
        };
        let header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
        let claims = serde_json::to_vec(claims).map_err(|error| error.to_string())?;
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| "signing failed".to_owned())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// The key id: [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638), so that a new key cannot reuse an old id.
fn thumbprint(x: &str, y: &str) -> String {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
}

/// The key file. It has no `Debug`: it holds private keys.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    /// PKCS #8 in base64url, newest first.
    keys: Vec<String>,
}

fn read(path: &Path) -> Result<Option<Vec<Arc<SigningKey>>>, StartError> {
    let unusable = |reason: String| StartError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(StartError::File {
                path: path.to_owned(),
                source,
            });
        }
    };
    let file: KeyFile = serde_json::from_slice(&bytes)
        .map_err(|error| unusable(format!("line {}, column {}", error.line(), error.column())))?;
    let ring = file
        .keys
        .iter()
        .map(|text| {
            let bytes = URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| "it holds something that is not base64url".to_owned())?;
            SigningKey::from_pkcs8(&bytes).map(Arc::new)
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(unusable)?;
    if ring.is_empty() {
        return Err(unusable("it holds no key".to_owned()));
    }
    restrict(path).map_err(|source| StartError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(ring))
}

/// Replaces the file as a whole: written beside it, flushed, then renamed over it.
fn write(path: &Path, ring: &[Arc<SigningKey>]) -> io::Result<()> {
    let keys = ring
        .iter()
        .map(|key| {
            let document = key.pair.to_pkcs8v1().map_err(io::Error::other)?;
            Ok(URL_SAFE_NO_PAD.encode(document))
        })
        .collect::<io::Result<Vec<_>>>()?;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = PathBuf::from(name);
    // What a killed process left there is of no use, and its mode may be another.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_private(&beside)?;
    file.write_all(&serde_json::to_vec(&KeyFile { keys })?)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder(path)
}

fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Takes back the permissions of others that a copy may have added.
#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if fs::metadata(path)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), "the key file was readable by others; its mode is now 0600");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes the rename itself last.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_is_the_rfc_7638_thumbprint() {
        // The expected value is from Python's hashlib: SHA-256 over the canonical members of RFC 7515, appendix A.3's key.
        let kid = thumbprint(
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        );
        assert_eq!(kid, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }
}
