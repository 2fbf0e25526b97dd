//! What became of a write whose answer was lost: said when it is known, and never guessed.

use std::time::Duration;

use torii_backend::{Error, Patch, UpdateUser};

use super::{Kind, USER, eventually, found, is_transport, lost, made, somebody, with_both};
use crate::support::faultd::{Faultd, Reply, Script, Step};

const CALLS: usize = 100;

#[test]
fn a_delete_whose_answer_is_lost_is_sent_once_and_left_in_doubt() {
    for kind in Kind::BOTH {
        let server = Faultd::start(lost());
        let client = kind.client(server.url());
        let mut unknown = 0;
        for _ in 0..CALLS {
            let error = made!(client, torii => torii.users().delete(USER)).unwrap_err();
            let Error::OutcomeUnknown(doubt) = error else {
                panic!("{kind:?}: {error:?}");
            };
            assert_eq!(doubt.operation(), "users.delete");
            assert_eq!(doubt.endpoint(), "DELETE /users/{userId}");
            assert_eq!(doubt.attempts(), 1);
            assert!(doubt.hint().contains("still there"), "{}", doubt.hint());
            let source = std::error::Error::source(&*doubt).unwrap();
            assert!(matches!(source.downcast_ref(), Some(Error::Transport(e)) if e.may_have_been_sent()));
            unknown += 1;
        }
        println!(
            "D27 {kind:?}: {CALLS} deletes, answers lost: {} requests, {unknown} in doubt",
            server.count()
        );
        assert_eq!(server.count(), CALLS);
    }
}

#[test]
fn a_create_whose_answer_is_lost_is_sent_once_and_left_in_doubt() {
    for kind in Kind::BOTH {
        let server = Faultd::start(lost());
        let client = kind.client(server.url());
        let mut unknown = 0;
        for _ in 0..CALLS {
            let error = made!(client, torii => torii.users().create(&somebody())).unwrap_err();
            let Error::OutcomeUnknown(doubt) = error else {
                panic!("{kind:?}: {error:?}");
            };
            assert_eq!(
                (doubt.operation(), doubt.endpoint().as_str()),
                ("users.create", "POST /users")
            );
            assert_eq!(doubt.attempts(), 1);
            assert!(doubt.hint().contains("look"), "{}", doubt.hint());
            unknown += 1;
        }
        println!(
            "D27 {kind:?}: {CALLS} creates, answers lost: {} requests, {unknown} in doubt",
            server.count()
        );
        assert_eq!(server.count(), CALLS);
    }
}

#[test]
fn a_failing_server_leaves_a_write_in_doubt_with_its_refusal() {
    for kind in Kind::BOTH {
        for status in [500, 502, 503, 504] {
            let server = Faultd::start(
                Reply::new(status).body(r#"{"status": 999, "code": "broken", "supportId": "sup_7"}"#),
            );
            let client = kind.client(server.url());
            let error = made!(client, torii => torii.users().create(&somebody())).unwrap_err();
            assert!(
                matches!(error, Error::OutcomeUnknown(_)),
                "{kind:?}, {status}: {error:?}"
            );
            assert_eq!(error.status().unwrap(), status, "the HTTP status counts");
            assert_eq!(error.as_api().unwrap().code(), Some("broken"));
            assert_eq!(error.as_api().unwrap().support_id(), Some("sup_7"));
            assert_eq!(server.count(), 1, "{kind:?}, {status}");
        }
    }
}

#[test]
fn a_read_is_repeated_until_an_answer_arrives() {
    for kind in Kind::BOTH {
        let server = Faultd::start(found());
        server.play([lost(), lost(), found().into()]);
        let client = kind.client(server.url());
        let reply = made!(client, torii => torii.users().get(USER)).unwrap();
        assert_eq!((reply.attempts(), server.count()), (3, 3), "{kind:?}");
    }
}

#[test]
fn an_idempotent_write_is_repeated_once() {
    let patch = UpdateUser {
        first_name: Patch::Set("Ada".to_owned()),
        ..UpdateUser::default()
    };
    for kind in Kind::BOTH {
        let server = Faultd::start(found());
        server.play([lost(), found().into()]);
        let client = kind.client(server.url());
        let reply = made!(client, torii => torii.users().update(USER, &patch)).unwrap();
        assert_eq!(reply.attempts(), 2, "{kind:?}");
        let requests = server.requests();
        assert_eq!(requests[0].body, requests[1].body, "{kind:?}");

        server.set(lost());
        let error = made!(client, torii => torii.users().ban(USER)).unwrap_err();
        let Error::Transport(error) = error else {
            panic!("{kind:?}: {error:?}");
        };
        assert_eq!(
            (error.attempts(), error.may_have_been_sent()),
            (2, true),
            "{kind:?}"
        );
        assert_eq!(server.count(), 4, "{kind:?}");
    }
}

#[test]
fn an_idempotent_write_is_not_repeated_late() {
    with_both(|kind| {
        let server = Faultd::start(lost().after(Duration::from_millis(2050)));
        let client = kind.client(server.url());
        made!(client, torii => torii.users().ban(USER)).unwrap_err();
        assert_eq!(server.count(), 1, "{kind:?}");
    });
}

#[test]
fn an_answer_that_arrived_counts_whatever_follows() {
    for kind in Kind::BOTH {
        let answer = Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
        let server = Faultd::start(Script::new([answer, Step::Reset]));
        for _ in 0..10 {
            let client = kind.client(server.url());
            made!(client, torii => torii.users().delete(USER)).unwrap();
        }
        assert_eq!(server.count(), 10, "{kind:?}");
    }
}

/// D28: what a client can know. A connection that was refused sent nothing, so the write is repeated, once.
#[test]
fn a_create_is_repeated_over_refused_connections_and_never_doubled() {
    with_both(|kind| {
        let server = Faultd::start(found());
        let (mut created, mut repeated, mut refused) = (0, 0, 0);
        for call in 0..CALLS {
            server.down();
            let client = kind.client(server.url());
            std::thread::scope(|scope| {
                let creating = scope.spawn(|| made!(client, torii => torii.users().create(&somebody())));
                std::thread::sleep(Duration::from_millis(call as u64 % 20));
                server.up();
                match creating.join().unwrap() {
                    Ok(reply) => {
                        created += 1;
                        repeated += usize::from(reply.attempts() > 1);
                    }
                    Err(Error::Transport(error)) => {
                        assert!(
                            !error.may_have_been_sent() && error.attempts() == 2,
                            "{kind:?}: {error:?}"
                        );
                        refused += 1;
                    }
                    Err(error) => panic!("{kind:?}: {error:?}"),
                }
            });
        }
        println!(
            "D28 {kind:?}: {CALLS} creates at a server that comes up: {created} created ({repeated} after a retry), \
             {refused} known as not sent, 0 in doubt, {} requests",
            server.count()
        );
        assert_eq!(server.count(), created, "none was lost, none was doubled");
        assert!(repeated > 0 && created + refused == CALLS);
    });
}

/// D28, the other side: a reset after our write looks the same whether the server read it or not.
#[test]
fn a_create_reset_before_it_is_read_is_in_doubt_or_known_as_not_sent() {
    with_both(|kind| {
        let server = Faultd::start(Script::new([Step::Reset]).unread());
        let client = kind.client(server.url());
        let (mut in_doubt, mut not_sent) = (0, 0);
        for _ in 0..CALLS {
            match made!(client, torii => torii.users().create(&somebody())).unwrap_err() {
                Error::OutcomeUnknown(_) => in_doubt += 1,
                error if is_transport(&error, super::HttpErrorKind::Connect) => not_sent += 1,
                error => panic!("{kind:?}: {error:?}"),
            }
        }
        println!(
            "D28 {kind:?}: {CALLS} creates reset before they are read: {in_doubt} in doubt, {not_sent} not sent"
        );
        assert_eq!(server.count(), 0);
    });
}

#[test]
fn a_connection_that_the_server_closed_while_idle_is_not_used() {
    const CREATES: usize = 200;
    const NOTICE: Duration = Duration::from_millis(20);
    with_both(|kind| {
        let server = Faultd::start(created_and_closed());
        let client = kind.client(server.url());
        let mut errors = 0;
        for _ in 0..CREATES {
            errors += usize::from(made!(client, torii => torii.users().create(&somebody())).is_err());
            eventually("the server closes", || server.connections() == 0);
            // The close has arrived; a busy machine may take a moment to tell the runtime.
            std::thread::sleep(NOTICE);
        }
        println!(
            "D30 {kind:?}: {CREATES} creates over connections closed while idle: {errors} errors, {} requests",
            server.count()
        );
        assert_eq!((errors, server.count()), (0, CREATES), "{kind:?}");
    });
}

/// The close and the next request cross: nobody can tell, so nothing is repeated.
#[test]
fn a_connection_closed_under_a_create_never_doubles_it() {
    const CREATES: usize = 200;
    for kind in Kind::BOTH {
        let reply = format!(
            "HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n",
            super::user().len()
        );
        let reply = [reply.into_bytes(), super::user()].concat();
        let server = Faultd::start(Script::new([Step::Send(reply), Step::Close]));
        let client = kind.client(server.url());
        let (mut created, mut in_doubt) = (0, 0);
        for _ in 0..CREATES {
            match made!(client, torii => torii.users().create(&somebody())) {
                Ok(_) => created += 1,
                Err(Error::OutcomeUnknown(_)) => in_doubt += 1,
                Err(error) => panic!("{kind:?}: {error:?}"),
            }
        }
        println!(
            "D30 {kind:?}: {CREATES} creates at once over connections being closed: {created} created, \
             {in_doubt} in doubt, {} requests",
            server.count()
        );
        assert_eq!(server.count(), created, "{kind:?}");
    }
}

/// Answers as if the connection could be used again, and closes it.
fn created_and_closed() -> Script {
    let user = super::user();
    let head = format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n", user.len());
    Script::raw([head.into_bytes(), user].concat())
}
