use serde_json::{Value, json};
use torii_emulator::DEFAULT_INVITATION_DAYS;

use crate::api::{Api, Members as _, OTHER_KEY, UNKNOWN};

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn an_invitation_comes_back_with_its_metadata_from_get_alone() {
    let api = Api::start().await;
    let body = json!({
        "email": "Ada@Example.com", "expiresInDays": 30, "redirectUrl": "https://app.example.com/welcome",
        "publicMetadata": {"tenant": "acme", "no": null}, "privateMetadata": {"crm": 7},
    });
    let created = api.call("POST", "/invitations", Some(body)).await.expect(201);
    assert_eq!(
        (&created["email"], &created["status"]),
        (&json!("Ada@Example.com"), &json!("PENDING"))
    );
    assert_eq!(created["environmentId"], api.torii.environment_id().to_string());
    let life = created
        .instant("expiresAt")
        .duration_since(created.instant("createdAt"));
    assert_eq!(life.as_secs(), 30 * DAY);

    let mut found = api.call("GET", &path(&created), None).await.expect(200);
    let members = found.as_object_mut().expect("an object");
    assert_eq!(members.remove("publicMetadata"), Some(json!({"tenant": "acme"})));
    assert_eq!(members.remove("privateMetadata"), Some(json!({"crm": 7})));
    assert_eq!(found, created);
    let page = api.call("GET", "/invitations", None).await.expect(200);
    assert_eq!(page["items"], json!([created]));
}

#[tokio::test]
async fn an_invitation_expires_by_the_emulators_clock() {
    let api = Api::start().await;
    let invitation = api.invite("ada@example.com").await;
    let life = invitation
        .instant("expiresAt")
        .duration_since(invitation.instant("createdAt"));
    assert_eq!(life.as_secs(), i64::from(DEFAULT_INVITATION_DAYS) * DAY);
    let status = async || {
        api.call("GET", &path(&invitation), None)
            .await
            .expect(200)
            .text("status")
    };
    api.move_clock(7 * DAY - 60).await;
    assert_eq!(status().await, "PENDING");
    api.move_clock(7 * DAY).await;
    assert_eq!(status().await, "EXPIRED");
    api.move_clock(0).await;
    assert_eq!(status().await, "PENDING");
}

#[tokio::test]
async fn a_list_is_narrowed_by_status_and_address() {
    let api = Api::start().await;
    let mut ids = Vec::new();
    for email in ["pending@a.dk", "accepted@a.dk", "revoked@b.dk", "Æble@b.dk"] {
        ids.push(api.invite(email).await.text("id"));
    }
    let accept = format!("/invitations/{}/accept", ids[1]);
    api.control("POST", &accept, None).await.expect(201);
    api.call("DELETE", &format!("/invitations/{}", ids[2]), None)
        .await
        .expect(200);
    for (query, found) in [
        ("", vec![0, 1, 2, 3]),
        ("status=PENDING", vec![0, 3]),
        ("status=ACCEPTED&status=REVOKED", vec![1, 2]),
        ("status=EXPIRED", vec![]),
        ("search=@B", vec![2, 3]),
        ("search=%C3%A6BL", vec![3]),
        ("search=", vec![0, 1, 2, 3]),
        ("search=_", vec![]),
        ("search=b.dk&status=PENDING", vec![3]),
    ] {
        let page = api
            .call("GET", &format!("/invitations?{query}"), None)
            .await
            .expect(200);
        let found: Vec<_> = found.into_iter().map(|place: usize| ids[place].clone()).collect();
        assert_eq!(page.items("id"), found, "{query}");
    }
    // Pages count what passes the filter, not what lies between.
    let page = api
        .call("GET", "/invitations?status=PENDING&limit=1", None)
        .await
        .expect(200);
    assert_eq!(
        (page.items("id"), &page["hasMore"]),
        (vec![ids[0].clone()], &json!(true))
    );
    let rest = format!(
        "/invitations?status=PENDING&limit=1&cursor={}",
        page.text("nextCursor")
    );
    let page = api.call("GET", &rest, None).await.expect(200);
    assert_eq!(
        (page.items("id"), &page["hasMore"]),
        (vec![ids[3].clone()], &json!(false))
    );

    api.move_clock(7 * DAY).await;
    let page = api
        .call("GET", "/invitations?status=EXPIRED", None)
        .await
        .expect(200);
    assert_eq!(page.items("id"), [ids[0].clone(), ids[3].clone()]);
    for query in [
        "status=pending",
        "status=",
        "status=PENDING,EXPIRED",
        "status=PENDING&status=x",
        "search=a&search=b",
    ] {
        api.call("GET", &format!("/invitations?{query}"), None)
            .await
            .refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn an_invitation_that_cannot_be_taken_is_refused_and_mails_nothing() {
    let api = Api::start().await;
    api.create_user(json!({"email": "Taken@example.com"})).await;
    let long = "x".repeat(8 * 1024);
    let with = |changes: Value| {
        let mut body = json!({"email": "ada@example.com", "publicMetadata": {}, "privateMetadata": {}});
        for (name, change) in changes.as_object().expect("an object") {
            body[name] = change.clone();
        }
        body
    };
    for (body, status, code) in [
        (json!({"email": "ada@example.com"}), 400, "invalid_request"),
        (
            json!({"publicMetadata": {}, "privateMetadata": {}}),
            400,
            "invalid_request",
        ),
        (with(json!({"publicMetadata": null})), 400, "invalid_request"),
        (with(json!({"email": "ada"})), 400, "invalid_email"),
        (with(json!({"email": null})), 400, "invalid_request"),
        (with(json!({"expiresInDays": 0})), 400, "invalid_request"),
        (with(json!({"expiresInDays": 366})), 400, "invalid_request"),
        (with(json!({"expiresInDays": 7.5})), 400, "invalid_request"),
        (
            with(json!({"expiresInDays": 2147483648_i64})),
            400,
            "invalid_request",
        ),
        (with(json!({"redirectUrl": "/welcome"})), 400, "invalid_request"),
        (with(json!({"redirectUrl": ""})), 400, "invalid_request"),
        (with(json!({"extra": 1})), 400, "invalid_request"),
        (
            with(json!({"publicMetadata": {"k": long}})),
            400,
            "metadata_too_large",
        ),
        (
            with(json!({"publicMetadata": {"k": &long[..5_000]}, "privateMetadata": {"k": &long[..5_000]}})),
            400,
            "metadata_too_large",
        ),
        (
            with(json!({"email": "taken@EXAMPLE.com"})),
            409,
            "email_already_exists",
        ),
    ] {
        api.call("POST", "/invitations", Some(body))
            .await
            .refused(status, code);
    }
    assert_eq!(
        api.call("GET", "/invitations", None).await.expect(200)["items"],
        json!([])
    );
    assert!(api.torii.control().outbox().is_empty());
    for days in [1, 365] {
        let body = with(json!({"expiresInDays": days, "redirectUrl": null}));
        api.call("POST", "/invitations", Some(body)).await.expect(201);
    }
    // The address of a deleted account is free.
    let user = api.create_user(json!({"email": "gone@example.com"})).await;
    api.call("DELETE", &format!("/users/{}", user.text("id")), None)
        .await
        .expect(204);
    api.invite("gone@example.com").await;
}

#[tokio::test]
async fn resending_gives_a_fresh_expiry_of_the_same_length() {
    let api = Api::start().await;
    let body = json!({"email": "a@b.dk", "expiresInDays": 2, "publicMetadata": {}, "privateMetadata": {}});
    let invitation = api.call("POST", "/invitations", Some(body)).await.expect(201);
    let resend = format!("{}/resend", path(&invitation));
    for day in [1, 2] {
        api.move_clock(day * DAY).await;
        let resent = api.call("POST", &resend, None).await.expect(200);
        assert_eq!(
            (&resent["id"], &resent["createdAt"]),
            (&invitation["id"], &invitation["createdAt"])
        );
        let gained = resent
            .instant("expiresAt")
            .duration_since(invitation.instant("expiresAt"));
        assert!(
            (day * DAY..day * DAY + 60).contains(&gained.as_secs()),
            "{gained}"
        );
    }
    // A body is not asked for, and does no harm.
    api.call("POST", &resend, Some(json!({}))).await.expect(200);
}

#[tokio::test]
async fn only_a_pending_invitation_can_be_changed() {
    let api = Api::start().await;
    let revoked = api.invite("revoked@a.dk").await;
    let reply = api.call("DELETE", &path(&revoked), None).await;
    assert!(!reply.headers.contains_key("content-type"));
    assert_eq!(reply.expect(200), Value::Null);
    let found = api.call("GET", &path(&revoked), None).await.expect(200);
    assert_eq!(found["status"], "REVOKED");
    assert!(found.instant("revokedAt") >= found.instant("createdAt"));
    let accepted = api.invite("accepted@a.dk").await;
    let expired = api.invite("expired@a.dk").await;
    let accept = |invitation: &Value| format!("/invitations/{}/accept", invitation.text("id"));
    api.control("POST", &accept(&accepted), None).await.expect(201);
    api.move_clock(7 * DAY).await;
    for (invitation, status) in [
        (&revoked, "REVOKED"),
        (&accepted, "ACCEPTED"),
        (&expired, "EXPIRED"),
    ] {
        let before = api.call("GET", &path(invitation), None).await.expect(200);
        assert_eq!(before["status"], status);
        let resend = format!("{}/resend", path(invitation));
        for (method, path, body) in [
            (
                "PATCH",
                path(invitation),
                Some(json!({"publicMetadata": {"k": 1}})),
            ),
            ("DELETE", path(invitation), None),
            ("POST", resend, None),
        ] {
            let problem = api
                .call(method, &path, body)
                .await
                .refused(409, "invitation_not_pending");
            assert_eq!(problem["invitationStatus"], status);
        }
        api.control("POST", &accept(invitation), None)
            .await
            .refused(409, "invitation_not_pending");
        assert_eq!(api.call("GET", &path(invitation), None).await.expect(200), before);
    }
}

#[tokio::test]
async fn metadata_of_a_pending_invitation_is_merged_within_one_budget() {
    let api = Api::start().await;
    let invitation = api.invite("ada@example.com").await;
    let path = path(&invitation);
    let body = json!({"publicMetadata": {"a": {"b": 1, "c": 2}}, "privateMetadata": {"d": 3}});
    api.call("PATCH", &path, Some(body)).await.expect(200);
    let merged = json!({"publicMetadata": {"a": {"b": null}}});
    let found = api.call("PATCH", &path, Some(merged)).await.expect(200);
    assert_eq!(
        (&found["publicMetadata"], &found["privateMetadata"]),
        (&json!({"a": {"c": 2}}), &json!({"d": 3}))
    );
    for body in [
        json!({}),
        json!({"publicMetadata": null}),
        json!({"unsafeMetadata": {}}),
    ] {
        api.call("PATCH", &path, Some(body))
            .await
            .refused(400, "invalid_request");
    }
    // {"a":{"c":2}} and {"d":3,"k":"…"} share 8,192 bytes.
    let fill = |chars: usize| json!({"privateMetadata": {"k": "x".repeat(chars)}});
    api.call("PATCH", &path, Some(fill(8_192 - 13 - 14 + 1)))
        .await
        .refused(400, "metadata_too_large");
    api.call("PATCH", &path, Some(fill(8_192 - 13 - 14)))
        .await
        .expect(200);
    assert_eq!(
        api.call("GET", &path, None).await.expect(200)["privateMetadata"]["d"],
        3
    );
}

#[tokio::test]
async fn accepting_makes_a_verified_user_with_the_invitations_bags() {
    let api = Api::start().await;
    let body = json!({"email": "ada@example.com", "publicMetadata": {"a": 1}, "privateMetadata": {"b": 2}});
    let invitation = api.call("POST", "/invitations", Some(body)).await.expect(201);
    let accept = format!("/invitations/{}/accept", invitation.text("id"));
    let user = api.control("POST", &accept, None).await.expect(201);
    assert_eq!(user["email"], "ada@example.com");
    assert!(user["emailVerifiedAt"].is_string());
    assert_eq!(
        (&user["publicMetadata"], &user["privateMetadata"]),
        (&json!({"a": 1}), &json!({"b": 2}))
    );
    let found = api
        .call("GET", &format!("/users/{}", user.text("id")), None)
        .await
        .expect(200);
    assert_eq!(found, user);
    let invitation = api.call("GET", &path(&invitation), None).await.expect(200);
    assert_eq!(
        (&invitation["status"], &invitation["acceptedAt"]),
        (&json!("ACCEPTED"), &user["createdAt"])
    );

    let late = api.invite("late@example.com").await;
    api.create_user(json!({"email": "late@example.com"})).await;
    let accept = format!("/invitations/{}/accept", late.text("id"));
    api.control("POST", &accept, None)
        .await
        .refused(409, "email_already_exists");
    api.control("POST", &format!("/invitations/{UNKNOWN}/accept"), None)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_foreign_invitation_is_as_unknown_as_one_that_never_was() {
    let api = Api::with_two_environments().await;
    let invitation = api.invite("ada@example.com").await;
    for id in [invitation.text("id"), UNKNOWN.to_owned()] {
        for (method, rest, body) in [
            ("GET", "", None),
            ("PATCH", "", Some(json!({"publicMetadata": {}}))),
            ("POST", "/resend", None),
            ("DELETE", "", None),
        ] {
            let path = format!("/invitations/{id}{rest}");
            api.call_with_key(OTHER_KEY, method, &path, body)
                .await
                .refused(404, "not_found");
        }
    }
    let page = api
        .call_with_key(OTHER_KEY, "GET", "/invitations", None)
        .await
        .expect(200);
    assert_eq!(page["items"], json!([]));
    assert_eq!(
        api.call("GET", &path(&invitation), None).await.expect(200)["status"],
        "PENDING"
    );
    // The account of one environment does not stand in the way of another's invitation.
    api.create_user(json!({"email": "eve@example.com"})).await;
    let body = json!({"email": "eve@example.com", "publicMetadata": {}, "privateMetadata": {}});
    api.call_with_key(OTHER_KEY, "POST", "/invitations", Some(body))
        .await
        .expect(201);
}

fn path(invitation: &Value) -> String {
    format!("/invitations/{}", invitation.text("id"))
}
