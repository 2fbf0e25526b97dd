//! TCP connections every wait of which the application can end.
//!
//! They lie below TLS and below a proxy's tunnel, because only here a wait can be taken up again where it was left: after
//! a write, nobody above knows how much of it has gone.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};
use ureq::{Error, Timeout};

use crate::http_client::interrupt::{BEAT, Interrupt, Interrupted};

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 16;

/// A connection, and what has been waited on it.
pub(super) struct Tcp {
    stream: TcpStream,
    buffers: LazyBuffers,
    waits: Waits,
}

impl Tcp {
    /// Looks the name up and connects, on a thread of its own: neither can be given up by the thread that waits for it.
    pub(super) fn open(
        address: String,
        timeout: NextTimeout,
        buffers: LazyBuffers,
        interrupt: Interrupt,
    ) -> Result<Self, Error> {
        let (limit, (sender, opened)) = (*timeout.after, mpsc::sync_channel(1));
        thread::Builder::new()
            .name("torii-connect".into())
            .spawn(move || sender.send(open(&address, limit)))?;
        let mut waits = Waits::new(interrupt);
        let stream = waits.until(Deadline::of(timeout), |slice| {
            opened.recv_timeout(slice).map_err(|error| match error {
                RecvTimeoutError::Timeout => ErrorKind::TimedOut.into(),
                RecvTimeoutError::Disconnected => io::Error::other("the connecting thread is gone"),
            })
        })??;
        Ok(Self {
            stream,
            buffers,
            waits,
        })
    }
}

/// Every address gets half of the time that is left, and the last one all of it.
fn open(address: &str, limit: Duration) -> io::Result<TcpStream> {
    let started = Instant::now();
    let addresses: Vec<_> = address.to_socket_addrs()?.take(MAX_ADDRESSES).collect();
    let mut failure = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for (place, address) in addresses.iter().enumerate() {
        let left = limit.saturating_sub(started.elapsed());
        let share = if place + 1 == addresses.len() {
            left
        } else {
            left / 2
        };
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let deadline = Deadline::of(timeout.for_write());
        let mut unsent = &self.buffers.output()[..amount];
        while !unsent.is_empty() {
            let sent = self.waits.until(deadline, |slice| {
                tolerated(self.stream.set_write_timeout(Some(slice)))?;
                self.stream.write(unsent)
            })?;
            if sent == 0 {
                return Err(io::Error::from(ErrorKind::WriteZero).into());
            }
            unsent = &unsent[sent..];
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let amount = self.waits.until(Deadline::of(timeout.for_read()), |slice| {
            tolerated(self.stream.set_read_timeout(Some(slice)))?;
            self.stream.read(self.buffers.input_append_buf())
        })?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Whether the server has neither closed the connection nor sent what nobody asked for.
    fn is_open(&mut self) -> bool {
        let quiet = self.stream.set_nonblocking(true).and_then(|()| {
            let peeked = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            Ok(peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
        });
        quiet.unwrap_or(false)
    }
}

/// macOS refuses a time limit once the peer has gone, when what it has sent can still be read without waiting.
fn tolerated(limited: io::Result<()>) -> io::Result<()> {
    match limited {
        Err(error) if cfg!(target_os = "macos") && error.kind() == ErrorKind::InvalidInput => Ok(()),
        limited => limited,
    }
}

/// Shows neither what was sent nor what came.
impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
struct Deadline {
    started: Instant,
    limit: Duration,
    reason: Timeout,
}

impl Deadline {
    fn of(timeout: NextTimeout) -> Self {
        Self {
            started: Instant::now(),
            limit: *timeout.after,
            reason: timeout.reason,
        }
    }

    fn left(&self) -> Result<Duration, Error> {
        match self.limit.saturating_sub(self.started.elapsed()) {
            Duration::ZERO => Err(Error::Timeout(self.reason)),
            left => Ok(left),
        }
    }
}

/// Waits in slices, and asks between them.
struct Waits {
    interrupt: Interrupt,
    /// How long has been waited since the last question: over many short waits too, as for a reply that drips.
    unasked: Duration,
    /// Stays: TLS may swallow the first error and go on.
    interrupted: bool,
}

impl Waits {
    fn new(interrupt: Interrupt) -> Self {
        Self {
            interrupt,
            unasked: Duration::ZERO,
            interrupted: false,
        }
    }

    /// Repeats `wait`, which waits for as long as it is told and then times out, until it brings something else.
    fn until<T>(
        &mut self,
        deadline: Deadline,
        mut wait: impl FnMut(Duration) -> io::Result<T>,
    ) -> Result<T, Error> {
        loop {
            if self.unasked >= BEAT {
                self.unasked = Duration::ZERO;
                self.interrupted |= self.interrupt.ask().is_err();
            }
            if self.interrupted {
                return Err(Error::Other(Interrupted.into()));
            }
            let started = Instant::now();
            let outcome = wait(self.interrupt.slice(deadline.left()?, self.unasked));
            self.unasked += started.elapsed();
            match outcome.map_err(|error| (error.kind(), error)) {
                // A signal has come: what the application makes of it is asked at once.
                Err((ErrorKind::Interrupted, _)) => self.unasked = BEAT,
                Err((ErrorKind::WouldBlock | ErrorKind::TimedOut, _)) => {}
                Err((_, error)) => return Err(error.into()),
                Ok(value) => return Ok(value),
            }
        }
    }
}
