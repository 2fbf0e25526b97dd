use serde_json::{Value, json};
use torii_emulator::Emulator;

use crate::api::{Api, Members as _};

/// A user id that no emulator has handed out.
const UNKNOWN: &str = "01931a73-8b00-7000-8000-000000000000";

#[tokio::test]
async fn a_created_user_comes_back_as_published() {
    let api = Api::start().await;
    let created = api
        .create_user(json!({
            "email": "Ada@Example.com", "password": "correct horse", "firstName": "Ada", "lastName": "Lovelace",
            "publicMetadata": {"plan": "free"}, "privateMetadata": {"crm": 7}, "unsafeMetadata": {"step": 0},
        }))
        .await;
    let members: Vec<&String> = created.as_object().expect("an object").keys().collect();
    assert_eq!(
        members,
        [
            "createdAt",
            "deletedAt",
            "email",
            "emailVerifiedAt",
            "environmentId",
            "firstName",
            "id",
            "lastName",
            "locale",
            "name",
            "privateMetadata",
            "publicMetadata",
            "status",
            "unsafeMetadata",
            "updatedAt",
        ]
    );
    assert_eq!(created["email"], "Ada@Example.com");
    assert_eq!(created["name"], "Ada Lovelace");
    assert_eq!(created["status"], "active");
    assert_eq!(created["environmentId"], api.torii.environment_id().to_string());
    assert_eq!(created["publicMetadata"], json!({"plan": "free"}));
    assert_eq!(created["privateMetadata"], json!({"crm": 7}));
    assert_eq!(created["emailVerifiedAt"], Value::Null);
    assert_eq!(created["createdAt"], created["updatedAt"]);
    let instant = created.text("createdAt");
    assert!(
        instant.ends_with('Z') && instant.len() <= "2026-05-16T09:30:00.123456Z".len(),
        "{instant}"
    );

    let path = format!("/users/{}", created.text("id"));
    assert_eq!(api.call("GET", &path, None).await.expect(200), created);
}

#[tokio::test]
async fn every_field_of_a_new_user_is_optional() {
    let api = Api::start().await;
    let user = api.create_user(json!({})).await;
    for member in ["name", "firstName", "lastName", "email", "locale", "deletedAt"] {
        assert_eq!(user[member], Value::Null, "{member}");
    }
    for bag in ["publicMetadata", "privateMetadata", "unsafeMetadata"] {
        assert_eq!(user[bag], json!({}), "{bag}");
    }
    api.create_user(json!({"email": null, "password": null, "firstName": null, "lastName": null}))
        .await;
}

#[tokio::test]
async fn fields_that_cannot_be_taken_are_refused_with_their_code() {
    let api = Api::start().await;
    let long = |chars| "x".repeat(chars);
    let cases = [
        (json!({"email": "ada"}), "invalid_email"),
        (json!({"email": ""}), "invalid_email"),
        (json!({"password": "1234567"}), "weak_password"),
        (json!({"password": "æøåæøåæ"}), "weak_password"),
        (
            json!({"email": format!("{}@example.com", long(309))}),
            "invalid_request",
        ),
        (json!({"firstName": long(201)}), "invalid_request"),
        (json!({"lastName": long(201)}), "invalid_request"),
        (json!({"name": format!("Ada {}", long(201))}), "invalid_request"),
        (json!({"dateOfBirth": "10.12.1815"}), "invalid_request"),
        (json!({"firstName": "A\u{0}da"}), "invalid_request"),
        (json!({"publicMetadata": {"a": ["\u{0}"]}}), "invalid_request"),
        (json!({"publicMetadata": null}), "invalid_request"),
        (json!({"publicMetadata": []}), "invalid_request"),
        (json!({"publicMetadata": "x"}), "invalid_request"),
        (json!({"locale": "en"}), "invalid_request"),
        (
            json!({"publicMetadata": {"a": long(8_200)}}),
            "metadata_too_large",
        ),
    ];
    for (body, code) in cases {
        api.call("POST", "/users", Some(body)).await.refused(400, code);
    }
    let detail = api
        .call("POST", "/users", Some(json!({"firstNam": "Ada"})))
        .await
        .refused(400, "invalid_request")
        .text("detail");
    assert!(detail.contains("firstNam"), "{detail}");
    let detail = api
        .call("POST", "/users", Some(json!({"firstName": 7})))
        .await
        .refused(400, "invalid_request")
        .text("detail");
    assert!(detail.starts_with("firstName: "), "{detail}");
}

#[tokio::test]
async fn odd_but_legal_texts_are_kept_as_they_are() {
    let api = Api::start().await;
    for text in [
        "Robert'); DROP TABLE users;--",
        "👩🏽‍💻",
        "%_\\",
        "\"\u{7f}\u{1}",
        " Ada ",
        &"æ".repeat(200),
    ] {
        let user = api
            .create_user(json!({"firstName": text, "unsafeMetadata": {text: text}}))
            .await;
        assert_eq!(user["firstName"], text);
        assert_eq!(user["unsafeMetadata"][text], text);
    }
}

#[tokio::test]
async fn an_address_is_taken_in_every_case_and_free_after_deletion() {
    let api = Api::start().await;
    let first = api
        .create_user(json!({"email": "ÆRØ@example.com"}))
        .await
        .text("id");
    api.call("POST", "/users", Some(json!({"email": "ærø@EXAMPLE.com"})))
        .await
        .refused(409, "email_already_exists");
    api.call("DELETE", &format!("/users/{first}"), None)
        .await
        .expect(204);
    api.create_user(json!({"email": "ærø@EXAMPLE.com"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_creations_of_one_address_one_succeeds() {
    let api = std::sync::Arc::new(Api::start().await);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..50 {
        let api = std::sync::Arc::clone(&api);
        let email = if n % 2 == 0 {
            "ada@example.com"
        } else {
            "ADA@example.com"
        };
        calls.spawn(async move {
            api.call("POST", "/users", Some(json!({"email": email})))
                .await
                .status
                .as_u16()
        });
    }
    let statuses = calls.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 49);
}

#[tokio::test]
async fn an_update_keeps_clears_and_sets() {
    let api = Api::start().await;
    let created = api
        .create_user(json!({"email": "ada@example.com", "firstName": "Ada", "lastName": "King"}))
        .await;
    let path = format!("/users/{}", created.text("id"));
    let patch = async |body: Value| api.call("PATCH", &path, Some(body)).await.expect(200);

    assert_eq!(patch(json!({})).await, created, "an empty update changes nothing");
    let user = patch(json!({"lastName": "Lovelace", "locale": "da"})).await;
    assert_eq!(
        (&user["firstName"], &user["lastName"]),
        (&json!("Ada"), &json!("Lovelace"))
    );
    assert_eq!(
        (&user["name"], &user["locale"]),
        (&json!("Ada Lovelace"), &json!("da"))
    );
    assert!(user.instant("updatedAt") > created.instant("updatedAt"));
    assert_eq!(user["createdAt"], created["createdAt"]);
    let user = patch(json!({"firstName": null, "locale": null})).await;
    assert_eq!(
        (&user["firstName"], &user["name"]),
        (&Value::Null, &json!("Lovelace"))
    );
    assert_eq!(user["locale"], Value::Null);
    let user = patch(json!({"lastName": null})).await;
    assert_eq!(user["name"], Value::Null);
    assert_eq!(user["email"], "ada@example.com");
}

#[tokio::test]
async fn the_first_generation_of_fields_is_taken() {
    let api = Api::start().await;
    let user = api
        .create_user(json!({
            "name": "Ada King Lovelace", "phone": "+45 12", "address": "Roskilde", "dateOfBirth": "1815-12-10",
        }))
        .await;
    assert_eq!(
        (&user["firstName"], &user["lastName"]),
        (&json!("Ada King"), &json!("Lovelace"))
    );
    assert_eq!(user.get("phone"), None);
    let path = format!("/users/{}", user.text("id"));
    let patch = async |body: Value| api.call("PATCH", &path, Some(body)).await.expect(200);

    let user = patch(json!({"name": "Grace Hopper", "firstName": "Admiral", "phone": null})).await;
    assert_eq!(
        user["name"], "Admiral Hopper",
        "the part is more exact than the whole"
    );
    let user = patch(json!({"name": "Grace"})).await;
    assert_eq!(
        (&user["firstName"], &user["lastName"]),
        (&json!("Grace"), &Value::Null)
    );
    let user = patch(json!({"name": null})).await;
    assert_eq!(
        (&user["firstName"], &user["lastName"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn updates_that_cannot_be_made_are_refused_and_change_nothing() {
    let api = Api::start().await;
    let created = api.create_user(json!({"firstName": "Ada"})).await;
    let path = format!("/users/{}", created.text("id"));
    for body in [
        json!({"locale": "de"}),
        json!({"locale": ""}),
        json!({"unsafeMetadata": null}),
        json!({"unsafeMetadata": [1]}),
        json!({"publicMetadata": {}}),
        json!({"email": "ada@example.com"}),
        json!({"firstName": "x".repeat(201)}),
        json!({"firstName": "Grace", "lastName": 1}),
        json!([]),
        json!(["Ada"]),
        json!("Ada"),
    ] {
        api.call("PATCH", &path, Some(body))
            .await
            .refused(400, "invalid_request");
    }
    assert_eq!(api.call("GET", &path, None).await.expect(200), created);
}

#[tokio::test]
async fn metadata_merges_deeply_within_its_budget() {
    let api = Api::start().await;
    let created = api
        .create_user(json!({"unsafeMetadata": {"a": {"b": 1, "c": 2}, "list": [1], "gone": null}}))
        .await;
    assert_eq!(
        created["unsafeMetadata"],
        json!({"a": {"b": 1, "c": 2}, "list": [1]})
    );
    let path = format!("/users/{}", created.text("id"));
    let patch = async |bag: Value| {
        api.call("PATCH", &path, Some(json!({"unsafeMetadata": bag})))
            .await
    };

    let user = patch(json!({"a": {"b": null, "d": {"e": null, "f": 3}}, "list": [null]}))
        .await
        .expect(200);
    assert_eq!(
        user["unsafeMetadata"],
        json!({"a": {"c": 2, "d": {"f": 3}}, "list": [null]})
    );
    let user = patch(json!({"a": null, "list": null})).await.expect(200);
    assert_eq!(user["unsafeMetadata"], json!({}));

    // {"k":"…"} and two empty bags: 8 bytes and 4 around the text.
    let exact = 8 * 1024 - 12;
    patch(json!({"k": "x".repeat(exact)})).await.expect(200);
    patch(json!({"k": "x".repeat(exact + 1)}))
        .await
        .refused(400, "metadata_too_large");
    patch(json!({"l": 1})).await.refused(400, "metadata_too_large");
    let user = patch(json!({"k": null, "l": "æ".repeat(exact / 2)}))
        .await
        .expect(200);
    assert_eq!(
        user["unsafeMetadata"]["k"],
        Value::Null,
        "the merged result is what counts"
    );
    assert_eq!(user["privateMetadata"], json!({}));
}

#[tokio::test]
async fn a_ban_ends_every_session_and_can_be_taken_back() {
    let api = Api::start().await;
    let id = api.any_user().await;
    api.control("POST", "/sessions", Some(json!({"userId": id})))
        .await
        .expect(201);
    for _ in 0..2 {
        let user = api
            .call("POST", &format!("/users/{id}/ban"), None)
            .await
            .expect(200);
        assert_eq!(user["status"], "banned");
    }
    let sessions = api
        .call("GET", &format!("/users/{id}/sessions"), None)
        .await
        .expect(200);
    assert_eq!(sessions, json!([]));
    for _ in 0..2 {
        let user = api
            .call("POST", &format!("/users/{id}/unban"), None)
            .await
            .expect(200);
        assert_eq!(user["status"], "active");
    }
}

#[tokio::test]
async fn a_deleted_user_is_out_of_reach() {
    let api = Api::start().await;
    let id = api.any_user().await;
    api.call("DELETE", &format!("/users/{id}"), None)
        .await
        .expect(204);
    for (method, path, body) in operations_on(&id) {
        api.call(method, &path, body).await.refused(403, "forbidden");
    }
    let found = api.call("POST", "/users/search", None).await.expect(200);
    assert_eq!(found["items"][0]["status"], "deleted");
    assert!(found["items"][0]["deletedAt"].is_string());
}

#[tokio::test]
async fn an_unknown_user_is_not_found_but_where_only_403_is_documented() {
    let api = Api::start().await;
    for (method, path, body) in operations_on(UNKNOWN) {
        let (status, code) = if path.contains("/sessions") {
            (403, "forbidden")
        } else {
            (404, "not_found")
        };
        api.call(method, &path, body).await.refused(status, code);
    }
}

#[tokio::test]
async fn the_users_of_another_environment_are_forbidden() {
    let api = Api::of(Emulator::builder().secret_keys(["sk_test_one", "sk_test_two"])).await;
    let created = api
        .call_with_key(
            "sk_test_two",
            "POST",
            "/users",
            Some(json!({"email": "ada@example.com"})),
        )
        .await
        .expect(201);
    assert_ne!(created["environmentId"], api.torii.environment_id().to_string());
    for (method, path, body) in operations_on(&created.text("id")) {
        api.call(method, &path, body).await.refused(403, "forbidden");
    }
    let found = api.call("POST", "/users/search", None).await.expect(200);
    assert_eq!(found["items"], json!([]));
    api.create_user(json!({"email": "ada@example.com"})).await;
}

#[tokio::test]
async fn an_id_that_is_not_a_uuid_is_nobodys() {
    let api = Api::start().await;
    for id in [
        "me",
        "01931a738b0070008000000000000000",
        "..%2f..",
        "%F0%9F%92%A9",
        "a%00b",
    ] {
        for (method, path, body) in operations_on(id) {
            // As an unknown one: sessions document a 403 and no 404.
            let (status, code) = match path.contains("/sessions") {
                true => (403, "forbidden"),
                false => (404, "not_found"),
            };
            api.call(method, &path, body).await.refused(status, code);
        }
    }
    // A path that is not UTF-8 cannot be read at all.
    api.call("GET", "/users/%FF", None)
        .await
        .refused(400, "invalid_request");
}

/// Every operation on one user, as method, path and body.
fn operations_on(id: &str) -> Vec<(&'static str, String, Option<Value>)> {
    vec![
        ("GET", format!("/users/{id}"), None),
        ("PATCH", format!("/users/{id}"), Some(json!({"firstName": "Ada"}))),
        ("PATCH", format!("/users/{id}"), Some(json!({}))),
        ("POST", format!("/users/{id}/ban"), None),
        ("POST", format!("/users/{id}/unban"), None),
        ("GET", format!("/users/{id}/sessions"), None),
        ("DELETE", format!("/users/{id}/sessions"), None),
        ("DELETE", format!("/users/{id}/sessions/{UNKNOWN}"), None),
        ("DELETE", format!("/users/{id}"), None),
    ]
}
