//! The site: a public page, pages for signed-in visitors, and the way in and out.

use std::error::Error;
use std::net::TcpListener;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Server;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Html, Query, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer};
use torii_backend::{AccessError, Requirement, Verifier, VerifyError};
use torii_backend_actix::{Auth, AuthError, AuthMiddleware, OptionalAuth};
use url::Url;
use uuid::Uuid;

/// The cookie that the session's token is kept in.
const SESSION: &str = "session";
/// The cookie that says which sign-in this browser has begun.
const STATE: &str = "sign_in_state";

/// The site on a listener, with visitors who sign in at this issuer.
pub fn serve(listener: TcpListener, issuer: &str) -> Result<Server, Box<dyn Error>> {
    let verifier = Verifier::builder(issuer).cookie(SESSION).build()?;
    let site = Data::new(Site {
        sign_in: Url::parse(issuer)?.join("/sign-in")?,
        back: Url::parse(&format!("http://{}/signed-in", listener.local_addr()?))?,
    });
    let app = move || {
        App::new()
            .app_data(site.clone())
            .app_data(Data::new(verifier.clone()))
            .configure(|config| routes(config, &verifier))
    };
    Ok(HttpServer::new(app).workers(2).listen(listener)?.run())
}

struct Site {
    /// The page where visitors sign in.
    sign_in: Url,
    /// Where it sends them afterwards.
    back: Url,
}

fn routes(config: &mut ServiceConfig, verifier: &Verifier) {
    let signed_in = AuthMiddleware::new(verifier.clone()).on_refused(to_sign_in);
    let administrators = Requirement::new().role("org:administrator");
    config
        .route("/", web::get().to(home))
        .route("/sign-in", web::get().to(sign_in))
        .route("/signed-in", web::get().to(came_back))
        .service(
            web::resource("/sign-out")
                .wrap(signed_in.clone())
                .route(web::post().to(sign_out)),
        )
        .service(
            web::resource("/account")
                .wrap(signed_in.clone())
                .route(web::get().to(account)),
        )
        .service(
            web::scope("/admin")
                .wrap(signed_in.require(administrators))
                .route("", web::get().to(admin)),
        );
}

/// A browser without a session, or with one that has ended, is sent to sign in. Others are told what torii's adapters tell.
fn to_sign_in(cause: &AccessError, response: HttpResponse) -> HttpResponse {
    match cause {
        AccessError::Unverified(VerifyError::Token(_)) => see_other("/sign-in").finish(),
        _ => response,
    }
}

/// Anybody may read it. A session that has ended counts as none.
async fn home(auth: Result<OptionalAuth, AuthError>) -> Html {
    let greeting = match auth.ok().and_then(|auth| auth.0) {
        // A user's id is letters, digits and hyphens; anything else would have to be escaped.
        Some(auth) => format!(
            "<p>You are {}. <a href=/account>Your account</a></p>\
             <form method=post action=/sign-out><button>Sign out</button></form>",
            auth.user_id()
        ),
        None => "<p><a href=/sign-in>Sign in</a></p>".to_owned(),
    };
    page("Welcome", &greeting)
}

async fn account(auth: Auth) -> Html {
    page("Your account", &format!("<p>For {} alone.</p>", auth.user_id()))
}

async fn admin(auth: Auth) -> Html {
    page(
        "Administration",
        &format!("<p>Hello, administrator {}.</p>", auth.user_id()),
    )
}

/// Sends the browser to torii. The state in the address must come back with the cookie, so that nobody can sign a visitor in
/// as somebody else by a link.
async fn sign_in(site: Data<Site>) -> HttpResponse {
    let state = Uuid::new_v4().to_string();
    let mut back = site.back.clone();
    back.query_pairs_mut().append_pair("state", &state);
    let mut address = site.sign_in.clone();
    address
        .query_pairs_mut()
        .append_pair("redirect_url", back.as_str());
    see_other(address.as_str()).cookie(cookie(STATE, state)).finish()
}

/// Takes the token that torii appended to the address, verifies it, and keeps it in a cookie.
async fn came_back(
    request: HttpRequest,
    parameters: Query<Vec<(String, String)>>,
    verifier: Data<Verifier>,
) -> Result<HttpResponse, AuthError> {
    let parameter = |name: &str| {
        let mut named = parameters.iter().filter(|(named, _)| named == name);
        named.next().map(|(_, value)| value.as_str())
    };
    let begun = request.cookie(STATE);
    let begun = begun.as_ref().map(Cookie::value);
    let (Some(token), true) = (
        parameter("torii_token"),
        begun.is_some() && parameter("state") == begun,
    ) else {
        return Ok(HttpResponse::BadRequest().body("This browser has begun no such sign-in.\n"));
    };
    verifier.verify(token).await?;
    let response = see_other("/")
        .cookie(cookie(SESSION, token.to_owned()))
        .cookie(ended(STATE))
        .finish();
    Ok(response)
}

/// It is behind the middleware, so that a form of another site, which sends no cookie, ends no session.
async fn sign_out() -> HttpResponse {
    see_other("/").cookie(ended(SESSION)).finish()
}

fn see_other(address: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, address));
    response
}

/// Scripts cannot read it, and requests that other sites begin do not carry it, except for links. Served over TLS, it should be
/// `Secure` as well.
fn cookie(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

fn ended(name: &'static str) -> Cookie<'static> {
    let mut cookie = cookie(name, String::new());
    cookie.make_removal();
    cookie
}

fn page(title: &str, body: &str) -> Html {
    Html::new(format!(
        "<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}"
    ))
}
