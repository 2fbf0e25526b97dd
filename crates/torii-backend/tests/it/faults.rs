//! The backend API under fault: what is repeated, what is not, what it costs, and what the caller is told. Every
//! scenario runs with both clients.
#![allow(clippy::print_stdout, reason = "figures are there to be read")]

mod exchanges;
mod interrupt;
mod limits;
mod load;
mod outcomes;
mod proxies;
mod replies;
mod runtimes;
pub(crate) mod tls;

use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::Runtime;
use torii_backend::http_client::HttpErrorKind;
use torii_backend::{BlockingTorii, CreateUser, Error, Torii, ToriiBuilder};

use crate::support::faultd::{Reply, Script, Step};

pub(crate) const SECRET_KEY: &str = "sk_test_5up3rS3cretKeyOfTheFaults";
pub(crate) const USER: &str = "01931a73-8b00-7000-8000-000000000000";
/// More than anything takes that does not wait, on a busy machine too.
const PROMPT: Duration = Duration::from_secs(5);

/// Runs the asynchronous client's calls, and its connections between them.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A client of either kind.
#[derive(Clone, Debug)]
pub(crate) enum Client {
    Async(Torii),
    Blocking(BlockingTorii),
}

/// Which of the two clients.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Async,
    Blocking,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Async, Self::Blocking];

    pub(crate) fn client(self, url: impl Into<String>) -> Client {
        self.client_with(url, |builder| builder)
    }

    pub(crate) fn client_with(
        self,
        url: impl Into<String>,
        configure: impl FnOnce(ToriiBuilder) -> ToriiBuilder,
    ) -> Client {
        let builder = configure(Torii::builder(SECRET_KEY).api_url(url));
        match self {
            Self::Async => Client::Async(builder.build().unwrap()),
            Self::Blocking => Client::Blocking(builder.build_blocking().unwrap()),
        }
    }
}

/// Makes a call with a client of either kind, and waits for its [`Reply`](torii_backend::Reply) on this thread.
macro_rules! made {
    ($client:expr, $torii:ident => $call:expr) => {
        match &$client {
            $crate::faults::Client::Async($torii) => $crate::faults::RUNTIME.block_on($call.with_reply()),
            $crate::faults::Client::Blocking($torii) => $call.send_with_reply(),
        }
    };
}
pub(crate) use made;

pub(crate) fn somebody() -> CreateUser {
    CreateUser::default()
}

pub(crate) fn user() -> Vec<u8> {
    let (id, time) = (USER, "2026-05-16T09:30:00Z");
    json!({"id": id, "environmentId": id, "status": "active", "createdAt": time, "updatedAt": time})
        .to_string()
        .into_bytes()
}

pub(crate) fn found() -> Reply {
    Reply::json(user())
}

/// Reads the request and breaks the connection off.
fn lost() -> Script {
    Script::new([Step::Reset])
}

fn is_transport(error: &Error, kind: HttpErrorKind) -> bool {
    matches!(error, Error::Transport(error) if error.kind() == kind)
}

/// The error and everything below it, as an operator would print it.
fn chain(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    std::iter::successors(Some(first), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// The outcome, and how long it took to come.
fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let outcome = act();
    (outcome, started.elapsed())
}

/// Waits for something that another thread is about to bring about.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PROMPT, "did not come: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs a check with both clients at once.
pub(crate) fn with_both(check: impl Fn(Kind) + Sync) {
    std::thread::scope(|scope| {
        let check = &check;
        // The scope joins them, and panics if one did.
        for kind in Kind::BOTH {
            scope.spawn(move || check(kind));
        }
    });
}

/// What a client reads, and this machine may have set.
const NETWORK_VARIABLES: [&str; 8] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// Does something in a process of its own, with these variables set. `test` names the test that calls this: the child
/// runs it up to here. Figures that it prints are passed on.
pub(crate) fn in_a_child(test: &str, variables: &[(&str, &str)], act: impl FnOnce()) {
    const CHILD: &str = "TORII_TEST_CHILD";
    const DONE: &str = "child: done";
    if std::env::var_os(CHILD).is_some() {
        act();
        println!("{DONE}");
        std::process::exit(0);
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    for variable in NETWORK_VARIABLES {
        command.env_remove(variable).env_remove(variable.to_lowercase());
    }
    let output = command
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains(DONE), "{said}");
    for (_, figure) in said.lines().filter_map(|line| line.split_once("figure: ")) {
        println!("{figure}");
    }
}
