//! The example application, served over HTTP.

use reqwest::{Client, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::Torii;

#[allow(dead_code, reason = "its `main` and its Ctrl-C handler are not called here")]
#[path = "../../examples/protected_routes.rs"]
mod protected_routes;

/// The example on a port of its own.
struct Server {
    origin: String,
    client: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(torii: &Torii) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let app = protected_routes::app(torii.verifier.clone());
        let served = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Self {
            origin,
            client: Client::builder().no_proxy().build().unwrap(),
            stop,
            task: tokio::spawn(async { served.await }),
        }
    }

    async fn call(&self, method: Method, path: &str, token: Option<&str>) -> (StatusCode, String) {
        let mut request = self.client.request(method, format!("{}{path}", self.origin));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let reply = request.send().await.unwrap();
        (reply.status(), reply.text().await.unwrap())
    }

    async fn get(&self, path: &str, token: Option<&str>) -> (StatusCode, String) {
        self.call(Method::GET, path, token).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        drop(self.client);
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn each_route_is_open_to_whom_it_says() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let server = Server::start(&torii).await;
    let ok = |text: String| (StatusCode::OK, text);

    assert_eq!(
        server.get("/public", None).await,
        ok("Anybody may read this.\n".into())
    );
    assert_eq!(server.get("/hello", None).await, ok("Hello, stranger!\n".into()));
    assert_eq!(
        server.get("/hello", Some(&token)).await,
        ok(format!("Hello, {id}!\n"))
    );
    assert_eq!(
        server.get("/me", Some(&token)).await,
        ok(format!("You are {id}.\n"))
    );
    assert_eq!(
        server.get("/invoices", Some(&token)).await,
        ok("Invoices: 1, 2, 3\n".into())
    );
    let latest = server.get("/invoices/latest", Some(&token)).await;
    assert_eq!(latest, ok(format!("Invoice 3, for {id}\n")));

    for path in ["/me", "/invoices", "/invoices/latest"] {
        assert_eq!(server.get(path, None).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/hello", "/me", "/invoices", "/invoices/latest"] {
        let (status, _) = server.get(path, Some("not-a-token")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn no_method_slips_past_the_layer() {
    let torii = Torii::start().await;
    let server = Server::start(&torii).await;
    for method in [Method::HEAD, Method::OPTIONS, Method::POST, Method::DELETE] {
        let (status, body) = server.call(method.clone(), "/invoices", None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method}");
        assert_eq!(body.is_empty(), method == Method::HEAD, "{method}: {body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_on_the_wire_is_the_documented_one() {
    const BODY: &str = r#"{"code":"authentication_failed","message":"Authentication failed."}"#;
    let torii = Torii::start().await;
    let server = Server::start(&torii).await;
    let url = format!("{}/invoices", server.origin);
    let request = server.client.get(url).bearer_auth("not-a-token");
    let reply = request.send().await.unwrap();

    let mut headers = reply.headers().clone();
    assert!(headers.remove("date").is_some());
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    lines.sort_unstable();
    let length = BODY.len().to_string();
    let expected = [
        ("cache-control", "no-store"),
        ("content-length", &length),
        ("content-type", "application/json"),
        ("www-authenticate", r#"Bearer error="invalid_token""#),
    ];
    assert_eq!(lines, expected);
    assert_eq!(reply.text().await.unwrap(), BODY);
    server.stop().await;
}
