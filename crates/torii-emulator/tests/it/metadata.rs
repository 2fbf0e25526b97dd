//! `PATCH /users/{userId}/metadata`.

use serde_json::json;

use crate::api::{Api, Members as _, OTHER_KEY, UNKNOWN};

#[tokio::test]
async fn each_named_bag_is_merged_and_the_others_stay() {
    let api = Api::start().await;
    let user = api
        .create_user(json!({
            "publicMetadata": {"a": {"b": 1, "c": 2}}, "privateMetadata": {"d": 3}, "unsafeMetadata": {"e": 4},
        }))
        .await;
    let path = format!("/users/{}/metadata", user.text("id"));
    let body = json!({"publicMetadata": {"a": {"b": null, "f": [null]}}, "privateMetadata": {"d": null}});
    let updated = api.call("PATCH", &path, Some(body)).await.expect(200);
    assert_eq!(updated["publicMetadata"], json!({"a": {"c": 2, "f": [null]}}));
    assert_eq!(
        (&updated["privateMetadata"], &updated["unsafeMetadata"]),
        (&json!({}), &json!({"e": 4}))
    );
    assert!(updated.instant("updatedAt") > user.instant("updatedAt"));
    let unsafe_only = json!({"unsafeMetadata": {"e": 5}});
    let updated = api.call("PATCH", &path, Some(unsafe_only)).await.expect(200);
    assert_eq!(updated["unsafeMetadata"], json!({"e": 5}));
    assert_eq!(
        api.call("GET", &format!("/users/{}", user.text("id")), None)
            .await
            .expect(200),
        updated
    );
}

#[tokio::test]
async fn a_patch_that_names_no_bag_changes_nothing() {
    let api = Api::start().await;
    let user = api.create_user(json!({"publicMetadata": {"a": 1}})).await;
    let path = format!("/users/{}/metadata", user.text("id"));
    assert_eq!(api.call("PATCH", &path, Some(json!({}))).await.expect(200), user);
    api.call("PATCH", &path, None)
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn the_three_bags_share_one_budget_measured_after_merging() {
    let api = Api::start().await;
    let path = format!("/users/{}/metadata", api.any_user().await);
    // Three times {"k":"…"}: 8,192 bytes less three frames of eight.
    let thirds = ["x".repeat(2_722), "x".repeat(2_722), "x".repeat(2_724)];
    let [public, private, unsafe_] = thirds.map(|text| json!({"k": text}));
    let full = json!({"publicMetadata": public, "privateMetadata": private, "unsafeMetadata": unsafe_});
    let kept = api.call("PATCH", &path, Some(full)).await.expect(200);
    for bag in ["publicMetadata", "privateMetadata", "unsafeMetadata"] {
        api.call("PATCH", &path, Some(json!({bag: {"l": 1}})))
            .await
            .refused(400, "metadata_too_large");
    }
    let after = api.call("PATCH", &path, Some(json!({}))).await.expect(200);
    assert_eq!(after, kept, "what was refused left no trace");
    // A long patch is fine where it makes room.
    let moved = json!({"publicMetadata": {"k": null}, "unsafeMetadata": {"l": "x".repeat(2_000)}});
    api.call("PATCH", &path, Some(moved)).await.expect(200);
}

#[tokio::test]
async fn another_environments_user_is_forbidden_and_an_unknown_one_not_found() {
    let api = Api::with_two_environments().await;
    let user = api.any_user().await;
    let patch = json!({"publicMetadata": {"k": 1}});
    let path = format!("/users/{user}/metadata");
    api.call_with_key(OTHER_KEY, "PATCH", &path, Some(patch.clone()))
        .await
        .refused(403, "forbidden");
    api.call(
        "PATCH",
        &format!("/users/{UNKNOWN}/metadata"),
        Some(patch.clone()),
    )
    .await
    .refused(404, "not_found");
    api.call("DELETE", &format!("/users/{user}"), None)
        .await
        .expect(204);
    api.call("PATCH", &path, Some(patch))
        .await
        .refused(403, "forbidden");
}
