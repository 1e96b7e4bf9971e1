//! The console over HTTP, as a browser without script uses it.

use http::{Method, StatusCode};
use serde_json::json;

use super::app::{IMAGE, TestApp, header, image, password_of};
use super::browser::Browser;

const WEB: &str = "/console/images/team-a/web";
const SHARING: &str = "/console/images/team-a/web?tab=sharing";

#[tokio::test]
async fn an_owner_shares_and_the_sharee_finds_it_until_it_is_revoked() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, globex) = (Browser::of(&app, "acme").await, Browser::of(&app, "globex").await);
    globex.opens("/console/shared").await.says(&["Nobody shares an image with you yet", "globex"]);
    globex.opens(WEB).await.is(404);
    globex
        .sends(
            "/console/settings",
            "/console/settings",
            &[("action", "profile"), ("display_name", "Globex Corporation"), ("time_zone", "Asia/Shanghai")],
        )
        .await
        .says(&["Saved."]);

    acme.opens("/").await.is(200).says(&["Own images", "team-a/web", "Private", "nobody"]);
    acme.opens(SHARING).await.says(&["This image is shared with nobody."]);
    let fields =
        [("account", "globex"), ("deadline", "2027-01-31"), ("description", "a <b>pilot</b>"), ("tags", "")];
    let with = |action: &'static str| [&[("action", action)][..], &fields].concat();
    let asked = acme.sends(&format!("{SHARING}&new=1"), WEB, &with("check-share")).await;
    asked.says(&[
        "Share with globex?",
        "Globex Corporation",
        "end of 2027-01-31 (+00:00)",
        "a &lt;b&gt;pilot&lt;/b&gt;",
    ]);
    globex.opens("/console/shared").await.says(&["Nobody shares"]);
    let edited = acme.posts(WEB, &asked.form_token(), &with("edit-share")).await;
    edited.says(&["value=\"globex\"", "value=\"2027-01-31\"", "a &lt;b&gt;pilot&lt;/b&gt;</textarea>"]);
    let shared = acme.posts(WEB, &asked.form_token(), &with("share")).await;
    shared.says(&["Shared.", "globex", "end of 2027-01-31 (+00:00)", "16 days left", "Open", "never"]);
    acme.opens("/console/images?shared=on").await.says(&["team-a/web", "globex"]);

    let listed = globex.opens("/console/shared").await;
    listed.says(&["acme", "team-a/web", "2027-02-01 08:00 +08:00", "a &lt;b&gt;pilot&lt;/b&gt;", "Open"]);
    let page = globex.opens(WEB).await;
    page.is(200).says(&["v1", &format!("docker pull {}/team-a/web:v1", app.host)]);
    page.says_nothing_of(&["Sharing", "tab=description", "Delete"]);
    globex.opens(&format!("{WEB}?tab=guide")).await.says(&[
        "docker login",
        "skopeo copy",
        "kubectl create secret",
    ]);
    globex.opens(&format!("{WEB}?tab=sharing")).await.is(404);

    acme.opens(&format!("{SHARING}&revoke=globex")).await.says(&["Revoke the share with globex?"]);
    let revoke = [("action", "revoke-share"), ("of", "globex")];
    acme.sends(&format!("{SHARING}&revoke=globex"), WEB, &revoke).await.says(&["The share is revoked."]);
    globex.opens(WEB).await.is(404);
    globex.opens("/console/shared").await.says(&["Nobody shares"]);
}

#[tokio::test]
async fn a_share_ends_at_the_end_of_its_day_and_is_shown_as_ended_while_the_page_is_open() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, globex) = (Browser::of(&app, "acme").await, Browser::of(&app, "globex").await);
    let zone = [("action", "profile"), ("display_name", ""), ("time_zone", "Asia/Shanghai")];
    acme.sends("/console/settings", "/console/settings", &zone).await.says(&["Saved."]);
    let today = [("action", "share"), ("account", "globex"), ("deadline", "2027-01-15")];
    acme.sends(&format!("{SHARING}&new=1"), WEB, &today)
        .await
        .says(&["end of 2027-01-15 (+08:00)", "8 h left"]);
    // It is 16:00 there; to the last second it is open.
    app.clock.advance(8 * 3600 - 1);
    globex.opens(WEB).await.is(200);
    globex.opens("/console/shared").await.says(&["Open", "less than an hour left"]);
    app.clock.advance(1);
    globex.opens(WEB).await.is(404);
    globex
        .opens("/console/shared")
        .await
        .says(&["Ended", "team-a/web"])
        .says_nothing_of(&["href=\"/console/images/team-a/web\""]);
    acme.opens(SHARING).await.says(&["Ended"]);
    // A new deadline opens it again; the form shows the day that was chosen.
    let page = acme.opens(&format!("{SHARING}&change=globex")).await;
    page.says(&["value=\"2027-01-15\""]);
    let longer = [("action", "change-share"), ("account", "globex"), ("deadline", ""), ("permanent", "on")];
    acme.answers(&page, WEB, &longer).await.says(&["Saved.", "Permanently valid", "Open"]);
    globex.opens(WEB).await.is(200);
    let listed = globex.opens("/console/shared").await;
    let id = listed.text.split_once("?leave=").unwrap().1.split_once('"').unwrap().0.to_owned();
    let asked = globex.opens(&format!("/console/shared?leave={id}")).await;
    asked.says(&["Leave the share of team-a/web?"]);
    globex.opens("/console/shared?leave=1").await.says(&["It was gone already"]);
    globex.posts("/console/shared", &asked.form_token(), &[("of", "1")]).await.says(&["It was gone already"]);
    globex
        .posts("/console/shared", &asked.form_token(), &[("of", &id)])
        .await
        .says(&["You have left the share."]);
    globex.opens(WEB).await.is(404);
}

#[tokio::test]
async fn a_share_that_ended_within_a_day_is_opened_again_until_the_days_end() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", Some(10)).await;
    let acme = Browser::of(&app, "acme").await;
    let page = acme.opens(&format!("{SHARING}&change=globex")).await;
    page.says(&["value=\"2027-01-15\"", "Now the share ends at", "2027-01-15 08:00 +00:00"]);
    let same =
        [("action", "change-share"), ("account", "globex"), ("deadline", "2027-01-15"), ("description", "x")];
    acme.answers(&page, WEB, &same).await.says(&["Saved.", "2027-01-15 08:00 +00:00", "Open"]);
    app.clock.advance(11);
    let page = acme.opens(&format!("{SHARING}&change=globex")).await;
    page.says_nothing_of(&["Now the share ends at"]);
    acme.answers(&page, WEB, &same).await.says(&["Saved.", "end of 2027-01-15 (+00:00)", "Open"]);
    Browser::of(&app, "globex").await.opens(WEB).await.is(200);
}

#[tokio::test]
async fn a_display_name_has_something_to_be_seen() {
    let app = TestApp::start().await;
    let acme = Browser::of(&app, "acme").await;
    for (name, said) in [("\u{200b}\u{2060}", "id=\"display_name-error\""), ("Acme\u{200d}Corp", "Saved.")] {
        let profile = [("action", "profile"), ("display_name", name), ("time_zone", "UTC")];
        acme.sends("/console/settings", "/console/settings", &profile).await.is(200).says(&[said]);
    }
}

#[tokio::test]
async fn who_does_not_manage_an_image_is_told_nothing_of_its_shares() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", None).await;
    let list = "/console/images";
    let (tick, share) = ("type=\"checkbox\" name=\"image\"", "Share selected images");
    Browser::of(&app, "acme").await.opens(list).await.says(&["<div>globex</div>", tick, share]);
    for login in ["dev@acme", "reader@acme"] {
        let page = Browser::of(&app, login).await.opens(list).await;
        page.says(&["team-a/web", "<div>–</div>"]).says_nothing_of(&["globex", "nobody", tick, share]);
    }
}

/// Fields of a form, the one that is wrong, and what is said of it.
type WrongForm<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    let token = acme.opens(&format!("{SHARING}&new=1")).await.form_token();
    let long = "船".repeat(1001);
    let cases: &[WrongForm] = &[
        (&[("account", ""), ("permanent", "on")], "account", "This is needed."),
        (&[("account", "Globex"), ("permanent", "on")], "account", "1 to 64 of a-z"),
        (&[("account", "nobody"), ("permanent", "on")], "account", "There is no such account."),
        (&[("account", "acme"), ("permanent", "on")], "account", "An account cannot share with itself."),
        (&[("account", "globex")], "deadline", "Choose a date, or Permanently valid."),
        (&[("account", "globex"), ("deadline", "2027-01-14")], "deadline", "The deadline has passed."),
        (&[("account", "globex"), ("deadline", "tomorrow")], "deadline", "A date is written 2027-01-31."),
        (&[("account", "globex"), ("deadline", "2027-02-30")], "deadline", "A date is written 2027-01-31."),
        (&[("account", "globex"), ("deadline", "2027-02-01"), ("permanent", "on")], "deadline", "not both"),
        (
            &[("account", "globex"), ("permanent", "on"), ("description", &long)],
            "description",
            "0 to 1000 characters, without",
        ),
        (
            &[("account", "globex"), ("permanent", "on"), ("description", "\u{7}")],
            "description",
            "without control characters",
        ),
        (&[("account", "globex"), ("permanent", "on"), ("tags", "v1[")], "tags", "Patterns of tags"),
        (
            &[("account", "globex"), ("permanent", "on"), ("tags", "a b c d e f g h i")],
            "tags",
            "At most 8 patterns of tags for an image",
        ),
        (&[("account", "globex"), ("deadline", "9999-12-31")], "deadline", "that is possible is 9999-12-29"),
    ];
    for (fields, field, told) in cases {
        let fields = [&[("action", "check-share")][..], fields].concat();
        let page = acme.posts(WEB, &token, &fields).await;
        let beside = format!("id=\"{field}-error\">{told}");
        assert!(
            page.text.contains(&beside)
                || page.text.contains(&format!("id=\"{field}-error\"")) && page.text.contains(told),
            "{fields:?}: {}",
            page.text
        );
        page.says(&["aria-invalid=\"true\""]);
        let typed = fields.iter().find(|(name, _)| *name == "account").unwrap().1;
        page.says(&[&format!("value=\"{typed}\"")]);
    }
    let shared = [("action", "share"), ("account", "globex"), ("permanent", "on"), ("tags", "v1.*, latest")];
    acme.posts(WEB, &token, &shared).await.says(&["Shared.", "latest", "v1.*"]);
    acme.posts(WEB, &token, &shared).await.says(&["It is shared with this account already."]);
}

#[tokio::test]
async fn several_images_are_shared_at_once_or_none() {
    let app = TestApp::start().await;
    for name in ["team-a/web", "team-a/api"] {
        app.push_image("acme", name, "v1", b"layer").await;
    }
    let acme = Browser::of(&app, "acme").await;
    acme.opens("/console/share").await.says(&["Select one or more images first."]);
    let asked = acme.opens("/console/share?image=team-a%2Fweb&image=team-a%2Fapi").await;
    asked.says(&["team-a/web", "team-a/api"]);
    let fields = |action: &'static str, second: &'static str| {
        [
            ("action", action),
            ("image", "team-a/web"),
            ("image", second),
            ("account", "globex"),
            ("permanent", "on"),
        ]
    };
    let token = asked.form_token();
    let page = acme.posts("/console/share", &token, &fields("share", "team-a/none")).await;
    page.is(200).says(&["team-a/none: There is none, or you may not share it", "value=\"globex\""]);
    acme.opens("/console/images?shared=on").await.says(&["You share no images."]);
    let page = acme.posts("/console/share", &token, &fields("check-share", "team-a/api")).await;
    page.says(&["Share with globex?", "This account has no display name."]);
    let page = acme.posts("/console/share", &token, &fields("share", "team-a/api")).await;
    page.says(&["Shared.", "team-a/web", "team-a/api", "2 in all"]);
    assert!(page.address.starts_with("/console/images?shared=on"));
}

#[tokio::test]
async fn whoever_may_not_sees_what_nobody_sees() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, dev) = (Browser::of(&app, "acme").await, Browser::of(&app, "dev@acme").await);
    let globex = Browser::of(&app, "globex").await;
    let private = globex.opens(WEB).await;
    let missing = globex.opens("/console/images/team-a/none").await;
    let nowhere = globex.opens("/console/nowhere").await;
    assert_eq!((private.status, &private.text), (404, &missing.text), "private and missing are one");
    assert_eq!(private.text, nowhere.text);
    for page in [WEB, "/console/images", "/console/shared", "/console/settings"] {
        let page = Browser::new(&app).opens(page).await;
        assert!(page.address.starts_with("/console/sign-in?next=/console/"), "{}", page.address);
    }
    // dev edits: no sharing, no description.
    dev.opens(SHARING).await.is(404);
    let token = dev.opens("/console/settings").await.form_token();
    for action in ["share", "check-share", "revoke-share", "change-share"] {
        let fields = [("action", action), ("account", "globex"), ("permanent", "on")];
        dev.posts(WEB, &token, &fields).await.is(403);
    }
    dev.posts(WEB, &token, &[("action", "describe"), ("description", "x")]).await.is(403);
    acme.opens(SHARING).await.says(&["This image is shared with nobody."]);
    dev.opens(&format!("{WEB}?tab=tags&delete=v1")).await.says(&["Delete the tag v1?"]);
    dev.posts(WEB, &token, &[("action", "delete-tag"), ("of", "v1")])
        .await
        .says(&["The tag is deleted.", "no tags"]);
}

#[tokio::test]
async fn a_form_of_another_site_or_session_changes_nothing() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, globex) = (Browser::of(&app, "acme").await, Browser::of(&app, "globex").await);
    let fields = [("action", "describe"), ("description", "changed")];
    let others = globex.opens("/console/settings").await.form_token();
    for token in ["", "0", &others] {
        acme.posts(WEB, token, &fields).await.is(403).says(&["Nothing was changed."]);
    }
    let token = acme.opens("/console/settings").await.form_token();
    let all = [("form_token", token.as_str()), fields[0], fields[1]];
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = acme.request(Method::POST, WEB).form(&all).header(name, value);
        acme.follows(request, WEB).await.is(403);
    }
    let request = acme.request(Method::POST, WEB).json(&json!({"form_token": token, "action": "describe"}));
    acme.follows(request, WEB).await.is(403);
    acme.opens(&format!("{WEB}?tab=description")).await.says_nothing_of(&["changed"]);
    let own = format!("http://{}", app.host);
    let request = acme
        .request(Method::POST, WEB)
        .form(&all)
        .header("origin", own)
        .header("sec-fetch-site", "same-origin");
    acme.follows(request, WEB).await.says(&["Saved.", "changed"]);
    // Signing in is bound to the visit.
    let visitor = Browser::new(&app);
    let sign_in = [("username", "acme"), ("password", "the password of acme")];
    visitor.posts("/console/sign-in", &others, &sign_in).await.is(403);
}

#[tokio::test]
async fn what_is_no_text_or_too_much_of_it_is_answered_with_a_page() {
    let app = TestApp::start().await;
    let mut acme = Browser::of(&app, "acme").await;
    let at = "/console";
    for path in ["images/%ff", "organizations/%ff", "webhooks/%ff", "assets/%ff/x", "assets/x/%ff"] {
        acme.opens(&format!("{at}/{path}")).await.is(404).says(&["There is nothing here", "</html>"]);
    }
    let token = acme.opens("/console/settings").await.form_token();
    let long = "x".repeat(300 << 10);
    acme.language = "zh-CN";
    for (language, told) in [("en", "too long"), ("zh-CN", "提交的内容过长")] {
        acme.language = language;
        let page = acme.posts("/console/settings", &token, &[("display_name", &long)]).await;
        page.is(413).says(&[told, "</html>"]);
    }
    let path = format!("/console/images/{}", "a/".repeat(3_000));
    let page = Browser::new(&app).opens(&path).await;
    assert_eq!(page.address, "/console/sign-in");
}

#[tokio::test]
async fn sign_ins_are_throttled_as_everywhere() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    for _ in 0..10 {
        browser.signs_in("acme", "wrong", "").await.is(401);
    }
    browser.signs_in("acme", &password_of("acme"), "").await.is(429).says(&["Wait a minute"]);
    app.clock.advance(61);
    browser.signs_in("acme", &password_of("acme"), "").await.is(200);
}

#[tokio::test]
async fn it_speaks_chinese_to_who_wants_that_and_whoever_chooses_is_remembered() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let mut browser = Browser::new(&app);
    browser.language = "zh-CN,zh;q=0.9";
    browser.opens("/console/").await.says(&["<html lang=\"zh-CN\">", "登录"]);
    browser.signs_in("acme", &password_of("acme"), "").await.says(&[
        "我的镜像",
        "自有镜像",
        "他人共享",
        "我共享的镜像",
    ]);
    browser.opens(&format!("{SHARING}&new=1")).await.says(&[
        "共享给",
        "截止日期",
        "永久有效",
        "描述",
        "权限",
        "下载",
    ]);
    let token = browser.opens("/console/settings").await.form_token();
    let fields = [("action", "share"), ("account", "nobody"), ("permanent", "on")];
    browser.posts(WEB, &token, &fields).await.says(&["账号不存在。"]);
    let request = browser
        .request(Method::GET, "/console/language?to=en")
        .header("referer", format!("http://{}{SHARING}", app.host));
    let page = browser.follows(request, "/console/language").await;
    assert_eq!(page.address, SHARING);
    page.says(&["<html lang=\"en\">", "Sharing"]);
    let request = browser
        .request(Method::GET, "/console/language?to=xx")
        .header("referer", "https://evil.example/console/");
    let page = browser.follows(request, "/console/language").await;
    page.says(&["<html lang=\"en\">"]);
    assert_eq!(page.address, "/console/images");
}

#[tokio::test]
async fn what_others_pushed_stays_text() {
    let app = TestApp::start().await;
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let config = json!({
        "os": evil, "architecture": "amd64", "config": {"Labels": {"a": evil}, "Cmd": [evil]},
        "history": [{"created_by": evil}],
    })
    .to_string();
    let config_digest = app.push_blob("acme", "team-a/web", config.as_bytes()).await;
    let layer = app.push_blob("acme", "team-a/web", b"layer").await;
    let mut manifest: serde_json::Value =
        serde_json::from_str(&image(&config_digest, config.len(), &layer, 5)).unwrap();
    manifest["annotations"] = json!({evil: evil});
    let pushed = app.put_manifest("acme", "team-a/web", "v1", IMAGE, &manifest.to_string()).await;
    assert_eq!(pushed.status(), StatusCode::CREATED);
    let acme = Browser::of(&app, "acme").await;
    acme.sends(&format!("{WEB}?tab=description"), WEB, &[("action", "describe"), ("description", evil)])
        .await
        .says(&["Saved.", "&lt;script&gt;alert(1)"]);
    let page = acme.opens(&format!("{WEB}?tab=tags&reference=v1")).await;
    page.is(200).says(&[
        "&lt;script&gt;",
        "amd64",
        "Layers",
        "History",
        "Annotations",
        "Nothing refers to it",
    ]);
    for page in [
        &page,
        &acme.opens(&format!("{WEB}?tab=description")).await,
        &acme.opens("/console/images?q=%3Cscript%3E").await,
    ] {
        page.says_nothing_of(&["<script>", "<img src=x", "onerror=alert(1)>"]);
    }
    acme.opens("/console/images?done=%3Cb%3E").await.says_nothing_of(&["<b>"]);
}

#[tokio::test]
async fn lists_are_searched_sorted_and_in_pages() {
    let app = TestApp::start().await;
    for number in 0..52 {
        let new = json!({"name": format!("team-a/image-{number:02}")});
        let made = app.by("acme", Method::POST, "/api/v1/repositories").json(&new).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
    }
    app.push_image("acme", "team-a/large", "v1", &[7; 4096]).await;
    let acme = Browser::of(&app, "acme").await;
    let first = acme.opens("/console/images").await;
    first
        .says(&["53 in all", "Page 1 of 2", "image-00", "image-49"])
        .says_nothing_of(&["image-50", "team-a/large"]);
    acme.opens("/console/images?page=2")
        .await
        .says(&["image-50", "team-a/large"])
        .says_nothing_of(&["image-49"]);
    acme.opens("/console/images?page=99").await.is(200).says(&["image-50", "Page 2 of 2"]);
    acme.opens("/console/images?sort=size&order=down").await.says(&["team-a/large", "4.4 KiB"]);
    let found = acme.opens("/console/images?q=Image-1").await;
    found.says(&["10 in all", "image-10"]).says_nothing_of(&["image-20"]);
    let count = |count| {
        format!("<p class=\"hint\" id=\"images-count\" role=\"status\">{count} in all</p><div id=\"images\">")
    };
    found.says(&["data-live=\"images images-count\"", &count(10)]);
    acme.opens("/console/images?q=nothing-like-it").await.says(&["Nothing matches.", &count(0)]);
    Browser::of(&app, "globex")
        .await
        .opens("/console/images")
        .await
        .says(&["You have no images yet.", "docker push"]);
}

#[tokio::test]
async fn its_own_files_are_kept_by_browsers_and_every_page_is_small() {
    let app = TestApp::start().await;
    let page = Browser::new(&app).opens("/console/sign-in").await;
    let mut bytes = page.text.len();
    for (before, after) in [("rel=\"stylesheet\" href=\"", "\""), ("<script src=\"", "\"")] {
        let path = page.text.split_once(before).unwrap().1.split_once(after).unwrap().0;
        let answer = app.anonymous(Method::GET, path).send().await.unwrap();
        assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        bytes += answer.bytes().await.unwrap().len();
    }
    assert!(bytes < 100 << 10, "{bytes} bytes");
    let other = app.anonymous(Method::GET, "/console/assets/0123456789ab/style.css").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}
