//! Somebody who talks to a registry over HTTP.

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::image::{Blob, Image};
use crate::{Answer, digest_of};

/// Somebody, signed in with a name and a password, or not at all. Requests carry them as Basic credentials unless the
/// test says otherwise.
#[derive(Clone)]
pub struct Person {
    url: String,
    http: reqwest::Client,
    credentials: Option<(String, String)>,
}

/// A request in the making.
pub struct Request {
    builder: RequestBuilder,
    words: String,
    sent: Vec<String>,
    credentials: Option<(String, String)>,
}

impl Request {
    /// With a registry token instead of the password.
    #[must_use]
    pub fn bearer(self, token: &str) -> Request {
        Request { credentials: None, ..self }.header("authorization", &format!("Bearer {token}"))
    }

    /// With a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Request {
        Request { builder: self.builder.header(name, value), ..self }.noting(format!("{name}: {value}"))
    }

    /// With a body.
    #[must_use]
    pub fn body(self, body: impl Into<reqwest::Body>) -> Request {
        let body = body.into();
        let note = match body.as_bytes() {
            Some(bytes) => format!("[{} bytes]", bytes.len()),
            None => "[a stream]".to_owned(),
        };
        Request { builder: self.builder.body(body), ..self }.noting(note)
    }

    /// With a body of JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Request {
        Request { builder: self.builder.json(body), ..self }.noting(body.to_string())
    }

    /// With a form.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Request {
        let fields_as_words: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request { builder: self.builder.form(fields), ..self }.noting(fields_as_words.join(" & "))
    }

    fn noting(mut self, line: String) -> Request {
        self.sent.push(line);
        self
    }

    /// Sends it, and reads the answer to its end.
    pub async fn send(self) -> Answer {
        let words = self.words.clone();
        self.try_send().await.unwrap_or_else(|error| panic!("{words}: {error:?}"))
    }

    /// The same where the server may be gone.
    ///
    /// # Errors
    /// When there is no answer, or no whole one.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let Request { builder, words, mut sent, credentials } = self;
        let builder = match &credentials {
            Some((login, password)) => {
                sent.insert(0, format!("authorization: Basic [{login}]"));
                builder.basic_auth(login, Some(password))
            }
            None => builder,
        };
        let answer = builder.send().await?;
        let (version, status) = (answer.version(), answer.status().as_u16());
        let headers = answer.headers().clone();
        Ok(Answer { request: words, sent, version, status, headers, body: answer.bytes().await? })
    }
}

impl Person {
    pub(crate) fn new(url: String, http: reqwest::Client, credentials: Option<(String, String)>) -> Person {
        Person { url, http, credentials }
    }

    /// The name that this person signs in with.
    #[must_use]
    pub fn login(&self) -> &str {
        self.credentials.as_ref().map_or("", |(login, _)| login)
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> &str {
        self.credentials.as_ref().map_or("", |(_, password)| password)
    }

    /// The same registry's `login`, with this password.
    #[must_use]
    pub fn as_other(&self, login: &str, password: &str) -> Person {
        Person { credentials: Some((login.to_owned(), password.to_owned())), ..self.clone() }
    }

    /// The same registry's stranger.
    #[must_use]
    pub fn as_nobody(&self) -> Person {
        Person { credentials: None, ..self.clone() }
    }

    /// A request. `path` is a path, or a Location that the server gave.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        let url = if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() };
        let words =
            format!("{} {method} {path}", if self.login().is_empty() { "nobody" } else { self.login() });
        let builder = self.http.request(method, url);
        Request { builder, words, sent: Vec::new(), credentials: self.credentials.clone() }
    }

    /// A GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// A HEAD.
    #[must_use]
    pub fn head(&self, path: &str) -> Request {
        self.request(Method::HEAD, path)
    }

    /// A POST.
    #[must_use]
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// A PUT.
    #[must_use]
    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    /// A PATCH.
    #[must_use]
    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    // Images.

    /// A token of the token service for these scopes, or what of them is granted.
    pub async fn token(&self, scopes: &[&str]) -> String {
        let mut query = "/auth/token?service=".to_owned();
        query.push_str(&self.service().await);
        for scope in scopes {
            query.push_str("&scope=");
            query.push_str(scope);
        }
        self.get(&query).send().await.expect(200).token()
    }

    /// A form for the token service, sent as containerd does; `fields` say whose it is.
    #[must_use]
    pub fn token_form(&self, fields: &[(&str, &str)]) -> Request {
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        self.as_nobody().post("/auth/token").header("content-type", kind).form(fields)
    }

    /// A refresh token, got with this person's password.
    pub async fn refresh_token(&self) -> String {
        let fields = [
            ("grant_type", "password"),
            ("username", self.login()),
            ("password", self.password()),
            ("service", &self.service().await),
            ("client_id", "tests"),
            ("access_type", "offline"),
        ];
        let answer = self.token_form(&fields).send().await.expect(200);
        answer.json()["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    /// Asks for a token with a refresh token.
    pub async fn refreshes(&self, refresh_token: &str, scope: &str) -> Answer {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("service", &self.service().await),
            ("client_id", "tests"),
            ("scope", scope),
        ];
        self.token_form(&fields).send().await
    }

    /// The service that the registry's challenge names.
    pub async fn service(&self) -> String {
        let answer = self.as_nobody().get("/v2/").send().await.expect(401);
        answer.challenge("service").expect("a service").to_owned()
    }

    /// Begins an upload, and gives its Location.
    pub async fn starts_upload(&self, repository: &str) -> String {
        let answer = self.post(&format!("/v2/{repository}/blobs/uploads/")).send().await.expect(202);
        answer.header("location").to_owned()
    }

    /// Uploads a blob with POST and PUT; the first answer that is no success, or the PUT's.
    pub async fn uploads(&self, repository: &str, blob: &Blob) -> Answer {
        self.try_uploads(repository, blob).await.expect("the server answers")
    }

    /// The same where the server may be gone.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn try_uploads(&self, repository: &str, blob: &Blob) -> Result<Answer, reqwest::Error> {
        let begun = self.post(&format!("/v2/{repository}/blobs/uploads/")).try_send().await?;
        if begun.status != 202 {
            return Ok(begun);
        }
        let location = with_digest(begun.header("location"), &blob.digest);
        self.put(&location).body(blob.bytes.clone()).try_send().await
    }

    /// Puts a manifest.
    pub async fn puts_manifest(&self, repository: &str, reference: &str, image: &Image) -> Answer {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.put(&path).header("content-type", &image.media_type);
        request.body(image.manifest.clone()).send().await
    }

    /// Pushes a whole image; the first answer that is no success, or the manifest's.
    pub async fn tries_to_push(&self, repository: &str, reference: &str, image: &Image) -> Answer {
        for blob in image.blobs() {
            let answer = self.uploads(repository, blob).await;
            if answer.status != 201 {
                return answer;
            }
        }
        self.puts_manifest(repository, reference, image).await
    }

    /// Pushes a whole image.
    pub async fn pushes(&self, repository: &str, reference: &str, image: &Image) {
        self.tries_to_push(repository, reference, image).await.expect(201);
    }

    /// Asks for a manifest.
    pub async fn tries_to_pull(&self, repository: &str, reference: &str) -> Answer {
        self.get(&format!("/v2/{repository}/manifests/{reference}")).send().await
    }

    /// Pulls a whole image, and compares every byte.
    pub async fn pulls(&self, repository: &str, reference: &str, image: &Image) {
        let answer = self.tries_to_pull(repository, reference).await.expect(200);
        assert_eq!(answer.header("docker-content-digest"), image.digest, "{answer:?}");
        assert_eq!(answer.header("content-type"), image.media_type, "{answer:?}");
        assert_eq!(answer.body, image.manifest, "another manifest than was pushed");
        for blob in image.blobs() {
            let answer =
                self.get(&format!("/v2/{repository}/blobs/{}", blob.digest)).send().await.expect(200);
            assert_eq!(digest_of(&answer.body), blob.digest, "another blob than was pushed");
        }
    }

    // Management.

    /// Makes a namespace.
    pub async fn creates_namespace(&self, name: &str) {
        self.post("/api/v1/namespaces").json(&json!({ "name": name })).send().await.expect(201);
    }

    /// Makes a user of this account.
    pub async fn creates_user(&self, name: &str) -> Person {
        let password = format!("password-of-{name}");
        let path = format!("/api/v1/accounts/{}/users", self.login());
        let answer =
            self.post(&path).json(&json!({ "name": name, "password": password })).send().await.expect(201);
        self.as_other(answer.json()["login"].as_str().expect("a login"), &password)
    }

    /// Gives a user a level on a repository (`team-a/web`).
    pub async fn permits(&self, user: &str, level: &str, repository: &str) {
        let path = format!("{}/permissions/{user}", at(repository));
        self.put(&path).json(&json!({ "level": level })).send().await.expect(200);
    }

    /// Shares a repository until a deadline, and gives the share.
    pub async fn shares(&self, repository: &str, with: &str, until: Timestamp) -> Value {
        let body = json!({ "account": with, "until": until.to_string() });
        self.tries_to_share(repository, &body).await.expect(201).json()
    }

    /// Shares a repository without a deadline, and gives the share.
    pub async fn shares_for_good(&self, repository: &str, with: &str) -> Value {
        self.tries_to_share(repository, &json!({ "account": with, "permanent": true }))
            .await
            .expect(201)
            .json()
    }

    /// Asks for a share.
    pub async fn tries_to_share(&self, repository: &str, body: &Value) -> Answer {
        self.post(&format!("{}/shares", at(repository))).json(body).send().await
    }

    /// Ends a share.
    pub async fn revokes(&self, repository: &str, from: &str) {
        self.delete(&format!("{}/shares/{from}", at(repository))).send().await.expect(204);
    }

    /// The events of this account's audit trail that fit `query`, the first that happened first.
    pub async fn audits(&self, query: &str) -> Vec<Value> {
        let path = format!("/api/v1/audit?order=oldest_first&limit=1000&{query}");
        let page = self.get(&path).send().await.expect(200).json();
        page["items"].as_array().expect("a list").clone()
    }

    /// What was used under a share.
    pub async fn sees_usage(&self, repository: &str, of: &str) -> Value {
        self.get(&format!("{}/shares/{of}/usage", at(repository))).send().await.expect(200).json()
    }

    /// Leaves the share of a repository.
    pub async fn leaves(&self, repository: &str) {
        let shares = self.get("/api/v1/shares?direction=with_me&limit=1000").send().await.expect(200).json();
        let mut shares = shares["items"].as_array().expect("a list").iter();
        let share = shares.find(|share| share["repository"] == repository).expect("a share to leave");
        self.delete(&format!("/api/v1/shares/{}", share["id"])).send().await.expect(204);
    }

    /// Takes no more shares from an owner.
    pub async fn blocks(&self, owner: &str) {
        let body = json!({ "account": owner });
        self.post("/api/v1/blocked-owners").json(&body).send().await.expect(201);
    }

    /// Makes a repository public or private.
    pub async fn makes(&self, repository: &str, visibility: &str) -> Answer {
        self.patch(&at(repository)).json(&json!({ "visibility": visibility })).send().await
    }

    /// Deletes a repository.
    pub async fn deletes_repository(&self, repository: &str) {
        self.delete(&at(repository)).send().await.expect(204);
    }

    /// A login for docker for good, made of an access key.
    pub async fn access_key_login(&self) -> Person {
        let made = self.post("/api/v1/access-keys").json(&json!({})).send().await.expect(201).json();
        let word = |name: &str| made[name].as_str().expect("a word").to_owned();
        self.as_other(&word("docker_username"), &word("docker_password"))
    }

    /// A login for docker for an hour.
    pub async fn temporary_login(&self) -> Person {
        let body = json!({ "expires_in_seconds": 3600 });
        let made = self.post("/api/v1/logins").json(&body).send().await.expect(201).json();
        let word = |name: &str| made[name].as_str().expect("a word").to_owned();
        self.as_other(&word("username"), &word("secret"))
    }

    /// Makes a personal token narrowed to `scope`, and gives its secret.
    pub async fn creates_token(&self, expires_in_seconds: u64, scope: Option<&[&str]>) -> String {
        let mut body = json!({ "expires_in_seconds": expires_in_seconds });
        if let Some(scope) = scope {
            body["scope"] = json!(scope);
        }
        let answer = self.post("/api/v1/tokens").json(&body).send().await.expect(201);
        answer.json()["secret"].as_str().expect("a secret").to_owned()
    }
}

/// The management path of a repository.
fn at(repository: &str) -> String {
    format!("/api/v1/repositories/{}", repository.replace('/', "%2F"))
}

/// An upload's Location with the digest that ends it.
#[must_use]
pub fn with_digest(location: &str, digest: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}digest={digest}")
}
