//! The client: `TORII_TOKEN=… client http://127.0.0.1:3000`.
#![allow(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::env;
use std::error::Error;

use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Endpoint;
use tonic::{Request, Status};
use torii_example_tonic::{NotesClient, Question};

const DEFAULT_ADDRESS: &str = "http://127.0.0.1:3000";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let token = env::var("TORII_TOKEN").map_err(|_| "set TORII_TOKEN, to what `torii dev token` prints")?;
    let address = env::args().nth(1).unwrap_or(DEFAULT_ADDRESS.to_owned());
    let mut authorization: AsciiMetadataValue = format!("Bearer {token}").parse()?;
    // Not in logs, and not in HPACK's table.
    authorization.set_sensitive(true);
    let with_token = move |mut request: Request<()>| {
        request
            .metadata_mut()
            .insert("authorization", authorization.clone());
        Ok(request)
    };
    let channel = Endpoint::from_shared(address)?.connect().await?;
    let mut notes = NotesClient::with_interceptor(channel, with_token);

    println!("{}", notes.who_am_i(Question::default()).await?.into_inner().text);
    let topic = "Harbour".to_owned();
    let mut stream = notes.watch(Question { topic: topic.clone() }).await?.into_inner();
    while let Some(note) = stream.message().await? {
        println!("{}", note.text);
    }
    match notes.close(Question { topic }).await {
        Ok(answer) => println!("{}", answer.into_inner().text),
        Err(refused) => println!("Not closed: {}", told(&refused)),
    }
    Ok(())
}

/// What the server says about a call that it did not let in.
fn told(refused: &Status) -> String {
    let guard = refused.metadata().get("torii-guard");
    let guard = guard.and_then(|guard| guard.to_str().ok());
    match guard {
        Some(guard) => format!("{} (guard: {guard})", refused.message()),
        None => refused.message().to_owned(),
    }
}
