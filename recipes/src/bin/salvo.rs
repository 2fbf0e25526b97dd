//! salvo: a hoop in front of routes, whose handlers find the caller in the depot.

use std::borrow::Cow;
use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use salvo::conn::TcpListener;
use salvo::prelude::{Depot, FlowCtrl, Listener, Request, Response, Router, Server, StatusError, handler};
use torii_backend::{AccessError, Auth, Org, Refusal, Requirement, Verifier};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").unwrap_or("3000".to_owned()).parse()?;
    let gate = Gate {
        verifier: Verifier::new(env::var("TORII_ISSUER")?)?,
        requirement: Requirement::new(),
    };
    let member = Requirement::new().organization(Org::FromPath("org_id".into()));
    let router = Router::new()
        .push(Router::with_path("me").hoop(gate.clone()).get(me))
        .push(
            Router::with_path("orgs/{org_id}/invoices")
                .hoop(gate.require(member))
                .get(invoices),
        );
    let acceptor = TcpListener::new((Ipv4Addr::LOCALHOST, port)).bind().await;
    Server::new(acceptor).serve(router).await;
    Ok(())
}

#[handler]
async fn me(depot: &Depot) -> Result<String, StatusError> {
    Ok(format!("You are {}.\n", caller(depot)?.user_id()))
}

#[handler]
async fn invoices(request: &Request, depot: &Depot) -> Result<String, StatusError> {
    let org_id: String = request.param("org_id").ok_or_else(StatusError::not_found)?;
    let user = caller(depot)?.user_id();
    Ok(format!("The invoices of {org_id}, for {user}.\n"))
}

/// Whom the gate let in. A route without a gate is a mistake, and lets nobody in.
fn caller(depot: &Depot) -> Result<&Auth, StatusError> {
    depot.obtain().map_err(|_| StatusError::internal_server_error())
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
        let parameter = |name: &str| request.param::<String>(name).map(Cow::Owned);
        self.verifier.authorize(&auth, &self.requirement, &parameter)?;
        Ok(auth)
    }
}

#[handler]
impl Gate {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        flow: &mut FlowCtrl,
    ) {
        match self.check(request).await {
            Ok(auth) => {
                depot.inject(auth);
                flow.call_next(request, depot, response).await;
            }
            Err(error) => {
                let refusal = Refusal::new(&error);
                response.status_code(refusal.status());
                response.headers_mut().extend(refusal.headers());
                response.body(refusal.body());
                flow.skip_rest();
            }
        }
    }
}
