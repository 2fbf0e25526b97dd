use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use torii_backend_types::ActiveOrganization;
use torii_emulator::{ClaimStyle, DEFAULT_SIGN_UP_URL, Emulator, InvitationRateLimit, Storage};

use crate::api::{Api, Members as _, OTHER_KEY};

#[tokio::test]
async fn the_first_settings_let_everything_work() {
    let api = Api::start().await;
    let first = json!({
        "tokenLifetimeSeconds": 300, "claimStyle": "org_id", "jwksCacheControl": "public, max-age=300",
        "impersonation": {"enabled": true, "planIncluded": true, "quota": null},
        "landingUrl": null, "signUpUrl": DEFAULT_SIGN_UP_URL, "invitationRateLimit": null,
        "signUpEnabled": true, "requireLegalConsent": false, "jwtTemplates": [],
    });
    assert_eq!(api.control("GET", "/settings", None).await.expect(200), first);
    assert_eq!(api.change_settings(json!({})).await, first);
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let api = Api::start().await;
    api.change_settings(json!({"landingUrl": "https://a.dk/", "impersonation": {"quota": 5}}))
        .await;
    let settings = api
        .change_settings(json!({"impersonation": {"enabled": false}, "signUpUrl": null}))
        .await;
    assert_eq!(
        settings["impersonation"],
        json!({"enabled": false, "planIncluded": true, "quota": 5})
    );
    assert_eq!(
        (&settings["landingUrl"], &settings["signUpUrl"]),
        (&json!("https://a.dk/"), &Value::Null)
    );
    assert_eq!(api.control("GET", "/settings", None).await.expect(200), settings);
}

#[tokio::test]
async fn a_change_that_is_not_one_is_refused_as_a_whole() {
    let api = Api::start().await;
    let before = api.control("GET", "/settings", None).await.expect(200);
    for body in [
        json!({"colour": 1}),
        json!({"impersonation": {"colour": 1}}),
        json!({"impersonation": null}),
        json!({"impersonation": {"enabled": null}}),
        json!({"impersonation": {"enabled": 1}}),
        json!({"impersonation": {"quota": -1}}),
        json!({"tokenLifetimeSeconds": 0}),
        json!({"tokenLifetimeSeconds": i64::MAX}),
        json!({"tokenLifetimeSeconds": null}),
        json!({"claimStyle": "org"}),
        json!({"jwksCacheControl": "no-store\r\nX: 1"}),
        json!({"jwksCacheControl": "max-age=æ"}),
        json!({"landingUrl": "landing"}),
        json!({"signUpUrl": "file:///etc/passwd"}),
        json!({"invitationRateLimit": {"invitations": 1}}),
        json!({"invitationRateLimit": {"invitations": 1, "perSeconds": 0}}),
        json!({"invitationRateLimit": 3}),
        json!({"tokenLifetimeSeconds": 60, "landingUrl": 7}),
    ] {
        api.control("PUT", "/settings", Some(body))
            .await
            .refused(400, "invalid_request");
    }
    assert_eq!(api.control("GET", "/settings", None).await.expect(200), before);
}

#[tokio::test]
async fn tokens_last_as_long_as_set() {
    let api = Api::start().await;
    api.change_settings(json!({"tokenLifetimeSeconds": 60})).await;
    let user = api.any_user().await;
    let claims = claims(&api.mint(json!({"userId": user})).await);
    assert_eq!(
        claims["exp"].as_i64(),
        claims["iat"].as_i64().map(|issued| issued + 60)
    );
}

#[tokio::test]
async fn the_active_organization_is_named_in_the_style_that_is_set() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let body = json!({"name": "Acme", "slug": "acme"});
    let organization = api
        .control("POST", "/organizations", Some(body))
        .await
        .expect(201)
        .text("id");
    api.add_member(&organization, &user).await;
    let request = json!({"userId": user, "organizationId": organization});
    let pair = claims(&api.mint(request.clone()).await);
    assert_eq!(
        (&pair["org_id"], &pair["org_role"], pair.get("o")),
        (&json!(organization), &json!("org:member"), None)
    );
    api.change_settings(json!({"claimStyle": "o"})).await;
    let object = claims(&api.mint(request).await);
    assert_eq!((object.get("org_id"), object.get("org_role")), (None, None));
    let active = ActiveOrganization::from_claims(object.get("o"), None, None).expect("one");
    assert_eq!(
        (active.id, active.role.as_deref(), active.slug.as_deref()),
        (organization, Some("org:member"), Some("acme"))
    );
}

#[tokio::test]
async fn the_key_set_is_cached_as_set() {
    let api = Api::start().await;
    for (value, header) in [(json!("no-store"), Some("no-store")), (Value::Null, None)] {
        api.change_settings(json!({"jwksCacheControl": value})).await;
        let reply = api.get("/_torii/.well-known/jwks.json").await;
        let found = reply
            .headers
            .get("cache-control")
            .map(|value| value.to_str().expect("text"));
        assert_eq!(found, header);
    }
}

#[tokio::test]
async fn without_a_sign_up_address_no_invitation_is_sent() {
    let api = Api::start().await;
    let invitation = api.invite("ada@example.com").await;
    api.change_settings(json!({"signUpUrl": null})).await;
    let body = json!({"email": "grace@example.com", "publicMetadata": {}, "privateMetadata": {}});
    api.call("POST", "/invitations", Some(body))
        .await
        .refused(400, "sign_up_url_not_configured");
    let resend = format!("/invitations/{}/resend", invitation.text("id"));
    api.call("POST", &resend, None)
        .await
        .refused(400, "sign_up_url_not_configured");
    assert_eq!(api.torii.control().outbox().len(), 1);
}

#[tokio::test]
async fn a_used_up_rate_limit_says_when_to_come_again() {
    let api = Api::with_two_environments().await;
    api.change_settings(json!({"invitationRateLimit": {"invitations": 2, "perSeconds": 3600}}))
        .await;
    api.invite("a@example.com").await;
    api.move_clock(600).await;
    api.invite("b@example.com").await;
    let body = json!({"email": "c@example.com", "publicMetadata": {}, "privateMetadata": {}});
    let refused = api.call("POST", "/invitations", Some(body.clone())).await;
    let wait: i64 = refused.headers["retry-after"]
        .to_str()
        .expect("text")
        .parse()
        .expect("seconds");
    assert!((2_980..=3_000).contains(&wait), "{wait}");
    refused.refused(429, "invitation_rate_limited");
    // The limit is each environment's own, and does not count what was refused.
    api.call_with_key(OTHER_KEY, "POST", "/invitations", Some(body.clone()))
        .await
        .expect(201);
    api.move_clock(600 + wait).await;
    api.call("POST", "/invitations", Some(body.clone()))
        .await
        .expect(201);
    api.call("POST", "/invitations", Some(body.clone()))
        .await
        .refused(429, "invitation_rate_limited");
    api.change_settings(json!({"invitationRateLimit": {"invitations": 0}}))
        .await;
    let refused = api.call("POST", "/invitations", Some(body)).await;
    assert_eq!(refused.headers["retry-after"], "3600");
    refused.refused(429, "invitation_rate_limited");
}

#[tokio::test]
async fn settings_survive_a_restart_and_not_a_reset() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Storage::File(folder.path().join("torii.db"));
    let torii = Emulator::builder()
        .storage(storage.clone())
        .start()
        .await
        .expect("it starts");
    let mut settings = torii.control().settings();
    settings.claim_style = ClaimStyle::O;
    settings.invitation_rate_limit = Some(InvitationRateLimit {
        invitations: 3,
        per_seconds: 60,
    });
    torii.control().set_settings(&settings).await.expect("valid");
    torii.shutdown().await;
    let torii = Emulator::builder()
        .storage(storage)
        .start()
        .await
        .expect("it starts");
    assert_eq!(torii.control().settings(), settings);
    torii.control().reset().await.expect("reset");
    assert_eq!(torii.control().settings().claim_style, ClaimStyle::OrgId);
    settings.token_lifetime_seconds = -1;
    torii
        .control()
        .set_settings(&settings)
        .await
        .expect_err("invalid");
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}
