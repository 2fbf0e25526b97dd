//! The application ends a blocking call that waits, as Ctrl-C does.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use torii_backend::http_client::HttpErrorKind;
use torii_backend::{BlockingTorii, Call, CreateUser, Error, Patch, Torii, ToriiBuilder, UpdateUser};

use super::{SECRET_KEY, USER, found, is_transport, somebody, timed, user};
use crate::memory::{Memory, status};
use crate::support::blackhole::BlackHole;
use crate::support::faultd::{Faultd, Reply, Script, Step};

/// Until an interrupted call must have ended, on a busy machine too. What it waits for takes longer.
const SOON: Duration = Duration::from_secs(2);

/// More than the buffers between two sockets take.
const LARGE: usize = 32 * 1024 * 1024;

/// Says yes once: what comes after that is another call's business.
fn third_question() -> impl Fn() -> bool + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move || asked.fetch_add(1, Ordering::SeqCst) == 2
}

fn interruptible(url: impl Into<String>) -> BlockingTorii {
    let builder = Torii::builder(SECRET_KEY)
        .api_url(url)
        .interrupt(third_question());
    patient(builder).build_blocking().unwrap()
}

fn patient(builder: ToriiBuilder) -> ToriiBuilder {
    let minute = Duration::from_secs(60);
    builder
        .connect_timeout(minute)
        .attempt_timeout(minute)
        .call_timeout(minute)
}

fn named(name: String) -> CreateUser {
    CreateUser {
        name: Some(name),
        ..CreateUser::default()
    }
}

/// Makes a call that must be interrupted, and soon.
fn interrupted<T: std::fmt::Debug>(call: Call<torii_backend::Blocking, T>) -> Error {
    let (outcome, took) = timed(|| call.send());
    assert!(took < SOON, "{took:?}: {outcome:?}");
    outcome.unwrap_err()
}

fn is_in_doubt(error: &Error) -> bool {
    let Error::OutcomeUnknown(doubt) = error else {
        return false;
    };
    let source = std::error::Error::source(&**doubt).unwrap();
    source
        .downcast_ref()
        .is_some_and(|error| is_transport(error, HttpErrorKind::Interrupted))
}

/// Whether nothing was sent, even for a call that must not be made twice.
fn is_known_unsent(error: &Error) -> bool {
    matches!(error, Error::Transport(error)
        if error.kind() == HttpErrorKind::Interrupted && !error.may_have_been_sent())
}

#[test]
fn a_wait_for_a_connection_is_interrupted() {
    let hole = BlackHole::open();
    // Its backlog takes the connection, and nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for url in [hole.url(), format!("https://{}", silent.local_addr().unwrap())] {
        let torii = interruptible(&url);
        let error = interrupted(torii.users().create(&somebody()));
        assert!(is_in_doubt(&error), "{url}: {error:?}");
    }
}

#[test]
fn a_wait_for_the_reply_is_interrupted_and_leaves_effects_in_doubt() {
    let server = Faultd::start(Script::hang());
    let users = || interruptible(server.url()).users();
    let name = UpdateUser {
        name: Patch::Set("Ada".into()),
        ..UpdateUser::default()
    };
    for error in [
        interrupted(users().get(USER)),
        interrupted(users().update(USER, &name)),
    ] {
        assert!(is_transport(&error, HttpErrorKind::Interrupted), "{error:?}");
        assert!(!is_known_unsent(&error), "{error:?}");
    }
    for error in [
        interrupted(users().delete(USER)),
        interrupted(users().create(&somebody())),
    ] {
        assert!(is_in_doubt(&error), "{error:?}");
    }
    assert_eq!(server.count(), 4, "a call was repeated");
}

#[test]
fn a_body_that_stalls_or_drips_is_interrupted_and_its_connection_not_used_again() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec();
    let drip = Step::Drip(vec![b' '; 900], Duration::from_millis(20));
    for rest in [Step::Pause(10 * SOON), drip] {
        let server = Faultd::start(found());
        server.play([Script::new([Step::Send(head.clone()), rest]), found().into()]);
        let torii = interruptible(server.url());
        let error = interrupted(torii.users().get(USER));
        assert!(is_transport(&error, HttpErrorKind::Interrupted), "{error:?}");
        assert_eq!(torii.users().get(USER).send().unwrap().id.to_string(), USER);
        assert_eq!(server.count(), 2);
    }
}

#[test]
fn a_request_that_nobody_reads_is_interrupted() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let large = named("x".repeat(LARGE));
    let error = interrupted(interruptible(url).users().create(&large));
    assert!(is_in_doubt(&error), "{error:?}");
}

#[test]
fn a_request_that_is_read_late_arrives_whole() {
    let late = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", late.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, mut request) = (late.accept().unwrap().0, Vec::new());
        let mut chunk = vec![0; 1024 * 1024];
        // Several beats, with the buffers between full.
        thread::sleep(Duration::from_millis(300));
        while !request.ends_with(b"\"}") {
            let read = stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the request ends early");
            request.extend_from_slice(&chunk[..read]);
        }
        let body = user();
        write!(
            stream,
            "HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        stream.write_all(&body).unwrap();
        request
    });
    let letters = (0..LARGE).map(|place| char::from(b'a' + (place % 23) as u8));
    let large = named(letters.collect());
    let torii = patient(Torii::builder(SECRET_KEY).api_url(url).interrupt(|| false));
    let torii = torii.build_blocking().unwrap();
    torii.users().create(&large).send().unwrap();
    let request = server.join().unwrap();
    let body = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    assert!(
        request[body..] == *serde_json::to_vec(&large).unwrap(),
        "the body is another"
    );
}

#[test]
fn a_wait_between_two_attempts_is_interrupted() {
    let throttled = Reply::new(429).header("retry-after", 20);
    let server = Faultd::start(throttled.clone());
    server.play([throttled.into(), found().into()]);
    let torii = interruptible(server.url());
    let error = interrupted(torii.users().create(&somebody()));
    assert!(is_known_unsent(&error), "{error:?}");
    assert!(matches!(&error, Error::Transport(error) if error.attempts() == 1));
    torii.users().create(&somebody()).send().unwrap();
    assert_eq!(server.count(), 2);
}

#[test]
fn a_client_of_ones_own_is_interrupted_between_two_attempts() {
    let server = Memory::answering(|_| {
        let mut reply = status(429);
        reply.headers_mut().insert("retry-after", 20.into());
        reply
    });
    let torii = Torii::builder(SECRET_KEY)
        .http_client(server.clone())
        .interrupt(third_question());
    let error = interrupted(torii.build_blocking().unwrap().users().get(USER));
    assert!(is_transport(&error, HttpErrorKind::Interrupted), "{error:?}");
    assert_eq!(server.count(), 1);
}

#[test]
fn the_application_is_asked_on_the_thread_that_calls_and_a_no_changes_nothing() {
    let server = Faultd::start(found());
    let late = Script::from(Reply::json(user())).after(Duration::from_millis(500));
    server.set(late);
    let (caller, asked) = (thread::current().id(), Arc::new(AtomicUsize::new(0)));
    let counter = asked.clone();
    let torii = Torii::builder(SECRET_KEY)
        .api_url(server.url())
        .interrupt(move || {
            assert_eq!(thread::current().id(), caller);
            counter.fetch_add(1, Ordering::SeqCst);
            false
        });
    let torii = torii.build_blocking().unwrap();
    let (outcome, took) = timed(|| torii.users().get(USER).send());
    outcome.unwrap();
    let asked = u32::try_from(asked.load(Ordering::SeqCst)).unwrap();
    assert!(asked > 0, "nobody was asked in {took:?}");
    assert!(
        asked * ToriiBuilder::INTERRUPT_INTERVAL <= took,
        "asked {asked} times in {took:?}"
    );
    assert_eq!(server.count(), 1);
}
