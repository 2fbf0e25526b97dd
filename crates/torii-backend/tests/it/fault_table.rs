//! The key cache under fault: one table with every fault it must survive, the figure to reach and the figure measured.
//!
//! `cargo test -p torii-backend --test it fault_table -- --nocapture` prints it. With `TORII_FAULTS=full` loads and
//! outages last as long as their rows say; without, the long ones are marked as short. A row that breaks a promise fails
//! the test. One that only took longer than it should is marked as late, because the machine may have been busy.
#![allow(clippy::print_stdout, reason = "the table is there to be read")]

mod alone;
mod faults;
mod floods;
mod load;
mod met;
mod outages;
mod replies;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::thread;
use std::time::Duration;

use faults::{FAULTS, Fault};
use serde::{Deserialize, Serialize};

/// Between two tokens of what the tables call 100 rps.
const HUNDRED_A_SECOND: Duration = Duration::from_millis(10);

/// Rows and their figures, in any order.
type Measured = Vec<(&'static str, Figure)>;

/// What was measured, and what that means.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Figure {
    measured: String,
    verdict: Verdict,
    short: bool,
}

/// From the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Verdict {
    /// Another test proves it, or nothing can.
    Elsewhere,
    Reached,
    /// Every promise was kept, but some time was longer, or some growth larger, than the figure to reach.
    Late,
    Missed,
}

impl Figure {
    fn of(kept: bool, measured: impl Into<String>) -> Self {
        Self {
            measured: measured.into(),
            verdict: if kept { Verdict::Reached } else { Verdict::Missed },
            short: false,
        }
    }

    /// Of a row that another test proves, or that cannot be measured.
    fn elsewhere(why: &str) -> Self {
        Self {
            measured: why.to_owned(),
            verdict: Verdict::Elsewhere,
            short: false,
        }
    }

    /// Whether the times are those to reach as well.
    fn in_time(mut self, in_time: bool) -> Self {
        if self.verdict == Verdict::Reached && !in_time {
            self.verdict = Verdict::Late;
        }
        self
    }

    /// Of a load that is only complete in the full form.
    fn longer_in_full(mut self) -> Self {
        self.short = !is_full();
        self
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Reached => "yes",
            Verdict::Late => "late",
            Verdict::Missed => "NO",
            Verdict::Elsewhere => "–",
        };
        write!(f, "{verdict}{}", if self.short { " (short)" } else { "" })
    }
}

fn is_full() -> bool {
    std::env::var("TORII_FAULTS").is_ok_and(|form| form == "full")
}

/// How many seconds a load lasts, in the short form and in the full one.
fn seconds(short: u64, full: u64) -> Duration {
    Duration::from_secs(if is_full() { full } else { short })
}

/// A duration with two or three digits that matter.
fn shown(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    match micros {
        ..10.0 => format!("{micros:.1} µs"),
        ..1e3 => format!("{micros:.0} µs"),
        ..1e4 => format!("{:.1} ms", micros / 1e3),
        ..1e6 => format!("{:.0} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

#[test]
fn every_fault_is_survived() {
    let measured: BTreeMap<_, _> = measured().into_iter().collect();
    println!("\n{}", table(&measured));
    assert_eq!(measured.len(), FAULTS.len(), "a figure without a row");
    let missed = measured
        .iter()
        .filter(|(_, figure)| figure.verdict == Verdict::Missed);
    let missed: Vec<_> = missed.map(|(row, figure)| (row, &figure.measured)).collect();
    assert!(missed.is_empty(), "not reached: {missed:?}");
}

fn measured() -> Measured {
    let waiting = [replies::that_wait, load::that_wait, outages::that_wait];
    // What waits for most of its time does so together; what measures a load has the machine to itself, if it can.
    let mut all: Measured = thread::scope(|scope| {
        let threads = waiting.map(|figures| scope.spawn(figures));
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    for busy in [
        replies::that_do_not_wait,
        load::that_do_not_wait,
        outages::that_do_not_wait,
    ] {
        all.extend(busy());
    }
    all
}

/// The rows as aligned Markdown.
fn table(measured: &BTreeMap<&str, Figure>) -> String {
    let head = ["row", "fault", "to reach", "measured", ""].map(str::to_owned);
    let lines = FAULTS.iter().map(|Fault { row, fault, goal }| {
        let figure = measured.get(row).unwrap_or_else(|| panic!("no figure for {row}"));
        let [row, fault, goal] = [row, fault, goal].map(|text| (*text).to_owned());
        [row, fault, goal, figure.measured.clone(), figure.to_string()]
    });
    let lines: Vec<_> = std::iter::once(head).chain(lines).collect();
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    });
    let written = lines.iter().map(|line| {
        let cells = line.iter().zip(widths);
        let cells: Vec<_> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    });
    let mut written: Vec<_> = written.collect();
    let rule = widths.map(|width| "-".repeat(width + 2)).join("|");
    written.insert(1, format!("|{rule}|\n"));
    written.concat()
}
