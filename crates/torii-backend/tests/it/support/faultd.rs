//! A scripted HTTP/1.1 server on loopback that can be as faulty as a network. It sends raw bytes from plain threads, so
//! that it can do what an HTTP library would not let it do.

mod script;

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use super::blackhole::BlackHole;
use script::PATIENCE;
pub(crate) use script::{Reply, Script, Step};

const MAX_CONNECTIONS: usize = 1024;
const MAX_HEAD: u64 = 64 * 1024;
const BACKLOG: i32 = 1024;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(header, _)| header.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    fn read(stream: &mut BufReader<&TcpStream>) -> io::Result<Self> {
        let (mut head, mut limited) = (String::new(), stream.by_ref().take(MAX_HEAD));
        while !head.ends_with("\r\n\r\n") {
            if limited.read_line(&mut head)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let (at, body) = (Instant::now(), Vec::new());
        let mut request = Self { at, head, body };
        let length = request
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        request.body.resize(length, 0);
        stream.read_exact(&mut request.body)?;
        Ok(request)
    }
}

/// The server. Dropping it ends every connection and thread.
#[derive(Debug)]
pub(crate) struct Faultd {
    address: SocketAddr,
    acceptor: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
    hole: Mutex<Option<BlackHole>>,
    /// Bound and never listening: nobody else gets the port while the server is down.
    _reservation: Socket,
}

#[derive(Debug, Default)]
struct Shared {
    up: AtomicBool,
    accepted: AtomicUsize,
    scripts: Mutex<VecDeque<Script>>,
    requests: Mutex<Vec<Request>>,
    connections: Mutex<Vec<(Weak<TcpStream>, JoinHandle<()>)>>,
}

impl Faultd {
    pub(crate) fn start(script: impl Into<Script>) -> Self {
        let reservation = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let server = Self {
            address: reservation.local_addr().unwrap().as_socket().unwrap(),
            acceptor: Mutex::default(),
            shared: Arc::default(),
            hole: Mutex::default(),
            _reservation: reservation,
        };
        server.set(script);
        server.up();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers every request from now on with this script.
    pub(crate) fn set(&self, script: impl Into<Script>) {
        self.play([script.into()]);
    }

    /// Answers the next request with the first of these scripts, and so on; the last one stays.
    pub(crate) fn play(&self, scripts: impl Into<VecDeque<Script>>) {
        *lock(&self.shared.scripts) = scripts.into();
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// How many requests have come.
    pub(crate) fn count(&self) -> usize {
        lock(&self.shared.requests).len()
    }

    /// How many connections have been opened.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        let connections = lock(&self.shared.connections);
        connections
            .iter()
            .filter(|(_, thread)| !thread.is_finished())
            .count()
    }

    /// Ends every connection and stops listening: connections are refused.
    pub(crate) fn down(&self) {
        self.shared.up.store(false, Ordering::SeqCst);
        if let Some(acceptor) = lock(&self.acceptor).take() {
            // Wakes the acceptor, which then sees that it is over.
            drop(TcpStream::connect(self.address));
            acceptor.join().unwrap();
        }
        for (stream, thread) in lock(&self.shared.connections).drain(..) {
            if let Some(stream) = stream.upgrade() {
                let _ = stream.shutdown(Shutdown::Both);
            }
            thread.join().unwrap();
        }
    }

    /// Ends every connection; new ones are neither accepted nor refused.
    pub(crate) fn vanish(&self) {
        self.down();
        *lock(&self.hole) = Some(BlackHole::at(self.address));
    }

    /// Listens again, on the same port.
    pub(crate) fn up(&self) {
        lock(&self.hole).take();
        let listener = bind(self.address);
        listener.listen(BACKLOG).unwrap();
        let listener = TcpListener::from(listener);
        self.shared.up.store(true, Ordering::SeqCst);
        let shared = self.shared.clone();
        *lock(&self.acceptor) = Some(thread::spawn(move || shared.accept(&listener)));
    }
}

impl Drop for Faultd {
    fn drop(&mut self) {
        self.down();
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if !self.up.load(Ordering::SeqCst) {
                return;
            }
            let mut connections = lock(&self.connections);
            connections.retain(|(_, thread)| !thread.is_finished());
            let Ok(stream) = stream.map(Arc::new) else {
                continue;
            };
            self.accepted.fetch_add(1, Ordering::SeqCst);
            if connections.len() < MAX_CONNECTIONS {
                let shared = self.clone();
                // A weak one, because a reset is only sent when the last owner is gone.
                let watched = Arc::downgrade(&stream);
                connections.push((watched, thread::spawn(move || drop(shared.converse(&stream)))));
            }
        }
    }

    /// Errors are the peer's leaving.
    fn converse(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        loop {
            let unread = lock(&self.scripts).front().is_some_and(Script::is_unread);
            stream.set_read_timeout(Some(PATIENCE))?;
            let request = if unread {
                None
            } else {
                Some(Request::read(&mut reader)?)
            };
            let script = self.next_script();
            lock(&self.requests).extend(request);
            if !script.play(stream) {
                return Ok(());
            }
        }
    }

    fn next_script(&self) -> Script {
        let mut scripts = lock(&self.scripts);
        match scripts.len() {
            1 => scripts[0].clone(),
            _ => scripts.pop_front().unwrap(),
        }
    }
}

fn bind(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn plays_its_scripts_in_order_and_keeps_connections() {
        let server = Faultd::start(Reply::new(200));
        server.play([Reply::new(201).into(), Reply::new(202).into()]);
        let mut stream = TcpStream::connect(server.address).unwrap();
        for status in ["201", "202", "202"] {
            stream
                .write_all(b"POST /x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody")
                .unwrap();
            let expected = format!("HTTP/1.1 {status} \r\ncontent-length: 0\r\n\r\n");
            let mut reply = vec![0; expected.len()];
            stream.read_exact(&mut reply).unwrap();
            assert_eq!(String::from_utf8(reply).unwrap(), expected);
        }
        let requests = server.requests();
        assert!(requests.len() == 3 && requests.iter().all(|request| request.body == b"body"));
    }

    #[test]
    fn goes_down_and_comes_up_on_the_same_port() {
        let server = Faultd::start(Script::hang());
        let mut stream = TcpStream::connect(server.address).unwrap();
        for _ in 0..3 {
            server.down();
            assert_eq!(stream.read(&mut [0]).ok().unwrap_or(0), 0, "connections end");
            let refused = TcpStream::connect(server.address).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            server.up();
            stream = TcpStream::connect(server.address).unwrap();
        }
    }
}
