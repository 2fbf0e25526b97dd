//! What people see: colour on a terminal, plain text in a pipe.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints a line. A reader who has gone away is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(anstream::stdout(), "{line}");
    let _ = io::stdout().flush();
}

/// Prints one line about what went wrong.
pub(crate) fn complain(problem: impl Display) {
    let _ = writeln!(anstream::stderr(), "{} {problem}", styled(BAD, "torii:"));
}

/// Ends a call that was not understood: help and version as they are, anything else in one line.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        say(error.render().ansi().to_string().trim_end());
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    match first.strip_prefix("error: ") {
        Some(problem) => complain(format_args!(
            "{} (see `torii --help`)",
            problem.trim_end_matches(':')
        )),
        None => complain(text.trim_end()),
    }
    ExitCode::from(2)
}
