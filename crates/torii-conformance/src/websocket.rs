//! The client's side of a WebSocket.

use std::io::{Chain, Cursor, Read, Write};
use std::net::TcpStream;

use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use crate::wire::{Answer, Connection};

/// The one of [RFC 6455, section 1.3](https://www.rfc-editor.org/rfc/rfc6455#section-1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What a handshake sends beside the case's own headers.
pub(crate) const HANDSHAKE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
];

/// The first message of an accepted WebSocket, and the code that it is closed with.
pub(crate) struct Conversation {
    pub(crate) text: Option<String>,
    pub(crate) close: Option<u16>,
}

pub(crate) fn converse(connection: Connection, answer: &Answer) -> Result<Conversation, String> {
    if answer.value("sec-websocket-accept") != Some(&derive_accept_key(KEY.as_bytes())) {
        return Err("the handshake's answer does not have the key's Sec-WebSocket-Accept".to_owned());
    }
    let (stream, unread) = connection.into_parts();
    let stream = Resumed {
        write: stream.try_clone().map_err(|error| error.to_string())?,
        read: Cursor::new(unread).chain(stream),
    };
    let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
    let mut text = None;
    loop {
        match socket
            .read()
            .map_err(|error| format!("no message came: {error}"))?
        {
            Message::Text(message) if text.is_none() => text = Some(message.to_string()),
            Message::Close(frame) => {
                let close = frame.map(|frame| frame.code.into());
                // Answers the closing.
                let _ = socket.flush();
                return Ok(Conversation { text, close });
            }
            Message::Ping(_) | Message::Pong(_) => {}
            other => return Err(format!("a message that nobody expects: {other:?}")),
        }
    }
}

/// A stream of which some bytes have been read already.
struct Resumed {
    read: Chain<Cursor<Vec<u8>>, TcpStream>,
    write: TcpStream,
}

impl Read for Resumed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.read.read(buffer)
    }
}

impl Write for Resumed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.write.flush()
    }
}
