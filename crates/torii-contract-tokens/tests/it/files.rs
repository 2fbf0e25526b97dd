//! The folder and the generator say the same.

use std::collections::BTreeSet;
use std::fs;

use torii_contract_tokens::{families, folder};

#[test]
fn the_committed_files_are_what_the_generator_writes() {
    for family in families() {
        let name = family.file_name();
        let committed = fs::read_to_string(folder().join(&name)).unwrap_or_default();
        let written = family.to_json().unwrap();
        let differs = committed.lines().zip(written.lines()).position(|(a, b)| a != b);
        assert!(
            committed == written,
            "{name} differs from line {:?} on: run `cargo run -p torii-contract-tokens`",
            differs.map(|line| line + 1)
        );
    }
}

#[test]
fn the_folder_holds_the_families_and_nothing_else() {
    let entries = fs::read_dir(folder()).unwrap();
    let found = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut expected = families()
        .iter()
        .map(|family| family.file_name())
        .collect::<BTreeSet<_>>();
    expected.insert("README.md".to_owned());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}
