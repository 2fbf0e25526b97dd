//! Verification of tokens seen for the first time (`cold`) and again (`hot`), by our crate and its peers.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::crypto::{CryptoProvider, aws_lc, rust_crypto};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_simple::prelude::{ECDSAP256PublicKeyLike, ES256PublicKey, VerificationOptions};
use serde_json::Value;
use torii_backend::Verifier;

use crate::measure::{BLOCK, Case, Sample, Worker, repeat};
use crate::world::World;

/// Verifies the token of that number, or panics.
pub(crate) type Verify = Box<dyn Fn(usize) + Sync>;
type Claims = BTreeMap<String, Value>;

pub(crate) fn peer(name: &str, world: &'static World) -> Result<impl Worker, Box<dyn Error>> {
    let verify = match name {
        "aws-lc-rs" => aws_lc_rs(world)?,
        "torii-backend" => torii(world, None)?,
        "torii-backend without memory" => torii(world, Some(0))?,
        "jsonwebtoken aws_lc_rs" => jsonwebtoken(world, &aws_lc::DEFAULT_PROVIDER)?,
        "jsonwebtoken rust_crypto" => jsonwebtoken(world, &rust_crypto::DEFAULT_PROVIDER)?,
        "jwt-simple" => jwt_simple(world)?,
        _ => return Err(format!("no peer is called {name}").into()),
    };
    let remembers = name == "torii-backend";
    let unseen = AtomicUsize::new(0);
    let mut seen = 0;
    Ok(move |case: &Case| {
        if case.name == "cold" {
            // A token is never taken twice: past the last one, indexing panics.
            return Ok(repeat(
                case,
                |_, _| unseen.fetch_add(BLOCK, Ordering::Relaxed),
                &verify,
            ));
        }
        if remembers && case.size > seen {
            (seen..case.size).for_each(&verify);
            seen = case.size;
        }
        Ok(hot(case, &verify))
    })
}

/// The case's first tokens again and again, each thread from another one on.
pub(crate) fn hot(case: &Case, verify: impl Fn(usize) + Sync) -> Sample {
    let start = |thread, done| thread * case.size / case.threads + done;
    repeat(case, start, |index| verify(index % case.size))
}

/// The signature check alone: base64 and JSON are not its business.
pub(crate) fn aws_lc_rs(world: &'static World) -> Result<Verify, Box<dyn Error>> {
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, world.point()?)?;
    let parts = |token: &'static String| {
        let (input, signature) = token.rsplit_once('.').ok_or("not a token")?;
        Ok((input.as_bytes(), BASE64.decode(signature)?))
    };
    let tokens = world
        .tokens
        .iter()
        .map(parts)
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    Ok(Box::new(move |index| {
        let (input, signature) = &tokens[index];
        key.verify_sig(input, signature).expect("a good signature");
    }))
}

/// With keys from the issuer, as an application has them.
fn torii(world: &'static World, remember: Option<usize>) -> Result<Verify, Box<dyn Error>> {
    let mut builder = Verifier::builder(&world.url);
    if let Some(tokens) = remember {
        builder = builder.remember_verified(tokens);
    }
    let verifier = builder.build()?;
    verifier.warm_up_blocking()?;
    Ok(Box::new(move |index| {
        black_box(verifier.verify_blocking(&world.tokens[index])).expect("a good token");
    }))
}

fn jsonwebtoken(world: &'static World, provider: &'static CryptoProvider) -> Result<Verify, Box<dyn Error>> {
    provider
        .install_default()
        .map_err(|_| "another provider is installed")?;
    let (key, validation) = jsonwebtoken_key(world)?;
    Ok(Box::new(move |index| {
        let decoded = jsonwebtoken::decode::<Claims>(&world.tokens[index], &key, &validation);
        black_box(decoded).expect("a good token");
    }))
}

/// What jsonwebtoken needs, whichever provider works.
pub(crate) fn jsonwebtoken_key(world: &World) -> Result<(DecodingKey, Validation), Box<dyn Error>> {
    let coordinate = |name: &str| world.jwk[name].as_str().unwrap_or_default();
    let key = DecodingKey::from_ec_components(coordinate("x"), coordinate("y"))?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[&world.url]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    Ok((key, validation))
}

fn jwt_simple(world: &'static World) -> Result<Verify, Box<dyn Error>> {
    let key = ES256PublicKey::from_bytes(&world.point()?).map_err(|error| error.to_string())?;
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from([world.url.clone()])),
        ..Default::default()
    };
    Ok(Box::new(move |index| {
        let claims = key.verify_token::<Claims>(&world.tokens[index], Some(options.clone()));
        black_box(claims).expect("a good token");
    }))
}
