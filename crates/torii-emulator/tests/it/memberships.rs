use serde_json::{Value, json};

use crate::api::{Api, Members as _, OTHER_KEY, UNKNOWN};

#[tokio::test]
async fn members_are_listed_by_user_id_and_not_by_when_they_joined() {
    let api = Api::start().await;
    let organization = api.organization("Acme").await;
    let mut users = Vec::new();
    for _ in 0..5 {
        users.push(api.any_user().await);
    }
    for user in [3, 0, 4, 1] {
        api.add_member(&organization, &users[user]).await;
    }
    let path = format!("/organizations/{organization}/members");
    let first = api
        .call("GET", &format!("{path}?limit=3"), None)
        .await
        .expect(200);
    assert_eq!(
        first.items("userId"),
        [users[0].clone(), users[1].clone(), users[3].clone()]
    );
    assert_eq!(
        (&first["hasMore"], &first["nextCursor"]),
        (&json!(true), &json!(users[3]))
    );
    let next = api
        .call("GET", &format!("{path}?cursor={}", users[3]), None)
        .await
        .expect(200);
    assert_eq!(next.items("userId"), [users[4].clone()]);
    assert_eq!(
        (&next["hasMore"], &next["nextCursor"]),
        (&json!(false), &Value::Null)
    );
    let none = api.organization("Empty").await;
    let page = api
        .call("GET", &format!("/organizations/{none}/members"), None)
        .await
        .expect(200);
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn a_users_organizations_show_the_memberships_bags() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let body = json!({"name": "Acme", "slug": "acme"});
    let acme = api
        .control("POST", "/organizations", Some(body))
        .await
        .expect(201)
        .text("id");
    let other = api.organization("Other").await;
    let joined = api.add_member(&acme, &user).await;
    api.add_member(&other, &user).await;
    let of_organization = json!({"publicMetadata": {"of": "organization"}});
    api.call(
        "PATCH",
        &format!("/organizations/{acme}/metadata"),
        Some(of_organization),
    )
    .await
    .expect(200);
    let of_membership = json!({"publicMetadata": {"of": "membership"}, "privateMetadata": {"crm": 7}});
    let path = format!("/organizations/{acme}/members/{user}/metadata");
    let member = api.call("PATCH", &path, Some(of_membership)).await.expect(200);
    assert_eq!(member["privateMetadata"], json!({"crm": 7}));

    let path = format!("/users/{user}/organizations");
    let page = api.call("GET", &path, None).await.expect(200);
    assert_eq!(page.items("organizationId"), [acme.clone(), other.clone()]);
    assert_eq!(
        page["items"][0],
        json!({
            "organizationId": acme, "name": "Acme", "slug": "acme", "role": "org:member", "roleName": "Member",
            "publicMetadata": {"of": "membership"}, "privateMetadata": {"crm": 7}, "joinedAt": joined["joinedAt"],
        })
    );
    assert_eq!(page["items"][1]["slug"], Value::Null);
    let first = api
        .call("GET", &format!("{path}?limit=1"), None)
        .await
        .expect(200);
    assert_eq!(
        (&first["hasMore"], &first["nextCursor"]),
        (&json!(true), &json!(acme))
    );
    let second = api
        .call("GET", &format!("{path}?cursor={acme}"), None)
        .await
        .expect(200);
    assert_eq!(second.items("organizationId"), [other]);
}

#[tokio::test]
async fn a_foreign_and_an_unknown_user_are_not_told_apart() {
    let api = Api::with_two_environments().await;
    let foreign = api.any_user().await;
    let mut problems = Vec::new();
    for user in [foreign.as_str(), UNKNOWN] {
        let reply = api
            .call_with_key(OTHER_KEY, "GET", &format!("/users/{user}/organizations"), None)
            .await;
        let mut problem = reply.refused(403, "forbidden");
        for member in ["instance", "supportId"] {
            problem.as_object_mut().expect("an object").remove(member);
        }
        problems.push(problem);
    }
    assert_eq!(problems[0], problems[1]);
}

#[tokio::test]
async fn a_membership_has_budgets_of_its_own() {
    let api = Api::start().await;
    let (organization, user) = (api.organization("Acme").await, api.any_user().await);
    api.add_member(&organization, &user).await;
    let full = json!({"k": "x".repeat(8 * 1024 - 8)});
    let both = json!({"publicMetadata": full, "privateMetadata": full});
    let of_organization = format!("/organizations/{organization}/metadata");
    let of_membership = format!("/organizations/{organization}/members/{user}/metadata");
    api.call("PATCH", &of_organization, Some(both.clone()))
        .await
        .expect(200);
    api.call("PATCH", &of_membership, Some(both)).await.expect(200);
    for bag in ["publicMetadata", "privateMetadata"] {
        api.call("PATCH", &of_membership, Some(json!({bag: {"l": 1}})))
            .await
            .refused(400, "metadata_too_large");
    }
    api.call("PATCH", &of_membership, Some(json!({})))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn who_is_no_member_has_no_membership_to_change() {
    let api = Api::start().await;
    let (organization, user) = (api.organization("Acme").await, api.any_user().await);
    let patch = json!({"publicMetadata": {}});
    for (organization, user) in [
        (organization.as_str(), user.as_str()),
        (&organization, UNKNOWN),
        (UNKNOWN, &user),
    ] {
        let path = format!("/organizations/{organization}/members/{user}/metadata");
        api.call("PATCH", &path, Some(patch.clone()))
            .await
            .refused(404, "not_found");
    }
    api.add_member(&organization, &user).await;
    api.call("DELETE", &format!("/users/{user}"), None)
        .await
        .expect(204);
    let path = format!("/organizations/{organization}/members/{user}/metadata");
    api.call("PATCH", &path, Some(patch))
        .await
        .refused(404, "not_found");
    api.call("GET", &format!("/users/{user}/organizations"), None)
        .await
        .refused(403, "forbidden");
}
