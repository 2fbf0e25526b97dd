use serde_json::{Value, json};

use crate::api::{Api, Members as _, OTHER_KEY, UNKNOWN};

#[tokio::test]
async fn an_organization_comes_back_as_it_was_created() {
    let api = Api::start().await;
    let body = json!({"name": "Acme", "slug": "acme"});
    let created = api
        .control("POST", "/organizations", Some(body))
        .await
        .expect(201);
    let path = format!("/organizations/{}", created.text("id"));
    let found = api.call("GET", &path, None).await.expect(200);
    assert_eq!(found, created);
    assert_eq!(
        (&found["slug"], &found["roleSetId"]),
        (&json!("acme"), &Value::Null)
    );
}

#[tokio::test]
async fn pages_follow_each_other_until_none_is_left() {
    let api = Api::start().await;
    let mut created = Vec::new();
    for number in 0..7 {
        created.push(api.organization(&format!("Organization {number}")).await);
    }
    let mut seen = Vec::new();
    let mut path = "/organizations?limit=3".to_owned();
    for last in [false, false, true] {
        let page = api.call("GET", &path, None).await.expect(200);
        assert_eq!(
            (page["hasMore"] == false, page["nextCursor"].is_null()),
            (last, last)
        );
        seen.extend(page.items("id"));
        path = format!(
            "/organizations?limit=3&cursor={}",
            page["nextCursor"].as_str().unwrap_or_default()
        );
    }
    assert_eq!(seen, created);
}

#[tokio::test]
async fn the_limit_is_cut_to_one_to_a_hundred() {
    let api = Api::start().await;
    for number in 0..102 {
        api.organization(&number.to_string()).await;
    }
    for (query, length) in [
        ("", 20),
        ("?limit=0", 1),
        ("?limit=-5", 1),
        ("?limit=2147483647", 100),
        ("?limit=101&name=", 100),
    ] {
        let page = api
            .call("GET", &format!("/organizations{query}"), None)
            .await
            .expect(200);
        assert_eq!(page.items("id").len(), length, "{query}");
    }
}

#[tokio::test]
async fn a_name_is_found_by_any_part_in_any_case() {
    let api = Api::start().await;
    for name in ["Blåbær ApS", "ΟΔΟΣ", "100% Acme_"] {
        api.organization(name).await;
    }
    for (name, found) in [
        ("BLÅBÆR", vec!["Blåbær ApS"]),
        ("οδοσ", vec!["ΟΔΟΣ"]),
        ("0%25", vec!["100% Acme_"]),
        ("_", vec!["100% Acme_"]),
        ("%25a", vec![]),
        ("%00", vec![]),
        ("a", vec!["Blåbær ApS", "100% Acme_"]),
    ] {
        let page = api
            .call("GET", &format!("/organizations?name={name}"), None)
            .await
            .expect(200);
        assert_eq!(page.items("name"), found, "{name}");
    }
}

#[tokio::test]
async fn metadata_is_merged_and_measured_bag_by_bag() {
    let api = Api::start().await;
    let id = api.organization("Acme").await;
    let path = format!("/organizations/{id}/metadata");
    let updated = api
        .call(
            "PATCH",
            &path,
            Some(json!({"publicMetadata": {"a": {"b": 1, "c": 2}}, "privateMetadata": {"d": null}})),
        )
        .await
        .expect(200);
    assert_eq!(updated["privateMetadata"], json!({}));
    let updated = api
        .call(
            "PATCH",
            &path,
            Some(json!({"publicMetadata": {"a": {"b": null}}})),
        )
        .await
        .expect(200);
    assert_eq!(updated["publicMetadata"], json!({"a": {"c": 2}}));
    assert_eq!(
        api.call("GET", &format!("/organizations/{id}"), None)
            .await
            .expect(200),
        updated
    );

    // Each bag alone may be full: {"k":"…"} is eight bytes longer than its text.
    let full = json!({"k": "x".repeat(8 * 1024 - 8), "a": null});
    let both = json!({"publicMetadata": full, "privateMetadata": full});
    api.call("PATCH", &path, Some(both)).await.expect(200);
    for bag in ["publicMetadata", "privateMetadata"] {
        let one_more = json!({bag: {"l": 1}});
        api.call("PATCH", &path, Some(one_more))
            .await
            .refused(400, "metadata_too_large");
        let instead = json!({bag: {"k": null, "l": 1}});
        api.call("PATCH", &path, Some(instead)).await.expect(200);
    }
}

#[tokio::test]
async fn a_patch_that_names_no_bag_is_refused() {
    let api = Api::start().await;
    let path = format!("/organizations/{}/metadata", api.organization("Acme").await);
    for body in [
        json!({}),
        json!({"publicMetadata": null}),
        json!({"unsafeMetadata": {}}),
        json!({"publicMetadata": []}),
    ] {
        api.call("PATCH", &path, Some(body))
            .await
            .refused(400, "invalid_request");
    }
    api.call("PATCH", &path, Some(json!({"publicMetadata": {}})))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_foreign_organization_is_as_unknown_as_one_that_never_was() {
    let api = Api::with_two_environments().await;
    let (id, user) = (api.organization("Acme").await, api.any_user().await);
    api.add_member(&id, &user).await;
    let patch = json!({"publicMetadata": {"k": 1}});
    for (method, rest, body) in [
        ("GET", String::new(), None),
        ("GET", "/members".to_owned(), None),
        ("PATCH", "/metadata".to_owned(), Some(patch.clone())),
        ("PATCH", format!("/members/{user}/metadata"), Some(patch)),
    ] {
        let mut details = Vec::new();
        for id in [id.as_str(), UNKNOWN] {
            let path = format!("/organizations/{id}{rest}");
            let reply = api.call_with_key(OTHER_KEY, method, &path, body.clone()).await;
            details.push(reply.refused(404, "not_found").text("detail"));
        }
        assert_eq!(details[0], details[1]);
    }
    let page = api
        .call_with_key(OTHER_KEY, "GET", "/organizations", None)
        .await
        .expect(200);
    assert_eq!(page["items"], json!([]));
    let page = api.call("GET", "/organizations", None).await.expect(200);
    assert_eq!(page.items("id"), [id]);
}
