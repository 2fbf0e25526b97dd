use serde_json::{Value, json};
use torii_emulator::{Emulator, NewMember, NewOrganization};

use crate::api::{Api, Members as _};

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let api = Api::start().await;
    let mut created = Vec::new();
    for n in 0..7 {
        created.push(
            api.create_user(json!({"firstName": format!("n{n}")}))
                .await
                .text("id"),
        );
    }
    assert!(created.is_sorted(), "ids rise");
    let mut found = Vec::new();
    let mut path = "/users/search?limit=3".to_owned();
    for length in [3, 3, 1] {
        let page = api.call("POST", &path, Some(json!({}))).await.expect(200);
        found.extend(ids(&page));
        assert_eq!(ids(&page).len(), length);
        assert_eq!(page["hasMore"], page["nextCursor"].is_string());
        path = format!(
            "/users/search?limit=3&cursor={}",
            page["nextCursor"].as_str().unwrap_or_default()
        );
    }
    assert_eq!(found, created);
}

#[tokio::test]
async fn a_page_that_ends_the_list_exactly_says_so() {
    let api = Api::start().await;
    for _ in 0..4 {
        api.any_user().await;
    }
    let page = api.call("POST", "/users/search?limit=4", None).await.expect(200);
    assert_eq!(
        (&page["hasMore"], &page["nextCursor"]),
        (&json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn the_limit_is_clamped_and_twenty_by_default() {
    let api = Api::start().await;
    for _ in 0..101 {
        api.any_user().await;
    }
    for (limit, length) in [
        ("", 20),
        ("?limit=0", 1),
        ("?limit=-2147483648", 1),
        ("?limit=100", 100),
        ("?limit=101", 100),
        ("?limit=2147483647", 100),
    ] {
        let page = api
            .call("POST", &format!("/users/search{limit}"), None)
            .await
            .expect(200);
        assert_eq!(ids(&page).len(), length, "{limit}");
    }
    for query in [
        "limit=ten",
        "limit=2147483648",
        "limit=1.0",
        "cursor=x",
        "cursor=",
        "limit=1&limit=2",
    ] {
        api.call("POST", &format!("/users/search?{query}"), None)
            .await
            .refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_cursor_outlives_its_user() {
    let api = Api::start().await;
    let first = api.any_user().await;
    let second = api.any_user().await;
    api.call("DELETE", &format!("/users/{first}"), None)
        .await
        .expect(204);
    let page = api
        .call("POST", &format!("/users/search?cursor={first}"), None)
        .await
        .expect(200);
    assert_eq!(ids(&page), [second]);
    // One that never was a user's is a place in the order all the same.
    let page = api
        .call(
            "POST",
            "/users/search?cursor=ffffffff-ffff-7fff-bfff-ffffffffffff",
            None,
        )
        .await
        .expect(200);
    assert_eq!(ids(&page), [""; 0]);
}

#[tokio::test]
async fn filters_select_and_combine() {
    let api = Api::start().await;
    let ada = api
        .create_user(json!({"email": "Ada@Example.com", "firstName": "Ada", "lastName": "Lovelace"}))
        .await
        .text("id");
    let grace = api
        .create_user(json!({"email": "grace_h@example.org", "firstName": "Grace", "lastName": "Hop%er"}))
        .await
        .text("id");
    let nobody = api.any_user().await;
    let gone = api
        .create_user(json!({"email": "gone@example.com", "firstName": "Ærø"}))
        .await
        .text("id");
    api.call("DELETE", &format!("/users/{gone}"), None)
        .await
        .expect(204);
    api.call("POST", &format!("/users/{grace}/ban"), None)
        .await
        .expect(200);
    let everyone = [&ada, &grace, &nobody, &gone];
    let none: [&String; 0] = [];

    let cases: Vec<(Value, Vec<&String>)> = vec![
        (json!({}), everyone.to_vec()),
        (json!({"name": "love"}), vec![&ada]),
        (json!({"name": "A L"}), vec![&ada]),
        (json!({"name": "æRØ"}), vec![&gone]),
        (json!({"name": "%"}), vec![&grace]),
        (json!({"name": "_"}), none.to_vec()),
        (json!({"name": ""}), vec![&ada, &grace, &gone]),
        (json!({"name": null}), vec![&nobody]),
        (json!({"userIds": [&nobody, &ada, &ada]}), vec![&ada, &nobody]),
        (json!({"userIds": [nobody.to_uppercase()]}), vec![&nobody]),
        (json!({"userIds": []}), none.to_vec()),
        (
            json!({"emailAddresses": ["ADA@example.COM", "x@y.z"]}),
            vec![&ada],
        ),
        (json!({"emailAddresses": ["ada@example"]}), none.to_vec()),
        (json!({"emailAddresses": []}), none.to_vec()),
        (json!({"email": "EXAMPLE."}), vec![&ada, &grace, &gone]),
        (json!({"email": "_h@"}), vec![&grace]),
        (json!({"email": "%"}), none.to_vec()),
        (json!({"email": null}), everyone.to_vec()),
        (json!({"email": " "}), everyone.to_vec()),
        (json!({"statuses": ["active"]}), vec![&ada, &nobody]),
        (json!({"statuses": ["banned", "deleted"]}), vec![&grace, &gone]),
        (
            json!({"createdAfter": "2000-01-01T00:00:00Z", "createdBefore": null}),
            everyone.to_vec(),
        ),
        (
            json!({"createdBefore": "2000-01-01T00:00:00+02:00"}),
            none.to_vec(),
        ),
        (json!({"organizationId": null}), everyone.to_vec()),
        (
            json!({"organizationId": "01931a73-8b00-7000-8000-000000000000"}),
            none.to_vec(),
        ),
        (
            json!({"name": "a", "email": ".org", "userIds": [&ada, &grace]}),
            vec![&grace],
        ),
        (json!({"name": "Ada", "userIds": [&grace]}), none.to_vec()),
    ];
    for (filter, expected) in cases {
        let page = api
            .call("POST", "/users/search", Some(filter.clone()))
            .await
            .expect(200);
        assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{filter}");
        assert_eq!(
            (&page["hasMore"], &page["nextCursor"]),
            (&json!(false), &Value::Null)
        );
    }
}

#[tokio::test]
async fn the_bounds_of_the_creation_time_are_inclusive() {
    let api = Api::start().await;
    let user = api.create_user(json!({})).await;
    let at = user.text("createdAt");
    let count = async |filter: Value| {
        let page = api.call("POST", "/users/search", Some(filter)).await.expect(200);
        ids(&page).len()
    };
    assert_eq!(count(json!({"createdAfter": at, "createdBefore": at})).await, 1);
    // One nanosecond more is later than the user.
    let micros = format!("{:0<26}", at.trim_end_matches('Z'));
    assert_eq!(
        count(json!({"createdAfter": format!("{micros}001Z")})).await,
        0,
        "{micros}"
    );
    assert_eq!(
        count(json!({"createdBefore": format!("{micros}001Z")})).await,
        1,
        "{micros}"
    );
}

#[tokio::test]
async fn filters_that_cannot_be_read_are_refused() {
    let api = Api::start().await;
    let many: Vec<String> = (0..101).map(|n| format!("u{n}@example.com")).collect();
    let ids = vec!["01931a73-8b00-7000-8000-000000000000"; 101];
    for filter in [
        json!({"emailAddresses": many}),
        json!({"userIds": ids}),
        json!({"userIds": null}),
        json!({"userIds": ["me"]}),
        json!({"emailAddresses": null}),
        json!({"statuses": null}),
        json!({"statuses": ["gone"]}),
        json!({"statuses": ["active", "active"]}),
        json!({"statuses": "active"}),
        json!({"createdAfter": "yesterday"}),
        json!({"createdAfter": 0}),
        json!({"organizationId": "x"}),
        json!({"user_ids": []}),
        json!([]),
    ] {
        api.call("POST", "/users/search", Some(filter))
            .await
            .refused(400, "invalid_request");
    }
    let hundred: Vec<&String> = many.iter().take(100).collect();
    api.call("POST", "/users/search", Some(json!({"emailAddresses": hundred})))
        .await
        .expect(200);
}

#[tokio::test]
async fn an_organization_selects_its_members_in_its_environment() {
    let api = Api::of(Emulator::builder().secret_keys(["sk_test_one", "sk_test_two"])).await;
    let member = api.any_user().await;
    let leaver = api.any_user().await;
    api.any_user().await;
    let control = api.torii.control();
    let organization = control
        .create_organization(&NewOrganization::named("Acme"))
        .await
        .expect("created");
    for id in [&member, &leaver] {
        let new = NewMember::new(id.parse().expect("an id"), "org:member");
        control.add_member(organization.id, &new).await.expect("added");
    }
    api.call("DELETE", &format!("/users/{leaver}"), None)
        .await
        .expect(204);
    let filter = json!({"organizationId": organization.id});
    let page = api
        .call("POST", "/users/search", Some(filter.clone()))
        .await
        .expect(200);
    assert_eq!(ids(&page), [member]);
    let page = api
        .call_with_key("sk_test_two", "POST", "/users/search", Some(filter))
        .await
        .expect(200);
    assert_eq!(ids(&page), [""; 0]);
}

fn ids(page: &Value) -> Vec<String> {
    page["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|user| user.text("id"))
        .collect()
}
