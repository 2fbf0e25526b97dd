//! A request through actix-web. Its services belong to one thread, as its workers do.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Data, ReqData};
use actix_web::{App, HttpMessage, error};
use actix_web_httpauth::extractors::bearer::BearerAuth;
use actix_web_httpauth::middleware::HttpAuthentication;
use futures_util::FutureExt;
use serde_json::Value;
use torii_backend_actix::{Auth, AuthMiddleware};

use crate::adapters::{Ask, install_aws_lc, verifier};
use crate::verify::jsonwebtoken_key;
use crate::world::World;

/// What a thread asks.
type Asked = Box<dyn Fn(usize)>;

thread_local! {
    // Never dropped: at a thread's end, actix-web's own thread-locals may be gone before its applications.
    static APP: OnceCell<&'static dyn Fn(usize)> = const { OnceCell::new() };
}

pub(crate) fn ask(name: &str, world: &'static World) -> Result<Ask, Box<dyn Error>> {
    let header = |token: &String| HeaderValue::try_from(format!("Bearer {token}"));
    let headers = world.tokens.iter().map(header).collect::<Result<Vec<_>, _>>()?;
    let headers = Arc::new(headers);
    let remember = !name.ends_with("without memory");
    Ok(match name {
        "actix-web" => on_each_thread(move || {
            let app = App::new().route("/me", web::get().to(async || "somebody"));
            asked(init_service(app).now_or_never(), &headers)
        }),
        "actix-web, middleware" | "actix-web, middleware without memory" => {
            let layer = AuthMiddleware::new(verifier(world, remember)?);
            on_each_thread(move || {
                let app = App::new().wrap(layer.clone()).route("/me", web::get().to(me));
                asked(init_service(app).now_or_never(), &headers)
            })
        }
        "actix-web, extractor" | "actix-web, extractor without memory" => {
            let verifier = Data::new(verifier(world, remember)?);
            on_each_thread(move || {
                let app = App::new()
                    .app_data(verifier.clone())
                    .route("/me", web::get().to(me));
                asked(init_service(app).now_or_never(), &headers)
            })
        }
        "actix-web, httpauth and jsonwebtoken" => {
            install_aws_lc()?;
            let keys = Data::new(jsonwebtoken_key(world)?);
            on_each_thread(move || {
                let app = App::new()
                    .app_data(keys.clone())
                    .wrap(HttpAuthentication::bearer(decode))
                    .route(
                        "/me",
                        web::get().to(async |claims: ReqData<Claims>| claims.sub.clone()),
                    );
                asked(init_service(app).now_or_never(), &headers)
            })
        }
        _ => return Err(format!("no peer is called {name}").into()),
    })
}

async fn me(auth: Auth) -> String {
    auth.user_id().to_owned()
}

#[derive(Clone)]
struct Claims {
    sub: String,
}

type Keys = (jsonwebtoken::DecodingKey, jsonwebtoken::Validation);

/// What applications write by hand.
async fn decode(
    request: ServiceRequest,
    bearer: BearerAuth,
) -> Result<ServiceRequest, (actix_web::Error, ServiceRequest)> {
    let claims = request.app_data::<Data<Keys>>().and_then(|keys| {
        let (key, validation) = &***keys;
        let decoded = jsonwebtoken::decode::<BTreeMap<String, Value>>(bearer.token(), key, validation);
        let claims = decoded.ok()?.claims;
        let sub = claims.get("sub")?.as_str()?.to_owned();
        Some(Claims { sub })
    });
    let Some(claims) = claims else {
        return Err((error::ErrorUnauthorized("no"), request));
    };
    request.extensions_mut().insert(claims);
    Ok(request)
}

fn on_each_thread(make: impl Fn() -> Asked + Send + Sync + 'static) -> Ask {
    Box::new(move |index| APP.with(|app| app.get_or_init(|| Box::leak(make()))(index)))
}

/// Nothing waits: an application is made at once and, because keys are at hand, answers at once.
fn asked<S, B>(service: Option<S>, headers: &Arc<Vec<HeaderValue>>) -> Asked
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody,
{
    let service = service.expect("an application at once");
    let headers = Arc::clone(headers);
    Box::new(move |index| {
        let request = TestRequest::get().uri("/me");
        let request = request.insert_header((AUTHORIZATION, headers[index].clone()));
        let reply = service.call(request.to_request()).now_or_never();
        let reply = reply.expect("an answer at once").expect("an answer");
        assert_eq!(reply.status(), 200);
    })
}
