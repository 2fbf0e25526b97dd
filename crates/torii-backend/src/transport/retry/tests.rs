use http::header::RETRY_AFTER;

use super::*;
use RetryClass::{Delete, Effect, Idempotent, Read};
use Verdict::{OutcomeUnknown, Return};

const PLENTY: Duration = Duration::from_secs(3600);
/// The whole of every backoff, and of every jitter.
const MOST: f64 = 1.0;
const LEAST: f64 = 0.0;

type Outcome = Result<Response<Bytes>, HttpError>;

fn reply(status: u16) -> Outcome {
    Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
}

fn reply_saying(status: u16, retry_after: &[&str]) -> Outcome {
    let mut reply = reply(status).unwrap();
    for value in retry_after {
        reply.headers_mut().append(RETRY_AFTER, value.parse().unwrap());
    }
    Ok(reply)
}

fn failed(kind: HttpErrorKind) -> Outcome {
    Err(kind.into())
}

fn after(millis: u64) -> Verdict {
    Verdict::Retry(Duration::from_millis(millis))
}

/// The verdicts on the same outcome again and again, until one is final.
fn verdicts(class: RetryClass, outcome: &Outcome) -> Vec<Verdict> {
    let (mut attempts, quota) = (Attempts::new(class, true), Quota::default());
    let mut verdicts = Vec::new();
    loop {
        let verdict = attempts.judge(outcome, false, Duration::ZERO, PLENTY, &quota, MOST);
        verdicts.push(verdict);
        if !matches!(verdict, Verdict::Retry(_)) {
            return verdicts;
        }
    }
}

fn first_verdict(outcome: &Outcome, chance: f64) -> Verdict {
    let quota = Quota::default();
    Attempts::new(Read, true).judge(outcome, false, Duration::ZERO, PLENTY, &quota, chance)
}

fn expect(classes: &[RetryClass], outcome: &Outcome, verdict: &[Verdict]) {
    for class in classes {
        assert_eq!(verdicts(*class, outcome), verdict, "{class:?} {outcome:?}");
    }
}

#[test]
fn every_class_answers_every_kind_of_failure() {
    const ALL: [RetryClass; 4] = [Read, Idempotent, Delete, Effect];
    let not_sent = failed(HttpErrorKind::Connect);
    expect(
        &[Read, Idempotent, Delete],
        &not_sent,
        &[after(100), after(200), Return],
    );
    expect(&[Effect], &not_sent, &[after(100), Return]);

    let throttled = reply(429);
    expect(
        &[Read, Idempotent, Delete],
        &throttled,
        &[after(1000), after(2000), Return],
    );
    expect(&[Effect], &throttled, &[after(1000), Return]);

    let unavailable_for_a_second = reply_saying(503, &["1"]);
    for not_now in [
        &unavailable_for_a_second,
        &reply_saying(408, &["1"]),
        &reply_saying(425, &["1"]),
    ] {
        expect(&[Read, Idempotent], not_now, &[after(1100), after(2100), Return]);
    }
    // A gateway may say so after torii has done it.
    expect(&[Delete, Effect], &unavailable_for_a_second, &[OutcomeUnknown]);
    for status in [408, 425] {
        expect(&[Read], &reply(status), &[after(1000), after(2000), Return]);
        expect(&[Delete, Effect], &reply(status), &[Return]);
    }

    let broken = [HttpErrorKind::Timeout, HttpErrorKind::Broken].map(failed);
    for unknown in broken.into_iter().chain([500, 502, 503, 504, 520].map(reply)) {
        expect(&[Read], &unknown, &[after(100), after(200), Return]);
        expect(&[Idempotent], &unknown, &[after(100), Return]);
        expect(&[Delete, Effect], &unknown, &[OutcomeUnknown]);
    }

    let unreadable = reply(200);
    expect(&[Read], &unreadable, &[after(100), Return]);
    expect(&[Idempotent, Delete, Effect], &unreadable, &[Return]);

    let lasting = [HttpErrorKind::Setup, HttpErrorKind::Untrusted].map(failed);
    let refusals = [301, 400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 501].map(reply);
    for lasting in lasting.into_iter().chain(refusals) {
        expect(&ALL, &lasting, &[Return]);
    }
    let too_large = failed(HttpErrorKind::TooLarge);
    expect(&[Read, Idempotent], &too_large, &[Return]);
    expect(&[Delete, Effect], &too_large, &[OutcomeUnknown]);
}

#[test]
fn what_the_application_interrupted_is_not_tried_again() {
    let interrupted = failed(HttpErrorKind::Interrupted);
    expect(&[Read, Idempotent], &interrupted, &[Return]);
    expect(&[Delete, Effect], &interrupted, &[OutcomeUnknown]);
    let unsent = Err(HttpError::before_sending(HttpErrorKind::Interrupted));
    expect(&[Read, Idempotent, Delete, Effect], &unsent, &[Return]);
}

#[test]
fn without_retries_only_the_doubt_is_left() {
    let quota = Quota::default();
    for (outcome, verdict) in [
        (failed(HttpErrorKind::Connect), Return),
        (reply(429), Return),
        (failed(HttpErrorKind::Broken), OutcomeUnknown),
    ] {
        let mut attempts = Attempts::new(Delete, false);
        let judged = attempts.judge(&outcome, false, Duration::ZERO, PLENTY, &quota, MOST);
        assert_eq!(judged, verdict);
    }
}

#[test]
fn retry_after_is_obeyed_within_reason() {
    let jitter = 0.1;
    for (said, least, most) in [
        (&["2"][..], 2.0, 2.0 + 2.0 * jitter),
        (&["30"], 30.0, 30.0 + 30.0 * jitter),
        // Less than the backoff: the backoff counts.
        (&["0"], 0.0, 1.0),
        (&[], 0.0, 1.0),
        // Cannot be read: as if it had not been said.
        (&["-5"], 0.0, 1.0),
        (&["abc"], 0.0, 1.0),
        (&["1e999"], 0.0, 1.0),
        (&["1.5"], 0.0, 1.0),
        (&[""], 0.0, 1.0),
        (&["Thu, 01 Jan 1970 00:00:00 GMT"], 0.0, 1.0),
        // The longest of several counts.
        (&["2", "5"], 5.0, 5.0 + 5.0 * jitter),
        (&["abc", "3"], 3.0, 3.0 + 3.0 * jitter),
    ] {
        let outcome = reply_saying(429, said);
        let seconds = Duration::from_secs_f64;
        assert_eq!(
            first_verdict(&outcome, LEAST),
            Verdict::Retry(seconds(least)),
            "{said:?}"
        );
        assert_eq!(
            first_verdict(&outcome, MOST),
            Verdict::Retry(seconds(most)),
            "{said:?}"
        );
    }
    for said in ["31", "99999", "18446744073709551615", "99999999999999999999999"] {
        assert_eq!(
            first_verdict(&reply_saying(429, &[said]), LEAST),
            Return,
            "{said}"
        );
    }
}

#[test]
fn a_date_in_retry_after_is_read_by_the_servers_own_clock() {
    let mut reply = reply_saying(429, &["Tue, 02 Jan 2001 00:00:07 GMT"]).unwrap();
    let date = "Tue, 02 Jan 2001 00:00:00 GMT".parse().unwrap();
    reply.headers_mut().insert(http::header::DATE, date);
    let verdict = first_verdict(&Ok(reply), LEAST);
    assert_eq!(verdict, Verdict::Retry(Duration::from_secs(7)));
}

#[test]
fn retry_after_is_obeyed_on_any_answer_or_ends_the_retries() {
    for status in [200, 408, 425, 429, 500, 502, 503, 504] {
        let patient = reply_saying(status, &["10"]);
        assert_eq!(first_verdict(&patient, LEAST), after(10_000), "{status}");
        assert_eq!(
            first_verdict(&reply_saying(status, &["31"]), LEAST),
            Return,
            "{status}"
        );
    }
    // Later than an idempotent write that may have been carried out can be repeated.
    assert_eq!(verdicts(Idempotent, &reply_saying(500, &["10"])), [Return]);
    assert_eq!(verdicts(Delete, &reply_saying(500, &["0"])), [OutcomeUnknown]);
}

#[test]
fn no_wait_is_longer_than_what_is_left() {
    let quota = Quota::default();
    let judge = |outcome: &Outcome, left| {
        Attempts::new(Read, true).judge(outcome, false, Duration::ZERO, left, &quota, MOST)
    };
    let (throttled, left) = (reply_saying(429, &["2"]), Duration::from_millis(2200));
    assert_eq!(judge(&throttled, left), Return);
    assert_eq!(judge(&throttled, left + Duration::from_millis(1)), after(2200));
    assert_eq!(judge(&failed(HttpErrorKind::Connect), Duration::ZERO), Return);
}

#[test]
fn an_idempotent_write_in_doubt_is_repeated_once_and_soon() {
    let quota = Quota::default();
    let (broken, refused) = (failed(HttpErrorKind::Broken), failed(HttpErrorKind::Connect));
    let judge = |attempts: &mut Attempts, outcome: &Outcome, millis| {
        attempts.judge(
            outcome,
            false,
            Duration::from_millis(millis),
            PLENTY,
            &quota,
            MOST,
        )
    };
    let new = || Attempts::new(Idempotent, true);
    assert_eq!(judge(&mut new(), &broken, 1900), after(100));
    assert_eq!(judge(&mut new(), &broken, 1901), Return);
    assert_eq!(judge(&mut new(), &refused, 1901), after(100), "nothing was sent");
    // A doubt is not forgotten over a later attempt that was not sent.
    let mut attempts = new();
    assert_eq!(judge(&mut attempts, &broken, 0), after(100));
    assert_eq!(judge(&mut attempts, &refused, 100), Return);
    assert!(attempts.in_doubt());
    let mut attempts = new();
    assert_eq!(judge(&mut attempts, &refused, 0), after(100));
    assert_eq!(
        judge(&mut attempts, &broken, 100),
        Return,
        "two attempts are enough"
    );
}

#[test]
fn waits_are_random_and_grow_up_to_a_cap() {
    let broken = failed(HttpErrorKind::Broken);
    assert_eq!(first_verdict(&broken, LEAST), after(0));
    assert_eq!(first_verdict(&broken, 0.5), after(50));
    assert_eq!(first_verdict(&broken, MOST), after(100));
    for (made, wait) in [
        (1, 100),
        (2, 200),
        (6, 3200),
        (7, 5000),
        (40, 5000),
        (u32::MAX, 5000),
    ] {
        let attempts = Attempts {
            made,
            ..Attempts::new(Read, true)
        };
        assert_eq!(
            attempts.backoff(Failure::Unknown, MOST),
            Duration::from_millis(wait),
            "{made}"
        );
    }
}

#[test]
fn the_quota_runs_out_and_fills_up_again() {
    let quota = Quota::default();
    let call = |outcomes: &[&Outcome]| {
        let mut attempts = Attempts::new(Read, true);
        let judge = |outcome: &&Outcome| attempts.judge(outcome, true, Duration::ZERO, PLENTY, &quota, LEAST);
        outcomes.iter().map(judge).last().unwrap()
    };
    let (broken, throttled, fine) = (failed(HttpErrorKind::Broken), reply(429), reply(200));

    let retries = (0..100).filter(|_| call(&[&broken]) != Return).count();
    assert_eq!(retries, 35);
    // What is left is too little for one more, and enough for two retries of what was throttled.
    let retries = (0..100).filter(|_| call(&[&throttled]) != Return).count();
    assert_eq!(retries, 2);
    // Every plain success earns one.
    for _ in 0..Quota::TRANSIENT {
        assert_eq!(call(&[&broken]), Return);
        call(&[&fine]);
    }
    // A retry that succeeds gives back what it took.
    for _ in 0..100 {
        assert_eq!(call(&[&broken]), after(0));
        quota.give_back(Quota::TRANSIENT);
        assert_eq!(call(&[&broken, &fine]), Return);
    }
    for _ in 0..Quota::FULL {
        call(&[&fine]);
    }
    assert_eq!(quota.0.load(Ordering::Relaxed), Quota::FULL, "and never more");
}
