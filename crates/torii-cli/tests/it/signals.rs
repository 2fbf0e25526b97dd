//! What `torii dev -- COMMAND` does with signals.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::command;

/// `torii dev` with a shell script as its command, once the script has said `ready`.
struct Accompanied {
    torii: Child,
    stdout: BufReader<ChildStdout>,
}

impl Accompanied {
    fn start(script: &str) -> Self {
        let mut torii = command(&["dev", "--in-memory", "--port", "0", "--", "sh", "-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(torii.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { torii, stdout }
    }

    fn signal(&self, signal: &str) {
        let id = self.torii.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// All that was printed by the time when nobody holds the pipe any more, and the exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.torii.wait().unwrap().code())
    }
}

#[test]
fn the_command_is_told_and_gets_the_time_to_clean_up() {
    for (signal, name) in [
        ("-TERM", "TERM"),
        ("-HUP", "HUP"),
        ("-INT", "INT"),
        ("-QUIT", "QUIT"),
    ] {
        let script = format!(
            "trap 'sleep 0.5; echo cleaned up; exit 7' {name}; echo ready; while :; do sleep 0.05; done"
        );
        let dev = Accompanied::start(&script);
        dev.signal(signal);
        assert_eq!(dev.end(), ("cleaned up\n".to_owned(), Some(7)), "{signal}");
    }
}

#[test]
fn what_the_command_has_started_is_told_too() {
    // The command ends at once; what it has started cleans up for longer.
    let dev = Accompanied::start(
        "sh -c 'trap \"sleep 0.5; echo cleaned up; exit\" TERM; echo ready; while :; do sleep 0.05; done' & wait",
    );
    dev.signal("-TERM");
    assert_eq!(dev.end(), ("cleaned up\n".to_owned(), Some(128 + 15)));
}

#[test]
fn a_command_that_does_not_end_is_killed_with_all_that_it_has_started() {
    let dev =
        Accompanied::start("trap '' TERM; sh -c 'echo ready; while :; do sleep 0.05; done' & wait; wait");
    dev.signal("-TERM");
    // The pipe ends with the last process that holds it.
    assert_eq!(dev.end(), (String::new(), Some(128 + 9)));
}

#[test]
fn a_command_that_survives_ctrl_c_goes_on() {
    let dev = Accompanied::start(
        "trap 'echo interrupted' INT; echo ready; n=0; while [ $n -lt 10 ]; do sleep 0.05; n=$((n+1)); done; exit 3",
    );
    dev.signal("-INT");
    assert_eq!(dev.end(), ("interrupted\n".to_owned(), Some(3)));
}

#[test]
fn a_command_that_cannot_be_run_has_the_code_that_shells_give_it() {
    for (program, code) in [("/no/such/program", 127), ("/dev/null", 126)] {
        let output = command(&["dev", "--in-memory", "--port", "0", "--", program])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{program}");
    }
}
