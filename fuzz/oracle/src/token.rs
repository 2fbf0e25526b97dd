//! The checks of a token, in the order that `contract/tokens/README.md` gives.

use p256::ecdsa::Signature;
use p256::ecdsa::signature::Verifier;

use crate::json::{self, Json};
use crate::{Found, KeySet, Policy, base64url};

const MAX_TOKEN: usize = 16_384;
const MAX_HEADER: usize = 4_096;
const MAX_KID: usize = 256;
const MAX_SECONDS: f64 = 9_007_199_254_740_991.0;

/// What an accepted token says, or the code of the first check that failed.
pub type Decision = Result<Facts, String>;

#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub user_id: String,
    pub environment_id: String,
    pub issuer: String,
    pub email_verified: bool,
    pub profile_complete: bool,
    pub impersonating: bool,
    pub actor: Option<String>,
    pub organization: Option<Organization>,
    pub locale: Option<String>,
    pub issued_at: u64,
    pub expires_at: u64,
    /// The whole payload, in its [normal](Json::normal) form.
    pub raw: Json,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    pub id: String,
    pub role: Option<String>,
    pub slug: Option<String>,
}

/// What becomes of a token. `keys` is `None` while the issuer's key set cannot be had.
pub fn verify(token: &[u8], keys: Option<&KeySet>, policy: &Policy, now: u64) -> Decision {
    if token.len() > MAX_TOKEN {
        return refuse("too_large");
    }
    let segments: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let [header, payload, signature] = segments[..] else {
        return refuse("malformed");
    };
    if header.is_empty() || payload.is_empty() || signature.is_empty() {
        return refuse("malformed");
    }
    let signed = &token[..header.len() + 1 + payload.len()];
    let (Some(header), Some(payload), Some(signature)) =
        (base64url(header), base64url(payload), base64url(signature))
    else {
        return refuse("malformed");
    };
    if header.len() > MAX_HEADER {
        return refuse("too_large");
    }
    let kid = check_header(&header, policy)?;
    let Some(claims) = json::strict_object(&payload) else {
        return refuse("malformed");
    };
    if signature.len() != 64 {
        return refuse("bad_signature");
    }
    let Some(found) = keys.and_then(|keys| keys.get(&kid)) else {
        // A key has to be asked for, and only for a token that is good otherwise.
        check_issuer(&claims, policy)?;
        check_expiry(&claims, policy, now)?;
        return refuse(if keys.is_some() {
            "kid_unknown"
        } else {
            "jwks_unavailable"
        });
    };
    let key = match found {
        Found::Usable(key) => key,
        Found::Ambiguous => return refuse("key_ambiguous"),
        Found::Unusable | Found::Unreadable => return refuse("key_unusable"),
    };
    // Zero and what is not below the order of the curve is no signature at all.
    let signature = Signature::from_slice(&signature);
    if !signature.is_ok_and(|signature| key.verify(signed, &signature).is_ok()) {
        return refuse("bad_signature");
    }
    check_claims(claims, policy, now)
}

/// Returns the name of the key.
fn check_header(header: &[u8], policy: &Policy) -> Result<String, String> {
    let Some(header) = json::strict_object(header) else {
        return refuse("malformed");
    };
    if !header.get("alg").is_some_and(|alg| alg.is("ES256")) {
        return refuse("alg_not_allowed");
    }
    if ["crit", "b64", "zip", "enc"]
        .iter()
        .any(|name| header.get(name).is_some())
    {
        return refuse("crit_unsupported");
    }
    let default = ["JWT".to_owned(), "at+jwt".to_owned()];
    let allowed = match (header.get("typ"), &policy.types) {
        (None, configured) => configured.is_none(),
        (Some(typ), configured) => typ.text().is_some_and(|typ| {
            let types = configured.as_deref().unwrap_or(&default);
            types
                .iter()
                .any(|allowed| media_type(allowed) == media_type(&typ))
        }),
    };
    if !allowed {
        return refuse("typ_not_allowed");
    }
    match header.get("kid").and_then(Json::text) {
        Some(kid) if kid.len() > MAX_KID => refuse("too_large"),
        Some(kid) if !kid.is_empty() => Ok(kid),
        _ => refuse("kid_missing"),
    }
}

/// RFC 7515, section 4.1.9: compared in any case, and `application/` may be left out.
fn media_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    match typ.strip_prefix("application/") {
        Some(rest) => rest.to_owned(),
        None => typ,
    }
}

fn check_claims(claims: Json, policy: &Policy, now: u64) -> Decision {
    let issuer = check_issuer(&claims, policy)?;
    let expires_at = check_expiry(&claims, policy, now)?;
    let user_id = text(&claims, "sub")?;
    let environment_id = text(&claims, "pid")?;
    let issued_at = seconds(&claims, "iat")?;
    if issued_at > now + policy.leeway {
        return refuse("iat_in_future");
    }
    if claims.get("nbf").is_some() && seconds(&claims, "nbf")? > now + policy.leeway {
        return refuse("not_yet_valid");
    }
    check_audience(&claims, policy)?;
    check_party(&claims, policy)?;
    if claims.get("jti").is_some_and(|id| id.text().is_none()) {
        return refuse("claim_type:jti");
    }
    let impersonating = match claims.get("impersonating") {
        None => false,
        Some(Json::Bool(flag)) => *flag,
        Some(_) => return refuse("claim_type:impersonating"),
    };
    let act = claims.get("act");
    Ok(Facts {
        user_id,
        environment_id,
        issuer,
        email_verified: claims.get("email_verified") == Some(&Json::Bool(true)),
        profile_complete: claims.get("profile_complete") != Some(&Json::Bool(false)),
        impersonating: impersonating || act.is_some(),
        actor: act.and_then(|act| act.get("sub")).and_then(Json::text),
        organization: organization(&claims),
        locale: claims.get("locale").and_then(Json::text),
        issued_at,
        expires_at,
        raw: claims.normal(),
    })
}

fn check_issuer(claims: &Json, policy: &Policy) -> Result<String, String> {
    let issuer = text(claims, "iss")?;
    match issuer == policy.issuer || issuer == policy.issuer.trim_end_matches('/') {
        true => Ok(issuer),
        false => refuse("issuer_mismatch"),
    }
}

fn check_expiry(claims: &Json, policy: &Policy, now: u64) -> Result<u64, String> {
    let expires_at = seconds(claims, "exp")?;
    match i128::from(expires_at) <= i128::from(now) - i128::from(policy.leeway) {
        true => refuse("expired"),
        false => Ok(expires_at),
    }
}

fn check_audience(claims: &Json, policy: &Policy) -> Result<(), String> {
    let claimed = match (claims.get("aud"), policy.audiences.is_empty()) {
        (None, true) => return Ok(()),
        (Some(_), true) => return refuse("audience_mismatch"),
        (None, false) => return refuse("claim_missing:aud"),
        (Some(Json::Array(items)), false) => items.clone(),
        (Some(single), false) => vec![single.clone()],
    };
    if claimed.iter().any(|audience| audience.text().is_none()) {
        return refuse("claim_type:aud");
    }
    match claimed
        .iter()
        .any(|audience| policy.audiences.iter().any(|ours| audience.is(ours)))
    {
        true => Ok(()),
        false => refuse("audience_mismatch"),
    }
}

fn check_party(claims: &Json, policy: &Policy) -> Result<(), String> {
    if policy.authorized_parties.is_empty() {
        return Ok(());
    }
    let Some(party) = claims.get("azp") else {
        return refuse("claim_missing:azp");
    };
    match party.text() {
        None => refuse("claim_type:azp"),
        Some(party) if policy.authorized_parties.contains(&party) => Ok(()),
        Some(_) => refuse("audience_mismatch"),
    }
}

/// `o`, a text or an object with an `id`, or else the pair `org_id` and `org_role`.
fn organization(claims: &Json) -> Option<Organization> {
    let o = claims.get("o");
    if let Some(id) = o.and_then(Json::text) {
        return Some(Organization {
            id,
            role: None,
            slug: None,
        });
    }
    let member = |short: &str, long: &str| {
        let o = o?;
        o.get(short).or_else(|| o.get(long))?.text()
    };
    if let Some(id) = o.and_then(|o| o.get("id")).and_then(Json::text) {
        let (role, slug) = (member("rol", "role"), member("slg", "slug"));
        return Some(Organization { id, role, slug });
    }
    Some(Organization {
        id: claims.get("org_id")?.text()?,
        role: claims.get("org_role").and_then(Json::text),
        slug: None,
    })
}

/// A required text that is not empty.
fn text(claims: &Json, name: &str) -> Result<String, String> {
    let value = claims.get(name).ok_or_else(|| format!("claim_missing:{name}"))?;
    let text = value.text().filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("claim_type:{name}"))
}

/// A required number from 0 to 2^53 - 1, without its fraction.
fn seconds(claims: &Json, name: &str) -> Result<u64, String> {
    let value = claims.get(name).ok_or_else(|| format!("claim_missing:{name}"))?;
    let number = value
        .number()
        .filter(|number| (0.0..=MAX_SECONDS).contains(number));
    let number = number.ok_or_else(|| format!("claim_type:{name}"))?;
    Ok(number.floor() as u64)
}

fn refuse<T>(code: &str) -> Result<T, String> {
    Err(code.to_owned())
}
