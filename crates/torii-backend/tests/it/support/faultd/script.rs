//! What a [`Faultd`](super::Faultd) does with a request.

use std::fmt::Display;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use socket2::SockRef;

/// Longest wait for a peer that neither sends nor reads nor leaves.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const MAX_ENDLESS: usize = 16 * 1024 * 1024;

/// What the server does with one request. After the last step it reads the connection's next request.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    steps: Vec<Step>,
    unread: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends byte by byte, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Sends the same again and again.
    Endless(Vec<u8>),
    Pause(Duration),
    /// Ends the connection in good order (FIN).
    Close,
    /// Breaks the connection off (RST).
    Reset,
}

impl Script {
    pub(crate) fn new(steps: impl Into<Vec<Step>>) -> Self {
        let steps = steps.into();
        Self { steps, unread: false }
    }

    /// Sends these very bytes and closes the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new([Step::Send(bytes.into()), Step::Close])
    }

    /// Reads the request and never answers.
    pub(crate) fn hang() -> Self {
        Self::new([Step::Pause(PATIENCE), Step::Close])
    }

    /// Waits before the first step.
    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.steps.insert(0, Step::Pause(delay));
        self
    }

    /// Acts without waiting for a request: on a new connection, or on one that was kept.
    pub(crate) fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    pub(crate) fn is_unread(&self) -> bool {
        self.unread
    }

    /// Takes the steps, and says whether the connection goes on.
    pub(crate) fn play(&self, stream: &TcpStream) -> bool {
        self.steps.iter().all(|step| step.take(stream))
    }
}

/// A well-formed reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    head: String,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} \r\n"),
            body: Vec::new(),
        }
    }

    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200)
            .header("content-type", "application/json")
            .body(body)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Display) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl From<Reply> for Script {
    fn from(reply: Reply) -> Self {
        let head = format!("{}content-length: {}\r\n\r\n", reply.head, reply.body.len());
        Self::new([Step::Send([head.into_bytes(), reply.body].concat())])
    }
}

impl Step {
    /// Whether the connection goes on.
    fn take(&self, mut stream: &TcpStream) -> bool {
        match self {
            Self::Send(bytes) => stream.write_all(bytes).is_ok(),
            Self::Drip(bytes, pause) => bytes
                .iter()
                .all(|byte| idle(stream, *pause) && stream.write_all(&[*byte]).is_ok()),
            Self::Endless(bytes) => (0..MAX_ENDLESS / bytes.len()).all(|_| stream.write_all(bytes).is_ok()),
            Self::Pause(pause) => idle(stream, *pause),
            Self::Close => false,
            Self::Reset => {
                SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
                false
            }
        }
    }
}

/// Waits for as long as the peer stays, and says whether it did.
fn idle(mut stream: &TcpStream, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        let read = stream
            .set_read_timeout(Some(left))
            .and_then(|()| stream.read(&mut [0; 1024]));
        match read {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return false,
            },
        }
    }
}
