//! The reply headers that steer us. Whatever cannot be read counts as absent.

use std::time::{Duration, SystemTime};

use http::header::{AGE, CACHE_CONTROL, HeaderMap, RETRY_AFTER};

/// `Retry-After` in seconds or as a date, [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
/// A date is compared with the wall clock; one that has passed is zero.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match delta_seconds(value) {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => {
            let date = httpdate::parse_http_date(value).ok()?;
            Some(date.duration_since(SystemTime::now()).unwrap_or_default())
        }
    }
}

/// How long a reply stays fresh, [RFC 9111, section 4.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1):
/// `max-age` less `Age`, zero for `no-store` and `no-cache`, `None` if nothing readable is said.
pub(crate) fn freshness(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',').map(str::trim) {
            if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") {
                return Some(Duration::ZERO);
            }
            let Some((name, argument)) = directive.split_once('=') else {
                continue;
            };
            if name.eq_ignore_ascii_case("max-age") {
                let seconds = delta_seconds(argument.trim_matches('"'))?;
                // Two answers are no answer.
                if max_age.is_some_and(|earlier| earlier != seconds) {
                    return None;
                }
                max_age = Some(seconds);
            }
        }
    }
    let age = headers
        .get(AGE)
        .and_then(|age| delta_seconds(age.to_str().ok()?))
        .unwrap_or(0);
    max_age.map(|seconds| Duration::from_secs(seconds.saturating_sub(age)))
}

/// Digits only: no sign, no fraction, no exponent.
fn delta_seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than fit mean "very long" (RFC 9111, section 1.2.2).
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
