//! The routes, and the way of a request to them.

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tower::Service as _;

use super::device::PeerAddress;
use super::guard::{self, Guard};
use super::pages::sign_in;
use super::peer::Peer;
use super::problem::{self, Target};
use super::{body, control, inflict, openapi, server_api, well_known};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};

/// The backend API.
const SERVER_API: &str = "/api/server/v1";
/// The calls that only an emulator has.
const CONTROL_API: &str = "/_emulator/v1";
/// What takes bodies from those without a secret key.
const PUBLIC: [&str; 2] = ["/sign-in", "/_torii/"];

/// The routes of the backend API, of the control plane and of what is public.
pub(super) fn router(engine: Arc<Engine>) -> Router {
    let operations = server_api::operations();
    let description = openapi::document(&operations, SERVER_API, engine.domain.issuer());
    let server_api = operations
        .into_iter()
        .fold(Router::new(), |router, operation| {
            router.route(operation.path(), operation.into_route())
        })
        .route_layer(from_fn_with_state(Arc::clone(&engine), guard::secret_key));
    Router::new()
        .nest(SERVER_API, server_api)
        .nest(CONTROL_API, control::routes())
        .route("/_torii/.well-known/jwks.json", get(well_known::jwks))
        .route("/.well-known/openid-configuration", get(well_known::discovery))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/openapi.json", get(|| ready(axum::Json(description))))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(engine)
}

/// The way of a request: let in or not, recorded, taken off the wire, struck by a fault or answered.
///
/// Who is refused at the door leaves no trace: neither a fault's `times` nor a place in the log is spent on it.
pub(super) async fn respond(
    engine: Arc<Engine>,
    router: Router,
    peer: Arc<Peer>,
    mut request: Request<Body>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let target = Target {
        origin: engine.domain.issuer(),
        path: &path,
    };
    let control_path = path
        .strip_prefix(CONTROL_API)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let admitted = Guard::new(&engine.access)
        .check(&request)
        .and_then(|()| match control_path {
            Some(control_path) => guard::check_control(&engine.access, &peer, control_path, &request),
            None => Ok(()),
        });
    if let Err(error) = admitted {
        // Its body is thrown away first, so that the refusal does not race with bytes still coming.
        let refusal = body::receive(request, 0).await.err().unwrap_or(error);
        return problem::complete(problem::refusal(refusal), target);
    }
    if control_path.is_some() {
        return match body::receive(request, body::MAX_CONTROL_BODY_BYTES).await {
            Ok(request) => call(router, request, target).await,
            Err(error) => problem::complete(problem::refusal(error), target),
        };
    }

    let now = engine.domain.clock().now();
    let record = engine.requests.arrived(request.method(), &path, now);
    let most = match guard::environment(&engine, request.headers()) {
        Ok(_) => body::MAX_BODY_BYTES,
        Err(_) if PUBLIC.iter().any(|prefix| path.starts_with(prefix)) => body::MAX_PUBLIC_BODY_BYTES,
        // Nobody else makes the emulator hold a body.
        Err(_) => 0,
    };
    request.extensions_mut().insert(PeerAddress(peer.address()));
    let reply = match body::receive(request, most).await {
        Ok(request) => match engine.faults.strike(request.method(), &path) {
            None => call(router, request, target).await.into(),
            Some(fault) => inflict::inflict(fault, &peer, target, call(router, request, target)).await,
        },
        Err(error) => problem::complete(problem::refusal(error), target).into(),
    };
    let inflict::Reply { response, cut } = reply;
    if !cut {
        record.answered(response.status());
    }
    response
}

async fn call(mut router: Router, request: Request<Body>, target: Target<'_>) -> Response<Body> {
    // `OPTIONS *` and `CONNECT host` have no path that a router could look up.
    if !target.path.starts_with('/') {
        return problem::complete(problem::refusal(no_such_path().await), target);
    }
    // A router is always ready and never fails.
    match router.call(request).await {
        Ok(response) => problem::complete(response, target),
        Err(never) => match never {},
    }
}

async fn no_such_path() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "unknown_path",
        "the local torii has nothing at this path",
    )
}

async fn no_such_method() -> Error {
    Error::new(
        ErrorKind::MethodNotAllowed,
        "method_not_allowed",
        "the path is known, but not with this method",
    )
}
