//! The requests of many users at the same time: does everybody get their own answer?

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::wire::Connection;

/// Connections at the same time.
const CONNECTIONS: usize = 8;
/// Requests that a connection has sent before it reads their answers.
const PIPELINED: usize = 5;
/// Streams that one HTTP/2 connection has open at the same time.
const STREAMS: usize = 64;

/// What came of interleaved requests.
#[derive(Clone, Debug, Default)]
pub struct Mixups {
    /// How many answers came.
    pub answers: usize,
    /// A line for each answer that is not the user's own.
    pub wrong: Vec<String>,
}

impl Mixups {
    /// Fails unless so many answers came, each to its own user.
    ///
    /// # Panics
    ///
    /// With the first of those that are wrong.
    pub fn assert_none(&self, answers: usize) {
        let shown = &self.wrong[..self.wrong.len().min(5)];
        assert!(
            self.wrong.is_empty(),
            "{} are wrong: {shown:#?}",
            self.wrong.len()
        );
        assert_eq!(self.answers, answers, "answers came");
    }

    fn note(&mut self, user: &str, status: u16, body: &[u8]) {
        self.answers += 1;
        let answer = serde_json::from_slice::<Value>(body).unwrap_or_default();
        if status != 200 || answer["user_id"] != user {
            self.wrong.push(format!("{user} got {status} {answer}"));
        }
    }

    fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.wrong.extend(other.wrong);
    }
}

/// Sends requests of these users, each an id and a token, in turn over connections that are kept alive. `path` answers
/// with `user_id`. It blocks: serve the application on another thread.
pub fn interleave(address: SocketAddr, path: &str, users: &[(String, String)], requests: usize) -> Mixups {
    let mut all = Mixups::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|first| {
                let turns = (first..requests).step_by(CONNECTIONS);
                scope.spawn(move || {
                    on_one_connection(address, path, turns.map(|turn| &users[turn % users.len()]))
                })
            })
            .collect();
        for thread in threads {
            all.add(thread.join().unwrap_or_else(|_| panic!("a connection failed")));
        }
    });
    all
}

fn on_one_connection<'u>(
    address: SocketAddr,
    path: &str,
    users: impl Iterator<Item = &'u (String, String)>,
) -> Mixups {
    let mut found = Mixups::default();
    let mut connection = Connection::open(address).unwrap_or_else(|error| panic!("no connection: {error}"));
    let users: Vec<_> = users.collect();
    for together in users.chunks(PIPELINED) {
        let requests = together.iter().map(|(_, token)| {
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n")
        });
        connection.send(requests.collect::<String>().as_bytes());
        for (user, _) in together {
            match connection.answer("GET") {
                Ok(answer) => found.note(user, answer.status, &answer.body),
                Err(error) => panic!("a connection that is to be kept alive: {error}"),
            }
        }
    }
    found
}

/// As [`interleave`], over one HTTP/2 connection that carries many requests at the same time.
pub async fn interleave_http2(
    address: SocketAddr,
    path: &str,
    users: &[(String, String)],
    requests: usize,
) -> Mixups {
    let failed = |error: &dyn std::error::Error| -> ! { panic!("the HTTP/2 connection failed: {error}") };
    let stream = TcpStream::connect(address)
        .await
        .unwrap_or_else(|error| failed(&error));
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = handshake.unwrap_or_else(|error| failed(&error));
    let connection = tokio::spawn(connection);
    let streams = Arc::new(Semaphore::new(STREAMS));
    let mut tasks = Vec::new();
    for turn in 0..requests {
        let (user, token) = users[turn % users.len()].clone();
        let request = Request::get(format!("http://{address}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(Empty::<Bytes>::new())
            .unwrap_or_else(|error| failed(&error));
        let permit = Arc::clone(&streams).acquire_owned().await;
        let mut sender = sender.clone();
        tasks.push(tokio::spawn(async move {
            let answer = sender
                .send_request(request)
                .await
                .map_err(|error| error.to_string())?;
            let status = answer.status().as_u16();
            let body = answer
                .into_body()
                .collect()
                .await
                .map_err(|error| error.to_string())?;
            drop(permit);
            Ok::<_, String>((user, status, body.to_bytes()))
        }));
    }
    let mut found = Mixups::default();
    for task in tasks {
        match task.await {
            Ok(Ok((user, status, body))) => found.note(&user, status, &body),
            Ok(Err(error)) => found.wrong.push(error),
            Err(error) => failed(&error),
        }
    }
    drop(sender);
    connection.abort();
    found
}
