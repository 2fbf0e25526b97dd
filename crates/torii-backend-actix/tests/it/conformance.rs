//! The contract of all web adapters, on actix-web.

use actix_web::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use actix_web::web::{self, Bytes, Data, Json, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Result};
use actix_ws::CloseCode;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use torii_backend::{Requirement, Verifier};
use torii_backend_actix::{Auth, AuthMiddleware, OptionalAuth};
use torii_conformance::{Adapter, Contract, Settings, interleave, run};

use crate::support::Server;

#[test]
fn clients_are_told_what_the_contract_says() {
    let contract = Contract::read();
    let server = serve(&contract);
    let adapter = Adapter {
        address: server.address,
        has: vec!["websocket", "layers", "preflight", "streaming"],
    };
    run(&contract, &adapter).assert_conforms(380);
}

#[test]
fn identities_never_mix_between_interleaved_requests() {
    const USERS: usize = 50;
    const REQUESTS: usize = 10_000;
    let contract = Contract::read();
    let server = serve(&contract);
    let users: Vec<_> = (0..USERS)
        .map(|user| {
            (
                format!("user-{user:02}"),
                contract.token(&format!("user_{user:02}")).to_owned(),
            )
        })
        .collect();
    for path in ["/me", "/member-or-not"] {
        let found = interleave(server.address, path, &users, REQUESTS);
        assert_eq!(found.wrong, Vec::<String>::new(), "{path}");
        assert_eq!(found.answers, REQUESTS, "{path}");
    }
}

fn serve(contract: &Contract) -> Server {
    let settings = Settings::new(contract);
    Server::start(move |config| routes(config, &settings))
}

/// Routes behind the extractor alone, and routes behind the middleware.
fn routes(config: &mut ServiceConfig, settings: &Settings) {
    let plain = || AuthMiddleware::new(settings.plain.clone());
    let behind = |path: &str, middleware: AuthMiddleware| resource(path).wrap(middleware);
    let of = |verifier: &Verifier| AuthMiddleware::new(verifier.clone());

    for (path, handler) in [
        ("/me", web::get().to(me)),
        ("/optional", web::get().to(optional)),
        ("/claims", web::get().to(claims)),
    ] {
        let extracting = web::resource(path).app_data(Data::new(settings.plain.clone()));
        config.service(extracting.route(handler).route(web::head().to(me)));
    }
    config
        .route("/public", web::get().to(async || Json(json!({"public": true}))))
        .service(
            web::resource("/upload")
                .wrap(plain())
                .route(web::post().to(upload)),
        )
        .service(
            web::resource("/stream")
                .wrap(plain())
                .route(web::get().to(streamed)),
        );
    for (path, requirement) in Settings::guarded() {
        config.service(behind(path, plain().require(requirement)));
    }
    config
        .service(behind("/member-or-not", plain().require(Requirement::new())))
        .service(behind("/cookie", of(&settings.cookie)))
        .service(behind("/token-header", of(&settings.token_header)))
        .service(behind("/unavailable", of(&settings.unavailable)))
        .service(behind(
            "/hook",
            plain().on_refused(|_, _| HttpResponse::ImATeapot().json(json!({"code": "teapot"}))),
        ));
    config
        .service(issuer_at("/issuers").wrap(of(&settings.issuers)))
        // The last one is the outermost.
        .service(issuer_at("/two").wrap(plain()).wrap(of(&settings.other_issuer)))
        .service(preflighted("/cors").wrap(plain().allow_preflight()))
        .service(preflighted("/closed").wrap(plain()));
    for (path, middleware) in [
        ("/ws", plain()),
        ("/ws-protocol", of(&settings.websocket_protocol)),
        ("/ws-cookie", of(&settings.cookie)),
        ("/ws-admin", plain().require(Settings::admin())),
        ("/ws-unavailable", of(&settings.unavailable)),
        ("/ws-lost", plain().require(Settings::lost())),
    ] {
        config.service(
            web::resource(path)
                .wrap(middleware)
                .route(web::get().to(websocket)),
        );
    }
}

fn resource(path: &str) -> Resource {
    web::resource(path).route(web::get().to(me))
}

fn issuer_at(path: &str) -> Resource {
    web::resource(path).route(web::get().to(issuer))
}

fn preflighted(path: &str) -> Resource {
    let answer = async || {
        HttpResponse::NoContent()
            .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "https://app.example"))
            .finish()
    };
    resource(path).route(web::method(actix_web::http::Method::OPTIONS).to(answer))
}

async fn me(auth: Auth) -> Json<Value> {
    Json(torii_conformance::me(&auth))
}

async fn optional(auth: OptionalAuth) -> Json<Value> {
    Json(json!({"user_id": auth.as_ref().map(|auth| auth.user_id())}))
}

#[derive(Deserialize)]
struct Seats {
    plan: String,
    seats: u64,
}

async fn claims(auth: Auth<Seats>) -> Json<Value> {
    let Seats { plan, seats } = auth.claims();
    Json(json!({"plan": plan, "seats": seats}))
}

async fn issuer(auth: Auth) -> Json<Value> {
    Json(json!({"user_id": auth.user_id(), "issuer": auth.issuer()}))
}

async fn upload(auth: Auth, body: Bytes) -> Json<Value> {
    Json(json!({"user_id": auth.user_id(), "bytes": body.len()}))
}

async fn streamed() -> HttpResponse {
    let parts =
        ["one", "two", "three"].map(|part| Ok::<_, actix_web::Error>(Bytes::from_static(part.as_bytes())));
    HttpResponse::Ok().streaming(stream::iter(parts))
}

async fn websocket(auth: Auth, request: HttpRequest, body: Payload) -> Result<HttpResponse> {
    let (response, mut session, _messages) = actix_ws::handle(&request, body)?;
    let user = auth.user_id().to_owned();
    actix_web::rt::spawn(async move {
        if session.text(user).await.is_ok() {
            let _ = session.close(Some(CloseCode::Normal.into())).await;
        }
    });
    Ok(response)
}
