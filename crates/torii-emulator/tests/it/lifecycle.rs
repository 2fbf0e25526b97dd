use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use torii_emulator::{DEFAULT_SECRET_KEY, Emulator, ErrorKind, Fault, MintToken, StartError, Storage};

use crate::api::{Api, Members as _, PATIENCE};

#[tokio::test]
async fn it_listens_on_loopback_with_the_default_key() {
    let torii = Emulator::builder().start().await.expect("started");
    assert!(torii.issuer().starts_with("http://127.0.0.1:"));
    assert_eq!(torii.api_url(), torii.issuer());
    assert_eq!(torii.secret_key(), DEFAULT_SECRET_KEY);
    assert!(!format!("{torii:?} {:?} {:?}", torii.control(), Emulator::builder()).contains("sk_test"));
}

#[tokio::test]
async fn it_listens_on_ipv6_loopback() {
    let api = Api::of(Emulator::builder().host("::1".parse::<IpAddr>().expect("an address"))).await;
    assert!(api.torii.issuer().starts_with("http://[::1]:"));
    api.any_user().await;
}

#[tokio::test]
async fn a_stopped_emulator_frees_its_port_and_refuses_its_handle() {
    let api = Api::start().await;
    api.any_user().await;
    let port: u16 = api
        .authority()
        .rsplit(':')
        .next()
        .expect("a port")
        .parse()
        .expect("a number");
    let control = api.torii.control().clone();
    let since = Instant::now();
    api.torii.shutdown().await;
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    let error = control
        .create_user(&Default::default())
        .await
        .expect_err("stopped");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    Emulator::builder()
        .port(port)
        .start()
        .await
        .expect("the port is free");
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let api = std::sync::Arc::new(Api::start().await);
    let fault = Fault {
        latency_ms: Some(500),
        ..Fault::at("*")
    };
    api.torii.control().add_fault(fault).expect("a valid fault");
    let mut stream = api.connect().await;
    let bytes = format!(
        "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: {}\r\n\r\n",
        api.authority()
    );
    stream.write_all(bytes.as_bytes()).await.expect("written");
    let since = Instant::now();
    while api.torii.control().requests().is_empty() {
        assert!(since.elapsed() < PATIENCE, "the request does not arrive");
        tokio::task::yield_now().await;
    }
    let Some(api) = std::sync::Arc::into_inner(api) else {
        panic!("the only owner")
    };
    let stopping = tokio::spawn(api.torii.shutdown());
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.expect("a reply");
    assert!(
        reply.starts_with(b"HTTP/1.1 200 "),
        "{}",
        String::from_utf8_lossy(&reply)
    );
    stopping.await.expect("stopped");
}

#[tokio::test]
async fn a_dropped_emulator_is_gone() {
    let api = Api::start().await;
    let authority = api.authority().to_owned();
    drop(api);
    let since = Instant::now();
    while tokio::net::TcpStream::connect(&authority).await.is_ok() {
        assert!(since.elapsed() < PATIENCE, "it still accepts");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_costs_the_connection_and_an_idle_one_is_kept() {
    let api = Api::start().await;
    let mut slow = api.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: local")
        .await
        .expect("written");
    let mut silent = api.connect().await;
    let mut idle = api.connect().await;
    let request = format!(
        "GET /_emulator/v1/health HTTP/1.1\r\nHost: {}\r\n\r\n",
        api.authority()
    );
    let mut buffer = [0; 1_024];
    idle.write_all(request.as_bytes()).await.expect("written");
    assert!(idle.read(&mut buffer).await.expect("a reply") > 0);

    for stream in [&mut slow, &mut silent] {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer))
            .await
            .expect("an end");
        assert_eq!(read.unwrap_or_default(), 0);
    }
    idle.write_all(request.as_bytes()).await.expect("written");
    assert!(idle.read(&mut buffer).await.expect("another reply") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_slow_connections_leave_the_others_served() {
    let api = Api::start().await;
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut stream = api.connect().await;
        stream
            .write_all(b"POST /api/server/v1/users HTTP/1.1\r\n")
            .await
            .expect("written");
        slow.push(stream);
    }
    for _ in 0..20 {
        api.any_user().await;
    }
}

#[tokio::test]
async fn keys_that_are_not_test_keys_are_refused() {
    let error = Emulator::builder()
        .secret_key("sk_live_51H8x")
        .start()
        .await
        .expect_err("refused");
    assert!(matches!(error, StartError::LiveSecretKey));
    assert!(!error.to_string().contains("51H8x"));
    for keys in [
        vec![],
        vec![""],
        vec!["sk_test_"],
        vec!["secret"],
        vec!["sk_test_a b"],
        vec!["sk_test_a", "sk_test_a"],
    ] {
        let error = Emulator::builder()
            .secret_keys(keys)
            .start()
            .await
            .expect_err("refused");
        assert!(matches!(error, StartError::SecretKey(_)), "{error}");
    }
    let api = Api::of(Emulator::builder().secret_key("sk_test_mine")).await;
    api.call("POST", "/users", Some(json!({})))
        .await
        .expect(201)
        .text("id");
}

#[tokio::test]
async fn a_port_in_use_and_an_address_of_another_machine_are_clear_errors() {
    let api = Api::start().await;
    let port: u16 = api
        .authority()
        .rsplit(':')
        .next()
        .expect("a port")
        .parse()
        .expect("a number");
    let folder = tempfile::tempdir().expect("a folder");
    let error = Emulator::builder()
        .port(port)
        .storage(Storage::File(folder.path().join("torii.db")))
        .start()
        .await
        .expect_err("in use");
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")),
        "{error}"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        0,
        "no files are left behind"
    );

    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let error = Emulator::builder()
        .host(elsewhere)
        .start()
        .await
        .expect_err("not ours");
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
}

/// As a test suite has it: one emulator for the whole process.
static SHARED: LazyLock<Emulator> =
    LazyLock::new(|| Emulator::builder().start_blocking().expect("the emulator starts"));

#[test]
fn a_static_emulator_serves_every_runtime_and_none() {
    let user = pollster::block_on(SHARED.control().create_user(&Default::default())).expect("created");
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let url = format!("{}/_torii/.well-known/jwks.json", SHARED.issuer());
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            assert_eq!(client.get(url).send().await.expect("a reply").status(), 200);
            let order = MintToken::of(user.id);
            let minted = SHARED.control().mint_token(&order).await.expect("minted");
            assert_eq!(minted.token.split('.').count(), 3);
        });
    }
    pollster::block_on(SHARED.control().rotate_keys(true)).expect("rotated");
    pollster::block_on(SHARED.control().export()).expect("exported");
}

#[test]
fn an_emulator_of_its_own_thread_stops_without_a_runtime_and_frees_its_port() {
    for shut_down in [true, false] {
        let torii = Emulator::builder().start_blocking().expect("started");
        let port = torii.issuer().rsplit(':').next().expect("a port").to_owned();
        let control = torii.control().clone();
        match shut_down {
            true => pollster::block_on(torii.shutdown()),
            false => drop(torii),
        }
        let error = pollster::block_on(control.create_user(&Default::default())).expect_err("stopped");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        std::net::TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is free");
    }
}

#[tokio::test]
async fn it_starts_on_its_own_thread_from_within_a_runtime_and_says_why_it_cannot() {
    let torii = Emulator::builder().start_blocking().expect("started");
    let port = torii
        .issuer()
        .rsplit(':')
        .next()
        .expect("a port")
        .parse()
        .expect("a number");
    let error = Emulator::builder()
        .port(port)
        .start_blocking()
        .expect_err("the port is taken");
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    torii.shutdown().await;
}

#[test]
fn the_handle_of_an_emulator_whose_runtime_has_ended_says_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let torii = runtime.block_on(Emulator::builder().start()).expect("started");
    drop(runtime);
    let error = pollster::block_on(torii.control().create_user(&Default::default()));
    assert_eq!(error.expect_err("gone").kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_password_costs_little_memory_and_time() {
    let api = Api::start().await;
    for _ in 0..20 {
        api.create_user(json!({"password": "correct horse"})).await;
    }
    let export = api.control("GET", "/export", None).await.expect(200);
    let hash = export["users"][0]["passwordHash"].as_str().expect("a hash");
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
}
