//! Requests to a web application over connections that stay open, each waiting for its reply before the next.

use std::error::Error;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::measure::{BLOCK, Case, Sample, Worker, repeat};
use crate::serve::read_head;
use crate::world::World;

/// Tokens of the hot order.
const HOT: usize = 1_000;

pub(crate) struct Load {
    host: String,
    path: String,
    order: Order,
    unseen: AtomicUsize,
    world: &'static World,
}

enum Order {
    None,
    Hot,
    Cold,
}

impl Load {
    pub(crate) fn new(url: &str, order: &str, world: &'static World) -> Result<Self, Box<dyn Error>> {
        let (host, path) = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or("the URL has no path")?;
        let order = match order {
            "none" => Order::None,
            "hot" => Order::Hot,
            "cold" => Order::Cold,
            _ => return Err("the order is none, hot or cold".into()),
        };
        let (host, path) = (host.to_owned(), format!("/{path}"));
        Ok(Self {
            host,
            path,
            order,
            unseen: AtomicUsize::new(0),
            world,
        })
    }
}

impl Worker for Load {
    /// `cpu_ns` is the application's, which tells its own on `/cpu`.
    fn measure(&mut self, case: &Case) -> Result<Sample, Box<dyn Error>> {
        let connect = || Connection::open(&self.host).map(Mutex::new);
        let connections = (0..case.threads)
            .map(|_| connect())
            .collect::<io::Result<Vec<_>>>()?;
        let mut control = Connection::open(&self.host)?;
        let before: f64 = control.get("/cpu", "")?.parse()?;
        let requests = AtomicUsize::new(0);
        // The operation's number is that of its connection.
        let mut sample = repeat(
            case,
            |thread, _| thread * BLOCK,
            |number| {
                let turn = requests.fetch_add(1, Ordering::Relaxed);
                let token = match self.order {
                    Order::None => "",
                    Order::Hot => &self.world.tokens[turn % HOT],
                    Order::Cold => &self.world.tokens[self.unseen.fetch_add(1, Ordering::Relaxed)],
                };
                let mut connection = connections[number / BLOCK].lock().expect("a connection");
                connection.get(&self.path, token).expect("a reply");
            },
        );
        let after: f64 = control.get("/cpu", "")?.parse()?;
        sample.insert("cpu_ns", (after - before) / requests.into_inner() as f64);
        Ok(sample)
    }
}

struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Connection {
    fn open(host: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        let reader = BufReader::new(stream.try_clone()?);
        Ok(Self { stream, reader })
    }

    /// The reply's body. Every status but 200 is an error.
    fn get(&mut self, path: &str, token: &str) -> io::Result<String> {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\n");
        if !token.is_empty() {
            request += &format!("authorization: Bearer {token}\r\n");
        }
        self.stream.write_all((request + "\r\n").as_bytes())?;
        let mut status = String::new();
        io::BufRead::read_line(&mut self.reader, &mut status)?;
        let length = read_head(&mut self.reader)?;
        let mut body = String::new();
        Read::take(&mut self.reader, length).read_to_string(&mut body)?;
        match status.split(' ').nth(1) {
            Some("200") => Ok(body),
            _ => Err(io::Error::other(format!("{} {body}", status.trim()))),
        }
    }
}
