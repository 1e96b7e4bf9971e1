//! The console's pages about what happened: the audit trail, usage, webhooks.

use http::Method;
use serde_json::{Value, json};

use super::app::TestApp;
use super::browser::Browser;
use crate::Clock;

const ORGANIZATIONS: &str = "/console/organizations";
const AUDIT: &str = "/console/audit";

#[tokio::test]
async fn the_trail_is_filtered_and_goes_on_page_by_page() {
    let app = TestApp::start().await;
    let acme = Browser::of(&app, "acme").await;
    let new = "/console/organizations?do=create";
    let token = acme.opens(new).await.form_token();
    for number in 0..55 {
        app.clock.advance(60);
        let name = format!("made-{number:02}");
        acme.posts(ORGANIZATIONS, &token, &[("action", "create"), ("name", &name)]).await.is(200);
    }
    let found = "/console/audit?kind=namespace_created&actor=acme";
    let first = acme.opens(found).await;
    first.is(200).says(&["Organization made", "made-54", "made-05", "127.0.0.1"]);
    first.says_nothing_of(&["<div>made-04</div>", "First page"]);
    let next = first.text.split_once("rel=\"next\"").unwrap().0.rsplit_once("href=\"").unwrap().1;
    let next = next.split_once('"').unwrap().0.replace("&amp;", "&");
    assert!(next.starts_with(&format!("{found}&after=")), "{next}");
    let second = acme.opens(&next).await;
    second.says(&["made-04", "made-00", "<div>team-a</div>", "First page"]).says_nothing_of(&["made-05"]);
    acme.opens("/console/audit?subject=made-07")
        .await
        .says(&["made-07"])
        .says_nothing_of(&["<div>made-08</div>"]);
    acme.opens("/console/audit?actor=nobody").await.says(&["Nothing matches.", "value=\"nobody\""]);
    acme.opens("/console/audit?from=2027-01-16").await.says(&["Nothing matches."]);
    acme.opens("/console/audit?until=2027-01-14").await.says(&["Nothing matches."]);
    acme.opens("/console/audit?from=2027-01-15&until=2027-01-15").await.says(&["made-54"]);
    acme.opens(&format!("{AUDIT}?address=192.0.2.1"))
        .await
        .says(&["Nothing matches.", "value=\"192.0.2.1\""]);
    acme.opens(&format!("{found}&address=127.0.0.1"))
        .await
        .says(&["made-54", "&amp;address=127.0.0.1&amp;after="]);
    for (query, field) in [
        ("from=soon", "from"),
        ("until=2027-02-30", "until"),
        ("kind=x", "kind"),
        ("address=127.0.0", "address"),
    ] {
        let page = acme.opens(&format!("{AUDIT}?{query}")).await;
        page.is(200).says(&[&format!("id=\"{field}-error\"")]).says_nothing_of(&["made-54"]);
    }
    acme.opens("/console/audit?from=soon").await.says(&["value=\"soon\""]);
    acme.opens("/console/audit?subject=%3Cscript%3E").await.says_nothing_of(&["<script>"]);
    Browser::of(&app, "globex").await.opens(AUDIT).await.says_nothing_of(&["made-54", "<div>team-a</div>"]);
}

#[tokio::test]
async fn what_a_share_is_used_for_is_shown_by_day_user_and_address() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    let tab = "/console/images/team-a/web?tab=usage";
    acme.opens(tab).await.says(&["This image is shared with nobody."]);
    app.share("team-a/web", None).await;
    acme.opens(tab).await.says(&["Downloads by globex, last 30 days", "Nothing was downloaded"]);
    for _ in 0..3 {
        app.get("globex", "/v2/team-a/web/manifests/v1").await.text().await.unwrap();
    }
    app.auth.flush(crate::Clock::now(&*app.clock)).await.unwrap();
    let page = acme.opens(tab).await;
    page.says(&["<svg", "role=\"img\"", "<title>2027-01-15: 3</title>", "By user and address", "127.0.0.1"]);
    // One day, and one sharee.
    assert_eq!(page.text.matches("<rect").count(), 2);
    page.says(&["3<svg class=\"part\""]);
    let week = acme.opens(&format!("{tab}&share=globex&days=7")).await;
    week.says(&["last 7 days", "2027-01-09"]);
    acme.opens(&format!("{tab}&share=globex&days=999999999")).await.says(&["last 30 days"]);
    acme.opens(&format!("{tab}&share=nobody")).await.is(404);
    app.clock.advance(8 * 24 * 3600);
    let acme = Browser::of(&app, "acme").await;
    acme.opens(&format!("{tab}&days=7")).await.says(&["Nothing was downloaded"]);
    acme.opens(&format!("{tab}&days=30")).await.says(&["<title>2027-01-15: 3</title>"]);
}

const WEBHOOKS: &str = "/console/webhooks";

#[tokio::test]
async fn webhooks_are_made_tried_disabled_and_deleted() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, globex) = (Browser::of(&app, "acme").await, Browser::of(&app, "globex").await);
    acme.opens(WEBHOOKS).await.says(&["There are no webhooks."]);
    let new = "/console/webhooks?do=create";
    let make = |url: &'static str| {
        [("action", "create"), ("url", url), ("event", "share.ended"), ("description", "a \"hook\"")]
    };
    for url in ["", "hook", "ftp://hooks.example/", "https://127.0.0.1/", "https://a:b@hooks.example/"] {
        let page = acme.sends(new, WEBHOOKS, &make(url)).await;
        page.says(&["id=\"url-error\"", &format!("value=\"{url}\""), "value=\"share.ended\" checked"]);
        page.says(&["a &quot;hook&quot;"]);
    }
    let unknown = [("action", "create"), ("url", "https://hooks.example/x"), ("event", "share.<stolen>")];
    let page = acme.sends(new, WEBHOOKS, &unknown).await;
    page.says(&[
        "id=\"event-error\">There is no event share.&lt;stolen&gt;",
        "value=\"https://hooks.example/x\"",
    ]);
    acme.opens(WEBHOOKS).await.says(&["There are no webhooks."]);
    let made = acme.sends(new, WEBHOOKS, &make("https://hooks.example/x")).await;
    made.is(200).says(&["This is shown once.", "whsec_"]);
    let secret = made.copied()[0].clone();
    let id = made.text.split_once("/console/webhooks/").unwrap().1.split_once('"').unwrap().0.to_owned();
    let at = format!("{WEBHOOKS}/{id}");
    acme.opens(WEBHOOKS)
        .await
        .says(&["https://hooks.example/x", "Share ended", "Enabled"])
        .says_nothing_of(&[&secret]);
    acme.opens(&at).await.says(&["Nothing was sent yet."]).says_nothing_of(&[&secret]);
    let action = |action: &'static str| [("action", action), ("of", "")];
    let sent = acme.sends(&at, &at, &action("test")).await;
    sent.says(&["It is on its way.", "Test", "Waiting", "Send again"]);
    let delivery = sent.text.split_once("name=\"of\" value=\"").unwrap().1;
    // The first one is the switch's, of the webhook itself.
    let delivery = delivery.split_once("name=\"of\" value=\"").unwrap().1.split_once('"').unwrap().0;
    acme.sends(&at, &at, &[("action", "again"), ("of", delivery)]).await.says(&["It is on its way."]);
    acme.sends(&at, &at, &[("action", "again"), ("of", "1")]).await.is(404);
    acme.sends(&at, &at, &action("disable"))
        .await
        .says(&["Disabled. It takes effect", "Enable https://hooks.example/x"]);
    acme.sends(&at, &at, &action("enable")).await.says(&["Enabled."]);
    let token = globex.opens(WEBHOOKS).await.form_token();
    for word in ["test", "again", "disable", "enable"] {
        globex.posts(&at, &token, &[("action", word), ("of", delivery)]).await.is(404);
    }
    globex.posts(&at, &token, &[("action", "delete")]).await.says(&["It was gone already"]);
    acme.opens(&at).await.is(200);
    acme.opens(&format!("{at}?do=delete")).await.says(&["Delete https://hooks.example/x?"]);
    acme.sends(&at, &at, &action("delete")).await.says(&["Deleted.", "There are no webhooks."]);
    acme.opens(&at).await.is(404);
    let again = acme.opens(&format!("{at}?do=delete")).await;
    again.is(200).says(&["It was gone already", "There are no webhooks."]);
    let dev = Browser::of(&app, "dev@acme").await;
    let token = dev.opens("/console/settings").await.form_token();
    let fields = [&make("https://hooks.example/x")[..], &[("once", "1")]].concat();
    dev.posts(WEBHOOKS, &token, &fields).await.is(403).says(&["You may not do this."]);
}

#[tokio::test]
async fn a_webhook_is_changed_in_a_form_that_shows_what_it_is_and_keeps_what_is_typed() {
    let app = TestApp::start().await;
    let (mut acme, globex) = (Browser::of(&app, "acme").await, Browser::of(&app, "globex").await);
    let hook =
        json!({"url": "https://hooks.example/x", "events": ["share.ended"], "description": "a \"hook\""});
    let made = app.by("acme", Method::POST, "/api/v1/webhooks").json(&hook).send().await.unwrap();
    let id = made.json::<Value>().await.unwrap()["id"].to_string();
    let (at, form) = (format!("{WEBHOOKS}/{id}"), format!("{WEBHOOKS}/{id}?do=change"));
    acme.opens(&at).await.says(&["?do=change\" aria-label=\"Change https://hooks.example/x\""]);
    let page = acme.opens(&form).await;
    page.says(&["value=\"https://hooks.example/x\"", "value=\"share.ended\" checked", "a &quot;hook&quot;"]);
    page.says_nothing_of(&["value=\"share.created\" checked"]);
    let token = page.form_token();
    let change = |url, description| {
        let both = [("event", "share.created"), ("event", "share.left")];
        [&[("action", "change"), ("url", url), ("description", description)][..], &both].concat()
    };
    let long = "x".repeat(1001);
    for (url, description, field, told) in [
        ("", "typed", "url", "This is needed."),
        ("hooks", "typed", "url", "An absolute https://"),
        ("https://127.0.0.1/", "typed", "url", "An absolute https://"),
        ("https://hooks.example/y", long.as_str(), "description", "0 to 1000 characters, without"),
    ] {
        let page = acme.posts(&at, &token, &change(url, description)).await;
        page.says(&[&format!("id=\"{field}-error\""), told, "aria-invalid=\"true\""]);
        page.says(&[&format!("value=\"{url}\""), &format!("value=\"{description}\"")]);
        page.says(&["value=\"share.created\" checked", "value=\"share.left\" checked"]);
        page.says_nothing_of(&["value=\"share.ended\" checked"]);
    }
    acme.language = "zh-CN";
    acme.opens(&form).await.says(&["修改 https://hooks.example/x"]);
    acme.language = "en";
    let shown =
        async || app.get("acme", &format!("/api/v1/webhooks/{id}")).await.json::<Value>().await.unwrap();
    assert_eq!(shown().await["events"], json!(["share.ended"]), "nothing of what was wrong was kept");
    let saved = acme.posts(&at, &token, &change("https://hooks.example/y", "another")).await;
    saved.says(&["Saved.", "https://hooks.example/y", "Image shared, Share left", "another"]);
    let before = shown().await;
    app.clock.advance(60);
    acme.posts(&at, &token, &change("https://hooks.example/y", "another")).await.says(&["Saved."]);
    assert_eq!(shown().await, before, "what is as it was is no change");
    acme.posts(&at, &token, &[("action", "change"), ("url", "https://hooks.example/y"), ("description", "")])
        .await
        .says(&["Saved."]);
    assert_eq!(shown().await["events"], json!([]), "none stands for all");
    globex.sends(WEBHOOKS, &at, &change("https://globex.example/", "")).await.is(404);
    let dev = Browser::of(&app, "dev@acme").await;
    dev.sends("/console/settings", &at, &change("https://dev.example/", "")).await.is(403);
    assert_eq!(shown().await["url"], "https://hooks.example/y");
}

#[tokio::test]
async fn what_is_refused_in_the_console_is_in_the_trail_of_who_asked_and_of_the_images_owner() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", None).await;
    let trail = async |login: &str| {
        app.auth.flush(app.clock.now()).await.unwrap();
        Browser::of(&app, login).await.opens("/console/audit?kind=change_refused").await
    };
    let dev = Browser::of(&app, "dev@acme").await;
    let token = dev.opens("/console/settings").await.form_token();
    dev.posts("/console/organizations", &token, &[("action", "create"), ("name", "team-c")]).await.is(403);
    let describe = [("action", "describe"), ("description", "mine")];
    dev.posts("/console/images/team-a/web", &token, &describe).await.is(403);
    // A form that is none of the session's is no change that somebody asked for.
    dev.posts("/console/images/team-a/api", "another", &describe).await.is(403);
    let page = trail("acme").await;
    page.says(&["Change refused", "dev@acme", "team-a/web", "POST /console/organizations"]);
    page.says_nothing_of(&["team-a/api"]);
}
