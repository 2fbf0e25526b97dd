//! RFC 9110, section 10.2.3: how long a reply asks to be left alone.

use crate::http_date::HttpDate;
use crate::{Lines, delta_seconds, trimmed, values};

/// The longest wait that the lines ask for, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Of(u64),
    /// Nothing readable is said.
    Unsaid,
    /// It depends on how a date is read on which readers may differ.
    Open,
}

/// `now` is the time for replies without a `Date` of their own.
pub fn retry_after(lines: &Lines, now: u64) -> Wait {
    let now = match values(lines, "date")
        .next()
        .map(|date| HttpDate::read(trimmed(date)))
    {
        Some(HttpDate::At(date)) => date,
        Some(HttpDate::Open) => return Wait::Open,
        Some(HttpDate::No) | None => now,
    };
    let mut longest = Wait::Unsaid;
    for value in values(lines, "retry-after").map(trimmed) {
        let wait = match (delta_seconds(value), HttpDate::read(value)) {
            (Some(seconds), _) => seconds,
            (None, HttpDate::At(date)) => date.saturating_sub(now),
            (None, HttpDate::Open) => return Wait::Open,
            (None, HttpDate::No) => continue,
        };
        longest = match longest {
            Wait::Of(longest) => Wait::Of(longest.max(wait)),
            _ => Wait::Of(wait),
        };
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_seconds_and_dates() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let lines = |values: &[&str]| -> Vec<(String, Vec<u8>)> {
            let line = |value: &&str| ("Retry-After".to_owned(), value.as_bytes().to_vec());
            values.iter().map(line).collect()
        };
        assert_eq!(
            retry_after(&lines(&["7", date, "x"]), 784_111_777 - 9),
            Wait::Of(9)
        );
        assert_eq!(retry_after(&lines(&[date]), 784_111_777 + 9), Wait::Of(0));
        assert_eq!(
            retry_after(&lines(&["99999999999999999999"]), 0),
            Wait::Of(u64::MAX)
        );
        for unreadable in ["", "-1", "1.5", "1e3", "+1", "0x1", "1 2", "1,2"] {
            assert_eq!(
                retry_after(&lines(&[unreadable]), 0),
                Wait::Unsaid,
                "{unreadable}"
            );
        }
    }
}
