//! Whom TLS trusts: the same for every exchange.

use std::env;
use std::error::Error as StdError;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

/// Each names a file of certificates; those that requests reads may name a directory.
const FILES: [&str; 3] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
/// Names directories.
const DIRECTORIES: &str = "SSL_CERT_DIR";

type Certificates = Vec<CertificateDer<'static>>;

/// Trusts exactly `given` or, without it, what the environment names or, without that, the platform's roots. Only where the
/// platform has none, the web's roots as of this crate's release are trusted. The error says which variable is to blame.
pub(super) fn config(given: Option<&Certificates>) -> Result<ClientConfig, String> {
    let roots = match given {
        Some(given) => given.clone(),
        None => match named_by_environment()? {
            Some(named) => named,
            None => platform_roots(),
        },
    };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    trusting(store)
}

/// Trusts nobody: for plain http.
pub(super) fn none() -> Result<ClientConfig, String> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Reads certificates in PEM. There must be one at least, and each must be usable.
pub(super) fn read_pem(pem: &[u8]) -> Result<Certificates, &'static str> {
    let certificates: Result<Certificates, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|_| "are not PEM")?;
    if RootCertStore::empty().add_parsable_certificates(certificates.iter().cloned())
        != (certificates.len(), 0)
    {
        return Err("contain a certificate that cannot be used");
    }
    match certificates.is_empty() {
        true => Err("contain no certificate"),
        false => Ok(certificates),
    }
}

/// All that the variables name, together: many machines set several of them. Empty, a variable counts as not set.
fn named_by_environment() -> Result<Option<Certificates>, String> {
    let mut certificates: Option<Certificates> = None;
    for variable in FILES.into_iter().chain([DIRECTORIES]) {
        let Some(path) = env::var_os(variable).filter(|value| !value.is_empty()) else {
            continue;
        };
        let named = match variable == DIRECTORIES || Path::new(&path).is_dir() {
            true => from_directories(variable, &path)?,
            false => usable(variable, load_certs_from_paths(Some(Path::new(&path)), None))?,
        };
        certificates.get_or_insert_default().extend(named);
    }
    Ok(certificates)
}

/// Reads a list of directories. One that is missing is passed over while another is there, and so is a file that cannot be
/// read.
fn from_directories(variable: &str, paths: &OsStr) -> Result<Certificates, String> {
    let mut all = CertificateResult::default();
    for path in env::split_paths(paths) {
        let read = load_certs_from_paths(None, Some(&path));
        all.certs.extend(read.certs);
        all.errors.extend(read.errors);
    }
    if !all.certs.is_empty() {
        all.errors.clear();
    }
    usable(variable, all)
}

fn usable(variable: &str, read: CertificateResult) -> Result<Certificates, String> {
    if let Some(error) = read.errors.first() {
        return Err(format!("{variable} cannot be used: {error}"));
    }
    if RootCertStore::empty()
        .add_parsable_certificates(read.certs.iter().cloned())
        .0
        == 0
    {
        return Err(format!(
            "{variable} cannot be used: there is no certificate in it"
        ));
    }
    Ok(read.certs)
}

fn platform_roots() -> Certificates {
    let platform = load_native_certs();
    for error in &platform.errors {
        tracing::debug!(%error, "a certificate root of the platform cannot be read");
    }
    match platform.certs.is_empty() {
        true => webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec(),
        false => platform.certs,
    }
}

/// Whether a server was refused for its certificate, which it will show the next time as well.
pub(super) fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| {
        // The source of an I/O error that wraps another error is the source of the wrapped one.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
    .filter_map(|error| error.downcast_ref::<rustls::Error>())
    .any(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}
