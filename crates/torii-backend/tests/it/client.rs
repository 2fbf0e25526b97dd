//! The client itself.

mod calls;
mod errors;
mod settings;

use std::fmt::Debug;

use http::header::AUTHORIZATION;
use pollster::block_on;
use serde_json::json;
use torii_backend::{BlockingTorii, Torii, UserFilter};

use crate::contract::call;
use crate::memory::{self, Memory, SECRET_KEY, status};

const USER: &str = "01931a73-8b00-7000-8000-000000000000";

#[test]
fn the_secret_key_is_not_shown() {
    let server = Memory::answering(|_| status(404));
    let (torii, blocking) = (server.torii(), server.blocking_torii());
    let hidden = |shown: &dyn Debug| {
        let (plain, pretty) = (format!("{shown:?}"), format!("{shown:#?}"));
        for shown in [plain, pretty] {
            assert!(!shown.contains(&SECRET_KEY["sk_test_".len()..]), "{shown}");
        }
    };
    hidden(&Torii::builder(SECRET_KEY));
    hidden(&torii);
    hidden(&blocking);
    hidden(&torii.users());
    hidden(&torii.sessions());
    hidden(&torii.organizations());
    hidden(&torii.invitations());
    hidden(&torii.impersonation());
    hidden(&torii.allowed_origins());
    hidden(&torii.users().get(USER));
    hidden(&blocking.users().list(&UserFilter::default()));
    let error = block_on(torii.users().get(USER).into_future()).unwrap_err();
    hidden(&error);
    assert!(!error.to_string().contains(SECRET_KEY));
    // Each request has it, in a header that knows to hide it.
    let asked = server.asked().remove(0);
    assert_eq!(
        asked.request.headers()[AUTHORIZATION],
        format!("Bearer {SECRET_KEY}")
    );
    hidden(&asked.request);
}

#[test]
fn what_opens_a_session_is_not_shown() {
    let server = Memory::answering(|_| {
        let token =
            json!({"token": "kept secret", "expiresInSeconds": 60, "url": "https://x/?token=kept secret"});
        memory::json(&token)
    });
    let args = json!({"userId": USER, "token": {"actorUserId": USER, "reason": "Ticket 4821"}});
    let reply = block_on(call(&server.torii(), "impersonation.create_token", &args).outcome).unwrap();
    assert_eq!(reply["token"], "kept secret");
    let token = serde_json::from_value(args["token"].clone()).unwrap();
    let minted = server
        .blocking_torii()
        .impersonation()
        .create_token(USER, &token)
        .send_with_reply()
        .unwrap();
    assert_eq!(minted.token, "kept secret");
    let shown = format!("{minted:?} {minted:#?}");
    assert!(
        !shown.contains("kept secret") && shown.contains("expires_in_seconds"),
        "{shown}"
    );
}

#[test]
fn clients_are_shared_between_threads() {
    fn shared<T: Clone + Debug + Send + Sync + 'static>() {}
    shared::<Torii>();
    shared::<BlockingTorii>();
    let server = Memory::answering(|_| memory::json(&json!({"origins": []})));
    let torii = server.blocking_torii();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let torii = torii.clone();
            scope.spawn(move || torii.allowed_origins().list().send().unwrap());
        }
    });
    assert_eq!(server.count(), 8);
}
