use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use torii_backend_types::Timestamp;
use torii_emulator::{MintToken, NewMember, NewOrganization};

use crate::api::{Api, Members as _};

#[tokio::test]
async fn the_key_set_is_public_and_cacheable_and_holds_no_private_part() {
    let api = Api::start().await;
    let reply = api.get("/_torii/.well-known/jwks.json").await;
    assert_eq!(reply.headers["cache-control"], "public, max-age=300");
    assert_eq!(reply.headers["content-type"], "application/json");
    let set = reply.expect(200);
    let [key] = set["keys"].as_array().expect("keys").as_slice() else {
        panic!("one key in {set}");
    };
    let members: Vec<&String> = key.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
    assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
}

#[tokio::test]
async fn the_discovery_document_leads_to_the_key_set() {
    let api = Api::start().await;
    let document = api.get("/.well-known/openid-configuration").await.expect(200);
    assert_eq!(document["issuer"], api.torii.issuer());
    assert_eq!(
        document["jwks_uri"],
        format!("{}/_torii/.well-known/jwks.json", api.torii.issuer())
    );
    assert_eq!(
        document["id_token_signing_alg_values_supported"],
        json!(["ES256"])
    );
    assert!(document["response_types_supported"].is_array());
    assert!(document["subject_types_supported"].is_array());
}

#[tokio::test]
async fn a_token_carries_the_published_claims_under_a_published_key() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let before = Timestamp::now().as_second();
    let minted = api
        .control("POST", "/tokens", Some(json!({"userId": user})))
        .await
        .expect(200);
    let (header, claims) = verified(&api, &minted.text("token"))
        .await
        .expect("a good signature");
    let members: Vec<&String> = header.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["alg", "kid", "typ"]);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("JWT")));

    let issued = claims["iat"].as_i64().expect("iat");
    assert!((before..=Timestamp::now().as_second()).contains(&issued));
    assert_eq!(
        claims,
        json!({
            "iss": api.torii.issuer(), "sub": user, "pid": api.torii.environment_id(),
            "iat": issued, "exp": issued + 300,
            "email_verified": false, "profile_complete": true, "impersonating": false,
        })
    );
    assert_eq!(minted.instant("expiresAt").as_second(), issued + 300);
}

#[tokio::test]
async fn locale_organization_and_actor_show_in_the_token() {
    let api = Api::start().await;
    let user = api.any_user().await;
    api.call("PATCH", &format!("/users/{user}"), Some(json!({"locale": "da"})))
        .await
        .expect(200);
    let control = api.torii.control();
    let organization = control
        .create_organization(&NewOrganization::named("Acme"))
        .await
        .expect("created");
    let body = json!({"userId": user, "organizationId": organization.id, "actorUserId": user});
    api.control("POST", "/tokens", Some(body.clone()))
        .await
        .refused(404, "not_found");
    let member = NewMember::new(user.parse().expect("an id"), "org:administrator");
    control.add_member(organization.id, &member).await.expect("added");

    let (_, claims) = verified(&api, &api.mint(body).await)
        .await
        .expect("a good signature");
    assert_eq!(claims["locale"], "da");
    assert_eq!(claims["org_id"], organization.id.to_string());
    assert_eq!(claims["org_role"], "org:administrator");
    assert_eq!(claims["act"], json!({"sub": user}));
    assert_eq!(claims["impersonating"], true);
}

#[tokio::test]
async fn given_claims_win_and_null_removes_one() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let body = json!({
        "userId": user,
        "claims": {"iss": "https://elsewhere", "exp": "soon", "email_verified": true, "pid": null, "plan": {"a": null}},
    });
    let (_, claims) = verified(&api, &api.mint(body).await)
        .await
        .expect("a good signature");
    assert_eq!(claims["iss"], "https://elsewhere");
    assert_eq!(claims["exp"], "soon");
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["plan"], json!({"a": null}));
    assert_eq!(claims.get("pid"), None);
}

#[tokio::test]
async fn lifetime_and_clock_rule_the_times() {
    let api = Api::start().await;
    let user = api.any_user().await;
    api.control("PUT", "/clock", Some(json!({"offsetSeconds": 86_400})))
        .await
        .expect(200);
    let tomorrow = Timestamp::now().as_second() + 86_400;
    for lifetime in [3_600, 0, -60] {
        let body = json!({"userId": user, "expiresInSeconds": lifetime});
        let (_, claims) = verified(&api, &api.mint(body).await)
            .await
            .expect("a good signature");
        let issued = claims["iat"].as_i64().expect("iat");
        assert!((tomorrow..tomorrow + 60).contains(&issued));
        assert_eq!(claims["exp"], issued + lifetime);
    }
    let body = json!({"userId": user, "expiresInSeconds": i64::MAX});
    api.control("POST", "/tokens", Some(body))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn tokens_that_cannot_be_minted_are_refused() {
    let api = Api::start().await;
    let user = api.any_user().await;
    for (body, status, code) in [
        (
            json!({"userId": "01931a73-8b00-7000-8000-000000000000"}),
            404,
            "not_found",
        ),
        (
            json!({"userId": user, "template": "nats"}),
            404,
            "template_not_found",
        ),
        (json!({"userId": "me"}), 400, "invalid_request"),
        (json!({}), 400, "invalid_request"),
        (json!({"userId": user, "claims": []}), 400, "invalid_request"),
        (json!({"userId": user, "lifetime": 1}), 400, "invalid_request"),
    ] {
        api.control("POST", "/tokens", Some(body))
            .await
            .refused(status, code);
    }
}

#[tokio::test]
async fn a_rotation_signs_anew_and_keeps_the_old_key_published_unless_retired() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let old = api.mint(json!({"userId": user})).await;
    let first = kid(&old);

    let rotated = api
        .control("POST", "/keys/rotate", None)
        .await
        .expect(200)
        .text("kid");
    let new = api.mint(json!({"userId": user})).await;
    assert_eq!(kid(&new), rotated);
    assert_eq!(published(&api).await, [rotated.clone(), first.clone()]);
    for token in [&old, &new] {
        verified(&api, token).await.expect("both keys are published");
    }

    api.control("DELETE", &format!("/keys/{rotated}"), None)
        .await
        .refused(409, "signing_key_in_use");
    api.control("DELETE", &format!("/keys/{first}"), None)
        .await
        .expect(204);
    api.control("DELETE", &format!("/keys/{first}"), None)
        .await
        .refused(404, "not_found");
    assert_eq!(verified(&api, &old).await, None);

    let body = json!({"retire": true});
    let last = api
        .control("POST", "/keys/rotate", Some(body))
        .await
        .expect(200)
        .text("kid");
    assert_eq!(published(&api).await, [last]);
    assert_eq!(verified(&api, &new).await, None);
}

#[tokio::test]
async fn a_minted_token_does_not_show_in_debug_output() {
    let api = Api::start().await;
    let id = api.any_user().await.parse().expect("an id");
    let minted = api
        .torii
        .control()
        .mint_token(&MintToken::of(id))
        .await
        .expect("minted");
    let signature = minted.token.rsplit('.').next().expect("a signature");
    assert!(!format!("{minted:?}").contains(signature));
}

/// Header and claims, if a published key made the signature.
pub(crate) async fn verified(api: &Api, token: &str) -> Option<(Value, Value)> {
    let set = api.get("/_torii/.well-known/jwks.json").await.expect(200);
    let id = kid(token);
    let key = set["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .find(|key| key["kid"] == id)?;
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(key.text(coordinate)).expect("base64url"));
    }
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &signature)
        .expect("a published key made the signature");
    Some((part(token, 0), part(token, 1)))
}

async fn published(api: &Api) -> Vec<String> {
    let set = api.get("/_torii/.well-known/jwks.json").await.expect(200);
    set["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| key.text("kid"))
        .collect()
}

fn kid(token: &str) -> String {
    part(token, 0).text("kid")
}

fn part(token: &str, place: usize) -> Value {
    let text = token.split('.').nth(place).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}
