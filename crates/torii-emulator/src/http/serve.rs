//! Connections: accepted, limited in number and in time, and broken where a fault says so.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use super::peer::{Peer, Progress};
use super::router;
use crate::engine::Engine;

/// Most connections at a time. For one more, the one that has been idle for longest is closed; if none is idle, it waits.
/// Below the 1,024 files that many systems allow a process.
const MAX_CONNECTIONS: usize = 900;
/// Most bytes that a connection holds of a request's head, and of a body at a time. A longer head is refused with 431.
const MAX_BUFFER_BYTES: usize = 128 * 1024;
/// How often connections are looked at for the two, and for one to close.
const PATIENCE_TICK: Duration = Duration::from_secs(1);
/// The pause after the system could not accept, as when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stopping` turns true, and then until the requests under way are answered.
pub(crate) async fn serve(listener: TcpListener, engine: Arc<Engine>, mut stopping: watch::Receiver<bool>) {
    let router = router::router(Arc::clone(&engine));
    let mut connections = Connections::default();
    loop {
        let (stream, address) = tokio::select! {
            () = stopped(&mut stopping) => break,
            () = connections.ended() => continue,
            accepted = accept(&listener) => accepted,
        };
        tokio::select! {
            () = stopped(&mut stopping) => break,
            () = connections.make_room() => {}
        }
        let peer = Arc::new(Peer::new(address));
        let answering = (Arc::clone(&engine), router.clone());
        let serving = connection(stream, Arc::clone(&peer), answering, stopping.clone());
        connections.add(peer, serving);
    }
    drop(listener);
    while connections.tasks.join_next().await.is_some() {}
}

/// The connections that are open.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    peers: HashMap<Id, Arc<Peer>>,
}

impl Connections {
    fn add(&mut self, peer: Arc<Peer>, serving: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(serving).id();
        self.peers.insert(id, peer);
    }

    /// Waits until one has ended. Without any, for ever.
    async fn ended(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => std::future::pending().await,
        };
        self.peers.remove(&id);
    }

    /// Waits until there is a place, and closes the connection that has been idle for longest to get one.
    async fn make_room(&mut self) {
        while self.peers.len() >= MAX_CONNECTIONS {
            let idle = self
                .peers
                .values()
                .filter_map(|peer| Some((peer.idle_since()?, peer)));
            if let Some((_, peer)) = idle.min_by_key(|(since, _)| *since) {
                peer.end();
            }
            // After the pause another one may be idle.
            let _ = tokio::time::timeout(PATIENCE_TICK, self.ended()).await;
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the emulator is gone, which is as good a reason.
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: Arc<Peer>,
    (engine, router): (Arc<Engine>, Router),
    mut stopping: watch::Receiver<bool>,
) {
    // Small replies go out at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection is gone already");
        return;
    }
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let (engine, router, peer) = (Arc::clone(&engine), router.clone(), Arc::clone(&peer));
        async move {
            *peer.progress() = Progress::Reply;
            let response = router::respond(engine, router, Arc::clone(&peer), request.map(Body::new)).await;
            *peer.progress() = Progress::Idle {
                since: Instant::now(),
            };
            Ok::<_, Infallible>(response)
        }
    });
    let io = TokioIo::new(Watched {
        stream,
        peer: Arc::clone(&peer),
    });
    let mut serving = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            // The patience with heads is ours: hyper's would count a connection's idle time as a slow head.
            .header_read_timeout(None)
            .max_buf_size(MAX_BUFFER_BYTES)
            .serve_connection(io, service)
    );
    let mut tick = tokio::time::interval(PATIENCE_TICK);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            result = serving.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = peer.ended() => return,
            _ = tick.tick() => if peer.is_overdue() { return },
            () = stopped(&mut stopping), if !is_stopping => {
                is_stopping = true;
                if matches!(*peer.progress(), Progress::Head { .. } | Progress::Nothing) {
                    return;
                }
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A stream that tells its peer's progress from the bytes that arrive, and that can end in a reset.
struct Watched {
    stream: TcpStream,
    peer: Arc<Peer>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.peer.is_reset() {
            // A close with nothing left to linger for is a reset.
            if let Err(error) = self.stream.set_zero_linger() {
                tracing::debug!(%error, "the connection is gone already");
            }
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            let mut progress = self.peer.progress();
            if matches!(*progress, Progress::Idle { .. }) {
                *progress = Progress::Head {
                    since: Instant::now(),
                };
            }
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
