//! An application that uses `torii-backend` with as few features as it can: its tests are what each feature is for.

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;
    use torii_backend::clock::ManualClock;
    use torii_backend::{ErrorCode, KeySource, Verifier, VerifierBuilder};

    /// A token, its key set and the moment at which it is valid.
    struct Case {
        token: String,
        key_set: String,
        issuer: String,
        clock: ManualClock,
    }

    impl Case {
        fn valid() -> Self {
            let corpus = include_str!("../../../contract/tokens/structure.json");
            let corpus: Value = serde_json::from_str(corpus).expect("the corpus is JSON");
            let case = &corpus["cases"][0];
            let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
            Self {
                token: text(&case["token"]),
                key_set: text(&corpus["keySets"]["default"]),
                issuer: text(&case["policy"]["issuer"]),
                clock: ManualClock::at(case["now"].as_u64().expect("it is a time")),
            }
        }

        fn builder(&self, keys: KeySource) -> VerifierBuilder {
            Verifier::builder(&self.issuer)
                .key_source(keys)
                .clock(self.clock.clone())
        }
    }

    #[test]
    fn given_keys_need_no_feature() {
        let case = Case::valid();
        let verifier = case
            .builder(KeySource::Jwks(case.key_set.clone()))
            .build()
            .expect("the keys are good");
        let auth = verifier.verify_blocking(&case.token).expect("the token is good");
        assert_eq!(auth.issuer(), case.issuer);
        assert!(pollster::block_on(verifier.verify(&case.token)).is_ok());
        case.clock.advance(Duration::from_secs(600));
        let refused = verifier.verify_blocking(&case.token).expect_err("it has expired");
        assert_eq!(refused.code(), ErrorCode::Expired);
    }

    #[cfg(feature = "none")]
    #[test]
    fn keys_that_must_be_fetched_are_refused_by_name_of_the_missing_feature() {
        let case = Case::valid();
        let url = KeySource::Url("https://keys.example/jwks".to_owned());
        for keys in [KeySource::Issuer, url] {
            let refused = case.builder(keys).build().expect_err("nothing can fetch them");
            assert!(refused.to_string().contains("`http`"), "{refused}");
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn http_fetches_keys_without_a_runtime_of_the_applications() {
        let case = Case::valid();
        let url = server::answering("200 OK", &case.key_set);
        let verifier = case
            .builder(KeySource::Url(format!("{url}/keys")))
            .build()
            .expect("the address is good");
        assert!(pollster::block_on(verifier.verify(&case.token)).is_ok());
        assert!(verifier.verify_blocking(&case.token).is_ok());
    }

    #[cfg(feature = "client")]
    #[test]
    fn client_calls_the_api_without_a_runtime_of_the_applications() {
        let url = server::answering("404 Not Found", r#"{"code":"not_found"}"#);
        let torii = torii_backend::Torii::builder("sk_test_1")
            .api_url(url)
            .build()
            .expect("the settings are good");
        let call = torii.users().get("01931a73-8b00-7000-8000-000000000000");
        let refused = pollster::block_on(call.with_reply()).expect_err("there is no such user");
        assert_eq!(refused.status().map(|status| status.as_u16()), Some(404));
    }

    #[cfg(feature = "blocking")]
    #[test]
    fn blocking_calls_the_api_on_this_thread() {
        let url = server::answering("404 Not Found", r#"{"code":"not_found"}"#);
        let torii = torii_backend::Torii::builder("sk_test_1")
            .api_url(url)
            .build_blocking()
            .expect("the settings are good");
        let call = torii.users().get("01931a73-8b00-7000-8000-000000000000");
        let refused = call.send().expect_err("there is no such user");
        assert_eq!(refused.status().map(|status| status.as_u16()), Some(404));
    }

    /// A server that gives every request the same answer.
    #[cfg(feature = "http")]
    mod server {
        use std::io::{BufRead, BufReader, Write};
        use std::net::TcpListener;
        use std::thread;

        pub(super) fn answering(status: &str, body: &str) -> String {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            let address = listener.local_addr().expect("it is bound");
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.expect("a client connects");
                    let lines = BufReader::new(&stream).lines();
                    for _ in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {}
                    stream.write_all(answer.as_bytes()).expect("the client reads");
                }
            });
            format!("http://{address}")
        }
    }
}
