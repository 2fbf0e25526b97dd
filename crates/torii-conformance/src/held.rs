//! A fetch of keys that takes as long as the test wants.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use torii_backend::{KeySource, Verifier};

use crate::contract::Contract;
use crate::settings::{build, of};
use crate::wire::Connection;

/// How many requests must be served during the fetch.
const OTHERS: usize = 50;

/// A key endpoint that answers when it is told to.
#[derive(Debug)]
pub struct HeldFetch {
    /// Accepts the contract's two issuers, and fetches the keys of the other one from here.
    pub verifier: Verifier,
    endpoint: TcpListener,
    keys: String,
}

impl HeldFetch {
    /// An endpoint that nobody has asked yet.
    pub fn new(contract: &Contract) -> std::io::Result<Self> {
        let endpoint = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", endpoint.local_addr()?);
        let builder = of(contract, &contract.tokens.issuer, &contract.keys)
            .accept_issuer(&contract.tokens.other_issuer, KeySource::Url(url))
            .fetch_timeout(Duration::from_secs(30));
        let (verifier, keys) = (build(builder), contract.other_keys.clone());
        Ok(Self {
            verifier,
            endpoint,
            keys,
        })
    }

    /// Sends a request to `path`, which is protected by the verifier, whose keys have to be fetched. Returns what is wrong
    /// unless requests on other connections are answered meanwhile, and this one is when the keys come. It blocks: serve the
    /// application on another thread, on one alone.
    pub fn check(self, contract: &Contract, address: SocketAddr, path: &str) -> Result<(), String> {
        let ask = |token: &str| {
            let mut connection = Connection::open(address).map_err(|error| error.to_string())?;
            let (head, token) = (
                format!("GET {path} HTTP/1.1\r\nHost: {address}"),
                contract.token(token),
            );
            let request = format!("{head}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
            connection.send(request.as_bytes());
            Ok::<_, String>(connection)
        };
        let expect = |mut connection: Connection, status: u16, what: &str| {
            let got = connection.answer("GET")?.status;
            let said = || format!("{what} got {got}, not {status}");
            (got == status).then_some(()).ok_or_else(said)
        };
        let waiting = ask("other_issuer")?;
        let (mut fetch, _) = self.endpoint.accept().map_err(|error| error.to_string())?;
        for _ in 0..OTHERS {
            expect(ask("valid")?, 200, "a token with a known key")?;
            expect(ask("bad_signature")?, 401, "a forged token")?;
        }
        if waiting.has_something()? {
            return Err("the request was answered before its keys came".to_owned());
        }
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            self.keys.len(),
            self.keys
        );
        fetch
            .write_all(answer.as_bytes())
            .map_err(|error| error.to_string())?;
        let answered = expect(waiting, 200, "the request whose keys came");
        // The client closes an endpoint's connection when it likes; what it asked is read so that nothing resets it.
        let _ = fetch.read(&mut [0; 4096]);
        answered
    }
}
