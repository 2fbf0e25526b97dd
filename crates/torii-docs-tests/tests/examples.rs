//! The examples, run.

use std::process::Command;

use serde_json::json;
use torii_emulator::{Emulator, MintToken};

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_readme_runs_against_a_local_torii() {
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
        .env("TORII_ISSUER", torii.issuer())
        .env("TORII_API_URL", torii.api_url())
        .env("TORII_SECRET_KEY", torii.secret_key())
        .env("EXAMPLE_TOKEN", &minted.token)
        .env("EXAMPLE_USER_ID", user.id.to_string());
    let output = tokio::task::spawn_blocking(move || examples.output().unwrap())
        .await
        .unwrap();

    let (said, failed) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{failed}");
    assert_eq!(said.matches("README.md: ").count(), 9, "{said}");
}
