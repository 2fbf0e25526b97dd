//! Lists, walked page by page. The core walks; this keeps where a walk has come to.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use torii_backend::{Cursor, Error, Torii};

use crate::call::Outcome;
use crate::operations::{Request, page_bytes};
use crate::task::{Task, start};
use crate::wait::{Open, Verdict, wait};

/// The pages of a list. After an error, what a signal's handler raised or a cancelled task, the same page is asked for
/// again.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Pages {
    operation: String,
    walk: Arc<Mutex<Walk>>,
}

impl Pages {
    pub(crate) fn new(torii: Torii, request: &Request) -> Self {
        Self {
            operation: request.operation.clone(),
            walk: Arc::new(Mutex::new(Walk {
                torii,
                request: request.clone(),
                next: None,
                under_way: None,
            })),
        }
    }

    /// Takes a step. For threads, the Python class takes one at a time.
    fn step(&self) -> Open {
        let (operation, walk) = (self.operation.clone(), self.walk.clone());
        Box::pin(async move {
            let reply = walk.lock().await.step().await;
            Verdict::Page(Outcome { operation, reply })
        })
    }
}

#[pymethods]
impl Pages {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Waits for the next page, and returns its JSON.
    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let page = wait(py, self.step())?;
        Ok(Some(page).filter(|page| !page.is_none()))
    }

    /// Asks for the next page, and calls `done(page, error)` from another thread: `None` is the end.
    fn start(&self, py: Python<'_>, done: Py<PyAny>) -> PyResult<Task> {
        start(py, done, self.step())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "the pages of a list are neither pickled nor copied",
        ))
    }
}

/// A list on its way. The core ends a walk with its first error; this one goes on where that happened.
struct Walk {
    torii: Torii,
    request: Request,
    /// Where to go on, once a page has come.
    next: Option<Cursor>,
    under_way: Option<torii_backend::Pages<Box<RawValue>>>,
}

impl Walk {
    /// The next page, as JSON.
    async fn step(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut pages = match self.under_way.take() {
            Some(pages) => pages,
            None => {
                let list = self.request.prepare_list(&self.torii)?;
                match &self.next {
                    Some(cursor) => list.cursor(cursor.clone()).pages(),
                    None => list.pages(),
                }
            }
        };
        let page = poll_fn(|cx| Pin::new(&mut pages).poll_next(cx)).await;
        // A list that is at fault would be again; what else fails is asked for anew.
        if !matches!(&page, Some(Err(error)) if !matches!(error, Error::Paging(_))) {
            self.under_way = Some(pages);
        }
        let Some(page) = page.transpose()? else {
            return Ok(None);
        };
        self.next.clone_from(&page.next_cursor);
        page_bytes(&page).map(Some)
    }
}
