//! One thread serves everybody, while the keys for one request are being fetched.

use axum::Router;
use axum::routing::get;
use tokio::task::spawn_blocking;
use torii_backend_axum::{Auth, AuthLayer, LayerAuth};
use torii_conformance::{Contract, HeldFetch};

use crate::conformance::served;

#[tokio::test]
async fn a_fetch_of_keys_that_is_held_open_stops_nobody_else() {
    for by_layer in [true, false] {
        let contract = Contract::read();
        let held = HeldFetch::new(&contract).unwrap();
        let verifier = held.verifier.clone();
        let app = match by_layer {
            true => Router::new()
                .route("/me", get(async |_: LayerAuth| ()))
                .layer(AuthLayer::new(verifier)),
            false => Router::new()
                .route("/me", get(async |_: Auth| ()))
                .with_state(verifier),
        };
        let address = served(app).await;
        let checked = spawn_blocking(move || held.check(&contract, address, "/me")).await;
        checked.unwrap().unwrap();
    }
}
