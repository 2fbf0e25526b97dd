//! What a client can be built from.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use http::header::USER_AGENT;
use pollster::block_on;
use serde_json::json;
use torii_backend::{ConfigError, Torii, ToriiBuilder};

use crate::memory::{self, Memory, SECRET_KEY};

#[test]
fn what_cannot_be_a_secret_key_is_refused_and_not_repeated() {
    let long = format!("sk_test_{}", "x".repeat(10 * 1024));
    for key in [
        "",
        " ",
        "sk_test_kept secret",
        " sk_test_keptsecret",
        "sk_test_keptsecret\n",
        "sk_test_kept\r\nsecret: 1",
        "sk_test_kept\0secret",
        "sk_test_keptsecrét",
        "keptsecret",
        "pk_test_keptsecret",
        "pk_live_keptsecret",
        &long,
    ] {
        for error in refusals(Torii::builder(key))
            .into_iter()
            .chain(Torii::new(key).err())
        {
            assert_eq!(error.setting(), "secret key", "{key:?}");
            let said = format!("{error} {error:?}");
            assert!(!said.contains("kept") && !said.contains("xxx"), "{said}");
        }
    }
}

#[test]
fn an_address_that_is_not_safe_to_send_a_key_to_is_refused() {
    let long = format!("https://api.example/{}", "x".repeat(2048));
    for address in [
        "http://acme.torii.so",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.1",
        "http://0x7f.1",
        "http://2130706433",
        "http://0.0.0.0",
        "http://[::ffff:10.0.0.1]",
        "http://[::ffff:127.0.0.1]",
        "http://user@127.0.0.1",
        "http://127.0.0.1@evil.example",
        "https://127.0.0.1:80@evil.example/",
        "ftp://api.example",
        "file:///etc/passwd",
        "data:text/plain,x",
        "javascript:alert(1)",
        "api.example",
        "//api.example",
        "/api",
        "",
        "https://",
        "https:///path",
        "https://user:kept-secret@api.example",
        "https://kept-secret@api.example",
        "https://api.example?key=kept-secret",
        "https://api.example?",
        "https://api.example#kept-secret",
        "https://api.example#",
        "https:\\\\api.example",
        "https://api.example\\@evil.example",
        "https://api. example",
        " https://api.example",
        "https://api.example\n",
        "https://api.ex\tample",
        "https://api.example/\u{a0}",
        "https://api.example\0",
        &long,
    ] {
        for error in refusals(Torii::builder(SECRET_KEY).api_url(address)) {
            assert_eq!(error.setting(), "api_url", "{address:?}");
            assert!(!format!("{error} {error:?}").contains("kept-secret"), "{error:?}");
        }
    }
}

#[test]
fn an_address_on_this_machine_may_be_plain_and_another_if_it_is_allowed() {
    for address in [
        "https://api.torii.so",
        "https://api.example:8443/",
        "http://127.0.0.1:8787",
        "http://127.0.0.2",
        "http://localhost:1",
        "http://LOCALHOST:1/prefix",
        "http://[::1]:1",
    ] {
        assert!(
            refusals(Torii::builder(SECRET_KEY).api_url(address)).is_empty(),
            "{address}"
        );
    }
    let inside = Torii::builder(SECRET_KEY).api_url("http://torii.internal");
    assert_eq!(refusals(inside.clone()).len(), 2);
    assert!(refusals(inside.allow_insecure_http(true)).is_empty());
}

#[test]
fn a_path_prefix_is_kept() {
    for (address, asked) in [
        (
            "https://gateway.example",
            "https://gateway.example/api/server/v1/allowed-origins",
        ),
        (
            "https://gateway.example/",
            "https://gateway.example/api/server/v1/allowed-origins",
        ),
        (
            "https://gateway.example/torii/eu//",
            "https://gateway.example/torii/eu/api/server/v1/allowed-origins",
        ),
    ] {
        let server = Memory::answering(|_| memory::json(&json!({"origins": []})));
        let builder = Torii::builder(SECRET_KEY)
            .api_url(address)
            .http_client(server.clone());
        block_on(builder.build().unwrap().allowed_origins().list().into_future()).unwrap();
        assert_eq!(server.asked()[0].request.uri(), asked);
    }
}

#[test]
fn a_time_limit_of_zero_is_refused() {
    let builder = || Torii::builder(SECRET_KEY);
    for builder in [
        builder().connect_timeout(Duration::ZERO),
        builder().attempt_timeout(Duration::ZERO),
        builder().call_timeout(Duration::ZERO),
    ] {
        let settings: Vec<_> = refusals(builder).iter().map(ConfigError::setting).collect();
        assert_eq!(settings, ["timeouts", "timeouts"]);
    }
}

#[test]
fn the_applications_name_stands_behind_ours() {
    let server = Memory::answering(|_| memory::json(&json!({"origins": []})));
    let builder = || Torii::builder(SECRET_KEY).http_client(server.clone());
    let torii = builder().user_agent_suffix("shop/2.1").build().unwrap();
    block_on(torii.allowed_origins().list().into_future()).unwrap();
    block_on(builder().build().unwrap().allowed_origins().list().into_future()).unwrap();
    let ours = concat!("torii-backend-rust/", env!("CARGO_PKG_VERSION"));
    let said: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.request.headers()[USER_AGENT].clone())
        .collect();
    assert_eq!(said, [format!("{ours} shop/2.1"), ours.to_owned()]);
    let error = builder().user_agent_suffix("shop\r\nx: 1").build().unwrap_err();
    assert_eq!(error.setting(), "user agent suffix");
}

/// Runs itself in a process of its own for each environment: changing one's own is not safe.
#[test]
fn the_environment_configures_a_client() {
    const CHILD: &str = "TORII_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let said = match Torii::from_env() {
            Ok(torii) => format!("{torii:?}"),
            Err(error) => error.to_string(),
        };
        println!("child: {said}");
        return;
    }
    let said = |variables: &[(&str, OsString)]| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let (_, module) = module_path!().split_once("::").unwrap();
        child.args(["--exact", "--nocapture"]);
        child.arg(format!("{module}::the_environment_configures_a_client"));
        child
            .env_remove("TORII_SECRET_KEY")
            .env_remove("TORII_API_URL")
            .env(CHILD, "1");
        child.envs(variables.iter().cloned());
        let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
        let said = output
            .split_once("child: ")
            .unwrap()
            .1
            .lines()
            .next()
            .unwrap()
            .to_owned();
        assert!(!output.contains("keptsecret"), "{output}");
        said
    };
    let key = |key: &str| ("TORII_SECRET_KEY", OsString::from(key));
    let url = |url: &str| ("TORII_API_URL", OsString::from(url));
    let unset = "TORII_SECRET_KEY: is not set";
    assert_eq!(said(&[]), unset);
    assert_eq!(said(&[key("")]), unset);
    assert_eq!(said(&[key(" \n")]), unset);
    assert_eq!(said(&[url("https://api.example")]), unset);
    for only_key in [
        &[key("sk_test_keptsecret")][..],
        &[key(" sk_test_keptsecret\n"), url("")],
    ] {
        let said = said(only_key);
        assert!(
            said.contains(Torii::DEFAULT_API_URL) && said.contains("sk_test_***"),
            "{said}"
        );
    }
    let both = said(&[key("sk_test_keptsecret"), url("http://localhost:4010/")]);
    assert!(both.contains("\"http://localhost:4010\""), "{both}");
    assert!(said(&[key("pk_test_keptsecret")]).starts_with("secret key: is a publishable key"));
    assert!(
        said(&[key("sk_test_keptsecret"), url("http://api.example")]).starts_with("api_url: must be https")
    );
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"sk_test_\xff".to_vec());
        assert_eq!(
            said(&[("TORII_SECRET_KEY", odd)]),
            "TORII_SECRET_KEY: is not Unicode text"
        );
    }
}

/// The refusals of both clients, or none of either.
#[track_caller]
fn refusals(builder: ToriiBuilder) -> Vec<ConfigError> {
    let (asynchronous, blocking) = (builder.clone().build().err(), builder.build_blocking().err());
    assert_eq!(asynchronous, blocking);
    asynchronous.into_iter().chain(blocking).collect()
}
