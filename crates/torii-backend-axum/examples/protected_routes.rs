//! Routes that anybody, some or only signed-in users may call.
//!
//! `torii dev -- cargo run -p torii-backend-axum --example protected_routes` runs it against a local torii.
#![allow(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use torii_backend::Verifier;
use torii_backend_axum::{Auth, AuthLayer};

const DEFAULT_PORT: u16 = 3000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer =
        std::env::var("TORII_ISSUER").map_err(|_| "set TORII_ISSUER, or start me with `torii dev -- …`")?;
    let port = match std::env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| "PORT is not the number of a port")?,
        Err(_) => DEFAULT_PORT,
    };

    let verifier = Verifier::new(issuer)?;
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(verifier))
        .with_graceful_shutdown(interrupted())
        .await?;
    Ok(())
}

/// The application.
pub(crate) fn app(verifier: Verifier) -> Router {
    let invoices = Router::new()
        .route("/", get(list_invoices))
        .route("/latest", get(latest_invoice))
        .layer(AuthLayer::new(verifier.clone()));

    Router::new()
        .route("/public", get(public))
        .route("/hello", get(hello))
        .route("/me", get(me))
        .nest("/invoices", invoices)
        .with_state(verifier)
}

async fn public() -> &'static str {
    "Anybody may read this.\n"
}

async fn hello(auth: Option<Auth>) -> String {
    match auth {
        Some(auth) => format!("Hello, {}!\n", auth.user_id()),
        None => "Hello, stranger!\n".to_owned(),
    }
}

async fn me(auth: Auth) -> String {
    format!("You are {}.\n", auth.user_id())
}

/// Names no `Auth`, and yet only signed-in users get here.
async fn list_invoices() -> &'static str {
    "Invoices: 1, 2, 3\n"
}

async fn latest_invoice(auth: Auth) -> String {
    format!("Invoice 3, for {}\n", auth.user_id())
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // There is nothing to listen to, so Ctrl-C ends the process as if we had not asked.
        std::future::pending::<()>().await;
    }
}
