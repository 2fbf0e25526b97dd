//! What an operation of the API is.

use http::Method;

/// One operation of the API: what all its calls have in common. `contract/operations.toml` lists them.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// The path below the API's, parameters in braces: for errors and logs, where ids have no place.
    pub(crate) template: &'static str,
    pub(crate) retry: RetryClass,
}

impl Operation {
    pub(crate) const fn read(name: &'static str, method: Method, template: &'static str) -> Self {
        Self::new(name, method, template, RetryClass::Read)
    }

    pub(crate) const fn idempotent(name: &'static str, method: Method, template: &'static str) -> Self {
        Self::new(name, method, template, RetryClass::Idempotent)
    }

    pub(crate) const fn delete(name: &'static str, method: Method, template: &'static str) -> Self {
        Self::new(name, method, template, RetryClass::Delete)
    }

    pub(crate) const fn effect(name: &'static str, method: Method, template: &'static str) -> Self {
        Self::new(name, method, template, RetryClass::Effect)
    }

    const fn new(name: &'static str, method: Method, template: &'static str, retry: RetryClass) -> Self {
        Self {
            name,
            method,
            template,
            retry,
        }
    }

    /// The method and the path template: `PATCH /users/{userId}`.
    pub(crate) fn endpoint(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

/// What a repeat of an operation would do, and so what may be done about a lost answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryClass {
    /// Changes nothing: may be repeated at will.
    Read,
    /// Repeating it changes nothing more, but a late repeat could undo somebody else's newer change.
    Idempotent,
    /// A repeat answers differently, and its 403 could also mean something else.
    Delete,
    /// A repeat would do it twice: create, send, charge.
    Effect,
}

impl RetryClass {
    /// How to find out what became of a call whose answer was lost.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Read | Self::Idempotent => "it is safe to repeat",
            Self::Delete => {
                "look whether it is still there before repeating: a refusal can mean gone, or never yours"
            }
            Self::Effect => "look for what should be there before repeating: a second time does it twice",
        }
    }
}
