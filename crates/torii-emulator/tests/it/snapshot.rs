use serde_json::{Value, json};
use torii_emulator::Snapshot;

use crate::api::{Api, Members as _, OTHER_KEY};

#[tokio::test]
async fn what_is_exported_is_imported_again_unchanged() {
    let api = Api::with_two_environments().await;
    let user = fill(&api).await;
    let export = api.control("GET", "/export", None).await.expect(200);
    for list in [
        "users",
        "organizations",
        "members",
        "sessions",
        "invitations",
        "impersonationTokens",
    ] {
        assert!(!export[list].as_array().expect("a list").is_empty(), "{list}");
    }
    let keys = api.get("/_torii/.well-known/jwks.json").await.expect(200);
    let seen = api
        .call("GET", &format!("/users/{user}/sessions"), None)
        .await
        .expect(200);

    api.control("POST", "/reset", None).await.expect(204);
    api.create_user(json!({"email": "someone@else.dk"})).await;
    api.control("POST", "/import", Some(export.clone()))
        .await
        .expect(204);
    assert_eq!(api.control("GET", "/export", None).await.expect(200), export);
    assert_eq!(
        api.call("GET", &format!("/users/{user}/sessions"), None)
            .await
            .expect(200),
        seen
    );
    assert_eq!(
        api.control("GET", "/clock", None).await.expect(200),
        json!({"offsetSeconds": 120})
    );
    assert_eq!(
        api.control("GET", "/settings", None).await.expect(200)["tokenLifetimeSeconds"],
        77
    );
    assert_eq!(api.get("/_torii/.well-known/jwks.json").await.expect(200), keys);
    // Nothing of it signs or opens anything.
    for secret in ["sk_test", "correct horse", &keys["keys"][0].text("kid")] {
        assert!(!export.to_string().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn another_emulator_takes_it_over_into_its_own_environments() {
    let from = Api::with_two_environments().await;
    let user = fill(&from).await;
    let foreign = from
        .call_with_key(OTHER_KEY, "POST", "/users", Some(json!({})))
        .await
        .expect(201)
        .text("id");
    let snapshot = from.torii.control().export().await.expect("exported");
    let text = serde_json::to_string(&snapshot).expect("JSON");
    let to = Api::with_two_environments().await;
    let snapshot: Snapshot = serde_json::from_str(&text).expect("the document");
    to.torii.control().import(&snapshot).await.expect("imported");

    let found = to.call("GET", &format!("/users/{user}"), None).await.expect(200);
    assert_eq!(found["environmentId"], to.torii.environment_id().to_string());
    to.call("GET", &format!("/users/{foreign}"), None)
        .await
        .refused(403, "forbidden");
    to.call_with_key(OTHER_KEY, "GET", &format!("/users/{foreign}"), None)
        .await
        .expect(200);
    let organizations = to
        .call("GET", &format!("/users/{user}/organizations"), None)
        .await
        .expect(200);
    assert_eq!(organizations.items("name"), ["Acme"]);
    let origins = to.call("GET", "/allowed-origins", None).await.expect(200);
    assert_eq!(origins, json!({"origins": ["https://app.example.com"]}));
    let page = to.call("GET", "/invitations", None).await.expect(200);
    assert_eq!(page.items("email"), ["grace@example.com"]);
}

#[tokio::test]
async fn the_least_document_is_an_empty_state() {
    let api = Api::start().await;
    let user = api.any_user().await;
    api.control("POST", "/import", Some(json!({"format": 1})))
        .await
        .expect(204);
    api.call("GET", &format!("/users/{user}"), None)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_state_that_no_operation_could_bring_about_is_refused_and_nothing_changes() {
    let api = Api::with_two_environments().await;
    fill(&api).await;
    let export = api.control("GET", "/export", None).await.expect(200);
    let twice = |list: &str| {
        let items = &export[list];
        json!([items[0], items[0]])
    };
    let other = &export["environments"][1]["id"];
    let unknown = json!("01931a73-8b00-7000-8000-000000000000");
    for (pointer, value) in [
        ("/format", json!(2)),
        ("/colour", json!(1)),
        ("/clockOffsetSeconds", json!(i64::MAX)),
        ("/settings/tokenLifetimeSeconds", json!(0)),
        ("/settings/colour", json!(1)),
        ("/environments", json!([])),
        ("/environments/1/id", export["environments"][0]["id"].clone()),
        ("/environments/0/allowedOrigins", json!(["app"])),
        ("/users", twice("users")),
        ("/users", json!([])),
        ("/users/0/colour", json!(1)),
        ("/users/0/user/colour", json!(1)),
        ("/users/0/user/status", json!("asleep")),
        ("/users/0/user/locale", json!("xx")),
        ("/users/0/user/email", json!("ada")),
        ("/users/0/user/createdAt", json!("yesterday")),
        ("/users/0/user/environmentId", unknown.clone()),
        ("/users/0/user/environmentId", other.clone()),
        ("/users/0/user/publicMetadata", json!({"k": "x".repeat(9_000)})),
        ("/organizations", twice("organizations")),
        ("/organizations/0/organization/name", json!(" ")),
        ("/organizations/0/organization/colour", json!(1)),
        ("/organizations/0/environmentId", other.clone()),
        ("/members", twice("members")),
        ("/members/0/userId", unknown.clone()),
        ("/members/0/role", json!("")),
        ("/sessions", twice("sessions")),
        ("/sessions/0/session/userId", unknown.clone()),
        ("/sessions/0/session/environmentId", other.clone()),
        ("/sessions/0/session/activeOrganizationId", unknown.clone()),
        ("/invitations", twice("invitations")),
        ("/invitations/0/email", json!("ada")),
        ("/invitations/0/lifetimeDays", json!(0)),
        ("/invitations/0/environmentId", unknown.clone()),
        ("/impersonationTokens", twice("impersonationTokens")),
        ("/impersonationTokens/0/actorUserId", unknown),
    ] {
        let mut changed = export.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = changed.pointer_mut(parent).expect("a place");
        match parent {
            Value::Array(items) => items[name.parse::<usize>().expect("a place")] = value,
            parent => parent[name] = value,
        }
        let reply = api.control("POST", "/import", Some(changed)).await;
        assert_eq!(reply.status, 400, "{pointer}: {}", reply.body);
        reply.refused(400, "invalid_request");
    }
    assert_eq!(api.control("GET", "/export", None).await.expect(200), export);
}

#[tokio::test]
async fn a_state_of_several_megabytes_fits() {
    let api = Api::start().await;
    for _ in 0..400 {
        api.create_user(json!({"unsafeMetadata": {"k": "x".repeat(8_000)}}))
            .await;
    }
    let export = api.control("GET", "/export", None).await.expect(200);
    assert!(export.to_string().len() > 3 * 1024 * 1024);
    api.control("POST", "/import", Some(export)).await.expect(204);
}

/// Some of everything; the id of the user who has most of it.
async fn fill(api: &Api) -> String {
    api.move_clock(120).await;
    api.change_settings(json!({"tokenLifetimeSeconds": 77, "landingUrl": "https://app.example.com/"}))
        .await;
    let user = api
        .create_user(json!({
            "email": "Ada@example.com", "password": "correct horse", "firstName": "Ada", "phone": "+45 1234",
            "privateMetadata": {"a": {"b": [1, null, "x"]}},
        }))
        .await
        .text("id");
    let banned = api.any_user().await;
    api.call("POST", &format!("/users/{banned}/ban"), None)
        .await
        .expect(200);
    let deleted = api
        .create_user(json!({"email": "gone@example.com"}))
        .await
        .text("id");
    api.call("DELETE", &format!("/users/{deleted}"), None)
        .await
        .expect(204);
    let organization = api.organization("Acme").await;
    api.add_member(&organization, &user).await;
    let bag = json!({"publicMetadata": {"k": 1}});
    api.call(
        "PATCH",
        &format!("/organizations/{organization}/metadata"),
        Some(bag),
    )
    .await
    .expect(200);
    let session = json!({"userId": user, "activeOrganizationId": organization});
    api.control("POST", "/sessions", Some(session.clone()))
        .await
        .expect(201);
    let revoked = api
        .control("POST", "/sessions", Some(session))
        .await
        .expect(201)
        .text("id");
    api.call("DELETE", &format!("/users/{user}/sessions/{revoked}"), None)
        .await
        .expect(204);
    api.invite("grace@example.com").await;
    let body = json!({"actorUserId": banned, "reason": "Ticket 4821"});
    api.call("POST", &format!("/users/{user}/impersonation-token"), Some(body))
        .await
        .expect(200);
    let origins = json!({"origins": ["https://app.example.com"]});
    api.call("PUT", "/allowed-origins", Some(origins))
        .await
        .expect(200);
    user
}
