//! A browser's way through the site, with a local torii.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

use std::net::TcpListener;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use torii_emulator::{Emulator, MintToken, NewMember, NewOrganization};

/// A browser that keeps cookies in its hands and follows no redirect.
struct Browser {
    client: Client,
    site: String,
}

impl Browser {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.site))
    }

    async fn with_session(&self, path: &str, token: &str) -> Response {
        let cookie = format!("session={token}");
        self.get(path).header(COOKIE, cookie).send().await.unwrap()
    }
}

async fn started() -> (Emulator, Browser) {
    let torii = Emulator::builder().start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    actix_web::rt::spawn(torii_example_actix::serve(listener, torii.issuer()).unwrap());
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
    let client = client.build().unwrap();
    (torii, Browser { client, site })
}

fn location(response: &Response) -> &str {
    response.headers()[LOCATION].to_str().unwrap()
}

/// `name=value` of a cookie that is set, and what follows it.
fn set_cookie<'r>(response: &'r Response, name: &str) -> Option<(&'r str, &'r str)> {
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    cookies.find(|cookie| cookie.starts_with(name))?.split_once(';')
}

#[actix_web::test]
async fn a_visitor_signs_in_and_out() {
    let (torii, browser) = started().await;
    let user = torii.control().create_user(&Default::default()).await.unwrap().id;
    let token = torii
        .control()
        .mint_token(&MintToken::of(user))
        .await
        .unwrap()
        .token;

    let welcome = browser.get("/").send().await.unwrap().text().await.unwrap();
    assert!(welcome.contains("<a href=/sign-in>"), "{welcome}");
    let refused = browser.get("/account").send().await.unwrap();
    assert_eq!(
        (refused.status(), location(&refused)),
        (StatusCode::SEE_OTHER, "/sign-in")
    );

    let leaving = browser.get("/sign-in").send().await.unwrap();
    let (state, flags) = set_cookie(&leaving, "sign_in_state").unwrap();
    assert!(
        flags.contains("HttpOnly") && flags.contains("SameSite=Lax"),
        "{flags}"
    );
    let page = Url::parse(location(&leaving)).unwrap();
    assert!(
        page.as_str().starts_with(&format!("{}/sign-in?", torii.issuer())),
        "{page}"
    );
    let (name, back) = page.query_pairs().next().unwrap();
    assert_eq!(name, "redirect_url");
    assert!(
        back.starts_with(&format!("{}/signed-in?state=", browser.site)),
        "{back}"
    );

    // As the local torii's page sends the browser back.
    let back = format!("{back}&torii_token={token}");
    let stranger = browser.client.get(&back).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::BAD_REQUEST);
    assert!(set_cookie(&stranger, "session").is_none());
    let came = browser
        .client
        .get(&back)
        .header(COOKIE, state)
        .send()
        .await
        .unwrap();
    assert_eq!((came.status(), location(&came)), (StatusCode::SEE_OTHER, "/"));
    let (session, flags) = set_cookie(&came, "session").unwrap();
    assert_eq!(session, format!("session={token}"));
    assert!(
        flags.contains("HttpOnly") && flags.contains("SameSite=Lax"),
        "{flags}"
    );

    let account = browser.with_session("/account", &token).await;
    assert_eq!(account.status(), StatusCode::OK);
    assert!(account.text().await.unwrap().contains(&user.to_string()));
    let out = browser.client.post(format!("{}/sign-out", browser.site));
    let without = out.try_clone().unwrap().send().await.unwrap();
    assert!(set_cookie(&without, "session").is_none());
    let out = out.header(COOKIE, session).send().await.unwrap();
    let (session, flags) = set_cookie(&out, "session").unwrap();
    assert!(
        session == "session=" && flags.contains("Max-Age=0"),
        "{session}; {flags}"
    );
}

#[actix_web::test]
async fn a_token_that_torii_did_not_sign_becomes_no_session() {
    let (_torii, browser) = started().await;
    let back = "/signed-in?state=one&torii_token=not-a-token";
    let response = browser
        .get(back)
        .header(COOKIE, "sign_in_state=one")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(set_cookie(&response, "session").is_none());
}

#[actix_web::test]
async fn the_administration_is_for_administrators() {
    let (torii, browser) = started().await;
    let control = torii.control();
    let organization = control
        .create_organization(&NewOrganization::named("One"))
        .await
        .unwrap()
        .id;
    for (role, status) in [
        ("org:member", StatusCode::FORBIDDEN),
        ("org:administrator", StatusCode::OK),
    ] {
        let user = control.create_user(&Default::default()).await.unwrap().id;
        control
            .add_member(organization, &NewMember::new(user, role))
            .await
            .unwrap();
        let mut order = MintToken::of(user);
        order.organization_id = Some(organization);
        let token = control.mint_token(&order).await.unwrap().token;
        assert_eq!(
            browser.with_session("/admin", &token).await.status(),
            status,
            "{role}"
        );
    }
    let nobody = browser.get("/admin").send().await.unwrap();
    assert_eq!(location(&nobody), "/sign-in");
}
