//! An emulator and a client for it.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use torii_backend_types::Timestamp;
use torii_emulator::{Builder, Emulator};

use crate::description;

/// A wait that a healthy emulator never needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An id that no emulator has handed out.
pub(crate) const UNKNOWN: &str = "01931a73-8b00-7000-8000-000000000000";
/// The secret key of a second environment.
pub(crate) const OTHER_KEY: &str = "sk_test_other";

pub(crate) struct Api {
    pub(crate) torii: Emulator,
    client: Client,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Api {
    pub(crate) async fn start() -> Self {
        Self::of(Emulator::builder()).await
    }

    /// With a second environment, that of [`OTHER_KEY`].
    pub(crate) async fn with_two_environments() -> Self {
        Self::of(Emulator::builder().secret_keys(["sk_test_local", OTHER_KEY])).await
    }

    pub(crate) async fn of(builder: Builder) -> Self {
        let torii = builder.start().await.expect("the emulator starts");
        let client = Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .expect("a client");
        Self { torii, client }
    }

    /// With the header that the control plane demands, where the request goes there.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let request = self.plain(method, path);
        match path.starts_with("/_emulator/") {
            true => request.header("x-torii-emulator", "1"),
            false => request,
        }
    }

    /// Without any header of ours.
    pub(crate) fn plain(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let url = format!("{}{path}", self.torii.api_url());
        self.client.request(method, url)
    }

    /// A call of the backend API with the main secret key. The reply is held against the emulator's own description.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.call_with_key(self.torii.secret_key(), method, path, body)
            .await
    }

    pub(crate) async fn call_with_key(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let path = format!("/api/server/v1{path}");
        let mut request = self.request(method, &path).bearer_auth(key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let is_real = self.torii.control().faults().is_empty();
        let reply = send(request).await;
        if is_real {
            description::check(method, &path, &reply).await;
        }
        reply
    }

    /// A call of the control plane.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.request(method, &format!("/_emulator/v1{path}"));
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request("GET", path)).await
    }

    pub(crate) async fn create_user(&self, body: Value) -> Value {
        self.call("POST", "/users", Some(body)).await.expect(201)
    }

    /// The id of a new user that has nothing else.
    pub(crate) async fn any_user(&self) -> String {
        self.create_user(json!({})).await.text("id")
    }

    /// The id of a new organization of the main environment.
    pub(crate) async fn organization(&self, name: &str) -> String {
        self.control("POST", "/organizations", Some(json!({"name": name})))
            .await
            .expect(201)
            .text("id")
    }

    pub(crate) async fn add_member(&self, organization: &str, user: &str) -> Value {
        let path = format!("/organizations/{organization}/members");
        let body = json!({"userId": user, "role": "org:member", "roleName": "Member"});
        self.control("POST", &path, Some(body)).await.expect(201)
    }

    /// A new invitation without metadata.
    pub(crate) async fn invite(&self, email: &str) -> Value {
        let body = json!({"email": email, "publicMetadata": {}, "privateMetadata": {}});
        self.call("POST", "/invitations", Some(body)).await.expect(201)
    }

    pub(crate) async fn change_settings(&self, changes: Value) -> Value {
        self.control("PUT", "/settings", Some(changes)).await.expect(200)
    }

    pub(crate) async fn move_clock(&self, seconds: i64) {
        self.control("PUT", "/clock", Some(json!({"offsetSeconds": seconds})))
            .await
            .expect(200);
    }

    pub(crate) async fn mint(&self, body: Value) -> String {
        self.control("POST", "/tokens", Some(body))
            .await
            .expect(200)
            .text("token")
    }

    /// Sends bytes on a connection of their own and returns all that comes back until it ends.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await?;
        let mut reply = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut reply))
            .await
            .expect("the connection ends")?;
        Ok(reply)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.authority()).await.expect("a connection")
    }

    pub(crate) fn authority(&self) -> &str {
        self.torii.api_url().strip_prefix("http://").expect("plain HTTP")
    }
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.expect("a reply");
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.expect("a whole reply");
    let body = match bytes.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&bytes).expect("a JSON reply"),
    };
    Reply {
        status,
        headers,
        body,
    }
}

impl Reply {
    /// The body, once the status is as expected.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks a refusal: its status, its code, and all that every problem document has.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["code"], code, "{}", self.body);
        for member in ["type", "title", "detail", "instance", "supportId"] {
            assert!(self.body[member].is_string(), "{member}: {}", self.body);
        }
        let instance = self.body["instance"].as_str().unwrap_or_default();
        assert!(reqwest::Url::parse(instance).is_ok(), "{instance}");
        self.body
    }
}

pub(crate) trait Members {
    /// A member that is a text.
    fn text(&self, name: &str) -> String;
    /// The members of `items` that are called `name`, as texts.
    fn items(&self, name: &str) -> Vec<String>;
    /// A member that is an instant. As texts, instants do not sort: their fractions differ in length.
    fn instant(&self, name: &str) -> Timestamp;
}

impl Members for Value {
    #[track_caller]
    fn text(&self, name: &str) -> String {
        self[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name} in {self}"))
            .to_owned()
    }

    #[track_caller]
    fn items(&self, name: &str) -> Vec<String> {
        let items = self["items"]
            .as_array()
            .unwrap_or_else(|| panic!("items in {self}"));
        items.iter().map(|item| item.text(name)).collect()
    }

    #[track_caller]
    fn instant(&self, name: &str) -> Timestamp {
        self.text(name).parse().expect("an instant")
    }
}
