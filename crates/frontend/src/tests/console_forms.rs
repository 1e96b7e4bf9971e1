//! What forms say to who may not send them, sends them twice, or types what is out of bounds.

use http::Method;
use serde_json::json;

use super::app::{TestApp, password_of};
use super::browser::Browser;

const WEB: &str = "/console/images/team-a/web";
const IMAGES: &str = "/console/images";
const CREDENTIALS: &str = "/console/credentials";

#[tokio::test]
async fn a_new_image_is_offered_to_who_may_make_one() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    for login in ["acme", "dev@acme"] {
        let browser = Browser::of(&app, login).await;
        browser.opens(IMAGES).await.says(&["team-a/web", "?do=create"]);
        browser.opens(&format!("{IMAGES}?do=create")).await.is(200);
    }
    let reader = Browser::of(&app, "reader@acme").await;
    reader.opens(IMAGES).await.says(&["team-a/web"]).says_nothing_of(&["?do=create", "New image"]);
    reader.opens(&format!("{IMAGES}?do=create")).await.is(403);
}

#[tokio::test]
async fn what_is_gone_already_is_told_at_its_list() {
    let app = TestApp::start().await;
    for name in ["team-a/web", "team-a/api"] {
        app.push_image("acme", name, "v1", b"layer").await;
        app.share(name, None).await;
    }
    let (acme, globex) = (Browser::of(&app, "acme").await, Browser::of(&app, "globex").await);
    let token = acme.opens("/console/settings").await.form_token();
    let sharing = format!("{WEB}?tab=sharing");
    for told in ["The share is revoked.", "It was gone already"] {
        let page = acme.posts(WEB, &token, &[("action", "revoke-share"), ("of", "globex")]).await;
        page.is(200).says(&[told, "This image is shared with nobody."]);
        assert!(page.address.starts_with(&sharing), "{}", page.address);
    }
    acme.opens(&format!("{sharing}&revoke=globex")).await.is(200).says(&["It was gone already"]);

    let list = globex.opens("/console/shared").await;
    let id = list.text.split_once("?leave=").unwrap().1.split_once('"').unwrap().0.to_owned();
    let theirs = globex.opens("/console/settings").await.form_token();
    for told in ["You have left the share.", "It was gone already"] {
        globex.posts("/console/shared", &theirs, &[("of", &id)]).await.is(200).says(&[told]);
    }
    globex.opens(&format!("/console/shared?leave={id}")).await.is(200).says(&["It was gone already"]);

    for told in ["Deleted.", "It was gone already"] {
        let page = acme.posts(WEB, &token, &[("action", "delete"), ("of", "team-a/web")]).await;
        page.is(200).says(&[told, "team-a/api"]);
        assert!(page.address.starts_with(&format!("{IMAGES}?done=")), "{}", page.address);
    }
    acme.opens(&format!("{WEB}?tab=settings&do=delete")).await.is(200).says(&["It was gone already"]);
    acme.opens(WEB).await.is(404);

    for (path, fields) in [
        ("/console/users", [("action", "delete"), ("of", "reader")]),
        ("/console/organizations/team-b", [("action", "delete"), ("of", "team-b")]),
    ] {
        acme.sends(
            "/console/organizations?do=create",
            "/console/organizations",
            &[("action", "create"), ("name", "team-b")],
        )
        .await
        .is(200);
        for told in ["Deleted.", "It was gone already"] {
            acme.posts(path, &token, &fields).await.is(200).says(&[told]);
        }
        let (of, list) = (fields[1].1, path.trim_end_matches("/team-b"));
        let page = acme.opens(&format!("{path}?do=delete&of={of}")).await;
        page.is(200).says(&["It was gone already"]);
        assert!(page.address.starts_with(list), "{}", page.address);
    }
    acme.posts(CREDENTIALS, &token, &[("action", "revoke"), ("of", "1")])
        .await
        .says(&["It was gone already"]);
    acme.posts("/console/blocked-owners", &token, &[("action", "unblock"), ("of", "globex")])
        .await
        .says(&["It was gone already"]);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_told_with_the_bound_in_each_language() {
    let app = TestApp::start().await;
    let mut acme = Browser::of(&app, "acme").await;
    let token = acme.opens("/console/settings").await.form_token();
    for (action, field, values, english, chinese) in [
        ("docker-login", "hours", ["25", "0", "x"], "A number of hours, from 1 to 24.", "范围为 1 到 24。"),
        (
            "token",
            "days",
            ["0", "400", "99999999999999999999"],
            "A number of days, from 1 to 365.",
            "范围为 1 到 365。",
        ),
    ] {
        for value in values {
            for (language, told) in [("en", english), ("zh-CN", chinese)] {
                acme.language = language;
                let fields = [("action", action), (field, value), ("once", "1")];
                let page = acme.posts(CREDENTIALS, &token, &fields).await;
                page.is(200).says(&[&format!("id=\"{field}-error\""), told]);
            }
        }
    }
}

#[tokio::test]
async fn who_keeps_no_cookies_is_told_that_signing_in_needs_them() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    let token = browser.opens("/console/sign-in").await.form_token();
    browser.cookies.lock().unwrap().clear();
    let fields = [("username", "acme"), ("password", &*password_of("acme"))];
    let page = browser.posts("/console/sign-in", &token, &fields).await;
    page.is(403).says(&["Signing in needs cookies", "name=\"password\""]);
}

#[tokio::test]
async fn the_usage_of_a_public_image_says_why_it_has_none() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let public = json!({"visibility": "public"});
    let path = "/api/v1/repositories/team-a%2Fweb";
    app.by("acme", Method::PATCH, path).json(&public).send().await.unwrap().error_for_status().unwrap();
    let acme = Browser::of(&app, "acme").await;
    let page = acme.opens(&format!("{WEB}?tab=usage")).await;
    page.says(&["what everybody pulls is not counted"]).says_nothing_of(&["Once it is shared"]);
}

#[tokio::test]
async fn each_button_that_copies_is_called_by_what_it_copies() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let mut acme = Browser::of(&app, "acme").await;
    let command = format!("docker pull {}/team-a/web:v1", app.host);
    acme.opens(WEB).await.says(&[&format!("aria-label=\"Copy {command}\"")]);
    let new = "/console/credentials?do=access-key";
    let made = acme.sends(new, CREDENTIALS, &[("action", "access-key"), ("description", "")]).await;
    made.says(&["aria-label=\"Copy Secret key\"", "aria-label=\"Copy Access key\""]);
    acme.language = "zh-CN";
    acme.opens(WEB).await.says(&[&format!("aria-label=\"复制 {command}\"")]);
    let page = acme.opens(&format!("{WEB}?tab=guide")).await;
    let names: Vec<_> = page.text.split("class=\"copy\"").skip(1).collect();
    let names: Vec<_> =
        names.iter().map(|rest| rest.split("aria-label=\"").nth(1).unwrap().split('"').next()).collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert!(names.len() > 5 && distinct.len() == names.len(), "{names:?}");
}
