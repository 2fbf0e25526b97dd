//! One issuer's keys, a few policies, and for each a verifier of the SDK beside the oracle.

use std::sync::LazyLock;
use std::time::Duration;

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::ops::ReduceNonZero;
use p256::{NonZeroScalar, Scalar};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use torii_backend::clock::ManualClock;
use torii_backend::{Auth, KeySource, Verifier, VerifyError};
use torii_oracle::json::Json;
use torii_oracle::{Decision, Facts, KeySet, Organization, Policy};

/// Those of the corpus, so that its tokens are good seeds.
const NOW: u64 = 1_790_000_000;
const ISSUER: &str = "https://acme.torii.so";
const KID: &str = "key-1";

static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| key("signer"));
static BENCHES: LazyLock<Vec<Bench>> = LazyLock::new(|| policies().map(Bench::new).into());

/// One policy, and who decides by it.
pub struct Bench {
    policy: Policy,
    keys: KeySet,
    /// With a memory of verified tokens and without.
    verifiers: [Verifier; 2],
}

/// The policies that a target chooses from.
pub fn benches() -> &'static [Bench] {
    &BENCHES
}

impl Bench {
    fn new(policy: Policy) -> Self {
        let keys = KeySet::read(key_set().as_bytes()).expect("a key set");
        let verifiers = [0, 1000].map(|remembered| verifier(&policy, remembered));
        Self {
            policy,
            keys,
            verifiers,
        }
    }

    /// Stops the fuzzer unless the oracle and all verifiers say the same about the token, also when they see it again.
    pub fn hold_token(&self, token: &str) {
        let expected = torii_oracle::verify(token.as_bytes(), Some(&self.keys), &self.policy, NOW);
        self.hold(&expected, |verifier| verifier.verify_blocking(token));
    }

    /// The same for a request's header lines.
    pub fn hold_request(&self, lines: &[(String, Vec<u8>)]) {
        let expected = torii_oracle::authenticate(lines, Some(&self.keys), &self.policy, NOW);
        let headers = crate::header_map(lines);
        self.hold(&expected, |verifier| {
            verifier.authenticate_request_blocking(&headers)
        });
    }

    fn hold(&self, expected: &Decision, decide: impl Fn(&Verifier) -> Result<Auth, VerifyError>) {
        for verifier in &self.verifiers {
            for _ in 0..2 {
                assert_eq!(&decision(decide(verifier)), expected, "{:?}", self.policy);
            }
        }
    }
}

fn verifier(policy: &Policy, remembered: usize) -> Verifier {
    let mut builder = Verifier::builder(&policy.issuer)
        .key_source(KeySource::Jwks(key_set()))
        .clock(ManualClock::at(NOW))
        .leeway(Duration::from_secs(policy.leeway))
        .header(&policy.header)
        .remember_verified(remembered);
    if !policy.audiences.is_empty() {
        builder = builder.audiences(&policy.audiences);
    }
    if !policy.authorized_parties.is_empty() {
        builder = builder.authorized_parties(&policy.authorized_parties);
    }
    if let Some(types) = &policy.types {
        builder = builder.allowed_types(types);
    }
    builder.build().expect("a policy that can be configured")
}

fn policies() -> [Policy; 4] {
    let defaults = || Policy::new(ISSUER);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    [
        defaults(),
        Policy {
            audiences: texts(&["api", "web"]),
            leeway: 0,
            ..defaults()
        },
        Policy {
            authorized_parties: texts(&["https://app.example"]),
            types: Some(texts(&["at+jwt", "application/example"])),
            header: "x-token".to_owned(),
            ..defaults()
        },
        Policy {
            leeway: 300,
            ..Policy::new(&format!("{ISSUER}//"))
        },
    ]
}

/// A usable key, another one, two that share a name, and one that may not verify.
fn key_set() -> String {
    let mut private = jwk(&SIGNER, "unusable");
    private["d"] = "".into();
    let keys = [
        signer_jwk(),
        jwk(&key("second"), "key-2"),
        jwk(&SIGNER, "ambiguous"),
        jwk(&key("second"), "ambiguous"),
        private,
    ];
    json!({ "keys": keys }).to_string()
}

/// The public key that [`token_for`] signs with.
pub fn signer_jwk() -> Value {
    jwk(&SIGNER, KID)
}

/// A good token that names the key `kid`.
pub fn token_for(kid: &str) -> String {
    let header = json!({"alg": "ES256", "kid": kid}).to_string();
    let payload = json!({"iss": ISSUER, "sub": "u", "pid": "e", "iat": NOW, "exp": NOW + 300}).to_string();
    sign(&encode(header.as_bytes()), &encode(payload.as_bytes()))
}

/// A token of two segments as they are.
pub(crate) fn sign(header: &str, payload: &str) -> String {
    let signed = format!("{header}.{payload}");
    let signature = encode(&signature(&signed));
    format!("{signed}.{signature}")
}

/// R and S.
pub(crate) fn signature(signed: &str) -> [u8; 64] {
    let signature: Signature = SIGNER.sign(signed.as_bytes());
    signature.to_bytes().into()
}

/// Unpadded base64url.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |three: &[u8]| {
        let bits = (0..3).fold(0, |bits, place| {
            bits << 8 | usize::from(*three.get(place).unwrap_or(&0))
        });
        let character = move |place| char::from(ALPHABET[bits >> (18 - 6 * place) & 63]);
        (0..=three.len()).map(character).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// The corpus's keys come from the same seeds.
fn key(seed: &str) -> SigningKey {
    let scalar = NonZeroScalar::new(Scalar::reduce_nonzero(&Sha256::digest(seed)));
    SigningKey::from(scalar.into_option().expect("a private key is not zero"))
}

fn jwk(key: &SigningKey, kid: &str) -> Value {
    let point = key.verifying_key().to_sec1_bytes();
    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y})
}

/// What the SDK said, in the oracle's words.
fn decision(outcome: Result<Auth, VerifyError>) -> Decision {
    let auth = outcome.map_err(|error| error.code().to_string())?;
    Ok(Facts {
        user_id: auth.user_id().to_owned(),
        environment_id: auth.environment_id().to_owned(),
        issuer: auth.issuer().to_owned(),
        email_verified: auth.email_verified(),
        profile_complete: auth.profile_complete(),
        impersonating: auth.impersonating(),
        actor: auth.actor().and_then(|actor| actor.subject.clone()),
        organization: auth.organization().map(|organization| Organization {
            id: organization.id.clone(),
            role: organization.role.clone(),
            slug: organization.slug.clone(),
        }),
        locale: auth.locale().map(str::to_owned),
        issued_at: auth.issued_at(),
        expires_at: auth.expires_at(),
        raw: Json::Object(auth.raw().iter().map(member).collect()).normal(),
    })
}

fn member((name, value): (&String, &Value)) -> (Vec<u16>, Json) {
    (name.encode_utf16().collect(), plain(value))
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => Json::Number(number.to_string()),
        Value::String(text) => Json::Text(text.encode_utf16().collect()),
        Value::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Object(members) => Json::Object(members.iter().map(member).collect()),
    }
}
