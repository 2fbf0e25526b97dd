//! Bytes over TCP: requests as they are written, answers read strictly.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough for a slow machine. An answer that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(20);
const MAX_HEADERS: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// All values of a header.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(header, _)| header == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The value of a header that is there once.
    pub(crate) fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }
}

/// A connection, and what has been read from it too far.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let unread = Vec::new();
        Ok(Self { stream, unread })
    }

    /// Sends bytes. A server that has answered already may have closed the connection: the answer is still there to read.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads an answer to a request of this method, and nothing beyond it.
    pub(crate) fn answer(&mut self, method: &str) -> Result<Answer, String> {
        let mut answer = self.head()?;
        if method == "HEAD" || matches!(answer.status, 101 | 204 | 304) {
            return Ok(answer);
        }
        let chunked = match answer.values("transfer-encoding").collect::<Vec<_>>()[..] {
            [] => false,
            ["chunked"] => true,
            ref codings => return Err(format!("the transfer codings are {codings:?}")),
        };
        let lengths: Vec<_> = answer.values("content-length").collect();
        answer.body = match (chunked, &lengths[..]) {
            (true, []) => self.chunks()?,
            (false, [length]) => {
                let length = length
                    .parse::<usize>()
                    .map_err(|_| "a length that is no number")?;
                self.take(length)?
            }
            (false, []) if answer.value("connection") == Some("close") => {
                while self.read()? {}
                std::mem::take(&mut self.unread)
            }
            _ => return Err(format!("the body's length is unclear: {:?}", answer.headers)),
        };
        Ok(answer)
    }

    /// Fails unless the server has sent nothing more and closes the connection.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        while self.read()? {}
        match self.unread.len() {
            0 => Ok(()),
            length => Err(format!("{length} bytes follow the answer")),
        }
    }

    /// Whether anything can be read, without waiting for it.
    pub(crate) fn has_something(&self) -> Result<bool, String> {
        let now = || {
            self.stream.set_nonblocking(true)?;
            let peeked = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            peeked
        };
        match now() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(!self.unread.is_empty()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The stream and what has been read from it already.
    pub(crate) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.unread)
    }

    fn head(&mut self) -> Result<Answer, String> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut head = httparse::Response::new(&mut headers);
            let parsed = head
                .parse(&self.unread)
                .map_err(|error| format!("not HTTP: {error}"))?;
            if let httparse::Status::Complete(length) = parsed {
                let text =
                    |value: &[u8]| String::from_utf8(value.to_vec()).map_err(|_| "a header that is no text");
                let headers = head
                    .headers
                    .iter()
                    .map(|header| Ok((header.name.to_ascii_lowercase(), text(header.value)?)));
                let answer = Answer {
                    status: head.code.unwrap_or_default(),
                    headers: headers.collect::<Result<_, &str>>()?,
                    body: Vec::new(),
                };
                self.unread.drain(..length);
                return Ok(answer);
            }
            if !self.read()? {
                return Err(format!(
                    "the connection ended after {} bytes of a head",
                    self.unread.len()
                ));
            }
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            match httparse::parse_chunk_size(&self.unread).map_err(|_| "not the size of a chunk")? {
                httparse::Status::Complete((start, size)) => {
                    self.unread.drain(..start);
                    let size = usize::try_from(size).map_err(|_| "a chunk that is too large")?;
                    body.extend(self.take(size)?);
                    if self.take(2)? != b"\r\n" {
                        return Err("a chunk of another size than it says, or trailers".to_owned());
                    }
                    if size == 0 {
                        return Ok(body);
                    }
                }
                httparse::Status::Partial => {
                    if !self.read()? {
                        return Err("the connection ended in a chunk's size".to_owned());
                    }
                }
            }
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, String> {
        while self.unread.len() < length {
            if !self.read()? {
                return Err(format!(
                    "the body ended {} bytes early",
                    length - self.unread.len()
                ));
            }
        }
        let rest = self.unread.split_off(length);
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    /// Reads what has come. `false` at the end of the connection.
    fn read(&mut self) -> Result<bool, String> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => Ok(false),
            Ok(length) => {
                self.unread.extend_from_slice(&bytes[..length]);
                Ok(true)
            }
            // What the server did not read of the request resets the connection when it is closed.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(format!("no answer could be read: {error}")),
        }
    }
}
