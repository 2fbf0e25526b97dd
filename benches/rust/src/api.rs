//! `users.get` against the canned server, and a walk over all its users.

use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use torii_backend::{BlockingTorii, Torii, User, UserFilter};

use crate::measure::{Case, Sample, Worker, cpu_ns, repeat, resident};
use crate::world::World;

type Measure = Box<dyn FnMut(&Case) -> Result<Sample, Box<dyn Error>>>;

pub(crate) fn peer(name: &str, world: &'static World) -> Result<impl Worker, Box<dyn Error>> {
    match name {
        "torii-backend" => torii(world),
        "torii-backend, blocking" => torii_blocking(world),
        "reqwest" => reqwest(world),
        "hyper" => hyper(world),
        _ => Err(format!("no peer is called {name}").into()),
    }
}

fn torii(world: &'static World) -> Result<Measure, Box<dyn Error>> {
    let (runtime, torii) = (
        runtime()?,
        Torii::builder(&world.secret_key).api_url(&world.url).build()?,
    );
    Ok(Box::new(move |case| {
        Ok(gets(case, &runtime, async || {
            torii.users().get(world.user_id.as_str()).await.expect("a user")
        }))
    }))
}

fn torii_blocking(world: &'static World) -> Result<Measure, Box<dyn Error>> {
    let torii = Torii::builder(&world.secret_key)
        .api_url(&world.url)
        .build_blocking()?;
    Ok(Box::new(move |case| {
        if case.name == "walk" {
            return walk(case, &torii);
        }
        let get = |_| drop(black_box(torii.users().get(world.user_id.as_str()).send()).expect("a user"));
        Ok(repeat(case, |_, _| 0, get))
    }))
}

/// Every user once. `bytes` is how far the process grew while it walked, looked at a hundred times.
fn walk(case: &Case, torii: &BlockingTorii) -> Result<Sample, Box<dyn Error>> {
    let filter = UserFilter::default();
    let mut users = torii.users().list(&filter).limit(100).items();
    let (before, cpu, start) = (resident()?, cpu_ns(), Instant::now());
    let mut largest = before;
    for _ in 0..100 {
        for user in users.by_ref().take(case.size / 100) {
            black_box(user?);
        }
        largest = largest.max(resident()?);
    }
    let (wall, cpu, count) = (
        start.elapsed().as_nanos() as f64,
        cpu_ns() - cpu,
        case.size as f64,
    );
    let grown = (largest - before) as f64;
    Ok(Sample::from([
        ("ns", wall / count),
        ("cpu_ns", cpu / count),
        ("bytes", grown),
    ]))
}

fn reqwest(world: &'static World) -> Result<Measure, Box<dyn Error>> {
    let (runtime, client) = (runtime()?, reqwest::Client::builder().no_proxy().build()?);
    let url = user_url(world);
    Ok(Box::new(move |case| {
        Ok(gets(case, &runtime, async || {
            let reply = client
                .get(&url)
                .bearer_auth(&world.secret_key)
                .send()
                .await
                .expect("a reply");
            user(&reply.bytes().await.expect("a body"))
        }))
    }))
}

/// One connection and nothing else: what HTTP itself costs.
fn hyper(world: &'static World) -> Result<Measure, Box<dyn Error>> {
    let (runtime, url) = (runtime()?, user_url(world));
    let host = world.url.trim_start_matches("http://");
    let sender = runtime.block_on(async {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok::<_, Box<dyn Error>>(sender)
    })?;
    let path = url.trim_start_matches(&world.url).to_owned();
    let bearer = format!("Bearer {}", world.secret_key);
    let sender = Mutex::new(sender);
    Ok(Box::new(move |case| {
        Ok(gets(case, &runtime, async || {
            let request = Request::get(&path)
                .header(HOST, host)
                .header(AUTHORIZATION, &bearer);
            let request = request.body(Empty::<Bytes>::new()).expect("a request");
            let reply = sender.lock().await.send_request(request).await.expect("a reply");
            user(&reply.into_body().collect().await.expect("a body").to_bytes())
        }))
    }))
}

/// Calls one after the other on the runtime's thread.
fn gets<F: Future<Output = User>>(case: &Case, runtime: &Runtime, get: impl Fn() -> F + Sync) -> Sample {
    repeat(case, |_, _| 0, |_| drop(black_box(runtime.block_on(get()))))
}

fn user(body: &[u8]) -> User {
    serde_json::from_slice(body).expect("a user")
}

fn user_url(world: &World) -> String {
    format!("{}/api/server/v1/users/{}", world.url, world.user_id)
}

fn runtime() -> Result<Runtime, Box<dyn Error>> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
