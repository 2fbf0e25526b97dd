//! Requirements of routes and routers, and claims of the application's own.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, get};
use serde::Deserialize;
use serde_json::json;
use torii_backend::{Org, Requirement};
use torii_backend_axum::{Auth, AuthLayer, LayerAuth};
use tower::ServiceExt;

use crate::support::{Torii, get as request, get_with, read};

fn of_path() -> Requirement {
    Requirement::new().organization(Org::FromPath("org_id".to_owned()))
}

/// A token of a user who has switched to the organization `a b`.
async fn member(torii: &Torii) -> String {
    let mut order = torii.order().await;
    order.claims.insert("o".to_owned(), json!({"id": "a b"}));
    torii.mint(&order).await
}

async fn status(app: &Router, path: &str, token: &str) -> StatusCode {
    let reply = app.clone().oneshot(get_with(path, token)).await.unwrap();
    reply.status()
}

#[tokio::test]
async fn a_path_guard_works_wherever_a_layer_can_stand() {
    let torii = Torii::start().await;
    let member = member(&torii).await;
    let layer = || AuthLayer::new(torii.verifier.clone()).require(of_path());
    let handler = || get(async || ());
    let inner = || Router::new().route("/invoices", handler());
    let apps: [(&str, Router); 7] = [
        (
            "route_layer",
            Router::new()
                .route("/orgs/{org_id}/invoices", handler())
                .route_layer(layer()),
        ),
        (
            "layer",
            Router::new()
                .route("/orgs/{org_id}/invoices", handler())
                .layer(layer()),
        ),
        (
            "of one method",
            Router::new().route("/orgs/{org_id}/invoices", handler().layer(layer())),
        ),
        (
            "in a nested router",
            Router::new().nest("/orgs/{org_id}", inner().route_layer(layer())),
        ),
        (
            "around a nested router",
            Router::new().nest("/orgs/{org_id}", inner()).layer(layer()),
        ),
        (
            "in a nested service",
            Router::new().nest_service("/orgs/{org_id}", inner().layer(layer())),
        ),
        (
            "in a merged router",
            Router::new().merge(Router::new().nest("/orgs/{org_id}", inner()).route_layer(layer())),
        ),
    ];
    for (name, app) in &apps {
        for (id, expected) in [
            ("a%20b", StatusCode::OK),
            ("%61%20b", StatusCode::OK),
            ("a%2520b", StatusCode::FORBIDDEN),
            ("other", StatusCode::FORBIDDEN),
            // No text at all, which is the client's mistake.
            ("%ff", StatusCode::FORBIDDEN),
        ] {
            let path = format!("/orgs/{id}/invoices");
            assert_eq!(status(app, &path, &member).await, expected, "{name}: {id}");
            let reply = app.clone().oneshot(request(&path)).await.unwrap();
            assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "{name}: {id}");
        }
    }
}

#[tokio::test]
async fn a_path_parameter_that_two_routers_have_is_a_mistake_of_ours() {
    let torii = Torii::start().await;
    let member = member(&torii).await;
    let layer = AuthLayer::new(torii.verifier.clone()).require(of_path());
    let inner = Router::new().route("/{org_id}", get(async || ())).layer(layer);
    let app = Router::new().nest_service("/orgs/{org_id}", inner);
    let mistake = StatusCode::INTERNAL_SERVER_ERROR;
    assert_eq!(status(&app, "/orgs/a%20b/a%20b", &member).await, mistake);
    assert_eq!(status(&app, "/orgs/other/a%20b", &member).await, mistake);
}

#[tokio::test]
async fn a_fallback_behind_a_layer_is_protected_like_a_route() {
    let torii = Torii::start().await;
    let member = member(&torii).await;
    let layer = AuthLayer::new(torii.verifier.clone());
    let app = Router::new().fallback(any(async || ())).layer(layer.clone());
    assert_eq!(status(&app, "/anywhere", &member).await, StatusCode::OK);
    let reply = app.oneshot(request("/anywhere")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    // There is no path parameter, whoever asks.
    let app = Router::new()
        .fallback(any(async || ()))
        .layer(layer.require(of_path()));
    assert_eq!(
        status(&app, "/a%20b", &member).await,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

#[tokio::test]
async fn claims_come_as_the_applications_own_type_or_not_at_all() {
    #[derive(Deserialize)]
    struct Plan {
        plan: String,
    }
    let torii = Torii::start().await;
    let mut order = torii.order().await;
    order.claims.insert("plan".to_owned(), json!("pro"));
    let pro = torii.mint(&order).await;
    order.claims.insert("plan".to_owned(), json!({"secret": 7}));
    let misshapen = torii.mint(&order).await;
    let (_, without) = torii.user().await;
    let app = Router::new()
        .route("/layer", get(async |auth: LayerAuth<Plan>| auth.claims.plan))
        .route(
            "/optional-layer",
            get(async |auth: Option<LayerAuth<Plan>>| auth.unwrap().claims.plan),
        )
        .route_layer(AuthLayer::new(torii.verifier.clone()))
        .route(
            "/extractor",
            get(async |Auth { claims, .. }: Auth<Plan>| claims.plan),
        )
        .route(
            "/optional",
            get(async |auth: Option<Auth<Plan>>| auth.unwrap().claims.plan),
        )
        .with_state(torii.verifier.clone());
    for path in ["/layer", "/optional-layer", "/extractor", "/optional"] {
        let reply = app.clone().oneshot(get_with(path, &pro)).await.unwrap();
        assert_eq!(read(reply).await, (StatusCode::OK, "pro".to_owned()), "{path}");
        for token in [&misshapen, &without] {
            let reply = app.clone().oneshot(get_with(path, token)).await.unwrap();
            let body = r#"{"code":"permission_denied","message":"Permission denied.","guard":"claims"}"#;
            assert_eq!(
                read(reply).await,
                (StatusCode::FORBIDDEN, body.to_owned()),
                "{path}"
            );
        }
    }
}
