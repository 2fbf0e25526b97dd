//! The examples, run.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::process::Command;

use serde_json::json;
use torii_emulator::{Emulator, MintToken};

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_documents_runs_against_a_local_torii() {
    let torii = Emulator::builder().start().await.unwrap();
    let user = torii.control().create_user(&Default::default()).await.unwrap();
    let claims = [("plan".to_owned(), json!("pro"))].into_iter().collect();
    let minted = torii
        .control()
        .mint_token(&MintToken {
            claims,
            ..MintToken::of(user.id)
        })
        .await
        .unwrap();

    let mut examples = Command::new(env!("CARGO_BIN_EXE_torii-docs-tests"));
    examples
        .env("EXAMPLE_TOKEN", &minted.token)
        .env("EXAMPLE_USER_ID", user.id.to_string());
    let said = run(examples, &torii).await;
    assert_eq!(said.matches(".md: ").count(), 10, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_api_client_runs_against_a_local_torii() {
    let torii = Emulator::builder().start().await.unwrap();
    let said = run(Command::new(env!("CARGO_BIN_EXE_users")), &torii).await;
    let steps: Vec<_> = said.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        steps,
        ["created", "listed", "changed", "banned", "refused", "deleted"],
        "{said}"
    );
}

/// What the program says, in the environment that `torii dev` gives to its command.
async fn run(mut program: Command, torii: &Emulator) -> String {
    program
        .env("TORII_ISSUER", torii.issuer())
        .env("TORII_API_URL", torii.api_url())
        .env("TORII_SECRET_KEY", torii.secret_key());
    let output = tokio::task::spawn_blocking(move || program.output().unwrap())
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failed}");
    said
}
