//! One thread serves everybody, while the keys for one request are being fetched.

use tokio::task::spawn_blocking;
use torii_conformance::{Contract, HeldFetch};

use crate::conformance::{App, served};

#[tokio::test]
async fn a_fetch_of_keys_that_is_held_open_stops_nobody_else() {
    let contract = Contract::read();
    let held = HeldFetch::new(&contract).unwrap();
    let address = served(App::of(&held.verifier)).await;
    let checked = spawn_blocking(move || held.check(&contract, address, "/me")).await;
    checked.unwrap().unwrap();
}
