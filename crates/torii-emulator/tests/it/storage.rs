use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use torii_emulator::{Emulator, StartError, Storage};

use crate::api::{Api, Members as _, send};

#[tokio::test]
async fn a_file_keeps_users_sessions_keys_and_environments() {
    let (folder, path) = database();
    let api = on(&path).await;
    let user = api
        .create_user(json!({"email": "ada@example.com", "unsafeMetadata": {"a": {"b": [1]}}}))
        .await;
    let session = json!({"userId": user["id"]});
    let session = api.control("POST", "/sessions", Some(session)).await.expect(201);
    api.control("POST", "/keys/rotate", None).await.expect(200);
    let keys = api.get("/_torii/.well-known/jwks.json").await.expect(200);
    api.torii.shutdown().await;
    let mut left: Vec<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["torii.db", "torii.db.keys", "torii.db.lock"],
        "the log is in the file"
    );

    // A new secret key opens the same environment: keys are replaced, data stays.
    let api = Api::of(
        Emulator::builder()
            .storage(Storage::File(path))
            .secret_key("sk_test_new"),
    )
    .await;
    let id = user.text("id");
    assert_eq!(
        api.call("GET", &format!("/users/{id}"), None).await.expect(200),
        user
    );
    assert_eq!(
        api.call("GET", &format!("/users/{id}/sessions"), None)
            .await
            .expect(200),
        json!([session])
    );
    assert_eq!(api.get("/_torii/.well-known/jwks.json").await.expect(200), keys);
    api.call("POST", "/users", Some(json!({"email": "ADA@example.com"})))
        .await
        .refused(409, "email_already_exists");
}

#[tokio::test]
async fn a_file_holds_no_secret_in_the_clear() {
    let (folder, path) = database();
    let api = Api::of(
        Emulator::builder()
            .storage(Storage::File(path))
            .secret_key("sk_test_hush"),
    )
    .await;
    api.create_user(json!({"password": "correct horse"})).await;
    let live = send(
        api.request("GET", "/api/server/v1/users/x")
            .bearer_auth("sk_live_hush"),
    )
    .await;
    live.refused(401, "live_secret_key");
    api.torii.shutdown().await;
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("readable");
        for secret in ["correct horse", "sk_test_hush", "sk_live_hush"] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
        if path.extension().is_some_and(|extension| extension == "db") {
            let hashed = bytes.windows(10).any(|window| window == b"$argon2id$");
            assert!(hashed, "the password's hash is there");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_has_one_lock_and_one_key_by_whichever_name_it_is_opened() {
    let (folder, path) = database();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let api = on(&path).await;
    let keys = api.get("/_torii/.well-known/jwks.json").await.expect(200);
    let second = Emulator::builder().storage(Storage::File(link.clone()));
    let error = second.start().await.expect_err("in use");
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    api.torii.shutdown().await;
    let api = on(&link).await;
    assert_eq!(api.get("/_torii/.well-known/jwks.json").await.expect(200), keys);
}

#[cfg(unix)]
#[tokio::test]
async fn keys_and_database_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let (_folder, path) = database();
    let keys = path.with_extension("db.keys");
    on(&path).await.torii.shutdown().await;
    assert_eq!((mode(&keys), mode(&path)), (0o600, 0o600));
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("a change of mode");
    on(&path).await.torii.shutdown().await;
    assert_eq!(mode(&keys), 0o600);
}

#[tokio::test]
async fn a_second_emulator_is_kept_off_the_file_until_the_first_is_gone() {
    let (_folder, path) = database();
    let first = on(&path).await;
    let error = start(&path).await.expect_err("in use");
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!("{} is in use by another emulator", path.display())
    );
    first.any_user().await;
    drop(first);
    start(&path).await.expect("free after a drop").shutdown().await;
    start(&path).await.expect("free after a shutdown");
}

#[tokio::test]
async fn files_that_are_not_ours_or_not_whole_are_left_as_they_are() {
    let (folder, _) = database();
    let at = |name: &str| folder.path().join(name);

    fs::write(at("text.db"), "Dear diary, ".repeat(1_000)).expect("written");
    Connection::open(at("other.db"))
        .and_then(|other| {
            other.execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine');")
        })
        .expect("another program's database");
    let torii = on(&at("torn.db")).await;
    for _ in 0..50 {
        torii
            .create_user(json!({"unsafeMetadata": {"k": "x".repeat(8_000)}}))
            .await;
    }
    torii.torii.shutdown().await;
    let whole = fs::read(at("torn.db")).expect("readable");
    fs::write(at("torn.db"), &whole[..whole.len() / 2]).expect("written");
    let mut scratched = whole;
    let middle = scratched.len() / 2;
    scratched[middle..middle + 8_192].fill(0xff);
    fs::write(at("scratched.db"), scratched).expect("written");

    for name in ["text.db", "other.db", "torn.db", "scratched.db"] {
        let before = fs::read(at(name)).expect("readable");
        let error = start(&at(name)).await.expect_err(name);
        assert!(matches!(error, StartError::Unusable { .. }), "{name}: {error:?}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(fs::read(at(name)).expect("readable"), before, "{name}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_an_empty_file_is_a_fresh_start() {
    let (folder, path) = database();
    on(&path).await.torii.shutdown().await;
    Connection::open(&path)
        .and_then(|newer| newer.pragma_update(None, "user_version", 99))
        .expect("a newer schema");
    let error = start(&path).await.expect_err("newer");
    assert!(
        matches!(error, StartError::NewerSchema { found: 99, .. }),
        "{error}"
    );

    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").expect("written");
    on(&empty).await.any_user().await;
}

#[tokio::test]
async fn a_damaged_key_file_is_refused_and_kept() {
    let (_folder, path) = database();
    on(&path).await.torii.shutdown().await;
    let keys = path.with_extension("db.keys");
    for damaged in [
        "",
        "{}",
        "{\"keys\":[]}",
        "{\"keys\":[\"AAAA\"]}",
        "{\"keys\":[\"*\"]}",
    ] {
        fs::write(&keys, damaged).expect("written");
        let error = start(&path).await.expect_err("damaged");
        assert!(
            matches!(&error, StartError::Unusable { path, .. } if *path == keys),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&keys).expect("readable"), damaged);
    }
}

#[tokio::test]
async fn places_that_cannot_be_written_are_clear_errors() {
    let (folder, _) = database();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    for path in [
        folder.path().join("missing/torii.db"),
        file.join("torii.db"),
        folder.path().to_owned(),
    ] {
        let error = start(&path).await.expect_err("not writable");
        assert!(
            matches!(&error, StartError::File { path: named, .. } if *named == path),
            "{error:?}"
        );
    }
    assert!(!folder.path().join("missing").exists());
}

#[tokio::test]
async fn a_file_locked_by_another_program_gives_503_and_recovers() {
    let (_folder, path) = database();
    let api = on(&path).await;
    let other = Connection::open(&path).expect("a second connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let reply = api.call("POST", "/users", Some(json!({}))).await;
    assert_eq!(reply.headers["retry-after"], "1");
    reply.refused(503, "unavailable");
    other.execute_batch("ROLLBACK").expect("unlocked");
    api.any_user().await;
}

/// What this process does when it is the child of the test below.
const CHILD: &str = "TORII_EMULATOR_TEST_DATABASE";

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    if let Ok(path) = std::env::var(CHILD) {
        return write_until_killed(Path::new(&path)).await;
    }
    let (_folder, path) = database();
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "storage::what_was_acknowledged_survives_a_kill",
                "--nocapture",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let mut lines =
            std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("its output")));
        let acknowledged: Vec<String> = (&mut lines)
            .map_while(Result::ok)
            .filter_map(|line| line.split_once("acknowledged ").map(|(_, id)| id.to_owned()))
            .take(20 + round)
            .collect();
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert_eq!(acknowledged.len(), 20 + round);

        let api = on(&path).await;
        for id in acknowledged {
            api.call("GET", &format!("/users/{id}"), None).await.expect(200);
        }
        api.torii.shutdown().await;
        let report: Value = Connection::open(&path)
            .and_then(|file| file.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)))
            .expect("a report")
            .into();
        assert_eq!(report, "ok");
    }
}

async fn write_until_killed(path: &Path) {
    let api = on(path).await;
    // More than any round waits for; the parent's kill ends it.
    for _ in 0..10_000 {
        println!("acknowledged {}", api.any_user().await);
    }
}

fn database() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("torii.db");
    (folder, path)
}

async fn on(path: &Path) -> Api {
    Api::of(Emulator::builder().storage(Storage::File(path.to_owned()))).await
}

async fn start(path: &Path) -> Result<Emulator, StartError> {
    Emulator::builder()
        .storage(Storage::File(path.to_owned()))
        .start()
        .await
}
