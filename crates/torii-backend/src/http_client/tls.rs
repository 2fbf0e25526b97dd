//! What both clients hold true about TLS.

use std::error::Error as StdError;
use std::io;

use rustls_pki_types::CertificateDer;

/// The web's roots as of this crate's release, for images that have none of their own.
pub(super) fn built_in_roots() -> &'static [CertificateDer<'static>] {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
}

/// Whether a server was refused for its certificate, which it will show the next time as well.
pub(super) fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| {
        // An I/O error that wraps another shows that one's source as its own, and skips the error itself.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
    .filter_map(|error| error.downcast_ref::<rustls::Error>())
    .any(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}
