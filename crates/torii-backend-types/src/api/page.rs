//! Cursor pagination.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One page of a list, in the list's stable order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last page.
    #[serde(default)]
    pub next_cursor: Option<Cursor>,
    /// Whether there is a next page. The service keeps it equal to `next_cursor.is_some()`.
    pub has_more: bool,
}

/// Which page to ask for. The default asks for the first one, of the service's default length (20).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Most items in the page. The service clamps it to 1–100.
    pub limit: Option<u32>,
    /// The [`Page::next_cursor`] of the page before; `None` is the first page.
    pub cursor: Option<Cursor>,
}

/// A place in a list. Opaque: today a UUID, which callers must not rely on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// The cursor as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
