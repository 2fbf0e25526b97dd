//! What all workers share: a key, an issuer on loopback, and tokens. Throwaway, and valid for a day.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const DAY: u64 = 24 * 60 * 60;
pub(crate) const ENVIRONMENT: &str = "01931a73-8b00-7000-8000-0000000000e1";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct World {
    /// The issuer, and where the API is.
    pub(crate) url: String,
    pub(crate) secret_key: String,
    /// Any id that users.get may be called with.
    pub(crate) user_id: String,
    pub(crate) jwk: Value,
    /// The private key, base64url: some cases sign tokens of their own.
    pkcs8: String,
    #[serde(skip)]
    pub(crate) tokens: Vec<String>,
}

impl World {
    /// A new one, written to `folder`.
    pub(crate) fn create(url: &str, folder: &Path, tokens: usize) -> Result<Self, Box<dyn Error>> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        let mut world = Self {
            url: url.to_owned(),
            secret_key: "sk_test_0123456789abcdefghijklmnopqrstuv".to_owned(),
            user_id: user_id(0),
            jwk: jwk(pkcs8.as_ref(), "bench-key")?,
            pkcs8: BASE64.encode(pkcs8.as_ref()),
            tokens: Vec::new(),
        };
        world.tokens = world.sign((0..tokens).map(|_| url))?;
        fs::create_dir_all(folder)?;
        fs::write(folder.join("tokens.txt"), world.tokens.join("\n"))?;
        fs::write(folder.join("world.json"), serde_json::to_vec(&world)?)?;
        Ok(world)
    }

    /// The one in `folder`. It lives as long as the process.
    pub(crate) fn load(folder: &str) -> Result<&'static Self, Box<dyn Error>> {
        let folder = Path::new(folder);
        let mut world: Self = serde_json::from_slice(&fs::read(folder.join("world.json"))?)?;
        world.tokens = fs::read_to_string(folder.join("tokens.txt"))?
            .lines()
            .map(str::to_owned)
            .collect();
        Ok(Box::leak(Box::new(world)))
    }

    /// A token of each issuer, all of them distinct, with the claims that torii gives to a member of an organization.
    pub(crate) fn sign<'a>(
        &self,
        issuers: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &BASE64.decode(&self.pkcs8)?)?;
        let random = SystemRandom::new();
        let issued = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({ "alg": "ES256", "kid": self.jwk["kid"], "typ": "JWT" });
        let header = BASE64.encode(header.to_string());
        let sign = |(index, issuer)| {
            let claims = json!({
                "iss": issuer, "sub": user_id(index), "pid": ENVIRONMENT, "iat": issued, "exp": issued + DAY,
                "email_verified": true, "profile_complete": true, "impersonating": false, "locale": "en",
                "org_id": "01931a73-8b00-7000-8000-00000000cafe", "org_role": "member",
            });
            let input = format!("{header}.{}", BASE64.encode(claims.to_string()));
            let signature = key.sign(&random, input.as_bytes())?;
            Ok(format!("{input}.{}", BASE64.encode(signature.as_ref())))
        };
        issuers.enumerate().map(sign).collect()
    }

    /// The public key as SEC 1 writes it: a four, X and Y.
    pub(crate) fn point(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut point = vec![4];
        for coordinate in ["x", "y"] {
            point.extend(BASE64.decode(self.jwk[coordinate].as_str().unwrap_or_default())?);
        }
        Ok(point)
    }

    /// A key set with the key behind `others` others.
    pub(crate) fn jwks(&self, others: usize) -> Result<String, Box<dyn Error>> {
        let other = |index| {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
            jwk(pkcs8.as_ref(), &format!("other-{index}"))
        };
        let mut keys = (0..others).map(other).collect::<Result<Vec<_>, _>>()?;
        keys.push(self.jwk.clone());
        Ok(json!({ "keys": keys }).to_string())
    }
}

/// The id of the user of that number; also where a page of users starts.
pub(crate) fn user_id(index: usize) -> String {
    format!("01931a73-8b00-7000-8000-{index:012x}")
}

fn jwk(pkcs8: &[u8], kid: &str) -> Result<Value, Box<dyn Error>> {
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?;
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (BASE64.encode(x), BASE64.encode(y));
    Ok(json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y }))
}
