//! A registry as its users see it: an address, and people who sign in.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use crate::Person;

/// The administrator's password on every server that a test starts.
pub const ADMIN_PASSWORD: &str = "correct-horse-battery-staple";

/// A registry at an address.
#[derive(Clone)]
pub struct Registry {
    address: SocketAddr,
    http: reqwest::Client,
}

impl Registry {
    pub(crate) fn at(address: SocketAddr) -> Registry {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .expect("an HTTP client");
        Registry { address, http }
    }

    /// `127.0.0.1:40001`: what an image's name begins with.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:40001`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
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
