//! The client of `/api/v1`.
//!
//! Credentials go to the one host that was named: redirects are not followed. Waits and answers are bounded, and what
//! is no answer of a Gangplank is an error of its own.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use auth::Secret;
use frontend::types::{Page, Problem};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::address::ServerUrl;
use crate::failure::Failure;
use crate::logins::Login;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest answer that is read: a page of the longest list, many times over.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Entries asked for at once.
const PAGE_ENTRIES: usize = 1_000;
/// Many times the authorities of a system.
const CA_BYTES_MAX: u64 = 4 << 20;
/// The longest list that is shown.
const LIST_ENTRIES_MAX: usize = 1_000_000;

/// Who asks.
enum Credentials {
    Password { username: String, password: Secret },
    Kept(Login),
}

/// A server, and who asks it.
pub(crate) struct Client {
    http: reqwest::Client,
    server: ServerUrl,
    credentials: Credentials,
}

/// A list, as far as it was asked for.
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// Whether there is more of it.
    pub(crate) more: bool,
}

/// The path of a resource of the API.
///
/// # Errors
/// A part that would not arrive as one: empty, or a step in the path.
pub(crate) fn path(parts: &[&str]) -> Result<String, Failure> {
    const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let mut path = "/api/v1".to_owned();
    for part in parts {
        if matches!(*part, "" | "." | "..") {
            return Err(Failure::Usage { reason: format!("{part:?} is no name") });
        }
        path.push('/');
        path.extend(utf8_percent_encode(part, PART));
    }
    Ok(path)
}

impl Client {
    /// Asks as the one who knows a password.
    pub(crate) fn with_password(
        server: ServerUrl,
        ca_certificate: Option<&Path>,
        username: String,
        password: Secret,
    ) -> Result<Client, Failure> {
        Client::new(server, ca_certificate, Credentials::Password { username, password })
    }

    /// Asks with a token that was kept.
    pub(crate) fn with_login(login: Login) -> Result<Client, Failure> {
        let ca_certificate = login.ca_certificate.clone();
        Client::new(login.server.clone(), ca_certificate.as_deref(), Credentials::Kept(login))
    }

    /// Trusts the system's authorities, and those in the file `ca_certificate`.
    fn new(
        server: ServerUrl,
        ca_certificate: Option<&Path>,
        credentials: Credentials,
    ) -> Result<Client, Failure> {
        let trusted = ca_certificate.map_or(Ok(Vec::new()), authorities)?;
        let builder = reqwest::Client::builder();
        // Plain HTTP works on a machine that knows no authorities, too.
        let builder =
            if server.is_https() { builder.tls_certs_merge(trusted) } else { builder.tls_certs_only([]) };
        // A proxy is another machine, or another program: what stays here is none of its business.
        let builder = if server.is_loopback() { builder.no_proxy() } else { builder };
        let http = builder
            .user_agent(concat!("gangplank/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| Failure::Unreachable { server: server.clone(), cause: causes(&error) })?;
        Ok(Client { http, server, credentials })
    }

    pub(crate) fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// The name that is signed in.
    pub(crate) fn username(&self) -> &str {
        match &self.credentials {
            Credentials::Password { username, .. } => username,
            Credentials::Kept(login) => &login.username,
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// The list at `path`, to its end, narrowed by `query`.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Failure> {
        let listed = self.list_at_most(path, query, LIST_ENTRIES_MAX).await?;
        if listed.more { Err(self.endless()) } else { Ok(listed.items) }
    }

    /// The same, as far as the first `most` entries.
    pub(crate) async fn list_at_most<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        most: usize,
    ) -> Result<Listed<T>, Failure> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let limit = PAGE_ENTRIES.min(most - items.len()).max(1);
            let mut request = self.request(Method::GET, path).query(query).query(&[("limit", limit)]);
            if let Some(after) = &after {
                request = request.query(&[("after", after)]);
            }
            let page: Page<T> = self.answer(request).await?;
            items.extend(page.items);
            if page.next.is_none() || items.len() >= most {
                let more = page.next.is_some() || items.len() > most;
                items.truncate(most);
                return Ok(Listed { items, more });
            }
            if page.next == after {
                return Err(self.endless());
            }
            after = page.next;
        }
    }

    fn endless(&self) -> Failure {
        self.foreign("a list without an end".to_owned())
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.answer(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.answer(self.request(Method::PATCH, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.accepted(self.request(Method::DELETE, path)).await?;
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.server.join(path));
        match &self.credentials {
            Credentials::Password { username, password } => {
                request.basic_auth(username, Some(password.reveal()))
            }
            Credentials::Kept(login) => request.bearer_auth(login.token.reveal()),
        }
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let (_, body) = self.accepted(request).await?;
        serde_json::from_slice(&body)
            .map_err(|error| self.foreign(format!("an answer that cannot be read: {error}")))
    }

    /// Status and body of an answer that says yes; what else comes is an error.
    async fn accepted(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Failure> {
        let unreachable = |error: reqwest::Error| Failure::Unreachable {
            server: self.server.clone(),
            cause: if error.is_timeout() {
                "no answer in time".to_owned()
            } else {
                causes(&error.without_url())
            },
        };
        let mut response = request.send().await.map_err(unreachable)?;
        if response.status().is_redirection() {
            return Err(self.redirected(&response));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(self.foreign(format!("an answer of more than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            return Ok((response.status(), body));
        }
        Err(self.refused(&response, &body))
    }

    fn redirected(&self, response: &Response) -> Failure {
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        Failure::Redirected { server: self.server.clone(), to: to.to_owned() }
    }

    fn refused(&self, response: &Response, body: &[u8]) -> Failure {
        let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
            let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            return self.foreign(format!("HTTP {}, {}", response.status(), kind.unwrap_or("without a type")));
        };
        match (response.status(), problem.code.as_str(), &self.credentials) {
            (StatusCode::UNAUTHORIZED, _, Credentials::Kept(login)) => {
                Failure::LoginEnded { server: self.server.clone(), username: login.username.clone() }
            }
            (StatusCode::UNAUTHORIZED, _, Credentials::Password { .. }) => {
                Failure::WrongPassword { server: self.server.clone() }
            }
            (_, "wrong_password", _) => Failure::WrongPresentPassword,
            (_, "unknown_account", _) => {
                Failure::UnknownAccount { name: problem.share.map(|share| share.account) }
            }
            (status, ..) => Failure::Refused { status: status.as_u16(), detail: problem.detail },
        }
    }

    fn foreign(&self, what: String) -> Failure {
        Failure::Foreign { server: self.server.clone(), what }
    }
}

/// The certificates in a file.
fn authorities(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let pem = gangplank::regular_file::read(path, CA_BYTES_MAX).map_err(|source| Failure::File {
        doing: "read",
        path: path.to_owned(),
        source,
    })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => {
            Err(Failure::Usage { reason: format!("{} holds no certificates (PEM) to trust", path.display()) })
        }
    }
}

/// An error and what caused it, the outermost left out when it only says "something failed".
fn causes(error: &reqwest::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let cause = deepest.to_string();
    if cause.contains("UnknownIssuer") {
        return format!(
            "{cause}; if it is from an authority of your own, name that to login: --ca-certificate FILE"
        );
    }
    if cause.contains("CaUsedAsEndEntity") {
        return AUTHORITY_AS_SERVER.to_owned();
    }
    cause
}

/// What `openssl req -x509` alone leads to, and how it goes on from there.
const AUTHORITY_AS_SERVER: &str = "\
its certificate is an authority's own certificate (CA:TRUE), which cannot stand for a server;
make an authority, and with it a certificate for the server, HOST being its name (an address: IP:HOST, not DNS:HOST):
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=our authority' -keyout ca.key -out ca.crt
    openssl req -x509 -CA ca.crt -CAkey ca.key -newkey rsa:2048 -nodes -days 365 -subj /CN=HOST \\
      -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:HOST -keyout tls.key -out tls.crt
let the server serve tls.crt and tls.key, and sign in with --ca-certificate ca.crt";

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_name_is_one_part_of_a_path_whatever_it_holds() {
        for (parts, expected) in [
            (&["repositories", "team-a/web"][..], "/api/v1/repositories/team-a%2Fweb"),
            (&["accounts", "a?b#c%d"], "/api/v1/accounts/a%3Fb%23c%25d"),
            (&["accounts", "acme", "users", "dev@x"], "/api/v1/accounts/acme/users/dev%40x"),
            (&["accounts", "ü"], "/api/v1/accounts/%C3%BC"),
        ] {
            assert_eq!(path(parts).ok().as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_step_in_a_path_is_no_name() {
        for step in ["", ".", ".."] {
            assert!(path(&["accounts", step]).is_err(), "{step:?}");
        }
    }
}
