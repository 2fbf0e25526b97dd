//! Pages: a list is cut in the order of its ids, and the last id of a page is the cursor to the next.

use std::fmt::Display;

use torii_backend_types::{Cursor, Page};

/// The length of a page that does not ask for one.
pub(crate) const DEFAULT_PAGE_LENGTH: i32 = 20;
/// The longest page; a longer wish is cut to it.
const MAX_PAGE_LENGTH: i32 = 100;

/// Which page of a list that is in the order of ids of type `I`.
#[derive(Debug)]
pub(crate) struct Paging<I> {
    after: Option<I>,
    length: usize,
}

impl<I: Display> Paging<I> {
    /// The page after `after`, which need not exist any more. `limit` is cut to what a page may hold.
    pub(crate) fn new(limit: Option<i32>, after: Option<I>) -> Self {
        let length = limit.unwrap_or(DEFAULT_PAGE_LENGTH).clamp(1, MAX_PAGE_LENGTH);
        Self {
            after,
            length: usize::try_from(length).unwrap_or(1),
        }
    }

    /// The id after which the page starts, as text. Every id sorts after the empty text.
    pub(crate) fn after(&self) -> String {
        self.after.as_ref().map(I::to_string).unwrap_or_default()
    }

    /// How many items to look for: one more than the page holds tells whether there is a next one.
    pub(crate) fn wanted(&self) -> usize {
        self.length + 1
    }

    /// The page of the items that were found.
    pub(crate) fn page<T>(&self, mut found: Vec<T>, id: impl Fn(&T) -> I) -> Page<T> {
        let has_more = found.len() > self.length;
        found.truncate(self.length);
        let next_cursor = found
            .last()
            .filter(|_| has_more)
            .map(|last| Cursor::from(id(last).to_string()));
        Page {
            items: found,
            next_cursor,
            has_more,
        }
    }
}
