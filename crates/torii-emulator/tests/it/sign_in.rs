//! The page that an application sends its users to.

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde_json::{Value, json};

use crate::api::{Api, Members as _, PATIENCE, UNKNOWN};
use crate::tokens::verified;

const APP: &str = "http://localhost:3000/callback?state=a%20b";

/// What came back, which is a page rather than JSON.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Page {
    #[track_caller]
    fn says(&self, status: u16, text: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(self.text.contains(text), "{text:?} in {}", self.text);
        self
    }

    /// The address that the browser is sent to, and the token in it.
    #[track_caller]
    fn sent_to(&self) -> (Url, String) {
        assert_eq!(self.status, 303, "{}", self.text);
        let location = self.headers["location"].to_str().expect("ASCII");
        let url = Url::parse(location).expect("an address");
        let tokens: Vec<String> = url
            .query_pairs()
            .filter(|(name, _)| name == "torii_token")
            .map(|(_, token)| token.into_owned())
            .collect();
        assert_eq!(tokens.len(), 1, "{url}");
        (url, tokens.concat())
    }
}

#[tokio::test]
async fn picking_a_user_sends_the_browser_back_with_a_token_of_a_new_session() {
    let api = Api::start().await;
    let user = api
        .create_user(json!({"email": "ada@example.com", "firstName": "Ada"}))
        .await
        .text("id");
    let page = show(&api, APP).await;
    page.says(200, "Ada").says(200, &user).says(200, "localhost:3000");
    let (url, token) = submit(&api, &[("redirect_url", APP), ("user_id", &user)])
        .await
        .sent_to();
    assert!(
        url.as_str()
            .starts_with("http://localhost:3000/callback?state=a%20b&torii_token="),
        "{url}"
    );
    let claims = claims(&api, &token).await;
    assert_eq!(
        (&claims["sub"], &claims["iss"]),
        (&json!(user), &json!(api.torii.issuer()))
    );
    let sessions = api
        .call("GET", &format!("/users/{user}/sessions"), None)
        .await
        .expect(200);
    assert_eq!(
        (&sessions[0]["ipAddress"], &sessions[0]["userAgent"]),
        (&json!("127.0.0.1"), &json!("browser"))
    );
}

#[tokio::test]
async fn a_session_has_the_documented_cookies() {
    let api = Api::start().await;
    let page = submit(&api, &[("redirect_url", APP), ("create", "ada")]).await;
    let cookies: Vec<&str> = page
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().expect("ASCII"))
        .collect();
    let [session, hint] = cookies.as_slice() else {
        panic!("two of {cookies:?}");
    };
    assert!(session.starts_with("__client_session=") && hint.starts_with("__client_session_hint="));
    for attribute in [
        "Path=/",
        "Max-Age=604800",
        "Secure",
        "SameSite=None",
        "Partitioned",
    ] {
        assert!(
            session.contains(attribute) && hint.contains(attribute),
            "{attribute}"
        );
    }
    assert!(session.contains("HttpOnly") && !hint.contains("HttpOnly"));
    // The store has a hash of it only.
    let token = session.split(['=', ';']).nth(1).expect("a value");
    let export = api.control("GET", "/export", None).await.expect(200).to_string();
    assert!(!export.contains(token));
}

#[tokio::test]
async fn an_email_and_its_password_sign_in_and_a_wrong_one_shows_the_form_again() {
    let api = Api::start().await;
    let user = api
        .create_user(json!({"email": "ada@example.com", "password": "correct horse"}))
        .await
        .text("id");
    let with = async |email: &str, password: &str| {
        submit(
            &api,
            &[("redirect_url", APP), ("email", email), ("password", password)],
        )
        .await
    };
    let (_, token) = with("Ada@Example.com", "correct horse").await.sent_to();
    assert_eq!(claims(&api, &token).await["sub"], user);
    for (email, password) in [
        ("ada@example.com", "wrong horse"),
        ("ada@example.com", ""),
        ("grace@example.com", "correct horse"),
    ] {
        let page = with(email, password).await;
        page.says(422, "the email or the password is wrong")
            .says(422, email);
        assert!(!page.headers.contains_key("set-cookie") && !page.text.contains("wrong horse"));
    }
    api.call("POST", &format!("/users/{user}/ban"), None)
        .await
        .expect(200);
    with("ada@example.com", "correct horse").await.says(422, "banned");
    submit(&api, &[("redirect_url", APP), ("user_id", &user)])
        .await
        .says(422, "banned");
    let page = show(&api, APP).await;
    assert!(!page.text.contains(&user), "a banned user is not offered");
}

#[tokio::test]
async fn without_users_the_page_offers_to_create_one() {
    let api = Api::start().await;
    show(&api, APP)
        .await
        .says(200, "Create Ada Lovelace (ada@example.com)");
    let (_, token) = submit(&api, &[("redirect_url", APP), ("create", "ada")])
        .await
        .sent_to();
    let first = claims(&api, &token).await;
    assert_eq!(first["email_verified"], true);
    // Whoever presses the button twice signs in as the same user.
    let (_, token) = submit(&api, &[("redirect_url", APP), ("create", "ada")])
        .await
        .sent_to();
    assert_eq!(claims(&api, &token).await["sub"], first["sub"]);
    let page = show(&api, APP).await;
    page.says(200, "Ada Lovelace");
    assert!(!page.text.contains("Create Ada"));
}

#[tokio::test]
async fn nobody_is_sent_with_a_token_to_an_address_that_was_not_allowed() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let allowed = json!({"origins": ["https://app.example.com", "capacitor://localhost"]});
    api.call("PUT", "/allowed-origins", Some(allowed))
        .await
        .expect(200);
    for good in [
        "http://localhost:3000/",
        "https://app.localhost/x",
        "http://127.0.0.1:1/",
        "http://[::1]:3000/",
        "https://app.example.com/deep?x=1",
        "capacitor://localhost/callback",
    ] {
        show(&api, good).await.says(200, "Sign in");
        submit(&api, &[("redirect_url", good), ("user_id", &user)])
            .await
            .sent_to();
    }
    for bad in [
        "https://evil.example/",
        "https://app.example.com:8443/",
        "http://app.example.com/",
        "https://app.example.com@evil.example/",
        "http://user@localhost:3000/",
        "http://localhost.evil.example/",
        "//localhost:3000/",
        "/callback",
        "javascript:alert(1)",
        "javascript://localhost/%0aalert(1)",
        "file://localhost/etc/passwd",
        "http:\\\\evil.example",
        "http://localhost:3000/ http://evil.example",
        "",
    ] {
        let page = show(&api, bad).await;
        assert_eq!(page.status, 400, "{bad}");
        page.says(400, "redirect_url");
        let page = submit(&api, &[("redirect_url", bad), ("user_id", &user)]).await;
        assert_eq!(page.status, 400, "{bad}");
        assert!(
            !page.headers.contains_key("location") && !page.headers.contains_key("set-cookie"),
            "{bad}"
        );
    }
    get(&api, "/sign-in").await.says(400, "redirect_url is missing");
    get(&api, "/sign-in?redirect_url=a&redirect_url=b")
        .await
        .says(400, "came twice");
}

#[tokio::test]
async fn a_token_of_the_last_time_is_replaced() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let target = "http://localhost:3000/?a=1&torii_token=old&b=2#part";
    let (url, token) = submit(&api, &[("redirect_url", target), ("user_id", &user)])
        .await
        .sent_to();
    assert_eq!(
        url.as_str(),
        format!("http://localhost:3000/?a=1&b=2&torii_token={token}#part")
    );
}

#[tokio::test]
async fn only_the_page_itself_may_send_the_form() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let own = api.torii.api_url().to_owned();
    for (name, value, status) in [
        ("origin", own.as_str(), 303),
        ("sec-fetch-site", "same-origin", 303),
        ("origin", "http://localhost:3000", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "cross-site", 403),
    ] {
        let request = post(&api, &[("redirect_url", APP), ("user_id", &user)])
            .header(name, value)
            .header("sec-fetch-dest", "document");
        assert_eq!(page(request).await.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_refused_with_a_page() {
    let api = Api::start().await;
    let user = api.any_user().await;
    for fields in [
        &[][..],
        &[("user_id", user.as_str()), ("create", "ada")],
        &[("email", "ada@example.com")],
        &[("create", "grace")],
        &[("user_id", "1")],
        &[("user_id", UNKNOWN)],
    ] {
        let fields: Vec<_> = [&[("redirect_url", APP)], fields].concat();
        let page = submit(&api, &fields).await;
        assert!(page.status.is_client_error(), "{fields:?}");
        assert_eq!(
            page.headers["content-type"], "text/html; charset=utf-8",
            "{fields:?}"
        );
    }
    let reply = api
        .request("POST", "/sign-in")
        .json(&json!({}))
        .send()
        .await
        .expect("a reply");
    assert_eq!(reply.status(), 415);
}

#[tokio::test]
async fn the_page_loads_nothing_and_shows_what_users_are_called_as_text() {
    let api = Api::start().await;
    api.create_user(json!({"firstName": "<script>alert(1)</script>", "email": "o'hara@example.com"}))
        .await;
    let page = show(&api, "http://localhost:3000/?q=\"><script>").await;
    page.says(200, "&#60;script&#62;alert(1)");
    assert!(!page.text.contains("<script"), "{}", page.text);
    assert!(!page.text.contains("http://") || page.text.contains("value=\"http://localhost:3000/"));
    let policy = page.headers["content-security-policy"].to_str().expect("ASCII");
    for rule in [
        "default-src 'none'",
        "form-action 'self' http://localhost:3000;",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
}

async fn show(api: &Api, redirect_url: &str) -> Page {
    let query = url_query(redirect_url);
    get(api, &format!("/sign-in?{query}")).await
}

fn url_query(redirect_url: &str) -> String {
    let mut url = Url::parse("http://x/").expect("an address");
    url.query_pairs_mut().append_pair("redirect_url", redirect_url);
    url.query().expect("a query").to_owned()
}

async fn get(api: &Api, path: &str) -> Page {
    page(client().get(format!("{}{path}", api.torii.api_url()))).await
}

async fn submit(api: &Api, fields: &[(&str, &str)]) -> Page {
    page(post(api, fields)).await
}

fn post(api: &Api, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let mut form = Url::parse("http://x/").expect("an address");
    form.query_pairs_mut().extend_pairs(fields);
    client()
        .post(format!("{}/sign-in", api.torii.api_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("user-agent", "browser")
        .body(form.query().expect("fields").to_owned())
}

/// A browser that stays where it is.
fn client() -> Client {
    let client = Client::builder().no_proxy().redirect(Policy::none());
    client.timeout(PATIENCE).build().expect("a client")
}

async fn page(request: reqwest::RequestBuilder) -> Page {
    let response = request.send().await.expect("a reply");
    let (status, headers) = (response.status(), response.headers().clone());
    Page {
        status,
        headers,
        text: response.text().await.expect("a text"),
    }
}

async fn claims(api: &Api, token: &str) -> Value {
    verified(api, token).await.expect("a token of a published key").1
}
