use serde_json::{Value, json};
use torii_emulator::{Emulator, IMPERSONATION_PERIOD_SECONDS, Storage};

use crate::api::{Api, Members as _, OTHER_KEY, Reply, UNKNOWN};

#[tokio::test]
async fn a_token_has_an_address_where_there_is_a_page_to_land_on() {
    let api = Api::start().await;
    let minted = mint(&api, json!({})).await.expect(200);
    assert_eq!(
        (&minted["expiresInSeconds"], &minted["url"]),
        (&json!(600), &Value::Null)
    );
    let minted = mint(&api, json!({"expiresInSeconds": null, "redirectUrl": null}))
        .await
        .expect(200);
    assert_eq!(
        (&minted["expiresInSeconds"], &minted["url"]),
        (&json!(600), &Value::Null)
    );

    let origins = json!({"origins": ["https://app.example.com", "capacitor://localhost"]});
    api.call("PUT", "/allowed-origins", Some(origins))
        .await
        .expect(200);
    for redirect in [
        "https://APP.example.com:443/dashboard?a=1#top",
        "capacitor://localhost/home",
    ] {
        let minted = mint(&api, json!({"expiresInSeconds": 60, "redirectUrl": redirect}))
            .await
            .expect(200);
        assert_eq!(minted["expiresInSeconds"], 60);
        let expected = format!(
            "{}/_torii/auth/session/impersonate?token={}",
            api.torii.issuer(),
            minted.text("token")
        );
        assert_eq!(minted["url"], expected);
    }
    api.change_settings(json!({"landingUrl": "https://elsewhere.example/landing"}))
        .await;
    assert!(mint(&api, json!({})).await.expect(200)["url"].is_string());
}

#[tokio::test]
async fn tokens_differ_and_are_kept_as_hashes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("torii.db");
    let api = Api::of(Emulator::builder().storage(Storage::File(path))).await;
    let first = mint(&api, json!({})).await.expect(200).text("token");
    let second = mint(&api, json!({})).await.expect(200).text("token");
    assert!(first != second && first.len() >= 43, "{} characters", first.len());
    let export = api.control("GET", "/export", None).await.expect(200);
    assert_eq!(export["impersonationTokens"].as_array().map(Vec::len), Some(2));
    assert!(!export.to_string().contains(&first));
    api.torii.shutdown().await;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("readable");
        assert!(
            !bytes
                .windows(first.len())
                .any(|window| window == first.as_bytes())
        );
    }
}

#[tokio::test]
async fn a_request_that_is_not_as_described_is_refused() {
    let api = Api::start().await;
    let origins = json!({"origins": ["https://app.example.com"]});
    api.call("PUT", "/allowed-origins", Some(origins))
        .await
        .expect(200);
    for (changes, code) in [
        (json!({"reason": " \n"}), "invalid_request"),
        (json!({"reason": ""}), "invalid_request"),
        (json!({"reason": null}), "invalid_request"),
        (json!({"reason": "x".repeat(501)}), "invalid_request"),
        (json!({"actorUserId": null}), "invalid_request"),
        (json!({"actorUserId": "me"}), "invalid_request"),
        (json!({"expiresInSeconds": 59}), "invalid_request"),
        (json!({"expiresInSeconds": 601}), "invalid_request"),
        (json!({"expiresInSeconds": i64::MIN}), "invalid_request"),
        (json!({"expiresInSeconds": 1e300}), "invalid_request"),
        (json!({"expiresInSeconds": "60"}), "invalid_request"),
        (json!({"redirectUrl": "/dashboard"}), "invalid_request"),
        (json!({"redirectUrl": "javascript:alert(1)"}), "invalid_request"),
        (json!({"redirectUrl": ""}), "invalid_request"),
        (
            json!({"redirectUrl": "https://evil.example/"}),
            "redirect_url_not_allowed",
        ),
        (
            json!({"redirectUrl": "http://app.example.com/"}),
            "redirect_url_not_allowed",
        ),
        (
            json!({"redirectUrl": "https://app.example.com:8443/"}),
            "redirect_url_not_allowed",
        ),
        (
            json!({"redirectUrl": "https://app.example.com.evil.example/"}),
            "redirect_url_not_allowed",
        ),
        (
            json!({"redirectUrl": "https://app.example.com@evil.example/"}),
            "redirect_url_not_allowed",
        ),
        (
            json!({"redirectUrl": "https://evil.example\\@app.example.com/"}),
            "redirect_url_not_allowed",
        ),
        (json!({"extra": 1}), "invalid_request"),
    ] {
        mint(&api, changes).await.refused(400, code);
    }
    mint(&api, json!({"reason": "æ".repeat(500)})).await.expect(200);
}

#[tokio::test]
async fn target_and_actor_are_users_of_the_environment() {
    let api = Api::with_two_environments().await;
    let (target, actor) = (api.any_user().await, api.any_user().await);
    let foreign = api
        .call_with_key(OTHER_KEY, "POST", "/users", Some(json!({})))
        .await
        .expect(201)
        .text("id");
    let deleted = api.any_user().await;
    api.call("DELETE", &format!("/users/{deleted}"), None)
        .await
        .expect(204);
    for (target, actor, status, code) in [
        (target.as_str(), foreign.as_str(), 403, "forbidden"),
        (&target, UNKNOWN, 403, "forbidden"),
        (&target, &deleted, 403, "forbidden"),
        (&foreign, &actor, 403, "forbidden"),
        (UNKNOWN, &actor, 403, "forbidden"),
        (&deleted, &actor, 400, "user_deleted"),
    ] {
        let path = format!("/users/{target}/impersonation-token");
        let body = json!({"actorUserId": actor, "reason": "Ticket 4821"});
        api.call("POST", &path, Some(body)).await.refused(status, code);
    }
}

#[tokio::test]
async fn settings_switch_it_off_and_limit_it() {
    let api = Api::start().await;
    api.change_settings(json!({"impersonation": {"enabled": false}}))
        .await;
    mint(&api, json!({})).await.refused(403, "impersonation_disabled");
    api.change_settings(json!({"impersonation": {"enabled": true, "planIncluded": false}}))
        .await;
    mint(&api, json!({}))
        .await
        .refused(402, "impersonation_not_in_plan");
    api.change_settings(json!({"impersonation": {"planIncluded": true, "quota": 2}}))
        .await;
    for _ in 0..2 {
        mint(&api, json!({})).await.expect(200);
    }
    mint(&api, json!({"reason": " "}))
        .await
        .refused(400, "invalid_request");
    mint(&api, json!({}))
        .await
        .refused(402, "impersonation_quota_exhausted");
    api.move_clock(IMPERSONATION_PERIOD_SECONDS).await;
    mint(&api, json!({})).await.expect(200);
    api.change_settings(json!({"impersonation": {"quota": 0}})).await;
    mint(&api, json!({}))
        .await
        .refused(402, "impersonation_quota_exhausted");
    api.change_settings(json!({"impersonation": {"quota": null}}))
        .await;
    mint(&api, json!({})).await.expect(200);
}

/// Mints with two users of the main environment.
async fn mint(api: &Api, changes: Value) -> Reply {
    let (target, actor) = (api.any_user().await, api.any_user().await);
    let mut body = json!({"actorUserId": actor, "reason": "Ticket 4821"});
    for (name, change) in changes.as_object().expect("an object") {
        body[name] = change.clone();
    }
    api.call(
        "POST",
        &format!("/users/{target}/impersonation-token"),
        Some(body),
    )
    .await
}
