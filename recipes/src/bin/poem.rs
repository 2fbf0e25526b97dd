//! poem: a middleware in front of routes, whose handlers find the caller in the request's data.

use std::borrow::Cow;
use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use poem::listener::TcpListener;
use poem::web::{Data, Path};
use poem::{Endpoint, EndpointExt, IntoResponse, Middleware, Request, Response, Route, Server, get, handler};
use torii_backend::{AccessError, Auth, Org, Refusal, Requirement, Verifier};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").unwrap_or("3000".to_owned()).parse()?;
    let gate = Gate {
        verifier: Verifier::new(env::var("TORII_ISSUER")?)?,
        requirement: Requirement::new(),
    };
    let member = Requirement::new().organization(Org::FromPath("org_id".into()));
    let app = Route::new()
        .at("/me", get(me).with(gate.clone()))
        .at("/orgs/:org_id/invoices", get(invoices).with(gate.require(member)));
    Server::new(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
        .run(app)
        .await?;
    Ok(())
}

#[handler]
fn me(Data(auth): Data<&Auth>) -> String {
    format!("You are {}.\n", auth.user_id())
}

#[handler]
fn invoices(Path(org_id): Path<String>, Data(auth): Data<&Auth>) -> String {
    format!("The invoices of {org_id}, for {}.\n", auth.user_id())
}

/// Lets only callers through who satisfy the requirement.
#[derive(Clone)]
struct Gate {
    verifier: Verifier,
    requirement: Requirement,
}

impl Gate {
    fn require(self, requirement: Requirement) -> Self {
        Self { requirement, ..self }
    }

    async fn check(&self, request: &Request) -> Result<Auth, AccessError> {
        let auth = self.verifier.authenticate_request(request.headers()).await?;
        let parameter = |name: &str| request.raw_path_param(name).map(Cow::Borrowed);
        self.verifier.authorize(&auth, &self.requirement, &parameter)?;
        Ok(auth)
    }
}

impl<E: Endpoint> Middleware<E> for Gate {
    type Output = Gated<E>;

    fn transform(&self, inner: E) -> Gated<E> {
        Gated {
            inner,
            gate: self.clone(),
        }
    }
}

struct Gated<E> {
    inner: E,
    gate: Gate,
}

impl<E: Endpoint> Endpoint for Gated<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        match self.gate.check(&request).await {
            Ok(auth) => {
                request.extensions_mut().insert(auth);
                self.inner.call(request).await.map(IntoResponse::into_response)
            }
            Err(error) => {
                let refusal = Refusal::new(&error);
                let mut response = Response::builder().status(refusal.status()).body(refusal.body());
                response.headers_mut().extend(refusal.headers());
                Ok(response)
            }
        }
    }
}
