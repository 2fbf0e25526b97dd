//! What a browser or an app calls for its user.

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::{Value, json};

use crate::api::{Api, Members as _, PATIENCE, Reply, UNKNOWN, send};
use crate::description;
use crate::tokens::verified;

const PASSWORD: &str = "correct horse";

/// An app: what it knows of its session.
struct App<'a> {
    api: &'a Api,
    session: Option<String>,
    access: Option<String>,
}

impl<'a> App<'a> {
    fn new(api: &'a Api) -> Self {
        Self {
            api,
            session: None,
            access: None,
        }
    }

    /// An app whose new user has signed in.
    async fn signed_in(api: &'a Api) -> Self {
        let user = json!({"email": "ada@example.com", "password": PASSWORD, "firstName": "Ada"});
        api.create_user(user).await;
        let mut app = Self::new(api);
        app.log_in(PASSWORD).await.expect(200);
        app
    }

    async fn log_in(&mut self, password: &str) -> Reply {
        let body = json!({"email": "ada@example.com", "password": password});
        let reply = self
            .call("POST", "/_torii/auth/login?_is_native=1", Some(body))
            .await;
        self.session = reply.body["sessionToken"].as_str().map(str::to_owned);
        self.access = reply.body["accessToken"].as_str().map(str::to_owned);
        reply
    }

    /// Calls with the session token. The reply is held against the emulator's own description.
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.api.request(method, path);
        if let Some(session) = &self.session {
            request = request.header("x-torii-session-token", session);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = send(request).await;
        description::check(method, path, &reply).await;
        reply
    }

    async fn claims(&self, token: &str) -> Value {
        verified(self.api, token).await.expect("a published key").1
    }
}

#[tokio::test]
async fn who_signs_up_gets_a_code_by_mail_and_is_a_user_once_it_is_typed() {
    let api = Api::start().await;
    let app = App::new(&api);
    let body = json!({
        "email": "ada@example.com", "password": PASSWORD, "name": "Ada Lovelace", "captchaToken": null,
        "legalConsentAccepted": true, "unsafeMetadata": {"from": "web"},
    });
    let begun = app
        .call("POST", "/_torii/auth/signup", Some(body.clone()))
        .await
        .expect(200);
    assert_eq!(begun["email"], "ada@example.com");
    let nobody = api.call("POST", "/users/search", None).await.expect(200);
    assert_eq!(nobody["items"], json!([]));

    let token = begun.text("token");
    let code = code(&api, "signUpCode");
    assert!(
        code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{code}"
    );
    let verify = async |token: &str, code: &str| {
        let body = json!({"token": token, "code": code});
        app.call(
            "POST",
            "/_torii/auth/signup/verify-email?_is_native=true",
            Some(body),
        )
        .await
    };
    verify(&token, wrong(&code)).await.refused(400, "invalid_code");
    verify("another", &code).await.refused(400, "invalid_code");
    let session = verify(&token, &code).await.expect(200);
    let claims = app.claims(&session.text("accessToken")).await;
    assert_eq!(claims["email_verified"], true);
    let user = api
        .call("GET", &format!("/users/{}", claims.text("sub")), None)
        .await
        .expect(200);
    assert_eq!(
        (&user["name"], &user["unsafeMetadata"]),
        (&json!("Ada Lovelace"), &json!({"from": "web"}))
    );
    // Once only, and the address is taken.
    verify(&token, &code).await.refused(400, "invalid_code");
    app.call("POST", "/_torii/auth/signup", Some(body))
        .await
        .refused(409, "email_already_exists");
}

#[tokio::test]
async fn a_code_ends_with_its_time_and_with_its_tries() {
    let api = Api::start().await;
    let app = App::new(&api);
    let begin = async || {
        api.torii.control().clear_outbox();
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let begun = app
            .call("POST", "/_torii/auth/signup", Some(body))
            .await
            .expect(200);
        (begun.text("token"), code(&api, "signUpCode"))
    };
    let verify = async |token: &str, code: &str| {
        let body = json!({"token": token, "code": code});
        app.call("POST", "/_torii/auth/signup/verify-email", Some(body))
            .await
    };
    let (token, right) = begin().await;
    for _ in 0..5 {
        verify(&token, wrong(&right)).await.refused(400, "invalid_code");
    }
    verify(&token, &right).await.refused(400, "invalid_code");
    let (token, right) = begin().await;
    api.move_clock(601).await;
    verify(&token, &right).await.refused(400, "invalid_code");
    let (token, right) = begin().await;
    verify(&token, &right).await.expect(200);
}

#[tokio::test]
async fn an_environment_may_refuse_sign_ups_or_demand_consent() {
    let api = Api::start().await;
    let app = App::new(&api);
    let sign_up = async |consent: bool| {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "legalConsentAccepted": consent});
        app.call("POST", "/_torii/auth/signup", Some(body)).await
    };
    api.change_settings(json!({"requireLegalConsent": true})).await;
    sign_up(false).await.refused(422, "legal_consent_required");
    sign_up(true).await.expect(200);
    api.change_settings(json!({"signUpEnabled": false})).await;
    sign_up(true).await.refused(403, "signup_disabled");
    let environment = app.call("GET", "/_torii/environment", None).await.expect(200);
    assert_eq!(
        environment,
        json!({
            "environment": "SANDBOX", "turnstileSiteKey": null, "oauthProviders": [], "signupEnabled": false,
            "brandingRequired": false,
            "legal": {"requireConsent": true, "termsOfServiceUrl": null, "privacyPolicyUrl": null},
        })
    );
    let weak = json!({"email": "ada@example.com", "password": "short"});
    api.change_settings(json!({"signUpEnabled": true, "requireLegalConsent": false}))
        .await;
    app.call("POST", "/_torii/auth/signup", Some(weak))
        .await
        .refused(400, "weak_password");
}

#[tokio::test]
async fn an_app_keeps_its_session_by_a_header_until_it_logs_out() {
    let api = Api::start().await;
    let mut app = App::signed_in(&api).await;
    let first = app.claims(app.access.as_deref().expect("a token")).await;
    let client = app.call("GET", "/_torii/client", None).await.expect(200);
    assert_eq!(
        (&client["authenticated"], &client["session"]["status"]),
        (&json!(true), &json!("active"))
    );
    assert_eq!(client["user"]["id"], first["sub"]);
    assert_eq!(client["user"].get("privateMetadata"), None);

    api.move_clock(1_000).await;
    let refreshed = app
        .call("POST", "/_torii/auth/session/refresh?_is_native=1", None)
        .await
        .expect(200);
    let second = app.claims(&refreshed.text("accessToken")).await;
    assert_eq!(second["sub"], first["sub"]);
    assert!(second["exp"].as_i64() > first["exp"].as_i64());

    let logout = app.call("POST", "/_torii/auth/logout", None).await;
    assert_eq!(logout.headers.get_all("set-cookie").iter().count(), 2);
    logout.expect(204);
    app.call("POST", "/_torii/auth/session/refresh", None)
        .await
        .refused(401, "invalid_session");
    let client = app.call("GET", "/_torii/client", None).await.expect(200);
    assert_eq!(
        client,
        json!({"authenticated": false, "user": null, "session": null, "organizations": []})
    );
    app.call("POST", "/_torii/auth/logout", None).await.expect(204);
    app.log_in("wrong horse")
        .await
        .refused(401, "invalid_credentials");
    app.log_in(PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_session_ends_by_expiry_by_a_ban_and_by_the_backend() {
    let api = Api::start().await;
    let mut app = App::signed_in(&api).await;
    let client = app.call("GET", "/_torii/client", None).await.expect(200);
    let user = client["user"].text("id");
    let refresh = async |app: &App<'_>| app.call("POST", "/_torii/auth/session/refresh", None).await;
    api.call("DELETE", &format!("/users/{user}/sessions"), None)
        .await
        .expect(204);
    refresh(&app).await.refused(401, "invalid_session");
    app.log_in(PASSWORD).await.expect(200);
    api.move_clock(7 * 24 * 3_600 + 1).await;
    refresh(&app).await.refused(401, "invalid_session");
    app.log_in(PASSWORD).await.expect(200);
    api.call("POST", &format!("/users/{user}/ban"), None)
        .await
        .expect(200);
    refresh(&app).await.refused(401, "invalid_session");
    app.log_in(PASSWORD).await.refused(403, "account_banned");
}

#[tokio::test]
async fn a_browser_has_the_session_in_a_cookie_that_no_script_can_read() {
    let api = Api::start().await;
    api.create_user(json!({"email": "ada@example.com", "password": PASSWORD}))
        .await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let reply = send(api.request("POST", "/_torii/auth/login").json(&body)).await;
    assert_eq!(reply.body.get("sessionToken"), Some(&Value::Null));
    assert_eq!(reply.headers["cache-control"], "no-store");
    let cookie = session_cookie(&reply.headers);
    let refresh = |cookie: &str| {
        api.request("POST", "/_torii/auth/session/refresh")
            .header("cookie", cookie)
    };
    send(refresh(&cookie)).await.expect(200);
    send(refresh(&format!("a=b; {cookie}; c"))).await.expect(200);
    send(refresh("__client_session=guess"))
        .await
        .refused(401, "invalid_session");
    send(refresh(&format!("{cookie}; __client_session=x")))
        .await
        .refused(400, "invalid_request");
    // The page of another port of this machine cannot use it, unless its origin is allowed.
    let page = "http://localhost:5173";
    for (name, value) in [
        ("origin", page),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        send(refresh(&cookie).header(name, value))
            .await
            .refused(403, "foreign_origin");
    }
    api.call("PUT", "/allowed-origins", Some(json!({"origins": [page]})))
        .await
        .expect(200);
    let reply = send(
        refresh(&cookie)
            .header("origin", page)
            .header("sec-fetch-site", "cross-site"),
    )
    .await;
    assert_eq!(reply.headers["access-control-allow-origin"], page);
    assert_eq!(reply.headers["access-control-allow-credentials"], "true");
    reply.expect(200);
    send(refresh(&cookie).header("origin", "http://localhost:5174"))
        .await
        .refused(403, "foreign_origin");
    // Nor does the origin open anything but the client API.
    let backend = api
        .request("GET", "/api/server/v1/allowed-origins")
        .header("origin", page);
    assert!(
        !send(backend)
            .await
            .headers
            .contains_key("access-control-allow-origin")
    );
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_ask_before_it_calls() {
    let api = Api::start().await;
    let page = "https://app.example.com";
    api.call("PUT", "/allowed-origins", Some(json!({"origins": [page]})))
        .await
        .expect(200);
    let ask = |origin: &str| {
        let request = api
            .request("OPTIONS", "/_torii/auth/login")
            .header("origin", origin);
        request.header("access-control-request-method", "POST")
    };
    for (origin, with_cookies) in [
        (page, true),
        ("capacitor://localhost", false),
        ("http://localhost", false),
    ] {
        let reply = send(ask(origin)).await;
        assert_eq!(reply.status, 204, "{origin}");
        assert_eq!(reply.headers["access-control-allow-origin"], origin);
        assert_eq!(
            reply.headers.contains_key("access-control-allow-credentials"),
            with_cookies,
            "{origin}"
        );
        let allowed = reply.headers["access-control-allow-headers"]
            .to_str()
            .expect("ASCII");
        assert!(allowed.contains("authorization") && allowed.contains("x-torii-session-token"));
    }
    for origin in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://localhost:5173",
    ] {
        let reply = send(ask(origin)).await;
        assert!(!reply.status.is_success(), "{origin}");
        assert!(
            !reply.headers.contains_key("access-control-allow-origin"),
            "{origin}"
        );
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_the_code_of_a_mail() {
    let api = Api::start().await;
    let mut app = App::signed_in(&api).await;
    for email in ["Ada@Example.com", "nobody@example.com"] {
        let body = json!({"email": email});
        app.call("POST", "/_torii/auth/forgot-password", Some(body))
            .await
            .expect(200);
    }
    assert_eq!(api.torii.control().outbox().len(), 1);
    let code = code(&api, "passwordResetCode");
    let reset = async |code: &str| {
        let body = json!({"email": "ada@example.com", "code": code, "newPassword": "battery staple"});
        App::new(&api)
            .call("POST", "/_torii/auth/reset-password", Some(body))
            .await
    };
    reset(wrong(&code)).await.refused(400, "invalid_reset_code");
    reset(&code).await.expect(200);
    reset(&code).await.refused(400, "invalid_reset_code");
    app.call("POST", "/_torii/auth/session/refresh", None)
        .await
        .refused(401, "invalid_session");
    app.log_in(PASSWORD).await.refused(401, "invalid_credentials");
    app.log_in("battery staple").await.expect(200);

    let change = async |body: Value| app.call("POST", "/_torii/auth/change-password", Some(body)).await;
    change(json!({"newPassword": PASSWORD}))
        .await
        .refused(400, "invalid_credentials");
    change(json!({"currentPassword": PASSWORD, "newPassword": PASSWORD}))
        .await
        .refused(400, "invalid_credentials");
    change(json!({"currentPassword": "battery staple", "newPassword": PASSWORD}))
        .await
        .expect(200);
    app.log_in(PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_template_puts_what_is_known_of_the_user_into_a_token() {
    let api = Api::start().await;
    let app = App::signed_in(&api).await;
    let user = app
        .claims(app.access.as_deref().expect("a token"))
        .await
        .text("sub");
    let bags = json!({
        "publicMetadata": {"plan": {"name": "pro", "seats": 3}}, "privateMetadata": {"secret": "s"},
    });
    api.call("PATCH", &format!("/users/{user}/metadata"), Some(bags))
        .await
        .expect(200);
    api.change_settings(json!({"jwtTemplates": [
        {"name": "partner", "lifetimeSeconds": 60, "claims": {
            "aud": "partner", "sub": "somebody else",
            "mail": "{{ user.email }}", "verified": "{{user.email_verified}}", "seats": "{{ user.public_metadata.plan.seats }}",
            "plan": "{{ user.public_metadata.plan }}", "greeting": "Hello {{ user.first_name }}, of {{ user.public_metadata.plan.seats }}!",
            "phone": "{{ user.phone || \"none\" }}", "missing": "{{ user.last_name }}", "empty": "<{{ user.last_name }}>",
            "secret": "{{ user.private_metadata.secret }}", "deep": [{"id": "{{ user.id }}"}], "open": "{{ user.id",
        }},
        {"name": "session", "default": true, "claims": {"seats": "{{ user.public_metadata.plan.seats }}"}},
    ]})).await;
    let token = async |name: &str| {
        let path = format!("/_torii/auth/session/token?template={name}");
        let request = api
            .request("POST", &path)
            .bearer_auth(app.access.as_deref().expect("a token"));
        send(request).await
    };
    let claims = app
        .claims(&token("partner").await.expect(200).text("accessToken"))
        .await;
    for (name, value) in [
        ("aud", json!("partner")),
        ("sub", json!(user)),
        ("mail", json!("ada@example.com")),
        ("verified", json!(false)),
        ("seats", json!(3)),
        ("plan", json!({"name": "pro", "seats": 3})),
        ("greeting", json!("Hello Ada, of 3!")),
        ("phone", json!("none")),
        ("missing", Value::Null),
        ("empty", json!("<>")),
        ("secret", Value::Null),
        ("deep", json!([{"id": user}])),
        ("open", json!("{{ user.id")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let lifetime = |claims: &Value| {
        claims["exp"]
            .as_i64()
            .zip(claims["iat"].as_i64())
            .map(|(end, start)| end - start)
    };
    assert_eq!(lifetime(&claims), Some(60));
    token("unknown").await.refused(404, "template_not_found");
    // The default one is in every session token, with the next refresh.
    let refreshed = app
        .call("POST", "/_torii/auth/session/refresh", None)
        .await
        .expect(200);
    let session = app.claims(&refreshed.text("accessToken")).await;
    assert_eq!(
        (&session["seats"], session.get("aud"), lifetime(&session)),
        (&json!(3), None, Some(300))
    );
    let minted = api.mint(json!({"userId": user, "template": "partner"})).await;
    assert_eq!(app.claims(&minted).await["seats"], 3);
    for templates in [
        json!([{"name": " "}]),
        json!([{"name": "a"}, {"name": "a"}]),
        json!([{"name": "a", "default": true}, {"name": "b", "default": true}]),
        json!([{"name": "a", "lifetimeSeconds": 0}]),
        json!([{"name": "a", "claims": {"long": "x".repeat(9_000)}}]),
        json!([{"name": "a", "colour": 1}]),
    ] {
        let reply = api
            .control("PUT", "/settings", Some(json!({"jwtTemplates": templates})))
            .await;
        reply.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn switching_organizations_lasts_for_the_session() {
    let api = Api::start().await;
    let app = App::signed_in(&api).await;
    let created = app
        .call("POST", "/_torii/organizations", Some(json!({"name": "Acme"})))
        .await
        .expect(200);
    assert_eq!(created["role"], "owner");
    let (id, foreign) = (created.text("id"), api.organization("Other").await);
    let listed = app.call("GET", "/_torii/organizations", None).await.expect(200);
    assert_eq!(
        listed,
        json!([{"id": id, "name": "Acme", "role": "owner", "roleName": "Owner"}])
    );
    let switch = async |id: &str| {
        app.call("POST", &format!("/_torii/organizations/{id}/switch"), None)
            .await
    };
    switch(&foreign).await.refused(403, "forbidden");
    switch(UNKNOWN).await.refused(403, "forbidden");
    let switched = switch(&id).await.expect(200);
    assert_eq!(app.claims(&switched.text("accessToken")).await["org_id"], id);
    let refreshed = app
        .call("POST", "/_torii/auth/session/refresh", None)
        .await
        .expect(200);
    let claims = app.claims(&refreshed.text("accessToken")).await;
    assert_eq!(
        (&claims["org_id"], &claims["org_role"]),
        (&json!(id), &json!("owner"))
    );
}

#[tokio::test]
async fn an_access_token_alone_says_who_acts_if_this_torii_has_signed_it_and_it_lives() {
    let api = Api::start().await;
    let app = App::signed_in(&api).await;
    let user = app
        .claims(app.access.as_deref().expect("a token"))
        .await
        .text("sub");
    let list =
        async |token: &str| send(api.request("GET", "/_torii/users/me/sessions").bearer_auth(token)).await;
    let good = api.mint(json!({"userId": user})).await;
    let sessions = list(&good).await.expect(200);
    assert_eq!(sessions.as_array().expect("a list").len(), 1);
    for claims in [
        json!({"iss": "https://elsewhere"}),
        json!({"exp": 1}),
        json!({"exp": null}),
        json!({"sub": "x"}),
    ] {
        let bad = api.mint(json!({"userId": user, "claims": claims})).await;
        list(&bad).await.refused(401, "invalid_token");
    }
    let (rest, _) = good.rsplit_once('.').expect("three parts");
    for forged in [
        format!("{rest}."),
        format!("{rest}.AAAA"),
        rest.to_owned(),
        "x".to_owned(),
    ] {
        list(&forged).await.refused(401, "invalid_token");
    }
    list(
        &api.mint(json!({"userId": user, "claims": {"sub": UNKNOWN}}))
            .await,
    )
    .await
    .refused(401, "invalid_session");
    // The token of one user does not go with the session of another.
    let other = api.mint(json!({"userId": api.any_user().await})).await;
    let request = api
        .request("GET", "/_torii/users/me/sessions")
        .header("x-torii-session-token", app.session.as_deref().expect("one"));
    send(request.bearer_auth(&other))
        .await
        .refused(401, "invalid_session");

    let session = sessions[0].text("id");
    let revoke = async |id: &str| {
        app.call("DELETE", &format!("/_torii/users/me/sessions/{id}"), None)
            .await
    };
    revoke(UNKNOWN).await.refused(404, "not_found");
    revoke(&session).await.expect(200);
    revoke(&session).await.refused(401, "invalid_session");
}

#[tokio::test]
async fn users_change_their_own_profile_and_nothing_else() {
    let api = Api::start().await;
    let app = App::signed_in(&api).await;
    let patch = json!({"lastName": "Lovelace", "locale": "da", "unsafeMetadata": {"theme": "dark"}});
    let changed = app
        .call("PATCH", "/_torii/users/me", Some(patch))
        .await
        .expect(200);
    assert_eq!(
        (&changed["user"]["name"], &changed["user"]["locale"]),
        (&json!("Ada Lovelace"), &json!("da"))
    );
    let cleared = app
        .call("PATCH", "/_torii/users/me", Some(json!({"firstName": null})))
        .await
        .expect(200);
    assert_eq!(
        (&cleared["user"]["name"], &cleared["user"]["locale"]),
        (&json!("Lovelace"), &json!("da"))
    );
    for bad in [
        json!({"publicMetadata": {}}),
        json!({"status": "active"}),
        json!({"locale": "xx"}),
    ] {
        app.call("PATCH", "/_torii/users/me", Some(bad))
            .await
            .refused(400, "invalid_request");
    }
    App::new(&api)
        .call("PATCH", "/_torii/users/me", Some(json!({})))
        .await
        .refused(401, "invalid_session");
}

#[tokio::test]
async fn an_impersonation_token_opens_one_session_of_an_hour_in_the_users_place() {
    let api = Api::start().await;
    let (user, actor) = (api.any_user().await, api.any_user().await);
    api.change_settings(json!({"landingUrl": "http://localhost:3000/welcome"}))
        .await;
    let mint = async || {
        let body = json!({"actorUserId": actor, "reason": "a test"});
        let path = format!("/users/{user}/impersonation-token");
        api.call("POST", &path, Some(body)).await.expect(200)
    };
    let app = App::new(&api);
    let redeem = async |token: &str| {
        let body = json!({"token": token});
        app.call(
            "POST",
            "/_torii/auth/session/impersonate?_is_native=1",
            Some(body),
        )
        .await
    };
    let token = mint().await.text("token");
    let session = redeem(&token).await.expect(200);
    let claims = app.claims(&session.text("accessToken")).await;
    assert_eq!(
        (&claims["sub"], &claims["act"], &claims["impersonating"]),
        (&json!(user), &json!({"sub": actor}), &json!(true))
    );
    redeem(&token).await.refused(401, "invalid_impersonation_token");
    let sessions = api
        .call("GET", &format!("/users/{user}/sessions"), None)
        .await
        .expect(200);
    assert_eq!(sessions[0]["impersonatedBy"], actor);
    let lasts = sessions[0].instant("expiresAt").as_second() - sessions[0].instant("createdAt").as_second();
    assert_eq!(lasts, 3_600);

    // The link, as a browser follows it.
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .build()
        .expect("a client");
    let url = mint().await.text("url");
    let landed = client.get(&url).send().await.expect("a reply");
    assert_eq!(
        (landed.status().as_u16(), &landed.headers()["location"]),
        (303, &"http://localhost:3000/welcome".parse().expect("ASCII"))
    );
    let cookie = session_cookie(landed.headers());
    let client_state = send(api.request("GET", "/_torii/client").header("cookie", cookie))
        .await
        .expect(200);
    assert_eq!(client_state["session"]["impersonatedBy"], actor);
    assert_eq!(client.get(&url).send().await.expect("a reply").status(), 401);
    let late = mint().await.text("token");
    api.move_clock(601).await;
    redeem(&late).await.refused(401, "invalid_impersonation_token");
}

#[tokio::test]
async fn an_invitation_is_accepted_with_a_password_by_the_token_of_its_link() {
    let api = Api::start().await;
    let invitation = api.invite("grace@example.com").await;
    let link = api.torii.control().outbox()[0].link.clone().expect("a link");
    let link = Url::parse(&link).expect("an address");
    let (_, token) = link
        .query_pairs()
        .find(|(name, _)| name == "token")
        .expect("a token");
    let app = App::new(&api);
    let accept = async |token: &str| {
        let body = json!({"token": token, "password": PASSWORD, "legalConsentAccepted": true});
        app.call(
            "POST",
            "/_torii/auth/invitation/password-signup?_is_native=1",
            Some(body),
        )
        .await
    };
    accept("unknown").await.refused(404, "not_found");
    let session = accept(&token).await.expect(200);
    assert_eq!(
        app.claims(&session.text("accessToken")).await["email_verified"],
        true
    );
    accept(&token).await.refused(409, "invitation_not_pending");
    let path = format!("/invitations/{}", invitation.text("id"));
    assert_eq!(
        api.call("GET", &path, None).await.expect(200)["status"],
        "ACCEPTED"
    );
    let body = json!({"email": "grace@example.com", "password": PASSWORD});
    app.call("POST", "/_torii/auth/login", Some(body))
        .await
        .expect(200);
}

#[tokio::test]
async fn sessions_survive_an_export_and_a_reset_forgets_codes() {
    let api = Api::start().await;
    let app = App::signed_in(&api).await;
    let body = json!({"email": "grace@example.com", "password": PASSWORD});
    let begun = app
        .call("POST", "/_torii/auth/signup", Some(body))
        .await
        .expect(200);
    let code = code(&api, "signUpCode");
    let export = api.control("GET", "/export", None).await.expect(200);
    assert!(!export.to_string().contains(app.session.as_deref().expect("one")));
    api.control("POST", "/reset", None).await.expect(204);
    app.call("POST", "/_torii/auth/session/refresh", None)
        .await
        .refused(401, "invalid_session");
    let body = json!({"token": begun["token"], "code": code});
    app.call("POST", "/_torii/auth/signup/verify-email", Some(body))
        .await
        .refused(400, "invalid_code");
    api.control("POST", "/import", Some(export)).await.expect(204);
    app.call("POST", "/_torii/auth/session/refresh", None)
        .await
        .expect(200);
}

fn session_cookie(headers: &HeaderMap) -> String {
    let cookies = headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().expect("ASCII"));
    let session = cookies.filter_map(|cookie| cookie.split(';').next());
    session
        .filter(|pair| pair.starts_with("__client_session="))
        .collect()
}

/// The code of the newest mail.
fn code(api: &Api, kind: &str) -> String {
    let mail = api.torii.control().outbox().pop().expect("a mail");
    assert_eq!(serde_json::to_value(mail.kind).expect("JSON"), kind);
    mail.code.expect("a code")
}

fn wrong(code: &str) -> &'static str {
    match code {
        "000000" => "000001",
        _ => "000000",
    }
}
