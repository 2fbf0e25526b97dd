use reqwest::Url;
use serde_json::{Value, json};

use crate::api::{Api, Members as _};

#[tokio::test]
async fn an_invitation_is_mailed_with_a_link_to_the_sign_up() {
    let api = Api::start().await;
    api.change_settings(json!({"signUpUrl": "https://app.example.com/join?plan=pro"}))
        .await;
    let body = json!({
        "email": "ada@example.com", "redirectUrl": "https://app.example.com/welcome?a=1&b=2",
        "publicMetadata": {}, "privateMetadata": {},
    });
    let invitation = api.call("POST", "/invitations", Some(body)).await.expect(201);
    let mails = mails(&api).await;
    let [mail] = mails.as_slice() else {
        panic!("one mail in {mails:?}");
    };
    assert_eq!(
        (&mail["kind"], &mail["to"]),
        (&json!("invitation"), &json!("ada@example.com"))
    );
    assert_eq!(
        (&mail["invitationId"], &mail["sentAt"]),
        (&invitation["id"], &invitation["createdAt"])
    );
    assert_eq!(mail["environmentId"], invitation["environmentId"]);
    let link = Url::parse(&mail.text("link")).expect("an address");
    assert!(
        link.as_str()
            .starts_with("https://app.example.com/join?plan=pro&token="),
        "{link}"
    );
    let redirect = link.query_pairs().find(|(name, _)| name == "redirect_url");
    assert_eq!(redirect.expect("it").1, "https://app.example.com/welcome?a=1&b=2");
}

#[tokio::test]
async fn resending_mails_a_new_link() {
    let api = Api::start().await;
    let id = api.invite("ada@example.com").await.text("id");
    api.call("POST", &format!("/invitations/{id}/resend"), None)
        .await
        .expect(200);
    let links: Vec<String> = mails(&api).await.iter().map(|mail| mail.text("link")).collect();
    assert_eq!(links.len(), 2);
    assert_ne!(links[0], links[1]);
    // The link is the only place that has the token.
    let (_, token) = links[1].split_once("token=").expect("a token");
    let export = api.control("GET", "/export", None).await.expect(200).to_string();
    assert!(!export.contains(token) && !format!("{:?}", api.torii.control().outbox()).contains(token));
}

#[tokio::test]
async fn the_outbox_can_be_emptied() {
    let api = Api::start().await;
    api.invite("ada@example.com").await;
    api.control("DELETE", "/outbox", None).await.expect(204);
    assert!(mails(&api).await.is_empty());
    api.invite("grace@example.com").await;
    assert_eq!(api.torii.control().outbox()[0].to, "grace@example.com");
}

async fn mails(api: &Api) -> Vec<Value> {
    let outbox = api.control("GET", "/outbox", None).await.expect(200);
    outbox.as_array().expect("a list").clone()
}
