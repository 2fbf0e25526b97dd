//! How [`UreqClient`](super::UreqClient) connects: as ureq does, except that a failure to connect is told from every
//! other one, that a name is looked up for a new connection only, and that no secret passes through ureq's logs.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt;
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Instant as UreqInstant;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

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
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NotConnected {}

/// Opens connections, name look-up and TLS included, within the time for connecting.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    connector: DefaultConnector,
    resolver: DefaultResolver,
}

impl Connector<()> for Connecting {
    type Out = Discreet;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Discreet>, Error> {
        match self.connect_within(details) {
            Ok(transport) => Ok(transport.map(Discreet)),
            // From the connection to a proxy, which is made through here as well.
            Err(error @ Error::Other(_)) => Err(error),
            Err(error) => Err(Error::Other(NotConnected(error).into())),
        }
    }
}

impl Connecting {
    fn connect_within(&self, details: &ConnectionDetails<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        let started = Instant::now();
        let (mut addrs, mut timeout) = (details.addrs.clone(), details.timeout);
        // A proxy looks the name up itself.
        if addrs.is_empty() && details.config.proxy().is_none() {
            addrs = self.resolver.resolve(details.uri, details.config, timeout)?;
            timeout.after = timeout.after.saturating_sub(started.elapsed()).into();
        }
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            config: details.config,
            // Requests differ in their time limits only, so they all share one TLS configuration.
            request_level: false,
            resolver: &self.resolver,
            now: UreqInstant::now(),
            timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        self.connector.connect(&details, None)
    }
}

/// Looks no name up. ureq asks for an address before it looks for an open connection, and most calls find one.
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
