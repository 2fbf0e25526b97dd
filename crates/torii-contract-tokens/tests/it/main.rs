//! The committed corpus is what the generator writes, well-formed, and right by an independent check.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

mod adapters;
mod files;
mod form;
mod signatures;

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A committed file, read as any front door reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    #[serde(skip)]
    name: String,
    key_sets: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    reason: String,
    source: String,
    token: Option<String>,
    headers: Option<Vec<(String, String)>>,
    #[serde(default)]
    headers_latin1: bool,
    key_set: Option<String>,
    now: Option<i64>,
    policy: Map<String, Value>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expect {
    Accept(Map<String, Value>),
    Error(String),
}

impl Expect {
    fn code(&self) -> Option<&str> {
        match self {
            Self::Accept(_) => None,
            Self::Error(code) => Some(code),
        }
    }
}

fn corpus() -> Vec<File> {
    let entries = fs::read_dir(torii_contract_tokens::folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let json = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let file = serde_json::from_str::<File>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        File { name, ..file }
    })
    .collect()
}
