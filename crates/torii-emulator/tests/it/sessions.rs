use serde_json::{Value, json};
use torii_emulator::{NewMember, NewOrganization, SESSION_LIFETIME_SECONDS};

use crate::api::{Api, Members as _};

#[tokio::test]
async fn a_session_is_listed_as_it_was_opened() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let opened = api
        .control(
            "POST",
            "/sessions",
            Some(json!({"userId": user, "userAgent": "curl/8", "ipAddress": "203.0.113.42"})),
        )
        .await
        .expect(201);
    assert_eq!(opened["userId"], user);
    assert_eq!(opened["userAgent"], "curl/8");
    assert_eq!(opened["ipAddress"], "203.0.113.42");
    assert_eq!(opened["environmentId"], api.torii.environment_id().to_string());
    assert_eq!(
        (&opened["activeOrganizationId"], &opened["impersonatedBy"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(list(&api, &user).await, [opened]);
}

#[tokio::test]
async fn sessions_are_listed_by_use_until_they_expire() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let mut opened = Vec::new();
    for offset in [0, 100, 50] {
        api.torii
            .control()
            .set_clock_offset(offset)
            .expect("a small offset");
        opened.push(open(&api, &user).await.text("id"));
    }
    let listed = async || -> Vec<String> {
        list(&api, &user)
            .await
            .iter()
            .map(|session| session.text("id"))
            .collect()
    };
    assert_eq!(
        listed().await,
        [opened[1].clone(), opened[2].clone(), opened[0].clone()]
    );
    api.torii
        .control()
        .set_clock_offset(SESSION_LIFETIME_SECONDS + 75)
        .expect("a week");
    assert_eq!(listed().await, [opened[1].clone()]);
}

#[tokio::test]
async fn revoking_can_be_repeated() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let first = open(&api, &user).await.text("id");
    let second = open(&api, &user).await.text("id");
    open(&api, &user).await;
    for _ in 0..2 {
        api.call("DELETE", &format!("/users/{user}/sessions/{first}"), None)
            .await
            .expect(204);
    }
    assert_eq!(list(&api, &user).await.len(), 2);
    for _ in 0..2 {
        api.call("DELETE", &format!("/users/{user}/sessions"), None)
            .await
            .expect(204);
    }
    assert_eq!(list(&api, &user).await, [Value::Null; 0]);
    api.call("DELETE", &format!("/users/{user}/sessions/{second}"), None)
        .await
        .expect(204);
    // One that never was is as good as revoked.
    let unknown = "01931a73-8b00-7000-8000-000000000000";
    api.call("DELETE", &format!("/users/{user}/sessions/{unknown}"), None)
        .await
        .expect(204);
}

#[tokio::test]
async fn a_session_of_another_user_is_forbidden_and_lives_on() {
    let api = Api::start().await;
    let (ada, eve) = (api.any_user().await, api.any_user().await);
    let session = open(&api, &ada).await.text("id");
    api.call("DELETE", &format!("/users/{eve}/sessions/{session}"), None)
        .await
        .refused(403, "forbidden");
    assert_eq!(list(&api, &ada).await.len(), 1);
}

#[tokio::test]
async fn only_an_active_user_signs_in_and_only_with_an_own_organization() {
    let api = Api::start().await;
    let control = api.torii.control();
    let user = api.any_user().await;
    let organization = control
        .create_organization(&NewOrganization::named("Acme"))
        .await
        .expect("created");
    let body = json!({"userId": user, "activeOrganizationId": organization.id});
    api.control("POST", "/sessions", Some(body.clone()))
        .await
        .refused(404, "not_found");
    let member = NewMember::new(user.parse().expect("an id"), "org:administrator");
    control.add_member(organization.id, &member).await.expect("added");
    let session = api.control("POST", "/sessions", Some(body)).await.expect(201);
    assert_eq!(session["activeOrganizationId"], organization.id.to_string());

    api.call("POST", &format!("/users/{user}/ban"), None)
        .await
        .expect(200);
    api.control("POST", "/sessions", Some(json!({"userId": user})))
        .await
        .refused(409, "user_not_active");
    api.control(
        "POST",
        "/sessions",
        Some(json!({"userId": "01931a73-8b00-7000-8000-000000000000"})),
    )
    .await
    .refused(404, "not_found");
}

async fn open(api: &Api, user: &str) -> Value {
    api.control("POST", "/sessions", Some(json!({"userId": user})))
        .await
        .expect(201)
}

async fn list(api: &Api, user: &str) -> Vec<Value> {
    let sessions = api
        .call("GET", &format!("/users/{user}/sessions"), None)
        .await
        .expect(200);
    sessions.as_array().expect("a list").clone()
}
