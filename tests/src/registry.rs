//! A registry as its users see it: an address, and people who sign in.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::ClientBuilder;
use serde_json::json;

use crate::{Person, TestCa};

/// The administrator's password on every server that a test starts.
pub const ADMIN_PASSWORD: &str = "correct-horse-battery-staple";

/// A name that the real clients know, each by a file that `cargo xtask test` lays before it: of an address over IPv6,
/// since docker would take any certificate from a registry at 127.0.0.0/8.
pub const NAME: &str = "registry.test";

/// A registry at an address.
#[derive(Clone)]
pub struct Registry {
    address: SocketAddr,
    /// What its clients call it, where that is not its address.
    name: Option<&'static str>,
    /// The authority that its certificate is from; over plain HTTP, none.
    ca_certificate: Option<PathBuf>,
    http: reqwest::Client,
}

impl Registry {
    /// The one that answers plain HTTP at `address`.
    #[must_use]
    pub fn at(address: SocketAddr) -> Registry {
        Registry { address, name: None, ca_certificate: None, http: client(None, |client| client) }
    }

    /// The one, or the proxy before it, that speaks TLS at `address` with a certificate from `ca` for that address.
    #[must_use]
    pub fn over_tls(address: SocketAddr, ca: &TestCa) -> Registry {
        let ca_certificate = Some(ca.certificate());
        let http = client(ca_certificate.as_deref(), |client| client);
        Registry { address, name: None, ca_certificate, http }
    }

    /// The same, called by a name.
    #[must_use]
    pub fn called(&self, name: &'static str) -> Registry {
        let http = client(self.ca_certificate(), |client| client.resolve(name, self.address));
        Registry { name: Some(name), http, ..self.clone() }
    }

    /// The same, as those reach it whose own address is `from`.
    #[must_use]
    pub fn reached_from(&self, from: IpAddr) -> Registry {
        Registry { http: client(self.ca_certificate(), |client| client.local_address(from)), ..self.clone() }
    }

    /// The same, by clients that know no HTTP/2.
    #[must_use]
    pub fn over_http1(&self) -> Registry {
        Registry { http: client(self.ca_certificate(), ClientBuilder::http1_only), ..self.clone() }
    }

    /// `127.0.0.1:40001`, or `registry.test:40001`: what an image's name begins with.
    #[must_use]
    pub fn host(&self) -> String {
        let by_name = self.name.map(|name| format!("{name}:{}", self.address.port()));
        by_name.unwrap_or_else(|| self.address.to_string())
    }

    /// `http://127.0.0.1:40001`, or with `https`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.ca_certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    /// The file (PEM) of the authority that its clients are to trust, if it speaks TLS.
    #[must_use]
    pub fn ca_certificate(&self) -> Option<&Path> {
        self.ca_certificate.as_deref()
    }

    /// Whoever signs in so.
    #[must_use]
    pub fn person(&self, login: &str, password: &str) -> Person {
        Person::new(self.url(), self.http.clone(), Some((login.to_owned(), password.to_owned())))
    }

    /// Somebody who does not sign in.
    #[must_use]
    pub fn stranger(&self) -> Person {
        Person::new(self.url(), self.http.clone(), None)
    }

    /// The administrator.
    #[must_use]
    pub fn admin(&self) -> Person {
        self.person("admin", ADMIN_PASSWORD)
    }

    /// A new account.
    pub async fn account(&self, name: &str) -> Person {
        let password = format!("password-of-{name}");
        let body = json!({ "name": name, "password": password });
        self.admin().post("/api/v1/accounts").json(&body).send().await.expect(201);
        self.person(name, &password)
    }

    /// A new account with a namespace.
    pub async fn owner(&self, name: &str, namespace: &str) -> Person {
        let person = self.account(name).await;
        person.creates_namespace(namespace).await;
        person
    }
}

fn client(
    ca_certificate: Option<&Path>,
    change: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> reqwest::Client {
    let trusted = ca_certificate.map(|path| {
        let pem = std::fs::read(path).expect("an authority's certificate");
        reqwest::Certificate::from_pem(&pem).expect("a certificate")
    });
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .tls_certs_only(trusted);
    change(builder).build().expect("an HTTP client")
}
