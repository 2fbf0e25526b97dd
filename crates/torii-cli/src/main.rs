//! `torii`: a local torii for development and tests, and a tour of the SDK on it.

mod args;
mod cmd;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command, DevAction};

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return output::usage(&error),
    };
    // What the libraries have to say, on standard error: warnings and worse.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(args.log_level())
        .init();
    let outcome = match args.command {
        Command::Dev(mut dev) => match dev.action.take() {
            Some(DevAction::Token(token)) => cmd::token::run(token).await,
            None => cmd::dev::run(*dev).await,
        },
        Command::Demo => cmd::demo::run().await,
    };
    outcome.unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::FAILURE
    })
}
