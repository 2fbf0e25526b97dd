//! The application against a local torii, as a browser without scripts uses it.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

#[path = "../src/app.rs"]
mod app;
#[path = "../src/sign_in.rs"]
mod sign_in;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use torii_emulator::{Emulator, MintToken};
use url::Url;

struct World {
    torii: Emulator,
    origin: String,
    client: Client,
}

impl World {
    async fn start() -> Self {
        let torii = Emulator::builder().start().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let sign_in_url = format!("{}/sign-in", torii.issuer());
        let app = app::app(torii.issuer(), &sign_in_url, &origin).unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
        let client = Client::builder().no_proxy().redirect(Policy::none());
        Self {
            torii,
            origin,
            client: client.build().unwrap(),
        }
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> Response {
        let mut request = self.client.get(format!("{}{path}", self.origin));
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        request.send().await.unwrap()
    }

    /// The first visit to `/sign-in`: where the browser is sent, and the state's cookie.
    async fn begin(&self) -> (Url, String) {
        let reply = self.get("/sign-in", None).await;
        assert_eq!(reply.status(), 303);
        (location(&reply, &self.origin), cookies(&reply)[0].clone())
    }

    /// The address to which the sign-in page sends the browser back.
    async fn sign_in_as_ada(&self, page: &Url) -> Url {
        let (_, return_url) = page
            .query_pairs()
            .find(|(name, _)| name == "redirect_url")
            .unwrap();
        let form = format!(
            "create=ada&{}",
            url::form_urlencoded::Serializer::new(String::new())
                .append_pair("redirect_url", &return_url)
                .finish()
        );
        let request = self.client.post(format!("{}/sign-in", self.torii.issuer()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let reply = request.body(form).send().await.unwrap();
        assert_eq!(reply.status(), 303);
        location(&reply, &self.origin)
    }

    /// Everything a browser does until it is signed in. The cookie that it has then.
    async fn signed_in(&self) -> String {
        let (page, state) = self.begin().await;
        let back = self.sign_in_as_ada(&page).await;
        let reply = self.get(&path(&back), Some(&state)).await;
        assert_eq!(reply.status(), 303);
        assert_eq!(path(&location(&reply, &self.origin)), "/account");
        let session = cookies(&reply)
            .into_iter()
            .find(|cookie| cookie.starts_with("session="));
        session.unwrap()
    }
}

fn location(reply: &Response, base: &str) -> Url {
    let location = reply.headers()[LOCATION].to_str().unwrap();
    Url::parse(base).unwrap().join(location).unwrap()
}

fn path(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}"));
    format!("{}{}", url.path(), query.unwrap_or_default())
}

/// The cookies that a reply sets, as a browser sends them back, after a look at their protection.
fn cookies(reply: &Response) -> Vec<String> {
    let set = reply.headers().get_all(SET_COOKIE).iter();
    set.map(|cookie| {
        let cookie = cookie.to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        cookie.split(';').next().unwrap().to_owned()
    })
    .collect()
}

#[tokio::test]
async fn a_person_signs_in_sees_the_account_and_signs_out() {
    let world = World::start().await;
    let page = world.get("/", None).await.text().await.unwrap();
    assert!(page.contains(r#"<a href="/sign-in">"#), "{page}");

    let session = world.signed_in().await;
    let page = world.get("/account", Some(&session)).await.text().await.unwrap();
    let me: Value =
        serde_json::from_str(&world.get("/api/me", Some(&session)).await.text().await.unwrap()).unwrap();
    let user = me["user_id"].as_str().unwrap();
    assert!(page.contains(user), "{page}");
    let page = world.get("/", Some(&session)).await.text().await.unwrap();
    assert!(page.contains(user) && page.contains("Sign out"), "{page}");

    let request = world.client.post(format!("{}/sign-out", world.origin));
    let reply = request.header(COOKIE, &session).send().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), cookies(&reply)),
        (303, vec!["session=".to_owned()])
    );
}

#[tokio::test]
async fn people_are_sent_to_sign_in_and_programs_are_told_401() {
    let world = World::start().await;
    for (cookie, path) in [
        (None, "/account"),
        (Some("session=x"), "/account"),
        (None, "/admin"),
    ] {
        let reply = world.get(path, cookie).await;
        assert_eq!(
            (reply.status().as_u16(), &reply.headers()[LOCATION]),
            (303, &"/sign-in".parse().unwrap())
        );
    }
    let reply = world.get("/api/me", None).await;
    assert_eq!(reply.status(), 401);
    let body: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    assert_eq!(body["code"], "authentication_failed");
    assert_eq!(world.get("/", Some("session=x")).await.status(), 200);
}

#[tokio::test]
async fn only_administrators_reach_the_administration() {
    let world = World::start().await;
    let session = world.signed_in().await;
    assert_eq!(world.get("/admin", Some(&session)).await.status(), 403);
    let user = world
        .torii
        .control()
        .create_user(&Default::default())
        .await
        .unwrap();
    let mut order = MintToken::of(user.id);
    let organization = json!({"id": "organization-1", "rol": "org:administrator"});
    order.claims.insert("o".to_owned(), organization);
    let token = world.torii.control().mint_token(&order).await.unwrap().token;
    let reply = world.get("/admin", Some(&format!("session={token}"))).await;
    assert_eq!(reply.status(), 200);
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_link_of_somebody_else() {
    let world = World::start().await;
    let (page, _) = world.begin().await;
    let back = path(&world.sign_in_as_ada(&page).await);
    let (_, state_of_another) = world.begin().await;
    for cookie in [None, Some(state_of_another.as_str()), Some("sign-in-state=")] {
        let reply = world.get(&back, cookie).await;
        assert_eq!((reply.status().as_u16(), cookies(&reply)), (400, vec![]));
    }
    let (_, state) = world.begin().await;
    let forged = format!(
        "/signed-in?torii_token=a.b.c&state={}",
        state.split_once('=').unwrap().1
    );
    let reply = world.get(&forged, Some(&state)).await;
    assert_eq!((reply.status().as_u16(), cookies(&reply)), (401, vec![]));
}
