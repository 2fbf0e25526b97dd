//! RFC 9111, sections 4.2.1 and 5.1: how long a reply stays fresh.

use crate::{Lines, delta_seconds, trimmed, values};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// In seconds.
    Of(u64),
    /// Nothing readable is said, or two different things.
    Unsaid,
    /// A quotation mark stands where the grammar has none, so where a directive ends is open.
    Open,
}

/// `max-age` less `Age`; zero for `no-store` and `no-cache`, whatever stands beside them. A line that is not ASCII is
/// not read, nor is an element that is no directive.
pub fn freshness(lines: &Lines) -> Freshness {
    let mut ages = Vec::new();
    let mut never = false;
    for value in values(lines, "cache-control").filter(|value| value.is_ascii()) {
        for element in elements(value).into_iter().map(trimmed) {
            let (name, argument) = halves(element);
            if name.eq_ignore_ascii_case(b"max-age") {
                ages.push(argument.and_then(content).and_then(delta_seconds));
            }
            let forbids = [&b"no-store"[..], b"no-cache"]
                .iter()
                .any(|word| name.eq_ignore_ascii_case(word));
            never |= forbids && argument.is_none();
            let is_directive = is_token(name) && argument.is_none_or(|argument| content(argument).is_some());
            if !is_directive && element.contains(&b'"') {
                return Freshness::Open;
            }
        }
    }
    match ages.split_first() {
        _ if never => Freshness::Of(0),
        Some((Some(first), others)) if others.iter().all(|other| *other == Some(*first)) => {
            Freshness::Of(first.saturating_sub(age(lines)))
        }
        _ => Freshness::Unsaid,
    }
}

/// The first member of `Age`, should it be a list; zero if that cannot be read.
fn age(lines: &Lines) -> u64 {
    let value = values(lines, "age").next().filter(|value| value.is_ascii());
    let first = value.and_then(|value| value.split(|byte| *byte == b',').next());
    first.map(trimmed).and_then(delta_seconds).unwrap_or(0)
}

/// `token [ "=" ( token / quoted-string ) ]`: the name, and what stands for an argument.
fn halves(element: &[u8]) -> (&[u8], Option<&[u8]>) {
    match element.iter().position(|byte| *byte == b'=') {
        Some(place) => (&element[..place], Some(&element[place + 1..])),
        None => (element, None),
    }
}

/// What an argument says. Escapes are not undone: nobody escapes a digit, and nothing else is read.
fn content(argument: &[u8]) -> Option<&[u8]> {
    match argument {
        [b'"', text @ .., b'"'] => Some(text).filter(|text| is_quotable(text)),
        text => Some(text).filter(|text| is_token(text)),
    }
}

/// Splits at the commas that are not in quotes.
fn elements(value: &[u8]) -> Vec<&[u8]> {
    let (mut elements, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (place, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                elements.push(&value[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    elements.push(&value[start..]);
    elements
}

fn is_token(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(allowed)
}

/// The content of a quoted string: quotation marks and backslashes come after a backslash.
fn is_quotable(text: &[u8]) -> bool {
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        let closed = match byte {
            b'\\' => rest.next().is_none(),
            byte => *byte == b'"',
        };
        if closed {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[(&str, &str)]) -> Freshness {
        let line = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        freshness(&lines.iter().map(line).collect::<Vec<_>>())
    }

    #[test]
    fn max_age_less_age() {
        assert_eq!(
            of(&[("Cache-Control", "public, Max-Age=300"), ("Age", "250")]),
            Freshness::Of(50)
        );
        assert_eq!(of(&[("cache-control", "max-age=\"300\"")]), Freshness::Of(300));
        assert_eq!(
            of(&[("cache-control", "max-age=5"), ("age", "9, 1")]),
            Freshness::Of(0)
        );
        assert_eq!(
            of(&[("cache-control", "max-age=5"), ("age", "x")]),
            Freshness::Of(5)
        );
    }

    #[test]
    fn what_forbids_storing_counts_wherever_it_stands() {
        for value in [
            "no-store",
            "max-age=x, NO-CACHE",
            "max-age=1, max-age=2, no-store",
        ] {
            assert_eq!(of(&[("cache-control", value)]), Freshness::Of(0), "{value}");
        }
        assert_eq!(
            of(&[("cache-control", "no-cache=\"a\", max-age=5")]),
            Freshness::Of(5)
        );
        assert_eq!(
            of(&[("cache-control", "x=\"a, no-store\", max-age=5")]),
            Freshness::Of(5)
        );
    }

    #[test]
    fn two_answers_and_unreadable_ones_are_none() {
        for value in [
            "",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=abc",
            "max-age=1, max-age=2",
            "max-age =5",
        ] {
            assert_eq!(of(&[("cache-control", value)]), Freshness::Unsaid, "{value}");
        }
        assert_eq!(of(&[("cache-control", "x=\"a, max-age=5")]), Freshness::Open);
    }
}
