//! What the middleware does beside the contract.

use std::net::TcpListener;

use actix_web::http::header::HeaderName;
use actix_web::middleware::DefaultHeaders;
use actix_web::web;
use actix_web::{HttpResponse, web::ReqData};
use reqwest::StatusCode;
use torii_backend::{AccessError, Denied, KeySource, Org, Requirement, Verifier};
use torii_backend_actix::{Auth, AuthMiddleware, OptionalAuth};

use crate::support::{Server, Torii};

async fn who(auth: Auth) -> String {
    auth.user_id().to_owned()
}

fn of_organization(name: &str) -> Requirement {
    Requirement::new().organization(Org::FromPath(name.to_owned()))
}

#[actix_web::test]
async fn every_route_of_a_scope_is_protected_whatever_its_handler_names() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        config.service(
            web::scope("/api")
                .wrap(AuthMiddleware::new(verifier.clone()))
                .route("/prices", web::get().to(async || "for signed-in users")),
        );
    });
    let (status, body) = server.get("/api/prices", Some(&token)).await;
    assert_eq!((status, &*body), (StatusCode::OK, "for signed-in users"));
    assert_eq!(server.get("/api/prices", None).await.0, StatusCode::UNAUTHORIZED);
    // A stranger does not learn which routes exist.
    assert_eq!(server.get("/api/nowhere", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(
        server.get("/api/nowhere", Some(&token)).await.0,
        StatusCode::NOT_FOUND
    );
}

#[actix_web::test]
async fn middleware_around_it_sees_a_refusal_as_a_response() {
    let torii = Torii::start().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let name = HeaderName::from_static("x-outer");
        config.service(
            web::scope("")
                .wrap(AuthMiddleware::new(verifier.clone()))
                .wrap(DefaultHeaders::new().add((name, "seen")))
                .route("/", web::get().to(who)),
        );
    });
    let (status, headers, _) = server.get_all("/", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(headers["x-outer"], "seen");
}

#[actix_web::test]
async fn a_path_parameter_is_read_as_the_handler_reads_it() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let guarded = || AuthMiddleware::new(verifier.clone()).require(of_organization("org_id"));
        config
            .service(
                web::scope("/scope/{org_id}")
                    .wrap(guarded())
                    .route("/me", web::get().to(who)),
            )
            .service(
                web::scope("/twice/{org_id}").service(
                    web::resource("/{org_id}")
                        .wrap(guarded())
                        .route(web::get().to(who)),
                ),
            )
            .service(
                web::scope("/late")
                    .wrap(guarded())
                    .route("/{org_id}", web::get().to(who)),
            );
    });
    // The user is in no organization, so that a parameter that is found is a 403.
    for (path, expected) in [
        ("/scope/one/me", StatusCode::FORBIDDEN),
        ("/twice/one/two", StatusCode::INTERNAL_SERVER_ERROR),
        ("/late/one", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        assert_eq!(server.get(path, Some(&token)).await.0, expected, "{path}");
        assert_eq!(server.get(path, None).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[actix_web::test]
async fn requirements_add_up() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let yes = Requirement::new().predicate("yes", |_| true);
        let no = Requirement::new().predicate("no", |_| false);
        let layer = AuthMiddleware::new(verifier.clone()).require(yes);
        let both = layer.clone().require(no).require(Requirement::new());
        config
            .service(web::resource("/yes").wrap(layer).route(web::get().to(who)))
            .service(web::resource("/both").wrap(both).route(web::get().to(who)));
    });
    assert_eq!(server.get("/yes", Some(&token)).await, (StatusCode::OK, id));
    let (status, body) = server.get("/both", Some(&token)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains(r#""guard":"no""#), "{body}");
}

#[actix_web::test]
async fn an_optional_middleware_lets_nobody_through_as_nobody() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let optional = AuthMiddleware::new(verifier.clone())
            .optional()
            .require(Requirement::new().predicate("nobody", |_| false));
        let greet = async |auth: OptionalAuth| match &*auth {
            Some(auth) => auth.user_id().to_owned(),
            None => "nobody".to_owned(),
        };
        let free = AuthMiddleware::new(verifier.clone()).optional();
        config
            .service(
                web::resource("/free")
                    .wrap(free.clone())
                    .route(web::get().to(greet)),
            )
            .service(web::resource("/must").wrap(free).route(web::get().to(who)))
            .service(
                web::resource("/guarded")
                    .wrap(optional)
                    .route(web::get().to(greet)),
            );
    });
    let ok = |text: &str| (StatusCode::OK, text.to_owned());
    assert_eq!(server.get("/free", None).await, ok("nobody"));
    assert_eq!(server.get("/free", Some(&token)).await, ok(&id));
    assert_eq!(server.get("/free", Some("x")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get("/must", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get("/guarded", None).await, ok("nobody"));
    assert_eq!(
        server.get("/guarded", Some(&token)).await.0,
        StatusCode::FORBIDDEN
    );
}

#[actix_web::test]
async fn the_hook_is_told_the_cause_and_changes_the_response() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let hooked = AuthMiddleware::new(verifier.clone())
            .require(Requirement::new().predicate("closed", |_| false))
            .on_refused(|cause, response| match cause {
                AccessError::Denied(Denied::Guard(guard)) => {
                    HttpResponse::build(response.status()).body(format!("not {guard}"))
                }
                _ => response,
            });
        config.service(web::resource("/").wrap(hooked).route(web::get().to(who)));
    });
    let expected = (StatusCode::FORBIDDEN, "not closed".to_owned());
    assert_eq!(server.get("/", Some(&token)).await, expected);
    let (status, headers, _) = server.get_all("/", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(headers["www-authenticate"], "Bearer");
}

#[actix_web::test]
async fn handlers_find_the_caller_in_the_request_s_data() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let who = async |auth: ReqData<torii_backend::Auth>| auth.user_id().to_owned();
        let layer = AuthMiddleware::new(verifier.clone());
        config.service(web::resource("/").wrap(layer).route(web::get().to(who)));
    });
    assert_eq!(server.get("/", Some(&token)).await, (StatusCode::OK, id));
}

#[actix_web::test]
async fn a_key_fetch_that_hangs_stops_no_other_request() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    // Takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let hanging = Verifier::builder(torii.emulator.issuer())
        .key_source(KeySource::Url(url))
        .build()
        .unwrap();
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let layers = [("/hanging", hanging.clone()), ("/", verifier.clone())];
        for (path, verifier) in layers {
            let layer = AuthMiddleware::new(verifier);
            config.service(web::resource(path).wrap(layer).route(web::get().to(who)));
        }
    });
    let waiting = actix_web::rt::spawn(server.request("/hanging", Some(&token)).send());
    // The fetch has begun.
    let (_connection, _) = actix_web::rt::task::spawn_blocking(move || silent.accept())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(server.get("/", Some(&token)).await, (StatusCode::OK, id));
    assert!(!waiting.is_finished());
    waiting.abort();
}
