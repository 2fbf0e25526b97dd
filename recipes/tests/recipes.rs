//! Runs each recipe against a local torii, and compares the page with what was run.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's settings let tests do so, but see only the functions marked as one"
)]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use torii_emulator::{Emulator, MintToken, NewMember, NewOrganization};

/// A recipe, and the requests of its two routes: one for everybody who is signed in, one for members of an organization,
/// whose path ends in the organization's id if `{}` stands for it.
struct Recipe {
    program: &'static str,
    method: Method,
    me: &'static str,
    invoices: &'static str,
}

fn get(program: &'static str) -> Recipe {
    Recipe {
        program,
        method: Method::GET,
        me: "/me",
        invoices: "/orgs/{}/invoices",
    }
}

#[tokio::test]
async fn rocket() {
    holds(&get(env!("CARGO_BIN_EXE_rocket"))).await;
}

#[tokio::test]
async fn poem() {
    holds(&get(env!("CARGO_BIN_EXE_poem"))).await;
}

#[tokio::test]
async fn salvo() {
    holds(&get(env!("CARGO_BIN_EXE_salvo"))).await;
}

#[tokio::test]
async fn leptos() {
    holds(&Recipe {
        program: env!("CARGO_BIN_EXE_leptos"),
        method: Method::POST,
        me: "/api/me",
        invoices: "/api/org/invoices",
    })
    .await;
}

#[test]
fn the_page_shows_the_programs_that_were_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../docs/recipes-rust.md")).unwrap();
    let shown: Vec<_> = page
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split_once("```\n").unwrap().0.to_owned())
        .collect();
    let programs = ["rocket", "poem", "salvo", "leptos"].map(|name| {
        let source = std::fs::read_to_string(root.join(format!("src/bin/{name}.rs"))).unwrap();
        // The page says in its own words what the first comment says.
        let (comment, program) = source.split_once("\n\n").unwrap();
        assert!(comment.lines().all(|line| line.starts_with("//!")), "{name}");
        program.to_owned()
    });
    assert_eq!(shown, programs);
}

async fn holds(recipe: &Recipe) {
    let torii = Emulator::builder().start().await.unwrap();
    let control = torii.control();
    let user = control.create_user(&Default::default()).await.unwrap().id;
    let named = NewOrganization::named;
    let organization = control.create_organization(&named("One")).await.unwrap().id;
    let member = NewMember::new(user, "org:member");
    control.add_member(organization, &member).await.unwrap();
    let mint = async |order: MintToken| control.mint_token(&order).await.unwrap().token;
    let ordinary = || MintToken::of(user);
    let outsider = mint(ordinary()).await;
    let mut late = ordinary();
    late.expires_in_seconds = Some(-3_600);
    let expired = mint(late).await;
    let mut inside = ordinary();
    inside.organization_id = Some(organization);
    let member = mint(inside).await;

    let program = Program::start(recipe, torii.issuer()).await;
    let invoices = recipe.invoices.replace("{}", &organization.to_string());
    let (status, _, body) = program.call(recipe.me, Some(&outsider)).await;
    assert_eq!((status, told(&body)), (200, format!("You are {user}.\n")));
    let (status, _, body) = program.call(&invoices, Some(&member)).await;
    let expected = format!("The invoices of {organization}, for {user}.\n");
    assert_eq!((status, told(&body)), (200, expected));

    let failed = json!({"code": "authentication_failed", "message": "Authentication failed."});
    let too_old = json!({"code": "expired", "message": "Authentication failed."});
    let invalid = r#"Bearer error="invalid_token""#;
    for path in [recipe.me, &*invoices] {
        for (token, challenge, expected) in [
            (None, "Bearer", &failed),
            (Some("not-a-token"), invalid, &failed),
            (Some(&*expired), invalid, &too_old),
        ] {
            let (status, headers, body) = program.call(path, token).await;
            assert_eq!((status, &json(&body)), (401, expected), "{path}");
            assert_eq!(headers["www-authenticate"], challenge, "{path}");
            assert_eq!(headers["content-type"], "application/json", "{path}");
            assert_eq!(headers["cache-control"], "no-store", "{path}");
        }
        // Twice, even if both are good.
        let twice = program.request(path, Some(&member)).bearer_auth(&member);
        assert_eq!(twice.send().await.unwrap().status().as_u16(), 401, "{path}");
    }
    let denied =
        json!({"code": "permission_denied", "message": "Permission denied.", "guard": "organization"});
    let mut others = vec![(invoices.clone(), &outsider)];
    if recipe.invoices.contains("{}") {
        others.push((recipe.invoices.replace("{}", "another"), &member));
    }
    for (path, token) in others {
        let (status, headers, body) = program.call(&path, Some(token)).await;
        assert_eq!((status, json(&body)), (403, denied.clone()), "{path}");
        let challenge = headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("insufficient_scope"), "{path}: {challenge}");
    }

    // A new process has no keys, and finds nobody to ask.
    drop(program);
    let program = Program::start(recipe, torii.issuer()).await;
    torii.shutdown().await;
    let (status, headers, body) = program.call(recipe.me, Some(&member)).await;
    assert_eq!((status, &json(&body)["code"]), (503, &json!("keys_unavailable")));
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait > 0);
    let (status, ..) = program.call(recipe.me, None).await;
    assert_eq!(status, 401);
}

/// A text, or a text as JSON, which server functions answer with.
fn told(body: &str) -> String {
    serde_json::from_str(body).unwrap_or_else(|_| body.to_owned())
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{body:?} is not JSON"))
}

/// A recipe that runs.
struct Program {
    process: Child,
    port: u16,
    method: Method,
    client: Client,
}

impl Program {
    async fn start(recipe: &Recipe, issuer: &str) -> Self {
        // Somebody else may take the port before the program does.
        for _ in 0..5 {
            let port = free_port();
            let mut process = Command::new(recipe.program)
                .env("TORII_ISSUER", issuer)
                .env("PORT", port.to_string())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            while process.try_wait().unwrap().is_none() {
                if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                    return Self {
                        process,
                        port,
                        method: recipe.method.clone(),
                        client: Client::builder().no_proxy().build().unwrap(),
                    };
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("{} does not start", recipe.program)
    }

    fn request(&self, path: &str, token: Option<&str>) -> reqwest::RequestBuilder {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = self.client.request(self.method.clone(), url);
        let request = match self.method {
            Method::POST => request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(""),
            _ => request,
        };
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn call(&self, path: &str, token: Option<&str>) -> (u16, HeaderMap, String) {
        let reply = self.request(path, token).send().await.unwrap();
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        (status, headers, reply.text().await.unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
