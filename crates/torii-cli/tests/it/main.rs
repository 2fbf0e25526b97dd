//! The binary from outside: what it prints, and the code it exits with.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[cfg(unix)]
mod signals;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

#[test]
fn the_demo_succeeds_and_prints_no_colour_into_a_pipe() {
    let output = torii(&["demo"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.ends_with("✓ Everything is as it should be.\n"), "{text}");
    assert!(text.contains("the key set was fetched once"), "{text}");
    assert!(
        text.contains(r#"{"firstName":"Augusta","lastName":null}"#),
        "{text}"
    );
    for code in ["bad_signature", "expired", "alg_not_allowed"] {
        assert!(text.contains(code), "{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn dev_says_where_it_is_in_one_line_of_json_once_it_accepts_connections() {
    let dev = Dev::start(&["--in-memory", "--port", "0"]);
    assert_eq!(dev.place["secretKey"], "sk_test_local");
    assert_eq!(dev.place["issuer"], dev.place["apiUrl"]);
    assert_eq!(dev.place["pid"], dev.child.id());
    let health = dev.get("/_emulator/v1/health");
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(health.ends_with(r#"{"status":"ok"}"#), "{health}");
}

#[test]
fn dev_takes_the_secret_key_that_it_is_given() {
    let dev = Dev::start(&["--in-memory", "--port", "0", "--secret-key", "sk_test_mine"]);
    assert_eq!(dev.place["secretKey"], "sk_test_mine");
}

#[cfg(unix)]
#[test]
fn dev_stops_at_once_and_cleanly_when_it_is_told_to() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut dev = Dev::start(&["--in-memory", "--port", "0"]);
        let stopped = Command::new("kill")
            .args([signal, &dev.child.id().to_string()])
            .status()
            .unwrap();
        assert!(stopped.success());
        let start = Instant::now();
        assert!(dev.child.wait().unwrap().success(), "{signal}");
        assert!(start.elapsed() < Duration::from_secs(3), "{signal}");
        TcpListener::bind(dev.address()).unwrap_or_else(|error| panic!("{signal}: {error}"));
    }
}

#[test]
fn dev_keeps_users_and_keys_in_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("torii.db");
    let keys = |dev: &Dev| {
        dev.get("/_torii/.well-known/jwks.json")
            .split_once("\r\n\r\n")
            .unwrap()
            .1
            .to_owned()
    };
    let arguments = ["--port", "0", "--db", db.to_str().unwrap()];
    let first = keys(&Dev::start(&arguments));
    assert_eq!(keys(&Dev::start(&arguments)), first);
}

#[cfg(unix)]
#[test]
fn dev_runs_a_command_in_its_environment_and_exits_with_its_code() {
    let script = r#"echo "$TORII_ISSUER $TORII_API_URL $TORII_SECRET_KEY"; exit 7"#;
    let output = torii(&["dev", "--in-memory", "--port", "0", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7));
    let text = String::from_utf8(output.stdout).unwrap();
    let [issuer, api_url, secret_key] = text.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    assert!(issuer.starts_with("http://127.0.0.1:"), "{text}");
    assert_eq!((api_url, secret_key), (issuer, "sk_test_local"));
}

#[cfg(unix)]
#[test]
fn a_command_that_a_signal_ended_has_the_code_that_shells_give_it() {
    let output = torii(&[
        "dev",
        "--in-memory",
        "--port",
        "0",
        "--",
        "sh",
        "-c",
        "kill -KILL $$",
    ]);
    assert_eq!(output.status.code(), Some(128 + 9));
}

#[test]
fn bad_input_gets_one_clear_line_and_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let corrupt = folder.path().join("corrupt.db");
    std::fs::write(
        &corrupt,
        "this is not a database, however long one looks at it".repeat(100),
    )
    .unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let in_no_folder = folder.path().join("missing").join("torii.db");
    let text = |path: &Path| path.to_str().unwrap().to_owned();

    for (arguments, said) in [
        (
            vec!["dev".into(), "--in-memory".into(), "--port".into(), port],
            "--port 0",
        ),
        (
            vec![
                "dev".into(),
                "--port".into(),
                "0".into(),
                "--db".into(),
                text(&corrupt),
            ],
            "corrupt.db",
        ),
        (
            vec![
                "dev".into(),
                "--port".into(),
                "0".into(),
                "--db".into(),
                text(&in_no_folder),
            ],
            "torii.db",
        ),
        (
            vec![
                "dev".into(),
                "--port".into(),
                "0".into(),
                "--db".into(),
                text(folder.path()),
            ],
            "cannot use",
        ),
        (
            vec!["dev".into(), "--in-memory".into(), "--db".into(), "x.db".into()],
            "--in-memory",
        ),
        (
            vec!["dev".into(), "--db".into(), ":memory:".into()],
            "--in-memory",
        ),
        (
            vec![
                "dev".into(),
                "--in-memory".into(),
                "--secret-key".into(),
                "sk_live_no".into(),
            ],
            "sk_live_",
        ),
        (
            vec![
                "dev".into(),
                "--in-memory".into(),
                "--port".into(),
                "65536".into(),
            ],
            "65536",
        ),
        (
            vec![
                "dev".into(),
                "--in-memory".into(),
                "--port".into(),
                "0".into(),
                "--".into(),
                "/no/such".into(),
            ],
            "/no/such",
        ),
        (
            vec![
                "dev".into(),
                "--in-memory".into(),
                "--issuer".into(),
                "http://torii/path".into(),
            ],
            "http://torii/path",
        ),
        (
            vec![
                "dev".into(),
                "--in-memory".into(),
                "--allow-host".into(),
                "torii:4010".into(),
            ],
            "torii:4010",
        ),
        (
            vec![
                "dev".into(),
                "--in-memory".into(),
                "--control-token".into(),
                "short".into(),
            ],
            "control token",
        ),
        (
            vec![
                "dev".into(),
                "--in-memory".into(),
                "--host".into(),
                "torii".into(),
            ],
            "an address of this machine",
        ),
        (vec!["dev".into(), "--frobnicate".into()], "--frobnicate"),
        (vec!["frobnicate".into()], "frobnicate"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = torii(&arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(complaint.lines().count(), 1, "{arguments:?}: {complaint}");
        assert!(
            complaint.starts_with("torii: ") && complaint.contains(said),
            "{arguments:?}: {complaint}"
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let untouched = std::fs::read(&corrupt).unwrap();
    assert!(untouched.starts_with(b"this is not a database"));
}

#[test]
fn a_project_keeps_its_torii_in_a_folder_that_git_ignores() {
    let project = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let start = || {
        let child = command(&["dev", "--json", "--port", "0"])
            .current_dir(project.path())
            .env("HOME", home.path())
            .env("XDG_DATA_HOME", home.path().join("data"))
            .stdout(Stdio::piped())
            .spawn();
        Dev::of(child.unwrap())
    };
    let first = start().get("/_torii/.well-known/jwks.json");
    let keys = |reply: &str| reply.rsplit("\r\n\r\n").next().unwrap().to_owned();
    let second = start().get("/_torii/.well-known/jwks.json");
    assert_eq!(keys(&first), keys(&second));
    let left: Vec<_> = std::fs::read_dir(project.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let folder = project.path().join(".torii");
    assert_eq!(std::fs::read_to_string(folder.join(".gitignore")).unwrap(), "*\n");
    // The keys are not in the project.
    let names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!names.iter().any(|name| name.contains("keys")), "{names:?}");
    #[cfg(target_os = "linux")]
    assert_eq!(
        std::fs::read_dir(home.path().join("data/torii/keys"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn dev_token_prints_a_token_of_a_user_of_the_running_torii() {
    let dev = Dev::start(&["--in-memory", "--port", "0"]);
    let url = dev.place["apiUrl"].as_str().unwrap();
    let token = |arguments: &[&str]| torii(&[&["dev", "token", "--url", url], arguments].concat());
    let missing = token(&["ada@example.com"]);
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("--create"));

    let first = payload(&token(&["ada@example.com", "--create"]));
    assert_eq!(first["iss"], url);
    let expired = payload(&token(&["Ada@Example.com", "--expires-in", "-5"]));
    assert_eq!(expired["sub"], first["sub"]);
    assert!(expired["exp"].as_i64() < expired["iat"].as_i64());
    let by_id = payload(&token(&[first["sub"].as_str().unwrap()]));
    assert_eq!(by_id["sub"], first["sub"]);

    for (arguments, said) in [
        (
            vec!["--url", "http://127.0.0.1:1", "ada@example.com"],
            "127.0.0.1:1",
        ),
        (vec!["--url", url, "01931a73-8b00-7000-8000-000000000000"], "404"),
    ] {
        let failed = torii(&[&["dev", "token"], &arguments[..]].concat());
        let complaint = String::from_utf8(failed.stderr).unwrap();
        assert_eq!(failed.status.code(), Some(1), "{complaint}");
        assert!(
            complaint.lines().count() == 1 && complaint.contains(said),
            "{complaint}"
        );
    }
}

#[test]
fn dev_can_be_known_by_another_address_and_its_control_plane_guarded_by_a_token() {
    let dev = Dev::start(&[
        "--in-memory",
        "--port",
        "0",
        "--issuer",
        "http://torii.test:4010/",
        "--control-token",
        "correct-horse",
    ]);
    assert_eq!(dev.place["issuer"], "http://torii.test:4010");
    assert_eq!(
        dev.place["jwksUrl"],
        "http://torii.test:4010/_torii/.well-known/jwks.json"
    );
    let url = dev.place["apiUrl"].as_str().unwrap();
    let arguments = ["dev", "token", "--url", url, "--create", "ada@example.com"];
    let refused = torii(&arguments);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("control token")
    );
    let granted = command(&arguments)
        .env("TORII_CONTROL_TOKEN", "correct-horse")
        .output()
        .unwrap();
    assert_eq!(payload(&granted)["iss"], "http://torii.test:4010");
}

/// The claims of the token that was printed.
fn payload(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let part = text.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn idle_connections_make_room_for_new_ones_the_longest_idle_first() {
    /// More than are served at a time.
    const CLIENTS: usize = 950;
    const SERVED: usize = 900;
    let dev = Dev::start(&["--in-memory", "--port", "0"]);
    let address = dev.address();
    let mut buffer = [0; 1_024];
    let mut clients: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let mut client = TcpStream::connect(&address).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            write!(
                client,
                "GET /_emulator/v1/health HTTP/1.1\r\nhost: {address}\r\n\r\n"
            )
            .unwrap();
            assert!(client.read(&mut buffer).unwrap() > 0);
            client
        })
        .collect();
    for closed in &mut clients[..CLIENTS - SERVED] {
        assert_eq!(closed.read(&mut buffer).unwrap_or_default(), 0);
    }
    for open in [CLIENTS - SERVED, CLIENTS - 1] {
        clients[open].set_nonblocking(true).unwrap();
        let error = clients[open].read(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn a_second_dev_on_one_database_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("torii.db");
    let arguments = ["--port", "0", "--db", db.to_str().unwrap()];
    let _first = Dev::start(&arguments);
    let second = torii(&[&["dev"], &arguments[..]].concat());
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8(second.stderr).unwrap().contains("in use"));
}

fn torii(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_torii"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["TORII_API_URL", "TORII_SECRET_KEY", "TORII_CONTROL_TOKEN"] {
        command.env_remove(name);
    }
    command
}

/// A running `torii dev --json`, ended with the test.
struct Dev {
    child: Child,
    place: Value,
    _stdout: BufReader<ChildStdout>,
}

impl Dev {
    fn start(arguments: &[&str]) -> Self {
        let child = command(&[&["dev", "--json"], arguments].concat())
            .stdout(Stdio::piped())
            .spawn();
        Self::of(child.unwrap())
    }

    fn of(mut child: Child) -> Self {
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self {
            child,
            place: serde_json::from_str(&line).unwrap(),
            _stdout: stdout,
        }
    }

    fn address(&self) -> String {
        self.place["apiUrl"]
            .as_str()
            .unwrap()
            .strip_prefix("http://")
            .unwrap()
            .to_owned()
    }

    fn get(&self, path: &str) -> String {
        let address = self.address();
        let mut socket = TcpStream::connect(&address).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        socket.read_to_string(&mut reply).unwrap();
        reply
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
