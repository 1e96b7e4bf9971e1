//! What pages say: all that is wrong at once, which tab they are, what a session that ended left undone.

use http::Method;

use super::app::{IMAGE, TestApp, image};
use super::browser::Browser;

const WEB: &str = "/console/images/team-a/web";
const CREDENTIALS: &str = "/console/credentials";

async fn stage() -> TestApp {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app
}

#[tokio::test]
async fn all_fields_of_a_share_that_are_wrong_are_told_at_once() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let token = acme.opens("/console/settings").await.form_token();
    let long = "x".repeat(1001);
    let share = |action, account| {
        let fields = [("deadline", "soon"), ("tags", "v["), ("notice", "many")];
        [&[("action", action), ("account", account), ("description", &*long)][..], &fields].concat()
    };
    let errors = ["deadline", "tags", "notice", "description"].map(|field| format!("id=\"{field}-error\""));
    let errors = errors.each_ref().map(String::as_str);
    for action in ["check-share", "share"] {
        let page = acme.posts(WEB, &token, &share(action, "No Name")).await;
        page.is(200).says(&["id=\"account-error\""]).says(&errors);
    }
    app.share("team-a/web", None).await;
    let change = format!("{WEB}?tab=sharing&change=globex");
    acme.sends(&change, WEB, &share("change-share", "globex")).await.is(200).says(&errors);
}

#[tokio::test]
async fn the_question_says_what_a_share_comes_to() {
    let app = stage().await;
    app.push_image("acme", "team-a/api", "v1", b"layer").await;
    let mut acme = Browser::of(&app, "acme").await;
    let token = acme.opens("/console/settings").await.form_token();
    let day = ("deadline", "2027-02-28");
    let ever = ("permanent", "on");
    let (web, api) = (("image", "team-a/web"), ("image", "team-a/api"));
    for (end, images, told, theirs) in [
        (day, &[web][..], "download it until the deadline", "在截止日期前均可下载。"),
        (ever, &[web], "download it until you revoke the share.", "均可下载，直至您取消共享。"),
        (day, &[web, api], "download these images until the deadline", "在截止日期前均可下载这些镜像。"),
        (
            ever,
            &[web, api],
            "these images until you revoke the shares.",
            "均可下载这些镜像，直至您取消共享。",
        ),
    ] {
        let fields = [&[("action", "check-share"), ("account", "globex"), end][..], images].concat();
        acme.posts("/console/share", &token, &fields).await.says(&[told]);
        acme.language = "zh-CN";
        acme.posts("/console/share", &token, &fields).await.says(&[theirs]);
        acme.language = "en";
    }
}

#[tokio::test]
async fn windows_are_called_by_the_tab_and_the_image() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    for (tab, title) in [
        ("tags", "Tags"),
        ("guide", "Pull/push guide"),
        ("sharing", "Sharing"),
        ("sharing&new=1", "Sharing"),
        ("permissions", "Permissions"),
        ("settings", "Settings"),
    ] {
        let page = acme.opens(&format!("{WEB}?tab={tab}")).await;
        page.says(&[&format!("<title>{title} · team-a/web · Gangplank</title>"), "<h1>team-a/web</h1>"]);
    }
}

#[tokio::test]
async fn chinese_has_its_own_stops_and_colons() {
    let app = stage().await;
    app.share("team-a/web", Some(10 * 24 * 3600)).await;
    let mut acme = Browser::of(&app, "acme").await;
    let change = format!("{WEB}?tab=sharing&change=globex");
    acme.opens(&change).await.says(&[
        "Now the share ends at <time",
        "</time>. If the day",
        "</strong>: Download",
    ]);
    acme.language = "zh-CN";
    acme.opens(&change).await.says(&["当前截止时间：<time", "</time>。不修改日期", "</strong>：下载"]);
}

#[tokio::test]
async fn who_sends_a_form_after_the_session_ended_is_told_and_led_back() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let form = format!("{CREDENTIALS}?do=token&done=saved");
    let token = acme.opens(&form).await.form_token();
    app.clock.advance(12 * 3600);
    let fields = [("form_token", token.as_str()), ("action", "token"), ("days", "1")];
    let told = "Your session had ended: what you sent was not done.";
    let referer = format!("http://{}{form}", app.host);
    let request = acme.request(Method::POST, CREDENTIALS).header("referer", referer).form(&fields);
    let page = acme.follows(request, CREDENTIALS).await;
    page.is(200).says(&[told, "value=\"/console/credentials?do=token\""]);
    // The language is switched without forgetting where it leads.
    let referer = format!("http://{}{}", app.host, page.address);
    let request = acme.request(Method::GET, "/console/language?to=zh-CN").header("referer", referer);
    let page = acme.follows(request, "/console/language").await;
    page.says(&["会话已失效", "value=\"/console/credentials?do=token\""]);
    let next = "/console/credentials?do=token";
    let page = acme.signs_in("acme", "wrong", next).await;
    page.is(401).says(&["value=\"acme\"", "value=\"/console/credentials?do=token\""]);
    let page = acme.signs_in("acme", &super::app::password_of("acme"), next).await;
    assert_eq!(page.address, next);
    // A browser that does not say where the form was is led to the form's address.
    app.clock.advance(12 * 3600);
    let page = acme.posts(WEB, &token, &[("action", "describe")]).await;
    page.says(&["会话已失效", &format!("value=\"{WEB}\"")]);
    let page = acme.opens(&format!("{WEB}?tab=sharing&new=1&description={}", "%E8%88%B9".repeat(380))).await;
    page.says(&[&format!("name=\"next\" value=\"{WEB}\"")]);
    let page = acme.posts("/console/sign-out", &token, &[]).await;
    page.says(&["name=\"next\" value=\"\""]).says_nothing_of(&["会话已失效"]);
}

#[tokio::test]
async fn sessions_are_called_so_and_the_newest_token_comes_first() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let other = Browser::of(&app, "acme").await;
    let token = acme.opens(CREDENTIALS).await.form_token();
    for number in 0..52 {
        app.clock.advance(1);
        let description = format!("number {number:02}");
        let fields = [("action", "token"), ("days", "1"), ("description", &*description)];
        let password = ("current_password", &*super::app::password_of("acme"));
        let once = ("once", &*description);
        acme.posts(CREDENTIALS, &token, &[&fields[..], &[password, once]].concat()).await.is(200);
    }
    let rows = |page: &super::browser::Page| {
        let rows = page.text.split(" scope=\"row\">").skip(1);
        rows.map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = other.opens(CREDENTIALS).await;
    let expected: Vec<_> = (2..52).rev().map(|number| format!("number {number:02}")).collect();
    assert_eq!(rows(&first), expected);
    let next = first.text.split_once("rel=\"next\"").unwrap().0.rsplit_once("href=\"").unwrap().1;
    let second = other.opens(&next.split_once('"').unwrap().0.replace("&amp;", "&")).await;
    assert_eq!(rows(&second), ["number 01", "number 00", "console", "console"]);
    second.says(&["<div>Console session</div>", "This session"]);
    other.opens(&format!("{CREDENTIALS}?after=x")).await.is(404);
}

#[tokio::test]
async fn lists_say_nothing_untrue_where_an_address_is_out_of_date() {
    let app = stage().await;
    app.share("team-a/web", None).await;
    let acme = Browser::of(&app, "acme").await;
    let page = acme.opens("/console/images?page=6").await;
    page.says(&["team-a/web"]).says_nothing_of(&["Nothing matches"]);
    let page = acme.opens(&format!("{WEB}?tab=usage&after=zzz")).await;
    page.says(&["Downloads by globex"]).says_nothing_of(&["shared with nobody"]);
    for (query, field) in [("from=2027-01-02&until=2027-01-01", "until"), ("result=x", "result")] {
        acme.opens(&format!("/console/audit?{query}"))
            .await
            .is(200)
            .says(&[&format!("id=\"{field}-error\"")]);
    }
    acme.opens("/console/audit?from=2027-01-01&until=2027-01-01").await.says_nothing_of(&["-error\""]);
}

#[tokio::test]
async fn an_empty_image_is_pushed_by_its_name_and_a_configuration_that_cannot_be_read_is_said() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let fields = [("action", "create"), ("name", "team-a/empty")];
    acme.sends("/console/images?do=create", "/console/images", &fields).await.is(200);
    let page = acme.opens("/console/images/team-a/empty").await;
    page.says(&["/team-a/empty:TAG"]).says_nothing_of(&["NAMESPACE/NAME"]);

    let unread = "It cannot be shown: it is too large, not stored here, or no JSON.";
    acme.opens(&format!("{WEB}?tab=tags&reference=v1")).await.says_nothing_of(&[unread]);
    let config = app.push_blob("acme", "team-a/web", b"no JSON").await;
    let layer = app.push_blob("acme", "team-a/web", b"layer").await;
    let manifest = image(&config, 7, &layer, 5);
    assert!(app.put_manifest("acme", "team-a/web", "v2", IMAGE, &manifest).await.status().is_success());
    acme.opens(&format!("{WEB}?tab=tags&reference=v2")).await.is(200).says(&[unread]);
}
