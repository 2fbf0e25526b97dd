//! The core's events as records of Python's `logging`, by the logger `torii_backend`.

use std::fmt::{self, Write};

use pyo3::intern;
use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber, set_global_default};
use tracing::{Event, Level, Metadata};

use crate::notifier::Notifier;

/// Forwards the core's events from now on.
pub(crate) fn forward() {
    // Whoever has set another one in this process receives the events instead.
    let _ = set_global_default(Forward);
}

/// Hands events to the notifier. Spans, and what other crates or lower levels report, cost one comparison.
struct Forward;

impl Subscriber for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.enabled(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= Level::INFO
            && metadata.target().starts_with("torii_backend")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let text = text.message + &text.fields;
        let level = match *event.metadata().level() {
            Level::ERROR => 40,
            Level::WARN => 30,
            _ => 20,
        };
        if let Ok(Some(notifier)) = Notifier::get() {
            notifier.deliver(move |py| log(py, level, text));
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event's message, then its fields as `name=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a `String` does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// Logs, if the application has loaded `logging`: who has not, has set no handler either.
fn log(py: Python<'_>, level: u8, text: String) {
    let logged = || -> PyResult<()> {
        let modules = py.import("sys")?.getattr("modules")?;
        if let Ok(logging) = modules.get_item("logging") {
            let logger = logging.call_method1("getLogger", ("torii_backend",))?;
            logger.call_method1(intern!(py, "log"), (level, "%s", text))?;
        }
        Ok(())
    };
    if let Err(error) = logged() {
        error.write_unraisable(py, None);
    }
}
