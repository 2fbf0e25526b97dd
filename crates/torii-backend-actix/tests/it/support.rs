//! A server on a thread of its own, a local torii, and requests to both.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode};
use torii_backend::Verifier;
use torii_emulator::{Emulator, MintToken};

/// An application that is being served.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    client: Client,
}

impl Server {
    /// With one worker, so that whatever blocks it stops every request.
    pub(crate) fn start<F>(routes: F) -> Self
    where
        F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let (started, starting) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || App::new().configure(routes.clone()))
                    .workers(1)
                    .disable_signals()
                    .bind(("127.0.0.1", 0))
                    .unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                started.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = starting.recv().unwrap();
        Self {
            address,
            handle,
            thread: Some(thread),
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub(crate) fn request(&self, path: &str, token: Option<&str>) -> reqwest::RequestBuilder {
        let request = self.client.get(format!("http://{}{path}", self.address));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> (StatusCode, String) {
        let (status, _, body) = self.get_all(path, token).await;
        (status, body)
    }

    pub(crate) async fn get_all(&self, path: &str, token: Option<&str>) -> (StatusCode, HeaderMap, String) {
        let reply = self.request(path, token).send().await.unwrap();
        (
            reply.status(),
            reply.headers().clone(),
            reply.text().await.unwrap(),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopping = self.handle.stop(false);
        let thread = self.thread.take().unwrap();
        // On a thread without a runtime: this one may have one.
        let stopped = thread::spawn(move || {
            System::new().block_on(stopping);
            thread.join()
        });
        // A server that has panicked has failed its test already.
        let _ = stopped.join();
    }
}

pub(crate) struct Torii {
    pub(crate) emulator: Emulator,
    pub(crate) verifier: Verifier,
}

impl Torii {
    pub(crate) async fn start() -> Self {
        let emulator = Emulator::builder().start().await.unwrap();
        let verifier = Verifier::new(emulator.issuer()).unwrap();
        Self { emulator, verifier }
    }

    /// A verifier of its own, with which `verifier` shares nothing.
    pub(crate) fn another_verifier(&self) -> Verifier {
        Verifier::new(self.emulator.issuer()).unwrap()
    }

    /// A new user's id and a token of theirs.
    pub(crate) async fn user(&self) -> (String, String) {
        let control = self.emulator.control();
        let user = control.create_user(&Default::default()).await.unwrap();
        let minted = control.mint_token(&MintToken::of(user.id)).await.unwrap();
        (user.id.to_string(), minted.token)
    }
}
