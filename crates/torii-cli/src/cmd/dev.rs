//! `torii dev`: a local torii until somebody stops it, or for as long as a command runs.

use std::error::Error;
use std::io;
use std::process::{ExitCode, ExitStatus};

use serde_json::json;
use tokio::process::{Child, Command};
use torii_emulator::{Emulator, Storage};

use crate::args::Dev;
use crate::output::{BOLD, FAINT, complain, say, styled};

pub(crate) async fn run(args: Dev) -> Result<ExitCode, Box<dyn Error>> {
    if !args.host.is_loopback() {
        complain(format_args!(
            "warning: {} can be reached by other machines",
            args.host
        ));
    }
    let mut signals = Signals::listen()?;
    let storage = if args.in_memory {
        Storage::Memory
    } else {
        Storage::File(args.db.clone())
    };
    let torii = Emulator::builder()
        .host(args.host)
        .port(args.port)
        .storage(storage)
        .secret_keys(&args.secret_key)
        .start()
        .await?;
    announce(&args, &torii);
    let code = match args.command.split_first() {
        None => {
            signals.next().await;
            Ok(ExitCode::SUCCESS)
        }
        Some((program, arguments)) => accompany(program, arguments, &torii, &mut signals).await,
    };
    torii.shutdown().await;
    code
}

fn announce(args: &Dev, torii: &Emulator) {
    let (issuer, api_url, secret_key) = (torii.issuer(), torii.api_url(), torii.secret_key());
    if args.json {
        let pid = std::process::id();
        say(json!({"issuer": issuer, "apiUrl": api_url, "secretKey": secret_key, "pid": pid}));
        return;
    }
    if !args.command.is_empty() {
        // Standard output is the command's.
        return;
    }
    let kept = if args.in_memory {
        "in memory".into()
    } else {
        args.db.display().to_string()
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
    say("");
    say(styled(FAINT, "Create a user:"));
    say(format_args!(
        "  curl {api_url}/api/server/v1/users -H 'Authorization: Bearer {secret_key}' \\\n       \
         -H 'Content-Type: application/json' -d '{{\"email\":\"ada@example.com\"}}'"
    ));
}

/// Runs a command beside the local torii. A signal ends the command first.
async fn accompany(
    program: &str,
    arguments: &[String],
    torii: &Emulator,
    signals: &mut Signals,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("TORII_ISSUER", torii.issuer())
        .env("TORII_API_URL", torii.api_url())
        .env("TORII_SECRET_KEY", torii.secret_key())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(exit_code(status?)),
            signal = signals.next() => signal.pass_on(&mut child)?,
        }
    }
}

/// The command's own code; for a command that a signal ended, 128 and the signal, as shells have it.
fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX));
    }
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A wish to stop.
#[derive(Clone, Copy)]
enum Signal {
    /// From the terminal, which has told the command too.
    Interrupt,
    /// From elsewhere, to us alone.
    Terminate,
}

impl Signal {
    fn pass_on(self, child: &mut Child) -> io::Result<()> {
        match self {
            Self::Interrupt => Ok(()),
            Self::Terminate => child.start_kill(),
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hangup.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
