//! Lists: a page, and walks through all of them, against a server in memory.

mod ends;

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderName, HeaderValue, Request, Response};
use pollster::block_on;
use serde_json::json;
use serde_json::value::RawValue;
use torii_backend::http_client::{Exchange, HttpClient, Limits};
use torii_backend::{
    Error, Items, List, Mode, Organization, OrganizationFilter, Page, PagingError, Patch, Torii, UserFilter,
};

use crate::memory::{self, Memory, SECRET_KEY};
use crate::support::faultd::{Faultd, Reply};

#[test]
fn one_page_is_what_awaiting_a_list_brings() {
    let server = numbers(5, 2);
    let page = block_on(all(&server.torii()).limit(2).into_future()).unwrap();
    assert_eq!(names(page.items), ["0", "1"]);
    assert!(page.has_more);
    assert_eq!(page.next_cursor.unwrap().as_str(), "2");
    let page = all(&server.blocking_torii())
        .limit(2)
        .cursor("4".to_owned())
        .send()
        .unwrap();
    assert_eq!(
        (names(page.items), page.has_more, page.next_cursor),
        (vec!["4".to_owned()], false, None)
    );
    let asked: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.path_and_query().to_owned())
        .collect();
    let path = "/api/server/v1/organizations";
    assert_eq!(
        asked,
        [format!("{path}?limit=2"), format!("{path}?limit=2&cursor=4")]
    );
}

/// What a caller keeps between two pages has a type, and can go from thread to thread.
type RawPages = Box<dyn Iterator<Item = Result<Page<Box<RawValue>>, Error>> + Send>;
type RawStream = Box<dyn Stream<Item = Result<Page<Box<RawValue>>, Error>> + Send + Unpin>;

#[test]
fn a_list_is_walked_with_items_of_ones_own_type() {
    let server = numbers(3, 2);
    let pages: RawPages = Box::new(all(&server.blocking_torii()).items_as().pages());
    let stream: RawStream = Box::new(all(&server.torii()).items_as().pages());
    for pages in [pages.collect(), collect(stream)] {
        let items = pages.into_iter().flat_map(|page| page.unwrap().items);
        let items = items.map(|item| serde_json::from_str(item.get()).unwrap());
        assert_eq!(names(items.collect()), ["0", "1", "2"]);
    }
    assert_eq!(server.count(), 4);
}

#[test]
fn items_come_in_order_and_each_once() {
    for (items, per_page) in [(0, 3), (1, 3), (3, 3), (7, 3), (100_usize, 1)] {
        let expected: Vec<_> = (0..items).map(|item| item.to_string()).collect();
        let pages = items.div_ceil(per_page).max(1);
        let server = numbers(items, per_page);
        assert_eq!(
            outcome(collect(all(&server.torii()).items())),
            (expected.clone(), None)
        );
        assert_eq!(server.count(), pages);
        let server = numbers(items, per_page);
        assert_eq!(outcome(all(&server.blocking_torii()).items()), (expected, None));
        assert_eq!(server.count(), pages);
    }
}

#[test]
fn pages_come_one_by_one() {
    let lengths = |pages: Vec<Result<Page<Organization>, Error>>| -> Vec<_> {
        pages.into_iter().map(|page| page.unwrap().items.len()).collect()
    };
    let server = numbers(7, 3);
    assert_eq!(lengths(collect(all(&server.torii()).pages())), [3, 3, 1]);
    assert_eq!(
        lengths(all(&server.blocking_torii()).pages().collect()),
        [3, 3, 1]
    );
}

#[test]
fn every_page_is_asked_for_as_the_first_was() {
    let (name, value) = (HeaderName::from_static("x-trace"), HeaderValue::from_static("7"));
    let filter = UserFilter {
        name: Patch::Clear,
        ..UserFilter::default()
    };
    let pages = [
        ("", page(&[], Some("a&b"))),
        ("a&b", page(&[], Some("c"))),
        ("c", page(&[], None)),
    ];
    let server = scripted(pages);
    let users = server
        .torii()
        .users()
        .list(&filter)
        .limit(1)
        .header(name.clone(), value.clone());
    assert_eq!(collect(users.pages()).len(), 3);
    let users = server
        .blocking_torii()
        .users()
        .list(&filter)
        .limit(1)
        .header(name.clone(), value.clone());
    assert_eq!(users.pages().count(), 3);
    for (asked, query) in server.asked().iter().zip(
        ["limit=1", "limit=1&cursor=a%26b", "limit=1&cursor=c"]
            .into_iter()
            .cycle(),
    ) {
        assert_eq!(asked.request.uri().query(), Some(query));
        assert_eq!(asked.request.headers().get(&name), Some(&value));
        assert_eq!(&asked.request.body()[..], br#"{"name":null}"#);
    }
}

#[test]
fn a_page_is_asked_for_when_its_first_item_is_wanted() {
    let server = numbers(12, 3);
    let mut items = all(&server.torii()).items();
    for taken in 1..=12 {
        block_on(next(&mut items)).unwrap().unwrap();
        assert_eq!(server.count(), (taken - 1) / 3 + 1, "after {taken} items");
    }
}

/// Between two items nobody polls the stream, so no request may be under way then.
#[test]
fn a_slow_consumer_does_not_let_a_request_time_out() {
    let page = |cursor| Reply::json(page(&["a", "b"], cursor).to_string());
    let server = Faultd::start(page(None));
    server.play([page(Some("2")).into(), page(None).into()]);
    let torii = Torii::builder(SECRET_KEY).api_url(server.url());
    let torii = torii.attempt_timeout(Duration::from_millis(500)).build().unwrap();
    let mut items = all(&torii).items();
    for asked in [1, 1, 2, 2] {
        block_on(next(&mut items)).unwrap().unwrap();
        assert_eq!(server.count(), asked);
        std::thread::sleep(Duration::from_millis(600));
    }
    assert!(block_on(next(&mut items)).is_none());
}

#[test]
fn a_dropped_walk_drops_the_request_under_way_and_makes_no_other() {
    let server = Arc::new(Gate::default());
    let mut items = all(&server.torii()).items();
    assert!(poll_once(&mut items).is_ready() && poll_once(&mut items).is_ready());
    assert!(poll_once(&mut items).is_pending());
    assert!(!server.dropped.load(Ordering::Relaxed));
    drop(items);
    assert!(server.dropped.load(Ordering::Relaxed));
    assert_eq!(server.asked.load(Ordering::Relaxed), 2);
}

#[test]
fn a_walk_that_is_not_polled_asks_for_nothing() {
    let server = numbers(3, 1);
    drop((
        all(&server.torii()).items(),
        all(&server.blocking_torii()).items(),
    ));
    assert_eq!(server.count(), 0);
}

#[test]
fn a_blocking_walk_asks_for_a_page_when_its_first_item_is_wanted() {
    let server = numbers(12, 3);
    let mut items = all(&server.blocking_torii()).items();
    for taken in 1..=12 {
        items.next().unwrap().unwrap();
        assert_eq!(server.count(), (taken - 1) / 3 + 1, "after {taken} items");
    }
}

/// What is held is what the server has sent and the walk has not yielded.
#[test]
fn a_million_items_are_read_with_one_page_held_at_most() {
    const PAGES: usize = 2_000;
    const PER_PAGE: usize = 500;
    let items = page(&["x"; PER_PAGE], None)["items"].to_string();
    let server = Memory::answering(move |asked| {
        let next = asked.place + 1;
        let more = next < PAGES;
        let cursor = if more {
            format!("\"{next}\"")
        } else {
            "null".to_owned()
        };
        let page = format!(r#"{{"items":{items},"nextCursor":{cursor},"hasMore":{more}}}"#);
        Response::new(page.into())
    });
    let mut items = all(&server.torii()).items();
    let (mut taken, mut most) = (0, 0);
    block_on(async {
        while let Some(item) = next(&mut items).await {
            drop(item.unwrap());
            taken += 1;
            most = most.max(server.count() * PER_PAGE - taken);
        }
    });
    assert_eq!(taken, PAGES * PER_PAGE);
    assert!(most < PER_PAGE, "{most} items were held");
}

#[test]
fn a_walk_resumes_from_a_pages_cursor() {
    let server = numbers(7, 2);
    let mut pages = all(&server.torii()).pages();
    let first = block_on(next(&mut pages)).unwrap().unwrap();
    let second = block_on(next(&mut pages)).unwrap().unwrap();
    assert_eq!(
        [names(first.items), names(second.items)].concat(),
        texts(&["0", "1", "2", "3"])
    );
    drop(pages);
    let cursor = second.next_cursor.unwrap();
    let rest = texts(&["4", "5", "6"]);
    assert_eq!(
        outcome(collect(all(&server.torii()).cursor(cursor.clone()).items())),
        (rest.clone(), None)
    );
    assert_eq!(
        outcome(all(&server.blocking_torii()).cursor(cursor).items()),
        (rest, None)
    );
}

fn all<M: Mode>(torii: &Torii<M>) -> List<M, Organization> {
    torii.organizations().list(&OrganizationFilter::default())
}

fn names(items: Vec<Organization>) -> Vec<String> {
    items.into_iter().map(|item| item.name).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| text.to_string()).collect()
}

/// The names of the items, and the error that came after them.
fn outcome(
    walk: impl IntoIterator<Item = Result<Organization, Error>>,
) -> (Vec<String>, Option<PagingError>) {
    let (mut names, mut last) = (Vec::new(), None);
    for item in walk {
        assert_eq!(last, None, "something came after the error");
        match item {
            Ok(item) => names.push(item.name),
            Err(Error::Paging(error)) => last = Some(error),
            Err(error) => panic!("{error}"),
        }
    }
    (names, last)
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

fn collect<S: Stream + Unpin>(mut stream: S) -> Vec<S::Item> {
    block_on(async {
        let mut all = Vec::new();
        while let Some(item) = next(&mut stream).await {
            all.push(item);
        }
        all
    })
}

fn poll_once(items: &mut Items<Organization>) -> Poll<Option<Result<Organization, Error>>> {
    Pin::new(items).poll_next(&mut Context::from_waker(Waker::noop()))
}

/// So many items, named by their places, in pages of so many. A cursor is the place of the page's first item.
fn numbers(items: usize, per_page: usize) -> Arc<Memory> {
    Memory::answering(move |asked| {
        let first = asked.query("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let end = (first + per_page).min(items);
        let names: Vec<_> = (first..end).map(|item| item.to_string()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let cursor = (end < items).then(|| end.to_string());
        memory::json(&page(&names, cursor.as_deref()))
    })
}

/// A page for each cursor.
fn scripted<const N: usize>(pages: [(&'static str, serde_json::Value); N]) -> Arc<Memory> {
    let pages = BTreeMap::from(pages);
    Memory::answering(move |asked| memory::json(&pages[&*asked.query("cursor").unwrap_or_default()]))
}

fn page(names: &[&str], cursor: Option<&str>) -> serde_json::Value {
    let organization = |name: &&str| json!({"id": "01931a75-0000-7000-8000-000000000000", "name": name, "createdAt": "2026-05-16T09:30:00Z"});
    let items: Vec<_> = names.iter().map(organization).collect();
    json!({"items": items, "nextCursor": cursor, "hasMore": cursor.is_some()})
}

/// A server that sends a page of two, and then keeps everybody waiting.
#[derive(Debug, Default)]
struct Gate {
    asked: AtomicUsize,
    dropped: Arc<AtomicBool>,
}

impl Gate {
    fn torii(self: &Arc<Self>) -> Torii {
        Torii::builder(SECRET_KEY)
            .http_client(self.clone())
            .build()
            .unwrap()
    }
}

impl HttpClient for Gate {
    fn send<'a>(&'a self, _request: Request<Bytes>, _limits: Limits) -> Exchange<'a> {
        if self.asked.fetch_add(1, Ordering::Relaxed) == 0 {
            return Box::pin(async { Ok(memory::json(&page(&["0", "1"], Some("2")))) });
        }
        let waiting = Waiting(self.dropped.clone());
        Box::pin(async move {
            let _waiting = waiting;
            pending::<()>().await;
            Ok(Response::default())
        })
    }
}

/// Notes that it was dropped.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
