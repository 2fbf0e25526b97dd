//! What the test applications are made of: the verifiers and requirements of the contract's routes.

use std::time::Duration;

use serde_json::{Value, json};
use torii_backend::clock::ManualClock;
use torii_backend::{Auth, KeySource, Org, Requirement, Verifier, VerifierBuilder};

use crate::contract::{Contract, Tokens};

/// The verifiers of the contract's routes, each with the contract's keys and its time.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of every route that is not named below.
    pub plain: Verifier,
    /// Of `/cookie` and `/ws-cookie`.
    pub cookie: Verifier,
    /// Of `/token-header`.
    pub token_header: Verifier,
    /// Of `/ws-protocol`.
    pub websocket_protocol: Verifier,
    /// Of `/issuers`: accepts both issuers.
    pub issuers: Verifier,
    /// Of the outer layer of `/two`: accepts the other issuer only, and reads another header.
    pub other_issuer: Verifier,
    /// Of `/unavailable` and `/ws-unavailable`: its keys cannot be fetched.
    pub unavailable: Verifier,
}

impl Settings {
    /// The verifiers of a contract.
    pub fn new(contract: &Contract) -> Self {
        let Tokens {
            issuer, other_issuer, ..
        } = &contract.tokens;
        let plain = || of(contract, issuer, &contract.keys);
        let other = of(contract, other_issuer, &contract.other_keys);
        let other_keys = KeySource::Jwks(contract.other_keys.clone());
        Self {
            plain: build(plain()),
            cookie: build(plain().cookie("session")),
            token_header: build(plain().header("x-token")),
            websocket_protocol: build(plain().websocket_protocol(true)),
            issuers: build(plain().accept_issuer(other_issuer, other_keys)),
            other_issuer: build(other.header("x-outer")),
            // Nothing listens there.
            unavailable: build(plain().key_source(KeySource::Url("http://127.0.0.1:9/".to_owned()))),
        }
    }

    /// The routes that are protected by a requirement and answer as `/me`, with the verifier [`plain`](Self::plain).
    /// `/orgs/{org_id}` has a path parameter, which is written in the framework's way.
    pub fn guarded() -> Vec<(&'static str, Requirement)> {
        let new = Requirement::new;
        let administrator = || new().role("org:administrator");
        vec![
            ("/verified", new().verified_email()),
            ("/complete", new().complete_profile()),
            ("/own", new().no_impersonation()),
            ("/recent", new().max_age(Duration::from_secs(300))),
            ("/pro", new().claim("plan", ["pro", "team"])),
            ("/admin", Self::admin()),
            ("/member", new().organization(Org::Any)),
            (
                "/org-one",
                new().organization(Org::Id("organization-1".to_owned())),
            ),
            (
                "/orgs/{org_id}",
                new().organization(Org::FromPath("org_id".to_owned())),
            ),
            ("/lost", Self::lost()),
            (
                "/either",
                new().any_of([administrator(), new().claim("plan", ["pro"])]),
            ),
            (
                "/predicate",
                new().predicate("staff", |auth| auth.user_id().ends_with("-staff")),
            ),
        ]
    }

    /// The requirement of `/admin` and `/ws-admin`.
    pub fn admin() -> Requirement {
        Requirement::new()
            .organization(Org::Any)
            .role("org:administrator")
    }

    /// The requirement of `/lost` and `/ws-lost`.
    pub fn lost() -> Requirement {
        Requirement::new().organization(Org::FromPath("missing".to_owned()))
    }
}

/// What `/me` answers.
pub fn me(auth: &Auth) -> Value {
    let organization = auth.organization();
    json!({
        "user_id": auth.user_id(),
        "environment_id": auth.environment_id(),
        "organization": organization.map(|organization| &organization.id),
        "role": organization.and_then(|organization| organization.role.as_ref()),
    })
}

/// The builder of a verifier with these keys and the contract's time.
pub(crate) fn of(contract: &Contract, issuer: &str, keys: &str) -> VerifierBuilder {
    Verifier::builder(issuer)
        .key_source(KeySource::Jwks(keys.to_owned()))
        .clock(ManualClock::at(contract.tokens.now))
}

pub(crate) fn build(builder: VerifierBuilder) -> Verifier {
    let verifier = builder.build();
    verifier.unwrap_or_else(|error| panic!("the contract's settings are refused: {error}"))
}
