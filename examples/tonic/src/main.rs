//! The server.
//!
//! `cargo run -p torii-cli -- dev -- cargo run -p torii-example-tonic` runs it against a local torii.
#![allow(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

const DEFAULT_PORT: &str = "3000";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let issuer =
        env::var("TORII_ISSUER").map_err(|_| "set TORII_ISSUER, or start me with `torii dev -- …`")?;
    let port: u16 = env::var("PORT").unwrap_or(DEFAULT_PORT.to_owned()).parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}; in another terminal:");
    println!(
        "TORII_TOKEN=\"$(cargo run -q -p torii-cli -- dev token ada@example.com)\" \
         cargo run -p torii-example-tonic --bin client -- http://{address}"
    );
    torii_example_tonic::serve(listener, &issuer).await
}
