use serde_json::json;

use crate::api::{Api, OTHER_KEY};

const PATH: &str = "/allowed-origins";

#[tokio::test]
async fn the_list_is_replaced_in_its_order() {
    let api = Api::start().await;
    assert_eq!(
        api.call("GET", PATH, None).await.expect(200),
        json!({"origins": []})
    );
    for origins in [
        json!({"origins": ["https://app.example.com", "capacitor://localhost", "http://localhost:5173"]}),
        json!({"origins": ["ionic://localhost"]}),
        json!({"origins": []}),
    ] {
        assert_eq!(
            api.call("PUT", PATH, Some(origins.clone())).await.expect(200),
            origins
        );
        assert_eq!(api.call("GET", PATH, None).await.expect(200), origins);
    }
}

#[tokio::test]
async fn an_origin_that_comes_twice_is_kept_once_in_one_spelling() {
    let api = Api::start().await;
    let body = json!({"origins": ["https://App.Example.com", "http://b.dk", "HTTPS://app.example.com:443"]});
    let kept = api.call("PUT", PATH, Some(body)).await.expect(200);
    assert_eq!(
        kept,
        json!({"origins": ["https://app.example.com", "http://b.dk"]})
    );
}

#[tokio::test]
async fn what_is_not_a_list_of_origins_is_refused_and_changes_nothing() {
    let api = Api::start().await;
    let before = json!({"origins": ["https://app.example.com"]});
    api.call("PUT", PATH, Some(before.clone())).await.expect(200);
    let hosts = |count| {
        (0..count)
            .map(|number| format!("https://a{number}.dk"))
            .collect::<Vec<_>>()
    };
    for body in [
        json!({}),
        json!({"origins": null}),
        json!({"origins": "https://a.dk"}),
        json!({"origins": [null]}),
        json!({"origins": [1]}),
        json!({"origins": ["https://a.dk/"]}),
        json!({"origins": ["https://a.dk", "a.dk"]}),
        json!({"origins": [format!("https://{}", "a".repeat(3_000))]}),
        json!({"origins": [], "extra": 1}),
        json!({"origins": hosts(101)}),
    ] {
        api.call("PUT", PATH, Some(body))
            .await
            .refused(400, "invalid_request");
    }
    assert_eq!(api.call("GET", PATH, None).await.expect(200), before);
    api.call("PUT", PATH, Some(json!({"origins": hosts(100)})))
        .await
        .expect(200);
}

#[tokio::test]
async fn every_environment_has_its_own() {
    let api = Api::with_two_environments().await;
    let mine = json!({"origins": ["https://app.example.com"]});
    api.call("PUT", PATH, Some(mine.clone())).await.expect(200);
    let other = api.call_with_key(OTHER_KEY, "GET", PATH, None).await.expect(200);
    assert_eq!(other, json!({"origins": []}));
    api.call_with_key(OTHER_KEY, "PUT", PATH, Some(other))
        .await
        .expect(200);
    assert_eq!(api.call("GET", PATH, None).await.expect(200), mine);
}
