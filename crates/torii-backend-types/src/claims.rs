//! What a verified token says beyond plain values.

use serde_json::Value;

/// Who acts in the user's place: the `act` claim of [RFC 8693, section 4.1](https://www.rfc-editor.org/rfc/rfc8693#section-4.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    /// The actor's user id, where the claim names one as RFC 8693 says.
    pub subject: Option<String>,
    /// The claim as it came.
    pub claim: Value,
}

impl Actor {
    /// Reads an `act` claim. The claim's presence alone means impersonation, so every shape is an actor.
    pub fn from_claim(claim: Value) -> Self {
        let subject = claim.get("sub").and_then(Value::as_str).map(str::to_owned);
        Self { subject, claim }
    }
}

/// The organization that the user has switched to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveOrganization {
    /// The organization's id.
    pub id: String,
    /// The user's role key there, such as `org:administrator`.
    pub role: Option<String>,
    /// The organization's slug.
    pub slug: Option<String>,
}

impl ActiveOrganization {
    /// Reads the active organization from a token's claims of these names.
    ///
    /// Two spellings are in use: the `o` object (`id`, `rol` or `role`, `slg` or `slug`), which counts first, and
    /// the pair `org_id` and `org_role`. The shape of `o` is not published, so a bare string is read as the id.
    pub fn from_claims(o: Option<&Value>, org_id: Option<&Value>, org_role: Option<&Value>) -> Option<Self> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        match o {
            Some(Value::String(id)) => {
                return Some(Self {
                    id: id.clone(),
                    role: None,
                    slug: None,
                });
            }
            Some(o @ Value::Object(_)) => {
                if let Some(id) = text(o.get("id")) {
                    let role = text(o.get("rol").or_else(|| o.get("role")));
                    return Some(Self {
                        id,
                        role,
                        slug: text(o.get("slg").or_else(|| o.get("slug"))),
                    });
                }
            }
            _ => {}
        }
        let id = text(org_id)?;
        Some(Self {
            id,
            role: text(org_role),
            slug: None,
        })
    }
}
