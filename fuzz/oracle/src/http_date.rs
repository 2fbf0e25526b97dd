//! Dates by the three forms of RFC 9110, section 5.6.7.

const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAY: u64 = 24 * 60 * 60;

/// What a text is as a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpDate {
    /// Unix seconds.
    At(u64),
    /// A date on which readers may differ: a leap second, before 1970, a year of two digits whose century is open, or
    /// of that same form with something else than the space before the time.
    Open,
    No,
}

impl HttpDate {
    pub(crate) fn read(text: &[u8]) -> Self {
        let Ok(text) = str::from_utf8(text) else {
            return Self::No;
        };
        imf_fixdate(text)
            .or_else(|| rfc850(text))
            .or_else(|| asctime(text))
            .unwrap_or(Self::No)
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(text: &str) -> Option<HttpDate> {
    let [day_name, day, month, year, time, zone] = fields(text, ' ')?;
    let date = Date {
        day_name: day_name.strip_suffix(',')?,
        abbreviated: true,
        day: digits(day, 2)?,
        month,
        year: digits(year, 4)?,
        time,
    };
    date.check().filter(|_| zone == "GMT")
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850(text: &str) -> Option<HttpDate> {
    let (day_name, rest) = text.split_once(", ")?;
    let (date, rest) = rest.split_at_checked("06-Nov-94".len())?;
    let (space, rest) = rest.split_at_checked(1)?;
    let time = rest.strip_suffix(" GMT")?;
    let [day, month, year] = fields(date, '-')?;
    let (day, year) = (digits(day, 2)?, digits(year, 2)?);
    let in_century = |century| {
        let date = Date {
            day_name,
            abbreviated: false,
            day,
            month,
            year: century + year,
            time,
        };
        date.check()
    };
    let (this, last) = (in_century(2000), in_century(1900));
    match year {
        // The crate `httpdate` takes any character here.
        _ if space != " " => this.or(last).map(|_| HttpDate::Open),
        // No reader takes these for the last century, nor the next ones for this century.
        0..60 => this,
        80..100 => last,
        _ => this.or(last).map(|_| HttpDate::Open),
    }
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(text: &str) -> Option<HttpDate> {
    let (day_name, rest) = text.split_once(' ')?;
    let (month, rest) = rest.split_once(' ')?;
    let (day, rest) = rest.split_at_checked(2)?;
    let [empty, time, year] = fields(rest, ' ')?;
    let day = match day.strip_prefix(' ') {
        Some(digit) => digits(digit, 1)?,
        None => digits(day, 2)?,
    };
    let date = Date {
        day_name,
        abbreviated: true,
        day,
        month,
        year: digits(year, 4)?,
        time,
    };
    date.check().filter(|_| empty.is_empty())
}

struct Date<'t> {
    day_name: &'t str,
    abbreviated: bool,
    day: u64,
    month: &'t str,
    year: u64,
    time: &'t str,
}

impl Date<'_> {
    /// A date that exists, on the day of the week that it has.
    fn check(&self) -> Option<HttpDate> {
        let month = MONTHS.iter().position(|name| *name == self.month)?;
        let [hour, minute, second] = fields(self.time, ':')?;
        let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
        if hour > 23 || minute > 59 || second > 60 || self.day == 0 || self.day > days_in(self.year, month) {
            return None;
        }
        if self.year < 1970 || second == 60 {
            return Some(HttpDate::Open);
        }
        let years: u64 = (1970..self.year)
            .map(|year| (0..12).map(|month| days_in(year, month)).sum::<u64>())
            .sum();
        let months: u64 = (0..month).map(|month| days_in(self.year, month)).sum();
        let days = years + months + self.day - 1;
        // The first of January 1970 was a Thursday.
        let day_name = DAYS[(days % 7) as usize];
        let day_name = if self.abbreviated {
            &day_name[..3]
        } else {
            day_name
        };
        (self.day_name == day_name).then_some(HttpDate::At(days * DAY + hour * 3600 + minute * 60 + second))
    }
}

fn days_in(year: u64, month: usize) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 if leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Exactly `N` fields.
fn fields<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    text.split(separator).collect::<Vec<_>>().try_into().ok()
}

/// A number of exactly this many digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_one_date() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(
                HttpDate::read(text.as_bytes()),
                HttpDate::At(784_111_777),
                "{text}"
            );
        }
        assert_eq!(
            HttpDate::read(b"Tue, 29 Feb 2028 00:00:00 GMT"),
            HttpDate::At(1_835_395_200)
        );
    }

    #[test]
    fn what_is_not_a_date() {
        for text in [
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "sun, 06 nov 1994 08:49:37 gmt",
            "1994-11-06T08:49:37Z",
            "",
        ] {
            assert_eq!(HttpDate::read(text.as_bytes()), HttpDate::No, "{text}");
        }
    }
}
