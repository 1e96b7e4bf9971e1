//! What the console says of what others wrote down: in the visitor's language, with instants in the account's time zone.

use auth::{AttemptEnd, DeliveryFailure, Event, EventKind};
use http::Method;
use serde_json::{Value, json};

use super::app::{TestApp, principal};
use super::browser::Browser;
use crate::Clock;

/// The events of one kind.
async fn trail(browser: &Browser<'_>, kind: EventKind) -> String {
    browser.opens(&format!("/console/audit?kind={}", kind.as_str())).await.text
}

#[tokio::test]
async fn the_details_of_events_are_in_the_visitors_language_and_the_accounts_time_zone() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", Some(24 * 3_600)).await;
    app.get("globex", "/v2/team-a/web/manifests/v1").await.text().await.unwrap();
    app.anonymous(Method::GET, "/v2/").basic_auth("acme", Some("wrong")).send().await.unwrap();
    app.auth.flush(app.clock.now()).await.unwrap();
    let mut acme = Browser::of(&app, "acme").await;
    let zone = [("action", "profile"), ("display_name", ""), ("time_zone", "Asia/Shanghai")];
    acme.sends("/console/settings", "/console/settings", &zone).await.says(&["Saved."]);
    let deadline = (app.clock.now() + jiff::SignedDuration::from_hours(24))
        .to_zoned_datetime(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())
        .strftime("%Y-%m-%d %H:%M +08:00")
        .to_string();
    let shared = trail(&acme, EventKind::ShareCreated).await;
    assert!(shared.contains(&format!("<div>with globex until {deadline}</div>")), "{shared}");
    acme.language = "zh-CN";
    let shared = trail(&acme, EventKind::ShareCreated).await;
    assert!(shared.contains(&format!("<div>共享给 globex，{deadline} 截止</div>")), "{shared}");
    let pushed = trail(&acme, EventKind::ManifestPushed).await;
    assert!(pushed.contains("<div>镜像 sha256:") && pushed.contains("，版本 v1</div>"), "{pushed}");
    let refused = trail(&acme, EventKind::SignInFailed).await;
    assert!(refused.contains("<div>密码错误</div>"), "{refused}");
    for kind in EventKind::ALL {
        let page = trail(&acme, *kind).await;
        assert!(!page.contains("<div><span lang=\"en\">"), "{kind:?} has a detail that is not read: {page}");
    }
    let told: Value = app.get("acme", "/api/v1/audit?kind=share_created").await.json().await.unwrap();
    assert!(told.to_string().contains("with globex until 2027-01-"), "the API's stays: {told}");
}

#[tokio::test]
async fn a_detail_of_before_that_is_not_understood_is_shown_as_it_was_written() {
    let app = TestApp::start().await;
    let account = principal(&app.auth, "acme", app.clock.now()).await.account().unwrap();
    let mut tx = app.auth.store().transaction();
    Event::new(
        account,
        EventKind::ShareCreated,
        auth::Actor::server(),
        "team-a/web".to_owned(),
        app.clock.now(),
    )
    .with_detail("with <globex> since ever")
    .record(&mut tx)
    .unwrap();
    app.auth.store().commit(tx).await.unwrap();
    let mut acme = Browser::of(&app, "acme").await;
    acme.language = "zh-CN";
    let page = trail(&acme, EventKind::ShareCreated).await;
    assert!(page.contains("<div><span lang=\"en\">with &lt;globex&gt; since ever</span></div>"), "{page}");
}

#[tokio::test]
async fn why_a_delivery_failed_is_in_the_visitors_language_with_the_cause_as_it_was() {
    let app = TestApp::start().await;
    let hook = json!({"url": "https://hooks.example/x", "events": []});
    let made = app.by("acme", Method::POST, "/api/v1/webhooks").json(&hook).send().await.unwrap();
    let id = made.json::<Value>().await.unwrap()["id"].to_string();
    let at = format!("/console/webhooks/{id}");
    let mut acme = Browser::of(&app, "acme").await;
    let account = principal(&app.auth, "acme", app.clock.now()).await.account().unwrap();
    for (failure, english, chinese) in [
        (DeliveryFailure::TimedOut, "<span lang=\"en\">no answer in time</span>", "等待响应超时"),
        (
            DeliveryFailure::Unreached { cause: "Connection refused (os error 111)".to_owned() },
            "<span lang=\"en\">Connection refused (os error 111)</span>",
            "未能送达：<span lang=\"en\">Connection refused (os error 111)</span>",
        ),
    ] {
        acme.language = "en";
        acme.sends(&at, &at, &[("action", "test")]).await.says(&["It is on its way."]);
        let attempt = app.auth.next_attempt(id.parse().unwrap(), account, app.clock.now()).await.unwrap();
        let end = AttemptEnd::Unanswered { reason: failure.to_string() };
        app.auth.end_attempt(&attempt.unwrap(), &end, app.clock.now()).await.unwrap();
        acme.opens(&at).await.says(&[english]);
        acme.language = "zh-CN";
        acme.opens(&at).await.says(&[chinese]);
    }
}
