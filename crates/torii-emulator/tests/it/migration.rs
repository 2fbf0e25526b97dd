use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use torii_emulator::{Emulator, Storage};

use crate::api::{Api, Members as _};

const USER: &str = "01931a73-8b00-7000-8000-000000000001";
const ORGANIZATION: &str = "01931a74-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_database_of_version_1_keeps_its_data_and_takes_new_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("torii.db");
    let old = Connection::open(&path).expect("a file");
    old.execute_batch(include_str!("version_1.sql"))
        .expect("version 1");
    drop(old);

    for round in 0..2 {
        let api = on(&path).await;
        let user = api.call("GET", &format!("/users/{USER}"), None).await.expect(200);
        assert_eq!(user["environmentId"], "01931a72-0000-7000-8000-000000000000");
        assert_eq!(
            (&user["name"], &user["locale"]),
            (&json!("Ada Lovelace"), &json!("da"))
        );
        assert_eq!(user["publicMetadata"], json!({"plan": "free"}));
        let sessions = api
            .call("GET", &format!("/users/{USER}/sessions"), None)
            .await
            .expect(200);
        assert_eq!(sessions[0]["activeOrganizationId"], ORGANIZATION);
        assert_eq!(sessions[0]["impersonatedBy"], Value::Null);
        let page = api
            .call("GET", "/organizations?name=bl%C3%A5b%C3%A6r", None)
            .await
            .expect(200);
        assert_eq!(page.items("slug"), ["blaabaer"]);
        let page = api
            .call("GET", &format!("/organizations/{ORGANIZATION}/members"), None)
            .await
            .expect(200);
        assert_eq!(page.items("roleName"), ["Administrator"]);
        let members = format!("/organizations/{ORGANIZATION}/members/{USER}/metadata");
        let patch = json!({"publicMetadata": {"round": round}});
        api.call("PATCH", &members, Some(patch.clone())).await.expect(200);
        api.call(
            "PATCH",
            &format!("/organizations/{ORGANIZATION}/metadata"),
            Some(patch),
        )
        .await
        .expect(200);
        api.invite(&format!("{round}@example.com")).await;
        let invitations = api.call("GET", "/invitations", None).await.expect(200);
        assert_eq!(invitations.items("email").len(), round + 1);
        api.torii.shutdown().await;
    }
    let version: i64 = Connection::open(&path)
        .and_then(|new| new.query_row("PRAGMA user_version", [], |row| row.get(0)))
        .expect("a version");
    assert_eq!(version, 3);
}

async fn on(path: &Path) -> Api {
    Api::of(Emulator::builder().storage(Storage::File(path.to_owned()))).await
}
