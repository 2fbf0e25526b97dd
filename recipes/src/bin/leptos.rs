//! Leptos: server functions behind the layer of `torii-backend-axum`, which ask for the caller as axum's handlers do.

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::post;
use leptos::prelude::{ServerFnError, server};
use leptos_axum::{extract, handle_server_fns};
use tokio::net::TcpListener;
use torii_backend::{Org, Requirement, Verifier};
use torii_backend_axum::{AuthLayer, LayerAuth};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").unwrap_or("3000".to_owned()).parse()?;
    let signed_in = AuthLayer::new(Verifier::new(env::var("TORII_ISSUER")?)?);
    let member = signed_in
        .clone()
        .require(Requirement::new().organization(Org::Any));
    // A server function is reached through these routes alone: each has a layer.
    let members = Router::new()
        .route("/api/org/{*function}", post(handle_server_fns))
        .layer(member);
    let app = Router::new()
        .route("/api/{*function}", post(handle_server_fns))
        .layer(signed_in)
        .merge(members);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

#[server(endpoint = "me")]
pub async fn me() -> Result<String, ServerFnError> {
    let auth: LayerAuth = extract().await?;
    Ok(format!("You are {}.\n", auth.user_id()))
}

/// Whoever calls it is in an organization, because its path begins with `/api/org`.
#[server(prefix = "/api/org", endpoint = "invoices")]
pub async fn invoices() -> Result<String, ServerFnError> {
    let auth: LayerAuth = extract().await?;
    let organization = auth.organization().map(|organization| organization.id.as_str());
    let organization = organization.unwrap_or_default();
    Ok(format!(
        "The invoices of {organization}, for {}.\n",
        auth.user_id()
    ))
}
