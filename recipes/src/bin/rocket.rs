//! Rocket: request guards that let a caller in, and a catcher that tells all others what torii's adapters tell them.

use std::env;
use std::error::Error;
use std::io::Cursor;

use rocket::http::{Header, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::response::{self, Responder, Response};
use rocket::{Config, Request, catch, catchers, get, routes};
use torii_backend::{AccessError, Auth, Org, Refusal, Requirement, Verifier};

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").unwrap_or("8000".to_owned()).parse()?;
    rocket::custom(Config::figment().merge(("port", port)))
        .manage(Verifier::new(env::var("TORII_ISSUER")?)?)
        .mount("/", routes![me, invoices])
        .register("/", catchers![refused])
        .launch()
        .await?;
    Ok(())
}

#[get("/me")]
fn me(caller: Caller) -> String {
    format!("You are {}.\n", caller.0.user_id())
}

#[get("/orgs/<org_id>/invoices")]
fn invoices(org_id: &str, member: Member) -> String {
    format!("The invoices of {org_id}, for {}.\n", member.0.user_id())
}

/// Anybody who is signed in.
struct Caller(Auth);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Caller {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        admit(request, &Requirement::new()).await.map(Self)
    }
}

/// A member of the organization that the route names in its second segment.
struct Member(Auth);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Member {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        // Without that segment it is the empty text, which is no organization's id.
        let id = request.param(1).and_then(Result::ok).unwrap_or_default();
        let member = Requirement::new().organization(Org::Id(id));
        admit(request, &member).await.map(Self)
    }
}

async fn admit(request: &Request<'_>, requirement: &Requirement) -> Outcome<Auth, ()> {
    match check(request, requirement).await {
        Ok(auth) => Outcome::Success(auth),
        Err(error) => {
            let refusal = Refusal::new(&error);
            let status = Status::new(refusal.status().as_u16());
            // For the catcher.
            request.local_cache(|| Some(refusal));
            Outcome::Error((status, ()))
        }
    }
}

async fn check(request: &Request<'_>, requirement: &Requirement) -> Result<Auth, AccessError> {
    let verifier = request.rocket().state::<Verifier>();
    let verifier = verifier.ok_or(AccessError::Misconfigured("no verifier is managed".into()))?;
    let headers = request.headers();
    let token = verifier.bearer_token_in(|name| headers.get(name.as_str()).map(str::as_bytes))?;
    let auth = verifier.verify(token).await?;
    verifier.authorize(&auth, requirement, &|_| None)?;
    Ok(auth)
}

#[catch(default)]
fn refused(status: Status, request: &Request<'_>) -> Result<Refused, Status> {
    let refusal: &Option<Refusal> = request.local_cache(|| None);
    refusal.clone().map(Refused).ok_or(status)
}

struct Refused(Refusal);

impl<'r> Responder<'r, 'static> for Refused {
    fn respond_to(self, _request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response.status(Status::new(self.0.status().as_u16()));
        for (name, value) in &self.0.headers() {
            let value = value.to_str().map_err(|_| Status::InternalServerError)?;
            response.header(Header::new(name.as_str().to_owned(), value.to_owned()));
        }
        let body = self.0.body();
        response.sized_body(body.len(), Cursor::new(body)).ok()
    }
}
