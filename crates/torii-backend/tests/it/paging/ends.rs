//! How a walk ends.

use pollster::block_on;
use serde_json::json;
use torii_backend::{Error, Organization, PagingError};

use super::{all, collect, next, outcome, page, scripted, texts};
use crate::memory::{self, Memory, status};

#[test]
fn an_empty_page_is_not_the_end() {
    let pages = [
        ("", page(&["1"], Some("a"))),
        ("a", page(&[], Some("b"))),
        ("b", page(&["2"], None)),
    ];
    let server = scripted(pages);
    assert_eq!(
        outcome(collect(all(&server.torii()).items())),
        (texts(&["1", "2"]), None)
    );
    assert_eq!(
        outcome(all(&server.blocking_torii()).items()),
        (texts(&["1", "2"]), None)
    );
}

#[test]
fn the_last_pages_cursor_is_not_followed() {
    let mut last = page(&["1"], Some("a"));
    last["hasMore"] = json!(false);
    let server = scripted([("", last)]);
    assert_eq!(
        outcome(collect(all(&server.torii()).items())),
        (texts(&["1"]), None)
    );
    assert_eq!(server.count(), 1);
}

#[test]
fn more_without_a_cursor_is_an_error_after_the_items() {
    let mut lost = page(&["1", "2"], None);
    lost["hasMore"] = json!(true);
    let server = scripted([("", lost)]);
    let expected = (texts(&["1", "2"]), Some(PagingError::MissingCursor));
    assert_eq!(outcome(collect(all(&server.torii()).items())), expected);
    assert_eq!(outcome(all(&server.blocking_torii()).items()), expected);
    assert_eq!(server.count(), 2);
}

#[test]
fn a_page_that_points_at_itself_is_an_error_after_the_items() {
    let server = scripted([("", page(&["1"], Some("a"))), ("a", page(&["2"], Some("a")))]);
    let expected = (texts(&["1", "2"]), Some(PagingError::RepeatedCursor));
    assert_eq!(outcome(collect(all(&server.torii()).items())), expected);
    assert_eq!(outcome(all(&server.blocking_torii()).items()), expected);
    assert_eq!(server.count(), 4);
}

#[test]
fn two_pages_that_point_at_each_other_are_an_error_after_the_items() {
    let a = || page(&["2"], Some("b"));
    let server = scripted([
        ("", page(&["1"], Some("a"))),
        ("a", a()),
        ("b", page(&["3"], Some("a"))),
    ]);
    for walk in [
        outcome(collect(all(&server.torii()).items())),
        outcome(all(&server.blocking_torii()).items()),
    ] {
        assert_eq!(walk.0[..3], texts(&["1", "2", "3"]));
        assert_eq!(walk.1, Some(PagingError::RepeatedCursor));
    }
}

/// A walk is into its third round at most when it notices.
#[test]
fn a_long_circle_of_pages_ends_as_well() {
    const ROUND: usize = 1_000;
    let circle = |place: usize| page(&["x"], Some(&((place + 1) % ROUND).to_string()));
    let server = Memory::answering(move |asked| {
        let place = asked.query("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        memory::json(&circle(place))
    });
    let (_, error) = outcome(all(&server.blocking_torii()).items());
    assert_eq!(error, Some(PagingError::RepeatedCursor));
    assert!(
        (ROUND..=3 * ROUND).contains(&server.count()),
        "{}",
        server.count()
    );
}

#[test]
fn a_refusal_ends_the_walk_after_the_items_before_it() {
    let server = || {
        Memory::answering(|asked| match asked.place {
            0 => memory::json(&page(&["1", "2"], Some("a"))),
            _ => status(403),
        })
    };
    let asynchronous = server();
    let mut items = all(&asynchronous.torii()).items();
    let walked: Vec<_> = block_on(async {
        let mut walked = Vec::new();
        for _ in 0..5 {
            walked.push(next(&mut items).await);
        }
        walked
    });
    check_refused(walked, asynchronous.count());
    let blocking = server();
    let mut items = all(&blocking.blocking_torii()).items();
    check_refused((0..5).map(|_| items.next()).collect(), blocking.count());
}

/// Two items, a refusal, and nothing more however often it is asked.
#[track_caller]
fn check_refused(walked: Vec<Option<Result<Organization, Error>>>, requests: usize) {
    assert_eq!(requests, 2);
    let said: Vec<_> = walked
        .into_iter()
        .map(|item| match item {
            Some(Ok(item)) => item.name,
            Some(Err(error)) => error.as_api().unwrap().status().as_str().to_owned(),
            None => "end".to_owned(),
        })
        .collect();
    assert_eq!(said, ["1", "2", "403", "end", "end"]);
}
