//! A web application on axum: its README says how to run it.
#![allow(clippy::print_stdout, reason = "it talks to whoever started it")]

mod app;
mod sign_in;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

const DEFAULT_PORT: u16 = 3000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer =
        std::env::var("TORII_ISSUER").map_err(|_| "set TORII_ISSUER, or start me with `torii dev -- …`")?;
    let port = match std::env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| "PORT is not the number of a port")?,
        Err(_) => DEFAULT_PORT,
    };
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let sign_in_url = std::env::var("SIGN_IN_URL").unwrap_or_else(|_| format!("{issuer}/sign-in"));
    let app = app::app(&issuer, &sign_in_url, &origin)?;
    println!("open {origin}/");
    axum::serve(listener, app)
        .with_graceful_shutdown(interrupted())
        .await?;
    Ok(())
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // There is nothing to listen to, so Ctrl-C ends the process as if we had not asked.
        std::future::pending::<()>().await;
    }
}
