//! `torii dev token`: a token of a user of a local torii that is running.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use torii_backend::{CreateUser, Torii, UserFilter, UserId};

use crate::args::Token;
use crate::output::say;

/// How long the local torii may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: Token) -> Result<ExitCode, Box<dyn Error>> {
    // First, so that nothing is asked of a torii that is not there.
    let (stream, authority) = connect(&args.url).await?;
    let user = user_id(&args).await?;
    let mut body = json!({ "userId": user });
    if let Some(seconds) = args.expires_in {
        body["expiresInSeconds"] = json!(seconds);
    }
    if let Some(organization) = &args.organization {
        body["organizationId"] = json!(organization);
    }
    let minted = tokio::time::timeout(PATIENCE, mint(stream, &authority, &args, &body))
        .await
        .map_err(|_| format!("the local torii at {} did not answer", args.url))??;
    let token = minted["token"]
        .as_str()
        .ok_or("the local torii answered without a token")?;
    say(token);
    Ok(ExitCode::SUCCESS)
}

/// The user by id, or by email address.
async fn user_id(args: &Token) -> Result<String, Box<dyn Error>> {
    let Token {
        user,
        url,
        secret_key,
        ..
    } = args;
    if !user.contains('@') {
        return Ok(user.clone());
    }
    let client = Torii::builder(secret_key.as_str()).api_url(url).build()?;
    let filter = UserFilter {
        email_addresses: Some(vec![user.clone()]),
        ..UserFilter::default()
    };
    let found = client.users().list(&filter).await?;
    let live = found.items.iter().find(|found| found.deleted_at.is_none());
    let id: &UserId = match live {
        Some(found) => &found.id,
        None if args.create => {
            let new = CreateUser {
                email: Some(user.clone()),
                ..CreateUser::default()
            };
            return Ok(client.users().create(&new).await?.id.to_string());
        }
        None => return Err(format!("no user has the address {user}; `--create` makes one").into()),
    };
    Ok(id.to_string())
}

async fn connect(url: &str) -> Result<(TcpStream, Authority), Box<dyn Error>> {
    let target: Uri = url.parse()?;
    let authority = target
        .authority()
        .filter(|_| target.scheme_str() == Some("http"))
        .ok_or_else(|| format!("{url} is not the address of a local torii: http://host:port"))?;
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("no local torii at {url}: {error}"))?;
    Ok((stream, authority.clone()))
}

/// Asks the control plane, which the SDK does not know.
async fn mint(
    stream: TcpStream,
    authority: &Authority,
    args: &Token,
    body: &Value,
) -> Result<Value, Box<dyn Error>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::post("/_emulator/v1/tokens")
        .header(HOST, authority.as_str())
        .header(CONTENT_TYPE, "application/json")
        .header("x-torii-emulator", "1");
    if let Some(token) = &args.control_token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(Bytes::from(body.to_string())))?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>((status, bytes))
    };
    let (status, bytes) = tokio::select! {
        exchanged = exchange => exchanged?,
        Err(error) = connection => return Err(error.into()),
    };
    let reply: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match status.is_success() {
        true => Ok(reply),
        false => {
            let detail = reply["detail"].as_str().unwrap_or("it gave no reason");
            Err(format!("the local torii refused with {status}: {detail}").into())
        }
    }
}
