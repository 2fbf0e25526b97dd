//! Whom TLS trusts: the same for every exchange.

use std::env;
use std::error::Error as StdError;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

/// Each names a file of certificates; those that requests reads may name a directory.
const FILES: [&str; 3] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
/// Names directories.
const DIRECTORIES: &str = "SSL_CERT_DIR";

type Certificates = Vec<CertificateDer<'static>>;

/// What the environment or the platform says, which is read once. Plain data, which a fork's child inherits.
static ROOTS: ArcSwapOption<RootCertStore> = ArcSwapOption::const_empty();

/// Trusts exactly `given` or, without it, what the environment names or, without that, the platform's roots. Only where the
/// platform has none, the web's roots as of this crate's release are trusted. The error says which variable is to blame.
///
/// Reading files, it blocks its thread.
pub(super) fn config(given: Option<&Certificates>) -> Result<ClientConfig, String> {
    let roots = match (given, ROOTS.load_full()) {
        (Some(given), _) => store(given.clone()),
        (None, Some(roots)) => roots,
        (None, None) => {
            let roots = store(named_by_environment()?.unwrap_or_else(platform_roots));
            ROOTS.store(Some(roots.clone()));
            roots
        }
    };
    trusting(roots)
}

/// Trusts nobody: for plain http.
pub(super) fn none() -> Result<ClientConfig, String> {
    trusting(store(Vec::new()))
}

/// What a server is offered (ALPN). Key sets alone are fetched over HTTP/1.1.
const PROTOCOLS: &[&[u8]] = match cfg!(feature = "client") {
    true => &[b"h2", b"http/1.1"],
    false => &[b"http/1.1"],
};

fn store(mut certificates: Certificates) -> Arc<RootCertStore> {
    // Several variables often name the same file.
    certificates.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    certificates.dedup();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    Arc::new(store)
}

fn trusting(roots: Arc<RootCertStore>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// Reads certificates in PEM. There must be one at least, and each must be usable.
pub(super) fn read_pem(pem: &[u8]) -> Result<Certificates, &'static str> {
    let certificates: Result<Certificates, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|_| "are not PEM")?;
    match () {
        () if certificates.is_empty() => Err("contain no certificate"),
        () if !certificates.iter().all(is_usable) => Err("contain a certificate that cannot be used"),
        () => Ok(certificates),
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
    match read.certs.iter().any(is_usable) {
        true => Ok(read.certs),
        false => Err(format!(
            "{variable} cannot be used: there is no certificate in it"
        )),
    }
}

fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
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
