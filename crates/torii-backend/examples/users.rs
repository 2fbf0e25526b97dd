//! Creates a user, lists, changes, bans and deletes it.
//!
//! `cargo run -p torii-cli -- dev --in-memory -- cargo run -p torii-backend --example users` runs it against a local torii.
//! With an account, set `TORII_SECRET_KEY` to a test key of yours.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use torii_backend::{CreateUser, Patch, Torii, UpdateUser, User, UserFilter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let torii = Torii::from_env()?; // TORII_SECRET_KEY, and TORII_API_URL if it is set

    let ada = torii
        .users()
        .create(&CreateUser::with_email("ada@example.com"))
        .await?;
    show("created", &ada);

    let page = torii.users().list(&UserFilter::default()).limit(10).await?;
    for user in &page.items {
        show("listed", user);
    }

    let change = UpdateUser {
        first_name: "Ada".into(),
        last_name: Patch::Clear, // every other field stays as it is
        ..Default::default()
    };
    show("changed", &torii.users().update(ada.id, &change).await?);
    show("banned", &torii.users().ban(ada.id).await?);

    match torii
        .users()
        .create(&CreateUser::with_email("ada@example.com"))
        .await
    {
        Err(error) if error.is_conflict() => println!("{:8} {error}", "refused"),
        other => return Err(format!("the address is taken, but the answer is {other:?}").into()),
    }

    torii.users().delete(ada.id).await?;
    println!("{:8} {}", "deleted", ada.id);
    Ok(())
}

fn show(what: &str, user: &User) {
    let User { id, status, .. } = user;
    let email = user.email.as_deref().unwrap_or("-");
    let first_name = user.first_name.as_deref().unwrap_or("-");
    println!("{what:8} {id} {status} {email} {first_name}");
}
