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

pub(super) const ADMIN_PASSWORD: &str = "administrator-password-1";
/// The account that pushes and pulls; its namespace has the same name.
pub(crate) const LOGIN: &str = "bench";
pub(crate) const PASSWORD: &str = "bench-password-1";
/// The account that an image is shared with.
const PARTNER: &str = "bench-partner";
/// The prefix of the variables that would be settings.
const VARIABLES: &str = "GANGPLANK_";

/// The server on the folder `data`, with these settings besides. `admin_password` counts where there is no account yet.
pub(super) fn command(
    binary: &Path,
    data: &Path,
    admin_password: &str,
    settings: &[&str],
) -> Result<(SocketAddr, Command), String> {
    let address = free_address()?;
    let mut command = Process::command(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(VARIABLES) {
            command.env_remove(name);
        }
    }
    command.args(["serve", "--listen", &address.to_string(), "--data"]).arg(data);
    for setting in settings {
        command.args(["--set", setting]);
    }
    // Longer than any work, whose client asks for a token before it begins. How long one lives costs nothing.
    command.args(["--set", "auth.access_token_ttl=2h"]).env("GANGPLANK_ADMIN_PASSWORD", admin_password);
    Ok((address, command))
}

/// What a token is to open.
pub(super) enum Opens<'a> {
    /// A repository, to who owns it.
    Owned(&'a str),
    /// A repository, to who it is shared with.
    Shared(&'a str),
    /// The list of repositories, to who owns them.
    Catalog,
}

/// Makes the accounts and the namespace.
pub(super) async fn prepare(address: SocketAddr) -> Result<(), String> {
    for name in [LOGIN, PARTNER] {
        let account = json!({ "name": name, "password": PASSWORD });
        post(address, "/api/v1/accounts", &basic("admin", ADMIN_PASSWORD), &account).await?;
    }
    post(address, "/api/v1/namespaces", &basic(LOGIN, PASSWORD), &json!({ "name": LOGIN })).await
}

/// Shares a repository with the partner, for good.
pub(super) async fn share(address: SocketAddr, repository: &str) -> Result<(), String> {
    let path = format!("/api/v1/repositories/{}/shares", repository.replace('/', "%2F"));
    let share = json!({ "account": PARTNER, "permanent": true });
    post(address, &path, &basic(LOGIN, PASSWORD), &share).await
}

/// A token.
pub(super) async fn token(address: SocketAddr, opens: &Opens<'_>) -> Result<String, String> {
    token_in(&mut Connection::open(address).await?, &token_request(address, opens)).await
}

/// The token in the answer to `request`.
pub(crate) async fn token_in(connection: &mut Connection, request: &Request) -> Result<String, String> {
    let answer = expect(connection.ask_for(request).await?, request, 200)?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
    let token = body.get("token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| format!("{}: no token in the answer", request.line))
}

pub(super) fn token_request(address: SocketAddr, opens: &Opens<'_>) -> Request {
    let (login, scope) = match opens {
        Opens::Owned(repository) => (LOGIN, format!("repository:{repository}:pull,push")),
        Opens::Shared(repository) => (PARTNER, format!("repository:{repository}:pull")),
        Opens::Catalog => (LOGIN, "registry:catalog:*".to_owned()),
    };
    token_request_of(address, (login, PASSWORD), &scope)
}

/// The request for a token for `scope`, by who signs in with this name and password.
pub(crate) fn token_request_of(address: SocketAddr, (login, password): (&str, &str), scope: &str) -> Request {
    let target = format!("/auth/token?service=gangplank&scope={scope}");
    Door::new(address, "", Some(basic(login, password))).request("GET", &target, None)
}

async fn post(address: SocketAddr, path: &str, authorization: &str, body: &Value) -> Result<(), String> {
    let host = address.to_string();
    let headers =
        [("host", host.as_str()), ("authorization", authorization), ("content-type", "application/json")];
    let request = Request::new("POST", path, &headers, Some(Body::of(body.to_string())));
    expect(Connection::open(address).await?.ask_for(&request).await?, &request, 201).map(|_| ())
}

/// What signs in.
pub(crate) fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}
