//! A server that knows its answers beforehand: the issuer's keys, one user, and a million users in pages.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use serde_json::json;

use crate::measure::say;
use crate::world::{ENVIRONMENT, World, user_id};

/// More than any walk takes.
const USERS: usize = 10_000_000;
const PAGE: usize = 100;

/// Makes a world, says where it is, and serves it until the input ends.
pub(crate) fn run(folder: &Path, tokens: usize) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let world = World::create(&url, folder, tokens)?;
    let keys: &'static str = world.jwks(0)?.leak();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is no error here.
            thread::spawn(move || serve(stream, keys));
        }
    });
    say(&json!({ "url": url }))?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn serve(stream: TcpStream, keys: &str) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let mut reply = String::new();
    while let Some(path) = read_request(&mut reader)? {
        let body = if path.ends_with("/jwks.json") {
            keys.to_owned()
        } else if path.contains("/users/search") {
            page(&path)
        } else {
            user(0)
        };
        reply.clear();
        let length = body.len();
        let _ = write!(
            reply,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: max-age=3600\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(reply.as_bytes())?;
    }
    Ok(())
}

/// The path of the next request, whose body is read and forgotten; `None` when no more comes.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let length = read_head(reader)?;
    io::copy(&mut reader.take(length), &mut io::sink())?;
    Ok(Some(path))
}

/// Reads headers to their end, and says how long the body is.
pub(crate) fn read_head(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        line.clear();
    }
    Ok(length)
}

/// The page that starts where the query's cursor says.
fn page(path: &str) -> String {
    let cursor = path
        .split_once("cursor=")
        .map_or("0", |(_, cursor)| cursor.split('&').next().unwrap_or("0"));
    let digits = cursor.rsplit('-').next().unwrap_or("0");
    let first = usize::from_str_radix(digits, 16).unwrap_or(0);
    let users: Vec<_> = (first..first + PAGE).map(user).collect();
    let more = first + PAGE < USERS;
    let next = if more {
        format!("\"{}\"", user_id(first + PAGE))
    } else {
        "null".to_owned()
    };
    format!(
        r#"{{"items":[{}],"nextCursor":{next},"hasMore":{more}}}"#,
        users.join(",")
    )
}

fn user(index: usize) -> String {
    let id = user_id(index);
    format!(
        r#"{{"id":"{id}","environmentId":"{ENVIRONMENT}","name":"Ada Lovelace","firstName":"Ada","lastName":"Lovelace","#
    ) + r#""locale":"en","status":"active","createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z","#
        + r#""email":"ada@example.com","emailVerifiedAt":"2026-01-02T03:04:05Z","deletedAt":null,"#
        + r#""publicMetadata":{"plan":"pro"},"privateMetadata":{},"unsafeMetadata":{}}"#
}
