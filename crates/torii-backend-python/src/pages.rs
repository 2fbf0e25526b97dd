//! Lists, walked page by page. The core walks; this keeps where a walk has come to.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use torii_backend::{Async, Blocking, Cursor, Error, List, Mode, Page, Torii};

use crate::call::{Outcome, interruptible};
use crate::errors::{api_error, request_error};
use crate::operations::{Request, page_bytes};
use crate::task::{self, Task};

type RawPage = Page<Box<RawValue>>;

/// The pages of a list, for threads.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Pages {
    operation: String,
    walk: Mutex<Walk<Blocking, BlockingPages>>,
}

type BlockingPages = Box<dyn Iterator<Item = Result<RawPage, Error>> + Send + Sync>;

impl Pages {
    pub(crate) fn new(torii: Torii<Blocking>, request: &Request) -> Self {
        Self {
            operation: request.operation.clone(),
            walk: Mutex::new(Walk::new(torii, request)),
        }
    }
}

#[pymethods]
impl Pages {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// The JSON of the next page. After an error, or what a signal's handler raised, the same page is asked for again.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Vec<u8>>> {
        // The Python class takes one step at a time.
        let Ok(mut walk) = self.walk.try_lock() else {
            let problem = "the iterator is waiting for a page already";
            return Err(request_error(py, &self.operation, problem.to_owned()));
        };
        let (page, raised) = interruptible(py, || walk.step());
        if let Some(raised) = raised {
            walk.kept = page.ok().flatten();
            return Err(raised);
        }
        page.map_err(|error| api_error(py, &self.operation, &error))
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(uncopyable())
    }
}

/// The pages of a list, for event loops.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct AsyncPages {
    operation: String,
    walk: Arc<Mutex<Walk<Async, torii_backend::Pages<Box<RawValue>>>>>,
}

impl AsyncPages {
    pub(crate) fn new(torii: Torii, request: &Request) -> Self {
        Self {
            operation: request.operation.clone(),
            walk: Arc::new(Mutex::new(Walk::new(torii, request))),
        }
    }
}

#[pymethods]
impl AsyncPages {
    /// Asks for the next page on the runtime, and calls `done(page, error)` from there: `None` is the end. After an error
    /// or a cancelled task, the same page is asked for again.
    fn start(&self, py: Python<'_>, done: Py<PyAny>) -> PyResult<Task> {
        let (operation, walk) = (self.operation.clone(), self.walk.clone());
        task::start(py, done, async move {
            let reply = walk.lock().await.step().await;
            Ok(Outcome { operation, reply })
        })
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(uncopyable())
    }
}

fn uncopyable() -> PyErr {
    PyTypeError::new_err("the pages of a list are neither pickled nor copied")
}

/// A list on its way. The core ends a walk with its first error; this one goes on where that happened.
struct Walk<M: Mode, P> {
    torii: Torii<M>,
    request: Request,
    /// Where to go on, once a page has come.
    next: Option<Cursor>,
    /// A page that came when nobody could take it.
    kept: Option<Vec<u8>>,
    under_way: Option<P>,
}

impl<M: Mode, P> Walk<M, P> {
    fn new(torii: Torii<M>, request: &Request) -> Self {
        Self {
            torii,
            request: request.clone(),
            next: None,
            kept: None,
            under_way: None,
        }
    }

    /// The rest of the list.
    fn list(&self) -> Result<List<M, Box<RawValue>>, Error> {
        let list = self.request.prepare_list(&self.torii)?;
        Ok(match &self.next {
            Some(cursor) => list.cursor(cursor.clone()),
            None => list,
        })
    }

    /// Takes a page in, as JSON.
    fn arrived(&mut self, pages: P, page: Option<Result<RawPage, Error>>) -> Result<Option<Vec<u8>>, Error> {
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

impl Walk<Blocking, BlockingPages> {
    fn step(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(page) = self.kept.take() {
            return Ok(Some(page));
        }
        let mut pages = match self.under_way.take() {
            Some(pages) => pages,
            None => Box::new(self.list()?.pages()),
        };
        let page = pages.next();
        self.arrived(pages, page)
    }
}

impl Walk<Async, torii_backend::Pages<Box<RawValue>>> {
    async fn step(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut pages = match self.under_way.take() {
            Some(pages) => pages,
            None => self.list()?.pages(),
        };
        let page = poll_fn(|cx| Pin::new(&mut pages).poll_next(cx)).await;
        self.arrived(pages, page)
    }
}
