//! Writes the corpus into `contract/tokens` and says how many cases each file holds.
#![expect(
    clippy::print_stdout,
    reason = "a development tool reports to the person who runs it"
)]

use std::fs;
use std::io;

fn main() -> io::Result<()> {
    let folder = torii_contract_tokens::folder();
    for family in torii_contract_tokens::families() {
        fs::write(folder.join(family.file_name()), family.to_json()?)?;
        println!("{:4}  {}", family.case_count(), family.file_name());
    }
    Ok(())
}
