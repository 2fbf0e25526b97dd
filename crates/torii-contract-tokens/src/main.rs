//! Writes the corpus into `contract/tokens`, says how many cases each file holds, and writes the tokens and key sets of
//! `contract/adapters`.
#![expect(
    clippy::print_stdout,
    reason = "a development tool reports to the person who runs it"
)]

use std::fs;
use std::io;

use torii_contract_tokens::adapters;

fn main() -> io::Result<()> {
    let folder = torii_contract_tokens::folder();
    for family in torii_contract_tokens::families() {
        fs::write(folder.join(family.file_name()), family.to_json()?)?;
        println!("{:4}  {}", family.case_count(), family.file_name());
    }
    for (name, text) in adapters::files() {
        fs::write(adapters::folder().join(name), text)?;
    }
    Ok(())
}
