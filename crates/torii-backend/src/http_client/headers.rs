//! The reply headers that steer us. Whatever cannot be read counts as absent.

use std::time::{Duration, SystemTime};

use http::header::{AGE, CACHE_CONTROL, DATE, HeaderMap, HeaderValue, RETRY_AFTER};

/// `Retry-After` in seconds or as a date, [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3):
/// of several, the longest. A date is compared with the reply's own `Date`, so that clocks need not agree; one that has
/// passed is zero.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let now = || {
        let date = headers.get(DATE).and_then(http_date);
        date.unwrap_or_else(SystemTime::now)
    };
    let waits = headers.get_all(RETRY_AFTER).iter().filter_map(|value| {
        let seconds = delta_seconds(value.to_str().ok()?.trim()).map(Duration::from_secs);
        seconds.or_else(|| Some(http_date(value)?.duration_since(now()).unwrap_or_default()))
    });
    waits.max()
}

/// What a reply calls its request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-request-id")?.to_str().ok()
}

/// How long a reply stays fresh, [RFC 9111, section 4.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1):
/// `max-age` less `Age`, zero for `no-store` and `no-cache`, `None` if nothing readable is said.
pub(crate) fn freshness(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    let lines = headers.get_all(CACHE_CONTROL).iter();
    for directive in lines.filter_map(|line| line.to_str().ok()).flat_map(elements) {
        if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("max-age") {
            let seconds = delta_seconds(argument.trim_matches('"'));
            // Two answers are no answer.
            max_age = Some(seconds.filter(|_| max_age.is_none_or(|earlier| earlier == seconds)));
        }
    }
    let age = headers
        .get(AGE)
        .and_then(|age| age.to_str().ok()?.split(',').next());
    let age = age.and_then(|age| delta_seconds(age.trim())).unwrap_or(0);
    max_age
        .flatten()
        .map(|seconds| Duration::from_secs(seconds.saturating_sub(age)))
}

/// The elements of a list. A comma in a quoted string separates nothing (RFC 9110, section 5.6.4).
fn elements(line: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = move |character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        character == ',' && !quoted
    };
    line.split(separates).map(str::trim)
}

fn http_date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?.trim()).ok()
}

/// Digits only: no sign, no fraction, no exponent.
fn delta_seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than fit mean "very long" (RFC 9111, section 1.2.2).
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
