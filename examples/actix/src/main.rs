//! A site whose visitors sign in with torii.
//!
//! `cargo run -p torii-cli -- dev -- cargo run -p torii-example-actix` runs it against a local torii.
#![allow(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, TcpListener};

const DEFAULT_PORT: &str = "3000";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer =
        env::var("TORII_ISSUER").map_err(|_| "set TORII_ISSUER, or start me with `torii dev -- …`")?;
    let port: u16 = env::var("PORT").unwrap_or(DEFAULT_PORT.to_owned()).parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("listening on http://{}", listener.local_addr()?);
    torii_example_actix::serve(listener, &issuer)?.await?;
    Ok(())
}
