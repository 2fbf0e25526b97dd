//! One question to a verifier with the only right answer, and the files that hold them.

use std::fmt::Display;

use serde::Serialize;

use crate::json::{Object, quoted, to_ascii};
use crate::token::{ENVIRONMENT, EXPIRES_AT, ISSUED_AT, ISSUER, NOW, USER};

/// The name of the key set that most cases use.
pub(crate) const DEFAULT_KEY_SET: &str = "default";

/// One file of the corpus.
#[derive(Debug)]
pub struct Family {
    name: &'static str,
    key_sets: Vec<(String, String)>,
    cases: Vec<Case>,
}

impl Family {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            key_sets: Vec::new(),
            cases: Vec::new(),
        }
    }

    pub(crate) fn key_set(&mut self, name: impl Into<String>, json: impl Into<String>) {
        self.key_sets.push((name.into(), json.into()));
    }

    pub(crate) fn add(&mut self, case: Case) {
        self.cases.push(case);
    }

    /// The file's name without its folder.
    pub fn file_name(&self) -> String {
        format!("{}.json", self.name)
    }

    /// How many cases the file holds.
    pub fn case_count(&self) -> usize {
        self.cases.len()
    }

    /// The file: one key set and one case to a line, in ASCII.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let key_sets = self
            .key_sets
            .iter()
            .map(|(name, json)| format!("    {}: {}", quoted(name), quoted(json)))
            .collect::<Vec<_>>();
        let cases = self
            .cases
            .iter()
            .map(|case| serde_json::to_string(case).map(|json| format!("    {json}")))
            .collect::<serde_json::Result<Vec<_>>>()?;
        let key_sets = match key_sets.as_slice() {
            [] => "{}".to_owned(),
            lines => format!("{{\n{}\n  }}", lines.join(",\n")),
        };
        Ok(to_ascii(&format!(
            "{{\n  \"keySets\": {key_sets},\n  \"cases\": [\n{}\n  ]\n}}\n",
            cases.join(",\n")
        )))
    }
}

/// One question to a verifier and the only right answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Case {
    /// The behaviour, in kebab case, unique in its file.
    name: String,
    /// Why the answer is the right one.
    reason: String,
    /// The standard, advisory or `policy` that says so.
    source: String,
    /// The token, where the case asks about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The request's header lines, where the case asks about those.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Vec<(String, String)>>,
    /// Whether each character of a header value stands for one byte.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    headers_latin1: bool,
    /// The name of the key set that the verifier holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_set: Option<String>,
    /// The clock in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<i64>,
    policy: Object,
    /// The answer.
    expect: Expect,
}

/// The answer to a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Expect {
    /// The token is good and says this.
    #[serde(rename = "accept")]
    Token(Auth),
    /// The configuration is good and leads to this key set.
    #[serde(rename = "accept", rename_all = "camelCase")]
    Configuration {
        /// Where the issuer publishes its keys.
        jwks_url: String,
    },
    /// Refused with this code.
    Error(String),
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Auth {
    pub(crate) user_id: String,
    pub(crate) environment_id: String,
    pub(crate) issuer: String,
    pub(crate) email_verified: bool,
    pub(crate) profile_complete: bool,
    pub(crate) impersonating: bool,
    pub(crate) actor: Option<String>,
    pub(crate) organization: Option<Organization>,
    pub(crate) locale: Option<String>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

impl Auth {
    /// What `Token::valid()` says.
    pub(crate) fn valid() -> Self {
        Self {
            user_id: USER.to_owned(),
            environment_id: ENVIRONMENT.to_owned(),
            issuer: ISSUER.to_owned(),
            email_verified: true,
            profile_complete: true,
            impersonating: false,
            actor: None,
            organization: None,
            locale: None,
            issued_at: ISSUED_AT,
            expires_at: EXPIRES_AT,
        }
    }
}

/// The active organization of a verified token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) role: Option<String>,
    pub(crate) slug: Option<String>,
}

impl Case {
    /// A case that is accepted as [`Auth::valid`] unless told otherwise, with a policy of defaults.
    pub(crate) fn new(name: impl Into<String>, source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reason: reason.into(),
            source: source.into(),
            token: None,
            headers: None,
            headers_latin1: false,
            key_set: None,
            now: None,
            policy: Object::new().set("issuer", quoted(ISSUER)),
            expect: Expect::Token(Auth::valid()),
        }
    }

    pub(crate) fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self.under_defaults()
    }

    pub(crate) fn headers<V: Into<String>>(
        mut self,
        lines: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        let lines = lines
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()));
        self.headers = Some(lines.collect());
        self.under_defaults()
    }

    pub(crate) fn latin1(mut self) -> Self {
        self.headers_latin1 = true;
        self
    }

    pub(crate) fn key_set(mut self, name: impl Into<String>) -> Self {
        self.key_set = Some(name.into());
        self
    }

    pub(crate) fn now(mut self, now: i64) -> Self {
        self.now = Some(now);
        self
    }

    /// Sets a member of the policy to a value given as JSON text.
    pub(crate) fn policy(mut self, name: &str, value: impl Display) -> Self {
        self.policy = self.policy.set(name, value);
        self
    }

    pub(crate) fn accepted(mut self, auth: Auth) -> Self {
        self.expect = Expect::Token(auth);
        self
    }

    pub(crate) fn configured(mut self, jwks_url: impl Into<String>) -> Self {
        let jwks_url = jwks_url.into();
        self.expect = Expect::Configuration { jwks_url };
        self
    }

    pub(crate) fn refused(mut self, code: impl Into<String>) -> Self {
        self.expect = Expect::Error(code.into());
        self
    }

    fn under_defaults(mut self) -> Self {
        self.key_set.get_or_insert_with(|| DEFAULT_KEY_SET.to_owned());
        self.now.get_or_insert(NOW);
        self
    }
}
