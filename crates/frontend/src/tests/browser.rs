//! A browser without script, as the tests of the console use it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use http::{Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};

use super::app::{TestApp, header, password_of};

/// A browser: it keeps cookies, and follows where it is sent.
pub(super) struct Browser<'a> {
    pub(super) app: &'a TestApp,
    pub(super) client: Client,
    pub(super) cookies: Mutex<BTreeMap<String, String>>,
    pub(super) language: &'static str,
}

/// A page that it shows.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    /// Where it is, after redirects.
    pub(super) address: String,
    pub(super) text: String,
}

impl Page {
    pub(super) fn says(&self, texts: &[&str]) -> &Page {
        for text in texts {
            assert!(
                self.text.contains(text),
                "{text} is not in {} {}: {}",
                self.status,
                self.address,
                self.text
            );
        }
        self
    }

    pub(super) fn says_nothing_of(&self, texts: &[&str]) -> &Page {
        for text in texts {
            assert!(!self.text.contains(text), "{text} is in {}: {}", self.address, self.text);
        }
        self
    }

    pub(super) fn is(&self, status: u16) -> &Page {
        assert_eq!(self.status, status, "{}: {}", self.address, self.text);
        self
    }

    /// What the first form of that token carries.
    pub(super) fn form_token(&self) -> String {
        let rest = self.text.split_once("name=\"form_token\" value=\"").expect("a form").1;
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// The hidden fields of its forms, as they are sent back; what they carry against other sites apart.
    fn hidden(&self) -> Vec<(String, String)> {
        let plain = |text: &str| {
            let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            text.replace("&amp;", "&")
        };
        let fields = self.text.split("<input type=\"hidden\" name=\"").skip(1).map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            (name.to_owned(), plain(rest.split_once('"').unwrap().0))
        });
        fields.filter(|(name, _)| name != "form_token").collect()
    }

    /// The lines that it offers to copy.
    pub(super) fn copied(&self) -> Vec<String> {
        let lines = self.text.split("data-copy=\"").skip(1);
        lines.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }
}

impl<'a> Browser<'a> {
    pub(super) fn new(app: &'a TestApp) -> Browser<'a> {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Browser { app, client, cookies: Mutex::default(), language: "en" }
    }

    pub(super) async fn of(app: &'a TestApp, login: &str) -> Browser<'a> {
        let browser = Browser::new(app);
        browser.signs_in(login, &password_of(login), "").await.is(200);
        browser
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies: Vec<_> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let url = format!("http://{}{path}", self.app.host);
        self.client
            .request(method, url)
            .header("cookie", cookies.join("; "))
            .header("accept-language", self.language)
    }

    pub(super) fn keeps(&self, answer: &Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split_once(';').unwrap().0.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if cookie.contains("Max-Age=0;") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) async fn follows(&self, request: RequestBuilder, path: &str) -> Page {
        let (mut answer, mut address) = (request.send().await.unwrap(), path.to_owned());
        for _ in 0..5 {
            self.keeps(&answer);
            if answer.status() != StatusCode::SEE_OTHER {
                break;
            }
            address = header(&answer, "location").to_owned();
            answer = self.request(Method::GET, &address).send().await.unwrap();
        }
        let policy = header(&answer, "content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("; connect-src 'self';"), "{policy}");
        let status = answer.status().as_u16();
        Page { status, address, text: answer.text().await.unwrap() }
    }

    pub(super) async fn opens(&self, path: &str) -> Page {
        self.follows(self.request(Method::GET, path), path).await
    }

    /// Sends a form with this token and these fields.
    pub(super) async fn posts(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> Page {
        let mut all = vec![("form_token", token)];
        all.extend_from_slice(fields);
        self.follows(self.request(Method::POST, path).form(&all), path).await
    }

    /// Opens a page and sends a form of it to `path`.
    pub(super) async fn sends(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        self.answers(&self.opens(page).await, path, fields).await
    }

    /// Sends a form of a page to `path`, with what it hides.
    pub(super) async fn answers(&self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.hidden();
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let unsaid = hidden.filter(|(name, _)| fields.iter().all(|(given, _)| given != name));
        let all: Vec<_> = fields.iter().copied().chain(unsaid).collect();
        self.posts(path, &page.form_token(), &all).await
    }

    pub(super) async fn signs_in(&self, login: &str, password: &str, next: &str) -> Page {
        let fields = [("username", login), ("password", password), ("next", next)];
        self.sends("/console/sign-in", "/console/sign-in", &fields).await
    }
}
