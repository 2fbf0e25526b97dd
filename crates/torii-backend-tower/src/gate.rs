//! The decision about a request, and the answer to one that is refused.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use torii_backend::{AccessError, Auth, Denied, ErrorCode, Requirement, Verifier, VerifyError};

use crate::response::rejection;

/// What an [`AuthLayer`](crate::AuthLayer) found out about a request that it let through. It is in the request's extensions,
/// beside the [`Auth`], and only a layer can make one.
#[derive(Clone, Debug)]
pub struct Admission(Result<Auth, VerifyError>);

impl Admission {
    /// The caller; the error `header_missing` for a request that was let through without one: by an
    /// [optional](crate::AuthLayer::optional) layer, or as a [preflight](crate::AuthLayer::allow_preflight).
    pub fn into_result(self) -> Result<Auth, VerifyError> {
        self.0
    }
}

#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) verifier: Verifier,
    /// All of which must be satisfied.
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) optional: bool,
    pub(crate) preflight: bool,
    pub(crate) path_parameter: Option<Arc<PathParameter>>,
    pub(crate) on_refused: Option<Arc<OnRefused>>,
}

pub(crate) type PathParameter = dyn Fn(&mut Parts, &str) -> Option<String> + Send + Sync;
pub(crate) type OnRefused = dyn Fn(&AccessError, Response<Bytes>) -> Response<Bytes> + Send + Sync;

/// A request that is let through, with what was found out in its extensions; or the answer to a refused one.
pub(crate) type Decision<T> = Result<T, Box<Response<Bytes>>>;

impl Gate {
    /// The decision, if it takes no waiting and no signature check. `None` says nothing about the request.
    pub(crate) fn admit_at_once(&self, head: &mut Parts) -> Option<Decision<()>> {
        if self.preflight && is_preflight(head) {
            admitted(head, Err(VerifyError::no_credentials()));
            return Some(Ok(()));
        }
        let outcome = match self.verifier.bearer_token(&head.headers) {
            Ok(token) => self.verifier.verify_remembered(token)?,
            Err(error) => Err(error),
        };
        Some(self.conclude(outcome, head))
    }

    /// The decision about a request that [`admit_at_once`](Self::admit_at_once) has not decided about.
    pub(crate) async fn admit<B>(self: Arc<Self>, mut head: Parts, body: B) -> Decision<Request<B>> {
        let outcome = self.verifier.authenticate_request(&head.headers).await;
        self.conclude(outcome, &mut head)?;
        Ok(Request::from_parts(head, body))
    }

    /// The subprotocol that the answer to a WebSocket handshake has to select.
    pub(crate) fn selected_protocol(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let selected = self
            .verifier
            .selected_protocol(offered.map(HeaderValue::as_bytes))?;
        HeaderValue::from_str(selected).ok()
    }

    fn conclude(&self, outcome: Result<Auth, VerifyError>, head: &mut Parts) -> Decision<()> {
        let refused = match &outcome {
            Ok(auth) => self.check(auth, head).err().map(AccessError::from),
            Err(error) if self.optional && error.code() == ErrorCode::HeaderMissing => None,
            Err(error) => Some(error.clone().into()),
        };
        if let Some(error) = refused {
            let answer = rejection(&error);
            return Err(Box::new(match &self.on_refused {
                Some(change) => change(&error, answer),
                None => answer,
            }));
        }
        admitted(head, outcome);
        Ok(())
    }

    fn check(&self, auth: &Auth, head: &mut Parts) -> Result<(), Denied> {
        let head = RefCell::new(head);
        let parameter = |name: &str| {
            let read = self.path_parameter.as_ref()?;
            read(&mut head.borrow_mut(), name).map(Cow::Owned)
        };
        let mut requirements = self.requirements.iter();
        requirements.try_for_each(|requirement| self.verifier.authorize(auth, requirement, &parameter))
    }
}

/// Leaves the [`Auth`] of this verification in the request's extensions, and no other.
fn admitted(head: &mut Parts, outcome: Result<Auth, VerifyError>) {
    match &outcome {
        Ok(auth) => head.extensions.insert(auth.clone()),
        Err(_) => head.extensions.remove::<Auth>(),
    };
    head.extensions.insert(Admission(outcome));
}

/// Whether it is a preflight request of [CORS](https://fetch.spec.whatwg.org/#cors-preflight-request).
fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("verifier", &self.verifier)
            .field("requirements", &self.requirements)
            .field("optional", &self.optional)
            .field("preflight", &self.preflight)
            .finish_non_exhaustive()
    }
}
