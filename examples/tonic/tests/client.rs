//! The client program against the server, with a local torii.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

use std::process::{Command, Output};

use tokio::net::TcpListener;
use torii_emulator::{Emulator, MintToken, NewMember, NewOrganization};

async fn call(address: &str, token: &str) -> Output {
    let mut client = Command::new(env!("CARGO_BIN_EXE_client"));
    client.arg(address).env("TORII_TOKEN", token);
    tokio::task::spawn_blocking(move || client.output())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn each_caller_gets_what_is_theirs() {
    let torii = Emulator::builder().start().await.unwrap();
    let control = torii.control();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let issuer = torii.issuer().to_owned();
    let server = tokio::spawn(async move { torii_example_tonic::serve(listener, &issuer).await });

    let named = NewOrganization::named("One");
    let organization = control.create_organization(&named).await.unwrap().id;
    for (role, last) in [
        (
            "org:member",
            "Not closed: Permission denied. (guard: role)".to_owned(),
        ),
        ("org:administrator", "Harbour was closed by {}.".to_owned()),
    ] {
        let user = control.create_user(&Default::default()).await.unwrap().id;
        let member = NewMember::new(user, role);
        control.add_member(organization, &member).await.unwrap();
        let mut order = MintToken::of(user);
        order.organization_id = Some(organization);
        let token = control.mint_token(&order).await.unwrap().token;
        let output = call(&address, &token).await;
        let mut expected = format!("You are {user}.\n");
        for note in 1..=3 {
            expected += &format!("Harbour, note {note}, for {user}\n");
        }
        expected += &last.replace("{}", &user.to_string());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected + "\n");
        assert!(output.status.success(), "{role}");
    }

    let output = call(&address, "not-a-token").await;
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("Authentication failed."), "{told}");
    assert!(!told.contains("not-a-token"), "{told}");
    server.abort();
}
