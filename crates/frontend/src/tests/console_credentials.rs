//! The console's page of credentials: what is made there is shown once, works, and ends.

use http::{Method, StatusCode};
use reqwest::Response;
use serde_json::{Value, json};

use super::app::TestApp;
use super::browser::Browser;

const CREDENTIALS: &str = "/console/credentials";

/// The name and the password in a line that signs docker in.
fn docker_login(line: &str) -> (String, String) {
    let words: Vec<_> = line.split('\'').collect();
    assert!(line.starts_with("docker login --username '"), "{line}");
    (words[1].to_owned(), words[3].to_owned())
}

async fn tries(app: &TestApp, (name, password): &(String, String), path: &str) -> Response {
    app.anonymous(Method::GET, path).basic_auth(name, Some(password)).send().await.unwrap()
}

#[tokio::test]
async fn a_docker_login_is_shown_once_and_ends_with_the_session_or_by_the_password_on_its_own() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    acme.opens(CREDENTIALS).await.is(200).says(&["This session", "You have no access keys."]);
    let new = "/console/credentials?do=docker-login";
    acme.opens(new).await.says(&["<option value=\"24\">24</option>", "at 2027-01-15 20:00"]);
    let make = |hours: &'static str, password: &'static str| {
        [("action", "docker-login"), ("hours", hours), ("current_password", password)]
    };
    for hours in ["0", "25", "x", ""] {
        let page = acme.sends(new, CREDENTIALS, &make(hours, "")).await;
        page.says(&["id=\"hours-error\"", "A number of hours, from 1 to 24."]);
    }
    let wrong = acme.sends(new, CREDENTIALS, &make("24", "wrong")).await;
    wrong.says(&[
        "id=\"current_password-error\"",
        "not the current password",
        "<option value=\"24\" selected>",
    ]);
    wrong.says_nothing_of(&["value=\"wrong\""]);
    let made = acme.sends(new, CREDENTIALS, &make("24", "")).await;
    made.is(200).says(&["This is shown once.", "2027-01-15 20:00"]);
    let short = docker_login(&made.copied()[0]);
    let made = acme.sends(new, CREDENTIALS, &make("24", "the password of acme")).await;
    made.says(&["2027-01-16 08:00"]);
    let long = docker_login(&made.copied()[0]);
    acme.opens(CREDENTIALS).await.says(&["Temporary docker login"]).says_nothing_of(&[&short.1, &long.1]);
    let manifest = "/v2/team-a/web/manifests/v1";
    for login in [&short, &long] {
        assert_eq!(tries(&app, login, manifest).await.status(), StatusCode::OK);
    }
    app.clock.advance(12 * 3600);
    assert_eq!(tries(&app, &short, manifest).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(tries(&app, &long, manifest).await.status(), StatusCode::OK);
    app.clock.advance(12 * 3600);
    assert_eq!(tries(&app, &long, manifest).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn personal_tokens_are_shown_once_listed_and_revoked() {
    let app = TestApp::start().await;
    let dev = Browser::of(&app, "dev@acme").await;
    let new = "/console/credentials?do=token";
    let make = |days: &'static str, description: &'static str, password: &'static str| {
        [("action", "token"), ("days", days), ("description", description), ("current_password", password)]
    };
    for (days, description, field) in [
        ("0", "for CI", "days"),
        ("x", "for CI", "days"),
        ("366", "for CI", "days"),
        ("30", "\u{7}", "description"),
    ] {
        let page = dev.sends(new, CREDENTIALS, &make(days, description, "")).await;
        page.says(&[&format!("id=\"{field}-error\""), &format!("value=\"{days}\"")]);
    }
    let made = dev.sends(new, CREDENTIALS, &make("30", "for <CI>", "the password of dev@acme")).await;
    made.says(&["for &lt;CI&gt;", "This is shown once.", "2027-02-14 08:00"]);
    let (secret, login) = (made.copied()[0].clone(), docker_login(&made.copied()[1]));
    assert_eq!(login, ("dev@acme".to_owned(), secret.clone()));
    assert_eq!(tries(&app, &login, "/api/v1/whoami").await.status(), StatusCode::OK);
    let listed = dev.opens(CREDENTIALS).await;
    listed.says(&["for &lt;CI&gt;", "Personal token"]).says_nothing_of(&[&secret]);
    let row = listed.text.split("for &lt;CI&gt;").nth(1).unwrap();
    let id = row.split_once("do=revoke&amp;of=").unwrap().1.split_once('"').unwrap().0;
    let question = dev.opens(&format!("{CREDENTIALS}?do=revoke&of={id}")).await;
    question.says(&["Revoke token for &lt;CI&gt;?"]);
    let revoke = [("action", "revoke"), ("of", id)];
    let acme = Browser::of(&app, "acme").await;
    acme.sends(CREDENTIALS, CREDENTIALS, &revoke).await.says(&["It was gone already"]);
    acme.opens(&format!("{CREDENTIALS}?do=revoke&of={id}")).await.says(&["It was gone already"]);
    dev.posts(CREDENTIALS, &question.form_token(), &revoke).await.says(&["The token is revoked"]);
    assert_eq!(tries(&app, &login, "/api/v1/whoami").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_is_to_outlive_the_session_takes_the_password() {
    let app = TestApp::start().await;
    let mut acme = Browser::of(&app, "acme").await;
    let new = "/console/credentials?do=token";
    acme.opens(new)
        .await
        .says(&["Needed for one that outlives this session, which ends at 2027-01-15 20:00"]);
    let make = |password: &'static str| {
        let scope = ("scope", "repository:team-a/*:pull");
        [("action", "token"), ("days", "1"), ("description", "CI"), scope, ("current_password", password)]
    };
    for (language, told) in [
        ("en", "This session ends at 2027-01-15 20:00 +00:00: a token"),
        ("zh-CN", "本次会话将于 2027-01-15 20:00 +00:00 失效，有效期超过会话的令牌需要"),
    ] {
        acme.language = language;
        let page = acme.sends(new, CREDENTIALS, &make("")).await;
        page.is(200).says(&["id=\"current_password-error\"", told]).says_nothing_of(&["data-copy="]);
        page.says(&["value=\"1\"", "value=\"CI\"", "repository:team-a/*:pull</textarea>"]);
    }
    acme.language = "en";
    acme.opens(CREDENTIALS).await.says(&["This session"]).says_nothing_of(&["<div>Personal token"]);
    let made = acme.sends(new, CREDENTIALS, &make("the password of acme")).await;
    made.says(&["This is shown once.", "2027-01-16 08:00"]);
    // Whose session is a token of many days needs none for one that ends before it.
    let token = json!({"expires_in_seconds": 36 * 3600});
    let token = app.by("acme", Method::POST, "/api/v1/tokens").json(&token).send().await.unwrap();
    let secret = token.json::<Value>().await.unwrap()["secret"].as_str().unwrap().to_owned();
    acme.cookies.lock().unwrap().insert("gangplank_session".to_owned(), secret);
    let made = acme.sends(new, CREDENTIALS, &make("")).await;
    made.says(&["This is shown once.", "2027-01-16 08:00"]);
    app.clock.advance(12 * 3600);
    acme.sends(new, CREDENTIALS, &make("")).await.says(&["This is shown once.", "2027-01-16 20:00"]);
    app.clock.advance(1);
    acme.sends(new, CREDENTIALS, &make("")).await.says(&["ends at 2027-01-16 20:00 +00:00: a token"]);
}

#[tokio::test]
async fn who_revokes_the_own_session_is_told_that_it_signs_out() {
    let app = TestApp::start().await;
    let mut acme = Browser::of(&app, "acme").await;
    let other = Browser::of(&app, "acme").await;
    let listed = acme.opens(CREDENTIALS).await;
    let own = listed.text.split_once("This session").unwrap().1;
    let id = own.split_once("do=revoke&amp;of=").unwrap().1.split_once('"').unwrap().0;
    let question = format!("{CREDENTIALS}?do=revoke&of={id}");
    let told = "It is this very session: you are signed out here, at once.";
    other.opens(&question).await.says(&["Whoever uses it is refused"]).says_nothing_of(&[told]);
    acme.language = "zh-CN";
    acme.opens(&question).await.says(&["这是您当前的会话：吊销后您将立即在此退出登录"]);
    acme.language = "en";
    let asked = acme.opens(&question).await;
    asked.says(&["Revoke token console?", told, "made with it end, too"]);
    let page = acme.answers(&asked, CREDENTIALS, &[("action", "revoke")]).await;
    assert!(page.address.starts_with("/console/sign-in?"), "{}", page.address);
    other.opens(CREDENTIALS).await.is(200).says(&["This session"]);
}

#[tokio::test]
async fn access_keys_sign_docker_in_until_they_are_disabled_or_deleted() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    let new = "/console/credentials?do=access-key";
    let long = "x".repeat(1001);
    let make = |description| [("action", "access-key"), ("description", description)];
    acme.sends(new, CREDENTIALS, &make(long.as_str())).await.says(&["id=\"description-error\"", &long]);
    let made = acme.sends(new, CREDENTIALS, &make("build")).await;
    made.is(200).says(&["This is shown once.", "Secret key", "Long-term docker login"]);
    let lines = made.copied();
    let (key, secret, login) = (lines[0].as_str(), lines[1].as_str(), docker_login(&lines[2]));
    assert_eq!(login.0, format!("test@{key}"));
    let manifest = "/v2/team-a/web/manifests/v1";
    assert_eq!(tries(&app, &login, manifest).await.status(), StatusCode::OK);
    acme.opens(CREDENTIALS).await.says(&[key, "build", "Enabled"]).says_nothing_of(&[secret, &login.1]);
    let of = |action: &'static str| [("action", action), ("of", key)];
    let dev = Browser::of(&app, "dev@acme").await;
    for action in ["disable", "enable"] {
        dev.sends(CREDENTIALS, CREDENTIALS, &of(action)).await.is(404);
    }
    dev.sends(CREDENTIALS, CREDENTIALS, &of("delete")).await.says(&["It was gone already"]);
    acme.sends(CREDENTIALS, CREDENTIALS, &of("disable")).await.says(&["Disabled. It takes effect"]);
    assert_eq!(tries(&app, &login, manifest).await.status(), StatusCode::UNAUTHORIZED);
    acme.sends(CREDENTIALS, CREDENTIALS, &of("enable")).await.says(&["Enabled."]);
    assert_eq!(tries(&app, &login, manifest).await.status(), StatusCode::OK);
    acme.opens(&format!("{CREDENTIALS}?do=delete&of={key}")).await.says(&[&format!("Delete {key}?")]);
    acme.sends(CREDENTIALS, CREDENTIALS, &of("delete")).await.says(&["Deleted.", "You have no access keys."]);
    assert_eq!(tries(&app, &login, manifest).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_personal_token_is_narrowed_to_what_is_typed_and_says_so() {
    let app = TestApp::start().await;
    for name in ["team-a/web", "team-a/api"] {
        app.push_image("acme", name, "v1", b"layer").await;
    }
    let mut dev = Browser::of(&app, "dev@acme").await;
    let new = "/console/credentials?do=token";
    let make = |scope| {
        let password = ("current_password", "the password of dev@acme");
        [("action", "token"), ("days", "7"), ("description", "CI"), ("scope", scope), password]
    };
    dev.opens(new).await.says(&["aria-describedby=\"scope-hint\"", "repository:team-a/*:pull,push all of"]);
    let many = "repository:team-a/web:pull\r\n".repeat(65);
    for (scope, told) in [
        ("team-a/web", "team-a/web is no scope."),
        (
            "repository:team-a/web:pull repository:team-a/api:&fly",
            "repository:team-a/api:&amp;fly is no scope.",
        ),
        (many.as_str(), "At most 64 patterns"),
        ("repository:team-a/none:pull", "does not exist, or you may not see it"),
        ("repository:globex/*:pull", "does not exist, or you may not see it"),
    ] {
        let page = dev.sends(new, CREDENTIALS, &make(scope)).await;
        let kept = scope.replace('&', "&amp;");
        page.says(&[
            "id=\"scope-error\"",
            told,
            &format!("{kept}</textarea>"),
            "value=\"CI\"",
            "value=\"7\"",
        ]);
    }
    dev.language = "zh-CN";
    dev.sends(new, CREDENTIALS, &make("x")).await.says(&["范围", "格式不正确：x。"]);
    dev.language = "en";
    let scope = " repository:team-a/web:pull\r\n\r\n";
    let made = dev.sends(new, CREDENTIALS, &make(scope)).await;
    made.says(&["Narrowed to", "<code>repository:team-a/web:pull</code>"]);
    let login = docker_login(&made.copied()[1]);
    let manifest = |image: &str| format!("/v2/{image}/manifests/v1");
    assert_eq!(tries(&app, &login, &manifest("team-a/web")).await.status(), StatusCode::OK);
    assert_eq!(tries(&app, &login, &manifest("team-a/api")).await.status(), StatusCode::NOT_FOUND);
    dev.opens(CREDENTIALS).await.says(&["Personal token for <code>repository:team-a/web:pull</code>"]);
    let whole = docker_login(&dev.sends(new, CREDENTIALS, &make(" \r\n")).await.copied()[1]);
    assert_eq!(tries(&app, &whole, &manifest("team-a/api")).await.status(), StatusCode::OK);
}
