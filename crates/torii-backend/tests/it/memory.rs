//! A server in memory: what it answers is a function, what it was asked it keeps.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use torii_backend::http_client::{Exchange, HttpClient, Limits};
use torii_backend::{BlockingTorii, Torii};

const MAX_REQUESTS: usize = 10_000;
pub(crate) const SECRET_KEY: &str = "sk_test_Zm9yIHlvdXIgZXllcyBvbmx5";

type Answer = dyn Fn(&Asked) -> Response<Bytes> + Send + Sync;

pub(crate) struct Memory {
    answer: Box<Answer>,
    asked: Mutex<Vec<Asked>>,
}

/// One exchange, as the client was given it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request<Bytes>,
    pub(crate) limits: Limits,
    /// How many were before it.
    pub(crate) place: usize,
}

impl Asked {
    pub(crate) fn path_and_query(&self) -> &str {
        self.request.uri().path_and_query().unwrap().as_str()
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let query = self.request.uri().query().unwrap_or_default();
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|pair| pair.0 == name).map(|pair| pair.1.into_owned())
    }
}

impl Memory {
    pub(crate) fn answering(answer: impl Fn(&Asked) -> Response<Bytes> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            asked: Mutex::default(),
        })
    }

    /// A client that talks to nothing else.
    pub(crate) fn torii(self: &Arc<Self>) -> Torii {
        Torii::builder(SECRET_KEY)
            .http_client(self.clone())
            .build()
            .unwrap()
    }

    pub(crate) fn blocking_torii(self: &Arc<Self>) -> BlockingTorii {
        let builder = Torii::builder(SECRET_KEY).http_client(self.clone());
        builder.build_blocking().unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn answer(&self, request: Request<Bytes>, limits: Limits) -> Response<Bytes> {
        let mut all = self.asked.lock().unwrap();
        let place = all.len();
        assert!(place < MAX_REQUESTS, "the client does not stop asking");
        let asked = Asked {
            request,
            limits,
            place,
        };
        all.push(asked.clone());
        drop(all);
        (self.answer)(&asked)
    }
}

impl HttpClient for Memory {
    fn send<'a>(&'a self, request: Request<Bytes>, limits: Limits) -> Exchange<'a> {
        Box::pin(async move { Ok(self.answer(request, limits)) })
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

pub(crate) fn json(body: &Value) -> Response<Bytes> {
    Response::new(body.to_string().into())
}

pub(crate) fn status(status: u16) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::new()).unwrap()
}
