//! The files of `contract`: what every front door is held against. `contract/README.md` describes them.

mod method;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use method::{call, call_blocking};

/// A row of `operations.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) retry: String,
    #[serde(default)]
    pub(crate) paged: bool,
}

/// A file of `wire`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) operation: String,
    pub(crate) cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) behaviour: String,
    /// For the server's side only.
    #[serde(default, rename = "given")]
    _given: Value,
    pub(crate) args: Value,
    pub(crate) request: Expected,
    pub(crate) reply: Option<Reply>,
    pub(crate) error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) members: Map<String, Value>,
}

/// The rows of `operations.toml`, by their `METHOD path`.
pub(crate) fn rows() -> BTreeMap<String, Row> {
    let text = std::fs::read_to_string(folder().join("operations.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

/// The files of `wire`, with their placeholders filled in.
pub(crate) fn files() -> Vec<File> {
    let entries = std::fs::read_dir(folder().join("wire")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> File {
    let text = std::fs::read_to_string(path).unwrap();
    let fill = |text: String, (placeholder, value): &(&str, &str)| text.replace(placeholder, value);
    let text = PLACEHOLDERS.iter().fold(text, fill);
    let file: File =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(path.file_stem().unwrap().to_str(), Some(&*file.operation));
    let behaviours: BTreeSet<_> = file.cases.iter().map(|case| &case.behaviour).collect();
    assert_eq!(behaviours.len(), file.cases.len(), "{}", file.operation);
    file
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract")
}

const PLACEHOLDERS: [(&str, &str); 11] = [
    ("{user}", "01931a73-8b00-7000-8000-000000000000"),
    ("{bob}", "01931a73-8b00-7000-8000-00000000b0b0"),
    ("{session}", "01931a74-1234-7000-8000-000000000000"),
    ("{environment}", "01931a72-0000-7000-8000-000000000000"),
    ("{organization}", "01931a75-0000-7000-8000-000000000000"),
    ("{other}", "01931a75-0000-7000-8000-00000000000f"),
    ("{invitation}", "01931a76-0000-7000-8000-000000000000"),
    ("{second}", "01931a76-0000-7000-8000-000000000002"),
    ("{cursor}", "01931a77-0000-7000-8000-000000000000"),
    ("{time}", "2026-05-16T09:30:00Z"),
    ("{text}", "some text"),
];
