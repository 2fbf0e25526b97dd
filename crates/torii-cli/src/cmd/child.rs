//! A command that runs beside the local torii: what tells us to stop, tells the command and all that it has started.

use std::error::Error;
use std::io;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::signals::{Signal, Signals};
use crate::output::complain;

/// How long the command may take to end after a signal that asks for it. Shorter than the ten seconds after which
/// container engines kill what they have asked to stop: nobody would end the command after that.
const GRACE: Duration = Duration::from_secs(8);
/// How often we look whether the rest of the command's group has ended.
#[cfg(unix)]
const GROUP_POLL: Duration = Duration::from_millis(20);
/// The exit codes by which shells say that a command was not found, or could not be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// Runs `command` to its end and returns its exit code.
pub(super) async fn run(mut command: Command, signals: &mut Signals) -> Result<ExitCode, Box<dyn Error>> {
    let audience = Audience::of(&mut command);
    let mut child = match command.kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) => {
            let program = command.as_std().get_program().display();
            complain(format_args!("cannot run {program}: {error}"));
            let found = error.kind() != io::ErrorKind::NotFound;
            return Ok(ExitCode::from(if found { NOT_RUN } else { NOT_FOUND }));
        }
    };
    // When what is left is killed: unknown until a signal asks for the end.
    let mut deadline: Option<Instant> = None;
    loop {
        let patience = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => {
                if let Some(deadline) = deadline {
                    audience.outlive(deadline).await;
                }
                return Ok(exit_code(status?));
            }
            signal = signals.next() => {
                audience.tell(signal, &mut child)?;
                if signal.asks_for_the_end() {
                    deadline.get_or_insert_with(|| Instant::now() + GRACE);
                }
            }
            () = patience => {
                complain(format_args!("the command did not end within {} s and is killed", GRACE.as_secs()));
                audience.tell(Signal::Kill, &mut child)?;
                deadline = None;
            }
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

/// Who hears of a signal.
///
/// In a terminal, the command stays in our process group, so that it can read from the terminal. Ctrl-C and Ctrl-\ then
/// reach the command, and what it has started, without us; other signals are for the command alone. Everywhere else the
/// command leads a group of its own, and every signal goes to the whole group.
#[cfg(unix)]
enum Audience {
    Command,
    Group(std::cell::OnceCell<rustix::process::Pid>),
}

#[cfg(unix)]
impl Audience {
    fn of(command: &mut Command) -> Self {
        use std::io::IsTerminal as _;
        if io::stdin().is_terminal() {
            return Self::Command;
        }
        command.process_group(0);
        Self::Group(std::cell::OnceCell::new())
    }

    fn tell(&self, signal: Signal, child: &mut Child) -> io::Result<()> {
        use rustix::process::{Pid, kill_process, kill_process_group};
        // Without an id, the command has ended.
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else {
            return Ok(());
        };
        let told = match self {
            Self::Command if signal.comes_from_terminals() => return Ok(()),
            Self::Command => kill_process(pid, signal.number()),
            Self::Group(group) => kill_process_group(*group.get_or_init(|| pid), signal.number()),
        };
        match told {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// After the command has ended, waits for the rest of its group, and kills what is left at `deadline`.
    async fn outlive(&self, deadline: Instant) {
        use rustix::process::{Signal, kill_process_group, test_kill_process_group};
        let Self::Group(group) = self else { return };
        let Some(group) = group.get().copied() else { return };
        while test_kill_process_group(group).is_ok() {
            if Instant::now() >= deadline {
                // It fails if the last one has just ended.
                let _ = kill_process_group(group, Signal::KILL);
                return;
            }
            tokio::time::sleep(GROUP_POLL).await;
        }
    }
}

/// Only Ctrl-C comes, and the console tells the command too.
#[cfg(not(unix))]
struct Audience;

#[cfg(not(unix))]
impl Audience {
    fn of(_: &mut Command) -> Self {
        Self
    }

    fn tell(&self, signal: Signal, child: &mut Child) -> io::Result<()> {
        match signal {
            Signal::Interrupt => Ok(()),
            Signal::Kill => child.start_kill(),
        }
    }

    async fn outlive(&self, _: Instant) {}
}
