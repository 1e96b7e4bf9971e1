//! Where sign-ins come from.

use http::Method;
use reqwest::{Client, RequestBuilder};

use super::app::TestApp;
use crate::Settings;

/// Every way to offer a name and a password.
const WAYS: [&str; 4] = ["/v2/", "/auth/token", "form", "/api/v1/whoami"];

fn wrong(app: &TestApp, client: &Client, way: &str) -> RequestBuilder {
    let url = |path: &str| format!("http://{}{path}", app.host);
    match way {
        "form" => client
            .request(Method::POST, url("/auth/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=password&username=acme&password=a%20wrong%20guess"),
        path => client.request(Method::GET, url(path)).basic_auth("acme", Some("a wrong guess")),
    }
}

fn from(address: [u8; 4]) -> Client {
    Client::builder().no_proxy().local_address(Some(address.into())).build().unwrap()
}

#[tokio::test]
async fn guesses_count_by_the_peers_address_on_every_way_in() {
    let app = TestApp::start().await;
    let (here, there) = (from([127, 0, 0, 1]), from([127, 0, 0, 2]));
    let ask = async |client: &Client, way: &str| {
        let request = wrong(&app, client, way).header("x-forwarded-for", "192.0.2.9");
        request.send().await.unwrap().status().as_u16()
    };
    for n in 0..10 {
        assert_eq!(ask(&here, WAYS[n % 4]).await, 401, "guess {n}");
    }
    for way in WAYS {
        assert_eq!((ask(&here, way).await, ask(&there, way).await), (429, 401), "{way}");
    }
    assert_eq!(app.get("acme", "/v2/").await.status(), 429, "the right one is not told from the others");
    app.clock.advance(60);
    assert_eq!(ask(&here, "/v2/").await, 401);
}

#[tokio::test]
async fn behind_a_trusted_proxy_they_count_by_what_it_tells() {
    let proxies = vec![[127, 0, 0, 1].into()];
    let settings = Settings { trusted_proxies: proxies, ..Settings::default() };
    let app = TestApp::start_with(settings, storage::Settings::default()).await;
    let ask = async |way: &str, forwarded: Option<&str>| {
        let mut request = wrong(&app, &app.client, way);
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        request.send().await.unwrap().status().as_u16()
    };
    for n in 0..10 {
        assert_eq!(ask(WAYS[n % 4], Some(&format!("198.51.100.{n}, 192.0.2.9"))).await, 401, "guess {n}");
    }
    for way in WAYS {
        assert_eq!(ask(way, Some("192.0.2.9")).await, 429, "{way}");
        assert_eq!(ask(way, Some("192.0.2.9, 192.0.2.10")).await, 401, "{way}");
    }
    for n in 0..12 {
        assert_eq!(ask("/v2/", None).await, 401, "guess {n} of somebody behind the proxy");
    }
}
