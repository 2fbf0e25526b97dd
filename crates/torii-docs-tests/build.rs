//! Turns the Rust examples of the documents into functions.
//!
//! An example is a `rust` block under `<!-- example: name -->`. It is run as printed, with two things done to it: the
//! issuer `https://acme.torii.so` is the local torii's, and the lines of a `<!-- check` comment below the block run after
//! it. What the examples take for granted (`token`, `user_id` and so on) is in `src/main.rs`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const DOCUMENTS: [&str; 2] = ["README.md", "docs/rust.md"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let mut functions = String::new();
    let mut calls = String::new();
    for document in DOCUMENTS {
        let path = root.join(document);
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(path)?;
        let examples = examples(&text)?;
        assert_eq!(
            examples.len(),
            text.matches("```rust").count(),
            "a block in {document} has no name"
        );
        for Example { name, code } in examples {
            let code = code.replace(r#""https://acme.torii.so""#, "local.issuer");
            write!(
                functions,
                "async fn {name}(local: Local<'_>) -> Outcome {{ {PRELUDE}\n{code}\nOk(()) }}\n\n"
            )?;
            writeln!(calls, "println!(\"{document}: {name}\"); {name}(local).await?;")?;
        }
    }
    let all = format!("{functions}async fn all(local: Local<'_>) -> Outcome {{ {calls} Ok(()) }}\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("examples.rs"), all)?;
    Ok(())
}

const PRELUDE: &str = "let Local { token, user_id, secret_key, api_url, verifier, .. } = local;\n\
                       let headers = local.headers.clone();";

struct Example {
    name: String,
    code: String,
}

fn examples(document: &str) -> Result<Vec<Example>, String> {
    let sections = document.split("<!-- example: ").skip(1);
    sections
        .map(|section| {
            let (name, rest) = section
                .split_once(" -->\n```rust\n")
                .ok_or("an example's name has no block below it")?;
            let (block, rest) = rest.split_once("```\n").ok_or("a block is not closed")?;
            let check = rest
                .strip_prefix("<!-- check\n")
                .and_then(|check| check.split_once("-->"))
                .map(|(check, _)| check);
            Ok(Example {
                name: name.to_owned(),
                code: format!("{block}{}", check.unwrap_or_default()),
            })
        })
        .collect()
}
