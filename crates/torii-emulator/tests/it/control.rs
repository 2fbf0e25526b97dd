use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};
use torii_emulator::{Emulator, ErrorKind, MintToken};

use crate::api::{Api, Members as _, UNKNOWN};

#[tokio::test]
async fn the_emulator_says_that_it_is_well() {
    let api = Api::start().await;
    assert_eq!(
        api.control("GET", "/health", None).await.expect(200),
        json!({"status": "ok"})
    );
}

#[tokio::test]
async fn organizations_and_members_come_back_as_published() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let body = json!({"name": "Acme", "slug": "acme"});
    let organization = api
        .control("POST", "/organizations", Some(body.clone()))
        .await
        .expect(201);
    assert_eq!(
        (&organization["name"], &organization["slug"]),
        (&json!("Acme"), &json!("acme"))
    );
    assert_eq!(organization["publicMetadata"], json!({}));
    api.control("POST", "/organizations", Some(body))
        .await
        .refused(409, "slug_already_exists");

    let members = format!("/organizations/{}/members", organization.text("id"));
    let body = json!({"userId": user, "role": "org:administrator", "roleName": "Administrator"});
    let member = api
        .control("POST", &members, Some(body.clone()))
        .await
        .expect(201);
    assert_eq!(member["organizationId"], organization["id"]);
    assert_eq!(
        (&member["userId"], &member["roleName"]),
        (&json!(user), &json!("Administrator"))
    );
    api.control("POST", &members, Some(body))
        .await
        .refused(409, "already_member");
    for (path, body, status) in [
        ("/organizations", json!({"name": " "}), 400),
        ("/organizations", json!({"name": "x".repeat(201)}), 400),
        (
            "/organizations",
            json!({"name": "Acme", "environmentId": user}),
            404,
        ),
        (
            members.as_str(),
            json!({"userId": organization["id"], "role": "r"}),
            404,
        ),
        (members.as_str(), json!({"userId": user, "role": ""}), 400),
        (
            "/organizations/x/members",
            json!({"userId": user, "role": "r"}),
            404,
        ),
        (
            "/organizations/01931a73-8b00-7000-8000-000000000000/members",
            json!({"userId": user, "role": "r"}),
            404,
        ),
    ] {
        let reply = api.control("POST", path, Some(body)).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn the_clock_moves_within_bounds() {
    let api = Api::start().await;
    assert_eq!(
        api.control("GET", "/clock", None).await.expect(200),
        json!({"offsetSeconds": 0})
    );
    for offset in [-86_400, 3_600] {
        let body = json!({"offsetSeconds": offset});
        assert_eq!(
            api.control("PUT", "/clock", Some(body.clone())).await.expect(200),
            body
        );
        assert_eq!(api.control("GET", "/clock", None).await.expect(200), body);
    }
    for body in [
        json!({}),
        json!({"offsetSeconds": i64::MAX}),
        json!({"offsetSeconds": i64::MIN}),
        json!({"offsetSeconds": 1.5}),
    ] {
        api.control("PUT", "/clock", Some(body))
            .await
            .refused(400, "invalid_request");
    }
    assert_eq!(api.torii.control().clock_offset(), 3_600);
}

#[tokio::test]
async fn a_user_changed_after_the_clock_went_back_is_still_newer_than_before() {
    let api = Api::start().await;
    let created = api.create_user(json!({})).await;
    api.torii.control().set_clock_offset(-86_400).expect("a day");
    let path = format!("/users/{}", created.text("id"));
    let changed = api
        .call("PATCH", &path, Some(json!({"firstName": "Ada"})))
        .await
        .expect(200);
    assert!(changed.instant("updatedAt") > created.instant("updatedAt"));
}

#[tokio::test]
async fn the_log_holds_what_arrived_without_control_calls_and_queries() {
    let api = Api::start().await;
    api.call("POST", "/users/search?limit=1&cursor=secret", None)
        .await
        .refused(400, "invalid_request");
    api.get("/_torii/.well-known/jwks.json").await.expect(200);
    let log = api.control("GET", "/requests", None).await.expect(200);
    let records = log.as_array().expect("a list");
    let seen: Vec<_> = records
        .iter()
        .map(|record| {
            (
                record.text("method"),
                record.text("path"),
                record["status"].as_i64(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                "POST".to_owned(),
                "/api/server/v1/users/search".to_owned(),
                Some(400)
            ),
            (
                "GET".to_owned(),
                "/_torii/.well-known/jwks.json".to_owned(),
                Some(200)
            ),
        ]
    );
    for record in records {
        assert!(
            record["durationMs"].is_f64() && record["time"].is_string(),
            "{record}"
        );
    }
    assert!(
        !log.to_string().contains("secret") && !log.to_string().contains("sk_test"),
        "{log}"
    );
    api.control("DELETE", "/requests", None).await.expect(204);
    assert_eq!(api.control("GET", "/requests", None).await.expect(200), json!([]));
}

#[tokio::test]
async fn a_reset_forgets_all_but_keys_and_environments() {
    let api = Api::start().await;
    let user = api.create_user(json!({"email": "ada@example.com"})).await;
    api.control("POST", "/sessions", Some(json!({"userId": user["id"]})))
        .await
        .expect(201);
    let organization = json!({"name": "Acme", "slug": "acme"});
    let created = api
        .control("POST", "/organizations", Some(organization.clone()))
        .await
        .expect(201);
    let members = format!("/organizations/{}/members", created.text("id"));
    api.control("POST", &members, Some(json!({"userId": user["id"], "role": "r"})))
        .await
        .expect(201);
    let invitation = api.invite("grace@example.com").await;
    let origins = json!({"origins": ["https://app.example.com"]});
    api.call("PUT", "/allowed-origins", Some(origins))
        .await
        .expect(200);
    let body = json!({"actorUserId": user["id"], "reason": "Ticket 4821"});
    let mint = format!("/users/{}/impersonation-token", user.text("id"));
    api.call("POST", &mint, Some(body)).await.expect(200);
    api.change_settings(json!({"tokenLifetimeSeconds": 7, "impersonation": {"quota": 1}}))
        .await;
    api.control("POST", "/keys/rotate", None).await.expect(200);
    api.control("PUT", "/clock", Some(json!({"offsetSeconds": 60})))
        .await
        .expect(200);
    api.control("POST", "/faults", Some(json!({"path": "/x", "status": 500})))
        .await
        .expect(201);
    let keys = api.get("/_torii/.well-known/jwks.json").await.expect(200);

    api.control("POST", "/reset", None).await.expect(204);
    assert_eq!(api.control("GET", "/requests", None).await.expect(200), json!([]));
    assert_eq!(api.control("GET", "/faults", None).await.expect(200), json!([]));
    assert_eq!(api.control("GET", "/outbox", None).await.expect(200), json!([]));
    let settings = api.control("GET", "/settings", None).await.expect(200);
    assert_eq!(
        (
            &settings["tokenLifetimeSeconds"],
            &settings["impersonation"]["quota"]
        ),
        (&json!(300), &Value::Null)
    );
    let path = format!("/invitations/{}", invitation.text("id"));
    api.call("GET", &path, None).await.refused(404, "not_found");
    let origins = api.call("GET", "/allowed-origins", None).await.expect(200);
    assert_eq!(origins, json!({"origins": []}));
    let export = api.control("GET", "/export", None).await.expect(200);
    for list in [
        "users",
        "organizations",
        "members",
        "sessions",
        "invitations",
        "impersonationTokens",
    ] {
        assert_eq!(export[list], json!([]), "{list}");
    }
    assert_eq!(
        api.control("GET", "/clock", None).await.expect(200),
        json!({"offsetSeconds": 0})
    );
    assert_eq!(api.get("/_torii/.well-known/jwks.json").await.expect(200), keys);
    api.call("GET", &format!("/users/{}", user.text("id")), None)
        .await
        .refused(404, "not_found");
    let again = api.create_user(json!({"email": "ada@example.com"})).await;
    assert_eq!(again["environmentId"], user["environmentId"]);
    api.control("POST", "/organizations", Some(organization))
        .await
        .expect(201);
}

#[tokio::test]
async fn the_handle_and_the_paths_drive_the_same_emulator() {
    let api = Api::start().await;
    let control = api.torii.control().clone();
    let user = control.create_user(&Default::default()).await.expect("created");
    let seen = api
        .call("GET", &format!("/users/{}", user.id), None)
        .await
        .expect(200);
    assert_eq!(serde_json::to_value(&user).expect("JSON"), seen);
    let kid = control.rotate_keys(false).await.expect("rotated");
    let keys = api.get("/_torii/.well-known/jwks.json").await.expect(200);
    assert_eq!(keys["keys"][0]["kid"], kid);

    let unknown = MintToken::of("01931a73-8b00-7000-8000-000000000000".parse().expect("an id"));
    let error = control.mint_token(&unknown).await.expect_err("unknown");
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "not_found"));
}

#[tokio::test]
async fn control_calls_are_read_strictly() {
    let api = Api::start().await;
    let user = api.any_user().await;
    for (method, path, body) in [
        ("POST", "/sessions", json!({"userId": user, "colour": 1})),
        ("POST", "/organizations", json!({"name": "Acme", "colour": 1})),
        ("POST", "/keys/rotate", json!({"retired": true})),
        ("POST", "/import", json!({"format": 1, "colour": 1})),
        ("POST", "/import", json!({})),
        ("PUT", "/settings", json!({"colour": 1})),
        ("PUT", "/clock", json!({"offsetSeconds": 1, "colour": 1})),
        ("POST", "/sessions", Value::Null),
    ] {
        api.control(method, path, Some(body))
            .await
            .refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_listener_on_every_address_has_a_loopback_issuer() {
    let api = Api::of(Emulator::builder().host(IpAddr::V4(Ipv4Addr::UNSPECIFIED))).await;
    assert!(
        api.torii.issuer().starts_with("http://127.0.0.1:"),
        "{}",
        api.torii.issuer()
    );
    api.control("GET", "/health", None).await.expect(200);
}

#[tokio::test]
async fn a_verified_address_shows_in_the_user_and_in_its_tokens() {
    let api = Api::start().await;
    let user = api
        .create_user(json!({"email": "ada@example.com"}))
        .await
        .text("id");
    let verify = async |id: &str| {
        let path = format!("/users/{id}/verify-email");
        api.control("POST", &path, None).await
    };
    let verified = verify(&user).await.expect(200);
    assert!(verified["emailVerifiedAt"].is_string());
    assert_eq!(verify(&user).await.expect(200), verified);
    let token = api.mint(json!({"userId": user})).await;
    let (_, claims) = crate::tokens::verified(&api, &token)
        .await
        .expect("a published key");
    assert_eq!(claims["email_verified"], true);
    verify(&api.any_user().await).await.refused(409, "no_email");
    verify(UNKNOWN).await.refused(404, "not_found");
    api.call("DELETE", &format!("/users/{user}"), None)
        .await
        .expect(204);
    verify(&user).await.refused(404, "not_found");
}
