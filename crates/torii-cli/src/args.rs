//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

/// A local torii for development and tests.
#[derive(Debug, Parser)]
#[command(name = "torii", version, arg_required_else_help = true)]
pub(crate) struct Args {
    /// Say more about what happens, on standard error; twice for every detail.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a local torii: the backend API, the key set and signed tokens, on SQLite.
    Dev(Dev),
    /// Show the SDK at work against a local torii in memory.
    Demo,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Dev {
    /// The address to listen on. Any but a loopback one lets other machines in.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 4010)]
    pub(crate) port: u16,
    /// Where users and sessions are kept; the signing keys lie beside it. Unless given, it is `.torii/dev.db` in this
    /// folder, which git is told to ignore.
    #[arg(long, value_name = "FILE", conflicts_with = "in_memory")]
    pub(crate) db: Option<PathBuf>,
    /// Keep nothing: start empty, with new keys.
    #[arg(long)]
    pub(crate) in_memory: bool,
    /// The secret key of the backend API; further ones open further environments.
    #[arg(long, value_name = "KEY", default_value = torii_emulator::DEFAULT_SECRET_KEY)]
    pub(crate) secret_key: Vec<String>,
    /// Say where it is in one line of JSON, once it accepts connections.
    #[arg(long)]
    pub(crate) json: bool,
    /// Run this with TORII_ISSUER, TORII_API_URL and TORII_SECRET_KEY set, and exit with its code. Signals are passed on
    /// to it and to what it has started.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

impl Args {
    pub(crate) fn log_level(&self) -> LevelFilter {
        match self.verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        }
    }
}
