//! How [`UreqClient`](super::UreqClient) connects: as ureq does, except that a failure to connect is told from every
//! other one, that a name is looked up for a new connection only, that the application can end every wait, and that no
//! secret passes through ureq's logs.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, LazyBuffers, NextTimeout, RustlsConnector,
    Transport,
};

use super::tcp::Tcp;
use crate::http_client::interrupt::{Interrupt, Interrupted};
use crate::http_client::tls;

/// Why there is no connection. Whatever fails otherwise may have been sent.
#[derive(Debug)]
pub(super) struct NotConnected(pub(super) Error);

impl NotConnected {
    pub(super) fn is_untrusted(&self) -> bool {
        match &self.0 {
            Error::Rustls(error) => tls::is_untrusted(error),
            Error::Io(error) => tls::is_untrusted(error),
            _ => false,
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        matches!(&self.0, Error::Other(cause) if cause.is::<Interrupted>())
    }
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NotConnected {}

/// Opens connections, name look-up and TLS included, within the time for connecting.
#[derive(Debug)]
pub(super) struct Connecting {
    proxy: ConnectProxyConnector,
    tls: RustlsConnector,
    interrupt: Interrupt,
}

impl Connector<()> for Connecting {
    type Out = Discreet;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Discreet>, Error> {
        match self.connect_within(details) {
            Ok(transport) => Ok(transport.map(Discreet)),
            // From the connection to a proxy, which is made through here as well.
            Err(Error::Other(cause)) if cause.is::<NotConnected>() => Err(Error::Other(cause)),
            Err(error) => Err(Error::Other(NotConnected(error).into())),
        }
    }
}

impl Connecting {
    pub(super) fn new(interrupt: Interrupt) -> Self {
        Self {
            proxy: ConnectProxyConnector::default(),
            tls: RustlsConnector::default(),
            interrupt,
        }
    }

    fn connect_within(&self, details: &ConnectionDetails<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            // Requests differ in their time limits only, so they all share one TLS configuration.
            request_level: false,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let below: Box<dyn Transport> = match self.proxy.connect(&details, None::<()>)? {
            Some(tunnel) => Box::new(tunnel),
            None => Box::new(self.connect_tcp(&details)?),
        };
        let transport = self.tls.connect(&details, Some(below))?;
        Ok(transport.map(|transport| Box::new(transport) as _))
    }

    fn connect_tcp(&self, details: &ConnectionDetails<'_>) -> Result<Tcp, Error> {
        let (scheme, authority) = (details.uri.scheme(), details.uri.authority());
        let address = scheme.zip(authority);
        let address =
            address.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Tcp::open(
            address.ok_or(Error::HostNotFound)?,
            details.timeout,
            buffers,
            self.interrupt.clone(),
        )
    }
}

/// Looks no name up: [`Tcp`] does. ureq asks for an address before it looks for an open connection, and most calls find
/// one.
#[derive(Debug)]
pub(super) struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

thread_local! {
    static WITHHELD: RefCell<Vec<(HeaderName, HeaderValue)>> = const { RefCell::new(Vec::new()) };
}

/// The sensitive headers of the request that this thread is making.
///
/// ureq's logs show every byte of a request. So it is given placeholders of the same length, and a [`Discreet`]
/// connection puts the values in their place.
pub(super) struct Secrets(());

impl Secrets {
    /// Takes the values out of `headers` until this is dropped.
    pub(super) fn withhold(headers: &mut HeaderMap) -> Self {
        let mut withheld = Vec::new();
        for (name, value) in headers.iter_mut().filter(|(_, value)| value.is_sensitive()) {
            if let Ok(placeholder) = HeaderValue::from_bytes(&vec![b'*'; value.len()]) {
                withheld.push((name.clone(), std::mem::replace(value, placeholder)));
            }
        }
        WITHHELD.set(withheld);
        Self(())
    }

    /// Writes the values over their placeholders. What has been found once is not looked for again, so that a body is
    /// never touched.
    fn reveal(head: &mut [u8]) {
        WITHHELD.with_borrow_mut(|withheld| {
            withheld.retain(|(name, value)| {
                let line = [b"\r\n", name.as_str().as_bytes(), b": "].concat();
                let placeholder = [line.as_slice(), &vec![b'*'; value.len()], b"\r\n"].concat();
                let found = head
                    .windows(placeholder.len())
                    .position(|bytes| bytes == placeholder);
                if let Some(start) = found {
                    let start = start + line.len();
                    head[start..start + value.len()].copy_from_slice(value.as_bytes());
                }
                found.is_none()
            });
        });
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        WITHHELD.take();
    }
}

/// A connection that writes secrets which ureq has not seen.
#[derive(Debug)]
pub(super) struct Discreet(Box<dyn Transport>);

impl Transport for Discreet {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        Secrets::reveal(&mut self.0.buffers().output()[..amount]);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
