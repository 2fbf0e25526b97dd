//! The gate in front of an application, a scope or a resource.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use torii_backend::{AccessError, ErrorCode, Requirement, Verifier, VerifyError};

use crate::error::AuthError;
use crate::request::{Admission, authenticate, is_preflight, path_parameter};

/// Lets only requests with a valid token through to what it wraps, where [`Auth`](crate::Auth) is the caller.
///
/// ```
/// use actix_web::{App, web};
/// use torii_backend::{Requirement, Verifier, VerifyError};
/// use torii_backend_actix::AuthMiddleware;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new("https://your-app.torii.so")?;
/// let administrators = AuthMiddleware::new(verifier)
///     .require(Requirement::new().role("org:administrator"));
/// let app = App::new().service(web::scope("/admin").wrap(administrators));
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a middleware protects nothing until it is applied"]
pub struct AuthMiddleware {
    gate: Arc<Gate>,
}

impl AuthMiddleware {
    /// A middleware that demands a token of every request.
    pub fn new(verifier: Verifier) -> Self {
        let gate = Gate {
            verifier,
            requirements: Vec::new(),
            optional: false,
            allow_preflight: false,
            on_refused: None,
        };
        Self { gate: Arc::new(gate) }
    }

    /// Lets only callers in that satisfy the requirement as well, and answers others with 403 and the name of the guard.
    /// Called again, it adds a requirement.
    ///
    /// `Org::FromPath` needs the path parameter, which the middleware of a scope sees if it stands in the scope's own
    /// path, and the middleware of a resource always. Where it does not see it, every request is answered with 500.
    pub fn require(self, requirement: Requirement) -> Self {
        self.with(|gate| gate.requirements.push(requirement))
    }

    /// Lets requests without credentials through as well; [`OptionalAuth`](crate::OptionalAuth) is then `None`. A token
    /// that was sent must still be valid, and its user satisfy the requirement.
    pub fn optional(self) -> Self {
        self.with(|gate| gate.optional = true)
    }

    /// Lets CORS preflight requests through, which carry no credentials: `OPTIONS` with `Access-Control-Request-Method`.
    /// What it wraps must answer them.
    pub fn allow_preflight(self) -> Self {
        self.with(|gate| gate.allow_preflight = true)
    }

    /// Changes what the client of a refused request gets. `change` is given the cause and the response that the middleware
    /// would send, and returns the response to send.
    ///
    /// The cause is for logs and metrics. A response that repeats it tells an attacker why a token was refused.
    pub fn on_refused<F>(self, change: F) -> Self
    where
        F: Fn(&AccessError, HttpResponse) -> HttpResponse + Send + Sync + 'static,
    {
        self.with(|gate| gate.on_refused = Some(Arc::new(change)))
    }

    fn with(mut self, change: impl FnOnce(&mut Gate)) -> Self {
        change(Arc::make_mut(&mut self.gate));
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for AuthMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = AuthService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(AuthService {
            inner: Rc::new(inner),
            gate: Arc::clone(&self.gate),
        }))
    }
}

/// A service behind an [`AuthMiddleware`].
#[derive(Debug)]
pub struct AuthService<S> {
    inner: Rc<S>,
    gate: Arc<Gate>,
}

impl<S, B> Service<ServiceRequest> for AuthService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let gate = Arc::clone(&self.gate);
        let inner = Rc::clone(&self.inner);
        Box::pin(async move {
            match gate.admit(request.request()).await {
                Ok(admission) => {
                    admission.leave_in(request.request());
                    let mut response = inner.call(request).await?;
                    select_subprotocol(&gate.verifier, &mut response);
                    Ok(response.map_into_left_body())
                }
                // A response and no error, so that middleware around this one, such as CORS, treats it as one.
                Err(error) => {
                    let response = gate.refuse(error.into());
                    Ok(request.into_response(response).map_into_right_body())
                }
            }
        })
    }
}

/// Browsers close a WebSocket whose handshake offers subprotocols and selects none.
fn select_subprotocol<B>(verifier: &Verifier, response: &mut ServiceResponse<B>) {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS
        || response.headers().contains_key(SEC_WEBSOCKET_PROTOCOL)
    {
        return;
    }
    let offered = response.request().headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let selected = verifier.selected_protocol(offered.map(HeaderValue::as_bytes));
    if let Some(Ok(selected)) = selected.map(HeaderValue::from_str) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, selected);
    }
}

#[derive(Clone)]
struct Gate {
    verifier: Verifier,
    /// All of which must be satisfied.
    requirements: Vec<Requirement>,
    optional: bool,
    allow_preflight: bool,
    on_refused: Option<Arc<OnRefused>>,
}

type OnRefused = dyn Fn(&AccessError, HttpResponse) -> HttpResponse + Send + Sync;

impl Gate {
    async fn admit(&self, request: &HttpRequest) -> Result<Admission, AccessError> {
        if self.allow_preflight && is_preflight(request) {
            return Ok(Admission(Err(VerifyError::no_credentials())));
        }
        let auth = match authenticate(&self.verifier, request.headers()).await {
            Ok(auth) => auth,
            Err(error) if self.optional && error.code() == ErrorCode::HeaderMissing => {
                return Ok(Admission(Err(error)));
            }
            Err(error) => return Err(error.into()),
        };
        let parameter = |name: &str| path_parameter(request, name);
        for requirement in &self.requirements {
            self.verifier.authorize(&auth, requirement, &parameter)?;
        }
        Ok(Admission(Ok(auth)))
    }

    fn refuse(&self, error: AuthError) -> HttpResponse {
        let response = error.error_response();
        match &self.on_refused {
            Some(change) => change(error.cause(), response),
            None => response,
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("verifier", &self.verifier)
            .field("requirements", &self.requirements)
            .field("optional", &self.optional)
            .field("allow_preflight", &self.allow_preflight)
            .finish_non_exhaustive()
    }
}
