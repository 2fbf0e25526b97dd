//! `torii dev`: a local torii until somebody stops it, or for as long as a command runs.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use etcetera::base_strategy::{BaseStrategy as _, choose_native_strategy};
use serde_json::json;
use tokio::process::Command;
use torii_emulator::{Emulator, StartError, Storage};

use super::child;
use super::signals::Signals;

use crate::args::Dev;
use crate::output::{BOLD, FAINT, say, styled};

/// Where a project's local torii keeps its files, in the project's folder.
const PROJECT_FOLDER: &str = ".torii";
const PROJECT_DATABASE: &str = "dev.db";
/// Below the data folder of the account.
const DATA_FOLDER: &str = "torii";
const KEYS_FOLDER: &str = "keys";
/// Where `torii dev token` looks.
const DEFAULT_URL: &str = "http://127.0.0.1:4010";
/// A name that SQLite takes for "in memory".
const SQLITE_MEMORY: &str = ":memory:";

pub(crate) async fn run(args: Dev) -> Result<ExitCode, Box<dyn Error>> {
    let mut signals = Signals::listen()?;
    let storage = match &args.db {
        _ if args.in_memory => Storage::Memory,
        Some(path) if path.as_os_str() == SQLITE_MEMORY => {
            return Err(format!("`--db {SQLITE_MEMORY}` keeps nothing: say --in-memory").into());
        }
        Some(path) => Storage::File(path.clone()),
        None => Storage::File(project_database()?),
    };
    let mut builder = Emulator::builder()
        .host(args.host)
        .port(args.port)
        .storage(storage.clone())
        .secret_keys(&args.secret_key);
    if args.db.is_none()
        && let Some(folder) = keys_folder()
    {
        builder = builder.keys_folder(folder);
    }
    if let Some(issuer) = &args.issuer {
        builder = builder.issuer(issuer);
    }
    for name in &args.allow_host {
        builder = builder.allow_host(name);
    }
    if let Some(token) = &args.control_token {
        builder = builder.control_token(token);
    }
    let torii = builder.start().await.map_err(with_advice)?;
    announce(&args, &storage, &torii);
    let code = match args.command.split_first() {
        None => {
            signals.next().await;
            Ok(ExitCode::SUCCESS)
        }
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .env("TORII_ISSUER", torii.issuer())
                .env("TORII_API_URL", torii.api_url())
                .env("TORII_SECRET_KEY", torii.secret_key());
            child::run(command, &mut signals).await
        }
    };
    torii.shutdown().await;
    code
}

fn announce(args: &Dev, storage: &Storage, torii: &Emulator) {
    let (issuer, api_url, secret_key) = (torii.issuer(), torii.api_url(), torii.secret_key());
    if args.json {
        let pid = std::process::id();
        say(json!({
            "issuer": issuer, "apiUrl": api_url, "secretKey": secret_key, "pid": pid,
            "secretKeys": args.secret_key, "environmentId": torii.environment_id(),
            "jwksUrl": format!("{issuer}/_torii/.well-known/jwks.json"),
            "signInUrl": format!("{issuer}/sign-in"), "version": env!("CARGO_PKG_VERSION"),
        }));
        return;
    }
    if !args.command.is_empty() {
        // Standard output is the command's.
        return;
    }
    let kept = match storage {
        Storage::File(path) => path.display().to_string(),
        _ => "in memory".to_owned(),
    };
    say(format_args!(
        "{} {}",
        styled(BOLD, "A local torii is running."),
        styled(FAINT, "Ctrl-C stops it.")
    ));
    say("");
    say(format_args!("  issuer      {issuer}"));
    say(format_args!("  API         {api_url}"));
    say(format_args!("  secret key  {secret_key}"));
    say(format_args!("  kept        {kept}"));
    say(format_args!(
        "  sign in     {issuer}/sign-in?redirect_url=http://localhost:3000/"
    ));
    say("");
    say(styled(FAINT, "A token, of a user that is created if need be:"));
    let elsewhere = match api_url == DEFAULT_URL {
        true => String::new(),
        false => format!(" --url {api_url}"),
    };
    say(format_args!(
        "  torii dev token ada@example.com --create{elsewhere}"
    ));
    say(styled(FAINT, "A call of the API:"));
    say(format_args!(
        "  curl {api_url}/api/server/v1/users/search -X POST -H 'Authorization: Bearer {secret_key}'"
    ));
}

/// Where signing keys are kept that are nobody else's business: not in a project, which gets copied and committed. `None`
/// for an account without a home; they lie beside the database then.
fn keys_folder() -> Option<PathBuf> {
    let account = choose_native_strategy().ok()?;
    Some(account.data_dir().join(DATA_FOLDER).join(KEYS_FOLDER))
}

/// The database of this folder's project. Its folder is made when needed, and tells git to ignore it: hashes of passwords
/// lie in it.
fn project_database() -> Result<PathBuf, String> {
    let folder = Path::new(PROJECT_FOLDER);
    let made = std::fs::create_dir_all(folder).and_then(|()| {
        let ignore = folder.join(".gitignore");
        match ignore.exists() {
            true => Ok(()),
            false => std::fs::write(ignore, "*\n"),
        }
    });
    made.map_err(|error| format!("cannot use {PROJECT_FOLDER}: {error}; see --db and --in-memory"))?;
    Ok(folder.join(PROJECT_DATABASE))
}

/// An address that is taken is everybody's first error, so it says what helps.
fn with_advice(error: StartError) -> Box<dyn Error> {
    match &error {
        StartError::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
            format!("{error}; `--port 0` takes a free port").into()
        }
        _ => error.into(),
    }
}
