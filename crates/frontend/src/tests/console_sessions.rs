//! Who is signed in to the console: a browser has one session, which ends with the password, and no other site says anything
//! there.

use http::Method;
use serde_json::json;

use super::app::{TestApp, password_of};
use super::browser::Browser;

#[tokio::test]
async fn guesses_at_the_current_password_count_as_sign_ins_do() {
    let app = TestApp::start().await;
    let acme = Browser::of(&app, "acme").await;
    let to = "/console/settings";
    let fields = |current: &'static str| {
        let new = [("password", "a new password"), ("repeated", "a new password")];
        [&[("action", "password"), ("current_password", current)][..], &new].concat()
    };
    for _ in 0..10 {
        acme.sends(to, to, &fields("wrong")).await.says(&["That is not the current password."]);
    }
    for guess in ["wrong", "the password of acme"] {
        let page = acme.sends(to, to, &fields(guess)).await;
        page.says(&["id=\"current_password-error\"", "Too many sign-ins."]);
    }
    let trail = app.get("acme", "/api/v1/audit?kind=sign_in_failed").await;
    assert_eq!(trail.status(), 429, "the same names and the same addresses");
    app.clock.advance(60);
    acme.sends(to, to, &fields("the password of acme")).await.says(&["The password is changed."]);
}

#[tokio::test]
async fn a_browser_has_one_session_and_an_account_as_many_as_there_is_room_for() {
    let rules = auth::Settings { personal_tokens_max: 3, ..auth::Settings::default() };
    let app = TestApp::start_by_rules(rules).await;
    let is_in =
        async |browser: &Browser<'_>| browser.opens("/console/settings").await.address == "/console/settings";
    let first = Browser::of(&app, "acme").await;
    let former = first.cookies.lock().unwrap()["gangplank_session"].clone();
    first.signs_in("acme", &password_of("acme"), "").await.is(200);
    let thief = Browser::new(&app);
    thief.cookies.lock().unwrap().insert("gangplank_session".to_owned(), former);
    assert!(is_in(&first).await && !is_in(&thief).await);

    // The oldest one makes room.
    let mut others = Vec::new();
    for _ in 0..3 {
        app.clock.advance(1);
        others.push(Browser::of(&app, "acme").await);
    }
    assert!(!is_in(&first).await);
    for other in &others {
        assert!(is_in(other).await);
    }
    let page = "/console/settings";
    for other in &others {
        other.sends(page, "/console/sign-out", &[]).await.is(200);
    }
    let token = json!({"expires_in_seconds": 600});
    for _ in 0..3 {
        let made = app.by("acme", Method::POST, "/api/v1/tokens").json(&token).send().await.unwrap();
        assert_eq!(made.status(), 201);
    }
    let full = Browser::new(&app).signs_in("acme", &password_of("acme"), "").await;
    full.is(409).says(&["You hold 3 personal tokens", "value=\"acme\""]);
}

#[tokio::test]
async fn another_site_chooses_no_language_and_says_nothing_here() {
    let app = TestApp::start().await;
    let acme = Browser::of(&app, "acme").await;
    let path = "/console/images?done=deleted";
    for (site, told) in [("cross-site", false), ("same-origin", true)] {
        let page = acme.follows(acme.request(Method::GET, path).header("sec-fetch-site", site), path).await;
        assert_eq!(page.is(200).text.contains("Deleted."), told, "{site}");
    }
    let path = "/console/sign-in?done=password&ended=1";
    for (site, told) in [("cross-site", false), ("same-origin", true)] {
        let nobody = Browser::new(&app);
        let page =
            nobody.follows(nobody.request(Method::GET, path).header("sec-fetch-site", site), path).await;
        for text in ["The password is changed.", "Your session had ended"] {
            assert_eq!(page.is(200).text.contains(text), told, "{site}");
        }
    }
    for (site, kept) in [("cross-site", false), ("same-origin", true)] {
        let request = acme.request(Method::GET, "/console/language?to=zh-CN").header("sec-fetch-site", site);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers().contains_key("set-cookie"), kept, "{site}");
    }
}

#[tokio::test]
async fn sessions_are_tokens_that_end_with_the_password_and_by_signing_out() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    let page = browser.signs_in("acme", "wrong", "/console/shared").await;
    page.is(401).says(&["do not belong together", "value=\"acme\""]).says_nothing_of(&["value=\"wrong\""]);
    let page = browser.signs_in("acme", &password_of("acme"), "/console/shared").await;
    assert_eq!(page.address, "/console/shared");
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/console//evil.example"] {
        let other = Browser::new(&app);
        let page = other.signs_in("acme", &password_of("acme"), next).await;
        assert_eq!(page.address, "/console/images", "{next}");
    }
    let other = Browser::of(&app, "acme").await;
    let change = |current: &'static str, repeated: &'static str| {
        [
            ("action", "password"),
            ("current_password", current),
            ("password", "a new password"),
            ("repeated", repeated),
        ]
    };
    let to = "/console/settings";
    other
        .sends(to, to, &change("the password of acme", "another"))
        .await
        .says(&["The two are not the same."]);
    other
        .sends(to, to, &change("wrong", "a new password"))
        .await
        .says(&["That is not the current password."]);
    let page = other.sends(to, to, &change("the password of acme", "a new password")).await;
    assert_eq!(page.address, "/console/sign-in?done=password");
    page.says(&["The password is changed."]);
    let page = browser.opens("/console/images").await;
    assert!(page.address.starts_with("/console/sign-in"), "{}", page.address);
    let page = browser.signs_in("acme", "a new password", "").await;
    page.is(200);
    let session = browser.cookies.lock().unwrap()["gangplank_session"].clone();
    browser.sends(to, "/console/sign-out", &[]).await.is(200);
    browser.cookies.lock().unwrap().insert("gangplank_session".to_owned(), session);
    let page = browser.opens("/console/images").await;
    assert!(page.address.starts_with("/console/sign-in"), "the token is revoked");
    app.clock.advance(12 * 3600);
    let page = browser.signs_in("acme", "a new password", "").await;
    assert_eq!(page.address, "/console/images");
    app.clock.advance(12 * 3600);
    assert!(
        browser.opens("/console/images").await.address.starts_with("/console/sign-in"),
        "it lasts 12 hours"
    );
}

#[tokio::test]
async fn behind_tls_its_cookies_are_bound_to_it_and_to_the_host() {
    let external_url = Some(crate::ExternalUrl::parse("https://registry.example").unwrap());
    let settings = crate::Settings { external_url, ..crate::Settings::default() };
    let app = TestApp::start_with(settings, storage::Settings::default()).await;
    let browser = Browser::of(&app, "acme").await;
    browser.opens("/console/settings").await.is(200);
    let path = "/console/language?to=zh-CN";
    let answer = browser.request(Method::GET, path).send().await.unwrap();
    browser.keeps(&answer);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure") && cookie.contains("; Path=/;"), "{cookie}");
    let kept = browser.cookies.lock().unwrap();
    let names: Vec<_> = kept.keys().map(String::as_str).collect();
    assert_eq!(names, ["__Host-gangplank_language", "__Host-gangplank_session", "__Host-gangplank_visit"]);
}
