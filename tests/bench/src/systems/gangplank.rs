//! Gangplank, as it comes: with authentication by tokens, and with every write on disk before it is acknowledged.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::connection::{Connection, Request};
use crate::door::{Door, expect};
use crate::process::{Process, free_address};
use crate::random::Body;

const ADMIN_PASSWORD: &str = "administrator-password-1";
/// The account that pushes and pulls; its namespace has the same name.
pub(crate) const LOGIN: &str = "bench";
pub(crate) const PASSWORD: &str = "bench-password-1";
/// The prefix of the variables that would be settings.
const VARIABLES: &str = "GANGPLANK_";

pub(super) fn command(binary: &Path, data: &Path) -> Result<(SocketAddr, Command), String> {
    let address = free_address()?;
    let mut command = Process::command(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(VARIABLES) {
            command.env_remove(name);
        }
    }
    command.args(["serve", "--listen", &address.to_string(), "--data"]).arg(data);
    // Longer than any work, whose client asks for a token before it begins. How long one lives costs nothing.
    command.args(["--set", "auth.access_token_ttl=2h"]).env("GANGPLANK_ADMIN_PASSWORD", ADMIN_PASSWORD);
    Ok((address, command))
}

/// Makes the account and the namespace.
pub(super) async fn prepare(address: SocketAddr) -> Result<(), String> {
    let account = json!({ "name": LOGIN, "password": PASSWORD });
    post(address, "/api/v1/accounts", &basic("admin", ADMIN_PASSWORD), &account).await?;
    post(address, "/api/v1/namespaces", &basic(LOGIN, PASSWORD), &json!({ "name": LOGIN })).await
}

/// A token that opens a repository.
pub(super) async fn token(address: SocketAddr, repository: &str) -> Result<String, String> {
    let request = token_request(address, repository);
    let answer = expect(Connection::open(address).await?.ask_for(&request).await?, &request, 200)?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
    let token = body.get("token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| format!("{}: no token in the answer", request.line))
}

pub(super) fn token_request(address: SocketAddr, repository: &str) -> Request {
    let target = format!("/auth/token?service=gangplank&scope=repository:{repository}:pull,push");
    Door::new(address, repository, Some(basic(LOGIN, PASSWORD))).request("GET", &target, None)
}

async fn post(address: SocketAddr, path: &str, authorization: &str, body: &Value) -> Result<(), String> {
    let host = address.to_string();
    let headers =
        [("host", host.as_str()), ("authorization", authorization), ("content-type", "application/json")];
    let request = Request::new("POST", path, &headers, Some(Body::of(body.to_string())));
    expect(Connection::open(address).await?.ask_for(&request).await?, &request, 201).map(|_| ())
}

fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}
