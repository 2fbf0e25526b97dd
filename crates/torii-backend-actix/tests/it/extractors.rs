//! What the extractors do beside the contract.

use actix_web::web::{self, Data};
use reqwest::StatusCode;
use serde::Deserialize;
use torii_backend::{AccessError, ErrorCode};
use torii_backend_actix::{Auth, AuthError, AuthMiddleware, OptionalAuth};

use crate::support::{Server, Torii};

async fn who(auth: Auth) -> String {
    auth.user_id().to_owned()
}

#[actix_web::test]
async fn a_handler_without_verifier_and_middleware_answers_500_to_everybody() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let server = Server::start(|config| {
        let optional = async |_: OptionalAuth| "in";
        config
            .route("/", web::get().to(who))
            .route("/optional", web::get().to(optional));
    });
    for path in ["/", "/optional"] {
        for token in [None, Some(&*token)] {
            let (status, body) = server.get(path, token).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            assert!(body.contains("configuration_error"), "{body}");
        }
    }
}

#[actix_web::test]
async fn what_another_verifier_found_does_not_count() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let (own, other) = (torii.verifier.clone(), torii.another_verifier());
    let cookie = torii_backend::Verifier::builder(torii.emulator.issuer())
        .cookie("session")
        .build()
        .unwrap();
    let server = Server::start(move |config| {
        let behind = |path: &str, verifier| {
            web::resource(path)
                .app_data(Data::new(own.clone()))
                .wrap(AuthMiddleware::new(verifier))
                .route(web::get().to(who))
        };
        config
            .service(behind("/own", own.clone()))
            .service(behind("/other", other.clone()))
            .service(behind("/cookie", cookie.clone()));
    });

    let before = torii.verifier.counts().accepted;
    assert_eq!(
        server.get("/own", Some(&token)).await,
        (StatusCode::OK, id.clone())
    );
    // Once, for the middleware.
    assert_eq!(torii.verifier.counts().accepted - before, 1);
    assert_eq!(server.get("/other", Some(&token)).await, (StatusCode::OK, id));
    assert_eq!(torii.verifier.counts().accepted - before, 2);

    // The middleware lets the cookie in, which the handler's verifier does not read.
    let request = server
        .request("/cookie", None)
        .header("cookie", format!("session={token}"));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn several_arguments_verify_once() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let both = async |first: Auth, second: OptionalAuth| {
            let second = second.0.map(Auth::into_parts);
            assert_eq!(second.map(|(caller, _)| caller).as_ref(), Some(&*first));
            first.user_id().to_owned()
        };
        config
            .app_data(Data::new(verifier.clone()))
            .route("/", web::get().to(both));
    });
    torii.verifier.warm_up().await.unwrap();
    assert_eq!(server.get("/", Some(&token)).await, (StatusCode::OK, id));
    assert_eq!(torii.verifier.counts().accepted, 1);
}

#[actix_web::test]
async fn a_handler_may_answer_a_refusal_itself() {
    let torii = Torii::start().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        let told = async |auth: Result<Auth, AuthError>| match auth {
            Ok(auth) => auth.user_id().to_owned(),
            Err(error) => match error.cause() {
                AccessError::Unverified(error) => error.code().to_string(),
                _ => "another".to_owned(),
            },
        };
        config
            .app_data(Data::new(verifier.clone()))
            .route("/", web::get().to(told));
    });
    let expected = (StatusCode::OK, ErrorCode::HeaderMissing.to_string());
    assert_eq!(server.get("/", None).await, expected);
}

#[actix_web::test]
async fn claims_of_another_shape_are_a_403() {
    #[derive(Deserialize)]
    struct Session {
        sub: String,
    }
    #[derive(Deserialize)]
    struct Seats {
        #[expect(dead_code, reason = "no token of this test has it")]
        seats: u64,
    }
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let server = Server::start(move |config| {
        config
            .app_data(Data::new(verifier.clone()))
            .route(
                "/session",
                web::get().to(async |auth: Auth<Session>| auth.claims().sub.clone()),
            )
            .route("/seats", web::get().to(async |_: Auth<Seats>| "in"))
            .route("/optional", web::get().to(async |_: OptionalAuth<Seats>| "in"));
    });
    assert_eq!(server.get("/session", Some(&token)).await, (StatusCode::OK, id));
    for path in ["/seats", "/optional"] {
        let (status, body) = server.get(path, Some(&token)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(body.contains(r#""guard":"claims""#), "{body}");
    }
    assert_eq!(
        server.get("/optional", None).await,
        (StatusCode::OK, "in".to_owned())
    );
}

#[actix_web::test]
async fn the_text_of_an_error_has_no_token() {
    let torii = Torii::start().await;
    let error = torii.verifier.verify("not-a-token").await.unwrap_err();
    let error = AuthError::from(error);
    for text in [format!("{error}"), format!("{error:?}")] {
        assert!(!text.contains("not-a-token") && !text.is_empty(), "{text}");
    }
}
