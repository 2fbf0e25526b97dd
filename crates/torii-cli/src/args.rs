//! The command line.

use std::net::{IpAddr, Ipv4Addr};
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
    Dev(Box<Dev>),
    /// Show the SDK at work against a local torii in memory.
    Demo,
}

/// How clients of a local torii are told where it is.
const API_URL: &str = "TORII_API_URL";
const SECRET_KEY: &str = "TORII_SECRET_KEY";
const CONTROL_TOKEN: &str = "TORII_CONTROL_TOKEN";

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Dev {
    #[command(subcommand)]
    pub(crate) action: Option<DevAction>,
    /// The address to listen on. Any but a loopback one lets other machines in.
    #[arg(long, default_value = "127.0.0.1", value_parser = host)]
    pub(crate) host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 4010)]
    pub(crate) port: u16,
    /// The address by which others reach it, where that is another: tokens, discovery and links carry it. Its host is
    /// allowed.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// One more host that requests may name, as `host.docker.internal`; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Opens the control plane to other machines that have this token, and to nobody without it.
    #[arg(long, value_name = "TOKEN", env = CONTROL_TOKEN, hide_env_values = true)]
    pub(crate) control_token: Option<String>,
    /// Where users and sessions are kept, with the signing keys beside it. Unless given, it is `.torii/dev.db` in this
    /// folder, which git is told to ignore, and the keys lie in the data folder of this account.
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

#[derive(Debug, Subcommand)]
pub(crate) enum DevAction {
    /// Print a token of a user, from the local torii that is running.
    Token(Token),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Token {
    /// The user's email address or id.
    #[arg(value_name = "EMAIL|ID")]
    pub(crate) user: String,
    /// Create the user if there is none with the address.
    #[arg(long)]
    pub(crate) create: bool,
    /// How many seconds the token lasts; negative for one that has expired.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) expires_in: Option<i64>,
    /// The active organization, of which the user must be a member.
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<String>,
    /// Where the local torii is.
    #[arg(long, env = API_URL, default_value = "http://127.0.0.1:4010")]
    pub(crate) url: String,
    /// Its secret key.
    #[arg(long, value_name = "KEY", env = SECRET_KEY, hide_env_values = true, default_value = torii_emulator::DEFAULT_SECRET_KEY)]
    pub(crate) secret_key: String,
    /// The token of its control plane, if it has one.
    #[arg(long, value_name = "TOKEN", env = CONTROL_TOKEN, hide_env_values = true)]
    pub(crate) control_token: Option<String>,
}

/// An address, in brackets or not, or `localhost`.
fn host(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match text {
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        _ => bare
            .unwrap_or(text)
            .parse()
            .map_err(|_| "give an address of this machine, as 127.0.0.1, 0.0.0.0 or ::1".to_owned()),
    }
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
