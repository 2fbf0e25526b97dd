use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use torii_emulator::{Abort, Fault};

use crate::api::{Api, Members as _};

const JWKS: &str = "/_torii/.well-known/jwks.json";

#[tokio::test]
async fn a_status_comes_as_a_problem_as_often_as_asked() {
    let api = Api::start().await;
    let user = api.any_user().await;
    let fault = json!({
        "method": "get", "path": "/api/server/v1/users/*", "status": 429, "times": 2, "headers": {"Retry-After": "3"},
    });
    assert_eq!(
        api.control("POST", "/faults", Some(fault.clone()))
            .await
            .expect(201),
        fault
    );
    let path = format!("/users/{user}");
    for left in [1, 0] {
        let reply = api.call("GET", &path, None).await;
        assert_eq!(reply.headers["retry-after"], "3");
        reply.refused(429, "fault_injected");
        let listed = api.control("GET", "/faults", None).await.expect(200);
        assert_eq!(listed[0]["times"].as_i64().unwrap_or_default(), left);
    }
    api.call("GET", &path, None).await.expect(200);
    assert_eq!(api.control("GET", "/faults", None).await.expect(200), json!([]));
}

#[tokio::test]
async fn the_first_fault_that_matches_wins_and_all_can_be_cleared() {
    let api = Api::start().await;
    let control = api.torii.control();
    for (path, status) in [("/api/*", 500), (JWKS, 503), ("*", 418)] {
        let fault = Fault {
            status: Some(status),
            ..Fault::at(path)
        };
        control.add_fault(fault).expect("a valid fault");
    }
    assert_eq!(api.call("GET", "/users/x", None).await.status, 500);
    assert_eq!(api.get(JWKS).await.status, 503);
    assert_eq!(api.get("/elsewhere").await.status, 418);
    assert_eq!(
        api.control("GET", "/health", None).await.status,
        200,
        "the control plane is spared"
    );
    api.control("DELETE", "/faults", None).await.expect(204);
    api.get(JWKS).await.expect(200);
}

#[tokio::test]
async fn a_body_and_headers_can_be_made_up_or_laid_over_the_real_reply() {
    let api = Api::start().await;
    let control = api.torii.control();
    let headers = [("Cache-Control".to_owned(), "no-store".to_owned())];
    control
        .add_fault(Fault {
            times: Some(1),
            headers: headers.into(),
            ..Fault::at(JWKS)
        })
        .expect("a valid fault");
    let reply = api.get(JWKS).await;
    assert_eq!(
        reply.headers.get_all("cache-control").iter().collect::<Vec<_>>(),
        ["no-store"]
    );
    assert!(reply.expect(200)["keys"].is_array());

    let body = Some(json!({"keys": []}));
    control
        .add_fault(Fault {
            times: Some(1),
            body,
            ..Fault::at(JWKS)
        })
        .expect("a valid fault");
    assert_eq!(api.get(JWKS).await.expect(200), json!({"keys": []}));

    let body = Some(Value::from("<html>502</html>"));
    control
        .add_fault(Fault {
            times: Some(1),
            status: Some(502),
            body,
            ..Fault::at(JWKS)
        })
        .expect("a valid fault");
    let reply = api.request("GET", JWKS).send().await.expect("a reply");
    assert_eq!(reply.status(), 502);
    assert_eq!(reply.text().await.expect("text"), "<html>502</html>");
}

#[tokio::test]
async fn latency_delays_the_real_reply() {
    let api = Api::start().await;
    let fault = Fault {
        latency_ms: Some(300),
        ..Fault::at(JWKS)
    };
    api.torii.control().add_fault(fault).expect("a valid fault");
    let since = Instant::now();
    api.get(JWKS).await.expect(200);
    assert!(since.elapsed() >= Duration::from_millis(300));
    let fault = Fault {
        latency_ms: Some(1),
        ..Fault::at("/nowhere")
    };
    api.torii.control().add_fault(fault).expect("a valid fault");
    api.get("/nowhere").await.refused(404, "unknown_path");
}

#[tokio::test]
async fn a_reset_is_seen_at_the_socket_before_any_byte() {
    let api = Api::start().await;
    api.torii
        .control()
        .add_fault(Fault {
            abort: Some(Abort::Reset),
            ..Fault::at("*")
        })
        .expect("a valid fault");
    for body in ["", "hello"] {
        let mut stream = api.connect().await;
        stream
            .write_all(request(&api, body).as_bytes())
            .await
            .expect("written");
        let mut bytes = Vec::new();
        let error = stream.read_to_end(&mut bytes).await.expect_err("a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(bytes, b"");
    }
    assert_unanswered(&api, 2);
}

#[tokio::test]
async fn a_truncated_reply_promises_more_than_it_holds() {
    let api = Api::start().await;
    let whole = api.raw(request(&api, "").as_bytes()).await.expect("a reply");
    api.torii.control().clear_requests();
    api.torii
        .control()
        .add_fault(Fault {
            abort: Some(Abort::Truncate),
            ..Fault::at("*")
        })
        .expect("a valid fault");
    let cut = api
        .raw(request(&api, "hello").as_bytes())
        .await
        .expect("half a reply");
    let (whole, cut) = (String::from_utf8_lossy(&whole), String::from_utf8_lossy(&cut));
    let (_, whole_body) = whole.split_once("\r\n\r\n").expect("a head");
    let (head, body) = cut.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.to_lowercase()
            .contains(&format!("content-length: {}", whole_body.len())),
        "{head}"
    );
    assert_eq!(body, &whole_body[..whole_body.len() / 2]);
    assert_unanswered(&api, 1);
}

#[tokio::test]
async fn a_reply_without_a_body_is_truncated_to_nothing() {
    let api = Api::start().await;
    let user = api.any_user().await;
    api.torii
        .control()
        .add_fault(Fault {
            abort: Some(Abort::Truncate),
            ..Fault::at("*")
        })
        .expect("a valid fault");
    let bytes = format!(
        "DELETE /api/server/v1/users/{user} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer sk_test_local\r\n\r\n",
        api.authority()
    );
    assert_eq!(api.raw(bytes.as_bytes()).await.expect("an end"), b"");
    api.torii.control().clear_faults();
    // The work itself was done: that is what makes such a failure hard.
    api.call("GET", &format!("/users/{user}"), None)
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn a_hanging_request_is_never_answered_and_others_are() {
    let api = Api::start().await;
    let fault = Fault {
        abort: Some(Abort::Hang),
        times: Some(1),
        ..Fault::at("*")
    };
    api.torii.control().add_fault(fault).expect("a valid fault");
    let mut stream = api.connect().await;
    stream
        .write_all(request(&api, "").as_bytes())
        .await
        .expect("written");
    let mut byte = [0];
    tokio::time::timeout(Duration::from_millis(500), stream.read(&mut byte))
        .await
        .expect_err("neither a byte nor an end");
    api.get(JWKS).await.expect(200);
    let requests = api.torii.control().requests();
    assert_eq!(
        requests.iter().map(|record| record.status).collect::<Vec<_>>(),
        [None, Some(200)]
    );
    // Stopping does not wait for it.
    let since = Instant::now();
    api.torii.shutdown().await;
    assert!(since.elapsed() < Duration::from_secs(2));
    assert_eq!(stream.read(&mut byte).await.unwrap_or_default(), 0);
}

#[tokio::test]
async fn chance_repeats_with_its_seed() {
    let draws = async |seed: u64| {
        let api = Api::start().await;
        let fault = json!({"path": JWKS, "status": 503, "probability": 0.5, "seed": seed});
        api.control("POST", "/faults", Some(fault)).await.expect(201);
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(api.get(JWKS).await.status.as_u16());
        }
        statuses
    };
    let first = draws(1).await;
    assert_eq!(draws(1).await, first);
    assert_ne!(draws(2).await, first);
    assert!(first.contains(&200) && first.contains(&503), "{first:?}");
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused() {
    let api = Api::start().await;
    for fault in [
        json!({"status": 500}),
        json!({"path": "/a"}),
        json!({"path": "a", "status": 500}),
        json!({"path": "/a", "status": 199}),
        json!({"path": "/a", "status": 600}),
        json!({"path": "/a", "status": "500"}),
        json!({"path": "/a", "latencyMs": 60_001}),
        json!({"path": "/a", "latencyMs": -1}),
        json!({"path": "/a", "abort": "explode"}),
        json!({"path": "/a", "status": 500, "times": 0}),
        json!({"path": "/a", "status": 500, "probability": 1.5}),
        json!({"path": "/a", "status": 500, "method": "G T"}),
        json!({"path": "/a", "headers": {"a b": "c"}}),
        json!({"path": "/a", "headers": {"a": "b\r\nc: d"}}),
        json!({"path": "/a", "headers": {"Content-Length": "1"}}),
        json!({"path": "/a", "status": 500, "retries": 1}),
    ] {
        let refusal = api.control("POST", "/faults", Some(fault.clone())).await;
        assert!(
            !refusal.refused(400, "invalid_request").text("detail").is_empty(),
            "{fault}"
        );
    }
    assert_eq!(api.control("GET", "/faults", None).await.expect(200), json!([]));
}

fn request(api: &Api, body: &str) -> String {
    let length = body.len();
    let host = api.authority();
    format!(
        "GET {JWKS} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn assert_unanswered(api: &Api, count: usize) {
    let requests = api.torii.control().requests();
    assert_eq!(requests.len(), count);
    for record in requests {
        assert_eq!(
            (record.path.as_str(), record.status, record.duration),
            (JWKS, None, None)
        );
    }
}
