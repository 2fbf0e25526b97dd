//! What a verifier is configured with. Settings that no verifier takes are not represented.

/// The settings that `contract/tokens/README.md` calls `policy`.
#[derive(Clone, Debug)]
pub struct Policy {
    pub issuer: String,
    /// None: a token with `aud` is refused.
    pub audiences: Vec<String>,
    /// None: `azp` is not read.
    pub authorized_parties: Vec<String>,
    /// `None`: absent, `JWT` or `at+jwt`.
    pub types: Option<Vec<String>>,
    pub leeway: u64,
    pub header: String,
}

impl Policy {
    pub fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audiences: Vec::new(),
            authorized_parties: Vec::new(),
            types: None,
            leeway: 30,
            header: "authorization".to_owned(),
        }
    }
}
