//! The console's pages about an image beside its sharing: it is made, described, made public and deleted, its tags are shown;
//! and the owners whose images are not wanted.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::app::{IMAGE, INDEX, TestApp, image};
use super::browser::Browser;

const IMAGES: &str = "/console/images";
const WEB: &str = "/console/images/team-a/web";
const BLOCKED: &str = "/console/blocked-owners";

#[tokio::test]
async fn an_image_is_made_ahead_of_its_first_push() {
    let app = TestApp::start().await;
    let (acme, dev) = (Browser::of(&app, "acme").await, Browser::of(&app, "dev@acme").await);
    let mut reader = Browser::of(&app, "reader@acme").await;
    let new = "/console/images?do=create";
    acme.opens(IMAGES).await.says(&["href=\"/console/images?do=create\""]);
    let make = |name, description| [("action", "create"), ("name", name), ("description", description)];
    for (name, description, field, told) in [
        ("", "kept", "name", "This is needed."),
        ("web", "kept", "name", "not the name of an image"),
        ("Team-a/web", "kept", "name", "not the name of an image"),
        ("team-b/web", "kept", "name", "There is no such organization"),
        ("globex/web", "kept", "name", "There is no such organization"),
        ("team-a/web", "\u{7}kept", "description", "without control characters"),
    ] {
        let page = acme.sends(new, IMAGES, &make(name, description)).await;
        page.says(&[&format!("id=\"{field}-error\""), told, "aria-invalid=\"true\""]);
        page.says(&[&format!("value=\"{name}\""), "kept</textarea>"]);
    }
    // Whoever lost the permission since the form was opened.
    let settings = "/console/settings";
    reader
        .sends(settings, IMAGES, &make("team-a/web", ""))
        .await
        .says(&["id=\"name-error\"", "the permission Edit"]);
    reader.language = "zh-CN";
    reader.sends(settings, IMAGES, &make("team-a/web", "")).await.says(&["创建镜像", "您没有权限"]);
    dev.sends(new, IMAGES, &make("team-a/web", "of dev"))
        .await
        .says(&["Manage to describe it", "of dev</textarea>"]);
    dev.sends(new, IMAGES, &make("team-a/api", "")).await.says(&[
        "Made.",
        "team-a/api",
        "This image has no tags.",
    ]);
    acme.sends(new, IMAGES, &make(" team-a/web ", "for <all>")).await.says(&["Made.", "Private"]);
    acme.opens(&format!("{WEB}?tab=description")).await.says(&["for &lt;all&gt;</textarea>"]);
    acme.sends(new, IMAGES, &make("team-a/web", ""))
        .await
        .says(&["id=\"name-error\"", "of this name already"]);
    acme.sends(new, IMAGES, &[("action", "other"), ("name", "team-a/x")]).await.is(404);
}

#[tokio::test]
async fn an_image_is_sorted_made_public_and_private_and_deleted() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", None).await;
    let (mut acme, dev) = (Browser::of(&app, "acme").await, Browser::of(&app, "dev@acme").await);
    let globex = Browser::of(&app, "globex").await;
    let tab = format!("{WEB}?tab=description");
    acme.opens(&tab).await.says(&["<option value=\"other\" selected>Other</option>", "<dd>Other</dd>"]);
    let describe = |category, description| {
        [("action", "describe"), ("category", category), ("description", description)]
    };
    let wrong = acme.sends(&tab, WEB, &describe("database", "\u{7}")).await;
    wrong.says(&["id=\"description-error\"", "<option value=\"database\" selected>"]);
    acme.sends(&tab, WEB, &describe("none", "")).await.is(404);
    let said = acme.sends(&tab, WEB, &describe("database", "said")).await;
    said.says(&["Saved.", "<dd>Database</dd>", "said</textarea>"]);
    acme.language = "zh-CN";
    acme.opens(&tab).await.says(&["<dd>数据库</dd>"]);
    acme.opens(&format!("{WEB}?tab=settings&do=publish")).await.says(&["要将 team-a/web 设为公开吗？"]);
    acme.language = "en";

    let settings = format!("{WEB}?tab=settings");
    let action = |action: &'static str| [("action", action), ("of", "team-a/web")];
    for (browser, page) in [(&dev, WEB), (&globex, "/console/shared")] {
        let token = browser.opens(page).await.form_token();
        for word in ["publish", "unpublish", "delete"] {
            browser.posts(WEB, &token, &action(word)).await.is(403);
        }
    }
    acme.opens(&settings)
        .await
        .says(&["Private", "do=publish", "do=delete"])
        .says_nothing_of(&["do=unpublish"]);
    let question = acme.opens(&format!("{settings}&do=publish")).await;
    question.says(&["Make team-a/web public?", "All its shares end for good"]);
    let manifest = "/v2/team-a/web/manifests/v1";
    let pulled = async || app.anonymous(Method::GET, manifest).send().await.unwrap().status();
    assert_eq!(pulled().await, StatusCode::UNAUTHORIZED);
    let public = acme.posts(WEB, &question.form_token(), &action("publish")).await;
    public.says(&["Saved.", "<dd>Public</dd>", "do=unpublish"]).says_nothing_of(&["do=publish"]);
    assert_eq!(pulled().await, StatusCode::OK);
    globex.opens("/console/shared").await.says(&["Nobody shares an image with you yet"]);
    acme.opens(&format!("{WEB}?tab=sharing")).await.says(&["The image is public", "tab=settings"]);
    acme.opens(&format!("{settings}&do=unpublish")).await.says(&["Make team-a/web private?"]);
    acme.sends(&settings, WEB, &action("unpublish")).await.says(&["Saved.", "<dd>Private</dd>"]);
    assert_eq!(pulled().await, StatusCode::UNAUTHORIZED);
    acme.opens(&format!("{settings}&do=delete")).await.says(&["Delete team-a/web?", "There is no way back."]);
    let gone = acme.sends(&settings, WEB, &action("delete")).await;
    gone.says(&["Deleted.", "You have no images yet."]).says_nothing_of(&["team-a/web"]);
    acme.opens(WEB).await.is(404);
}

#[tokio::test]
async fn a_tags_page_says_all_there_is_to_know_of_it() {
    let app = TestApp::start().await;
    let layer = app.push_blob("acme", "team-a/web", b"layer").await;
    let mut images = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let config =
            json!({"os": "linux", "architecture": architecture, "history": [{"created_by": "COPY ."}]});
        let config = config.to_string();
        let digest = app.push_blob("acme", "team-a/web", config.as_bytes()).await;
        let manifest = image(&digest, config.len(), &layer, 5);
        let of = super::app::sha256(manifest.as_bytes());
        app.put_manifest("acme", "team-a/web", architecture, IMAGE, &manifest).await;
        let platform = json!({"os": "linux", "architecture": architecture});
        images.push(json!({"mediaType": IMAGE, "digest": of, "size": manifest.len(), "platform": platform}));
    }
    let unknown = json!({"os": "unknown", "architecture": "unknown"});
    images.push(json!({"mediaType": IMAGE, "digest": images[0]["digest"], "size": images[0]["size"], "platform": unknown}));
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": images}).to_string();
    let pushed = app.put_manifest("acme", "team-a/web", "v1", INDEX, &index).await;
    assert_eq!(pushed.status(), StatusCode::CREATED);
    app.share("team-a/web", None).await;
    for login in ["acme", "globex"] {
        let browser = Browser::of(&app, login).await;
        let page = browser.opens(&format!("{WEB}?tab=tags&reference=v1")).await;
        let digest = super::app::sha256(index.as_bytes());
        page.says(&[
            &format!("<code>{digest}</code>"),
            &format!("<dd>{INDEX}</dd>"),
            "Images for each platform",
        ]);
        let list = browser.opens(WEB).await;
        let platforms = ["linux/amd64", "linux/arm64", "linux/amd64, linux/arm64"];
        list.says(&platforms.map(|platform| format!("<div>{platform}</div>")).each_ref().map(String::as_str));
        page.says(&["<dt>Platform</dt><dd>linux/amd64, linux/arm64</dd>", "2027-01-15 08:00 +00:00"]);
        page.says(&[&format!("<dt>Size</dt><dd>{} B</dd>", index.len()), "Nothing refers to it"]);
        assert_eq!(page.copied(), [format!("docker pull {}/team-a/web:v1", app.host)]);
        let one = browser.opens(&format!("{WEB}?tab=tags&reference=arm64")).await;
        one.says(&["<dt>Platform</dt><dd>linux/arm64</dd>", "Layers", "History", "<code>COPY .</code>"]);
    }
}

#[tokio::test]
async fn an_owner_is_blocked_and_unblocked() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", None).await;
    let (mut globex, acme) = (Browser::of(&app, "globex").await, Browser::of(&app, "acme").await);
    let shared = globex.opens("/console/shared").await;
    shared.says(&["team-a/web", "href=\"/console/blocked-owners\"", "sees who of your account downloads it"]);
    globex.opens(BLOCKED).await.says(&["No owner is blocked."]);
    let question = |account: &str| format!("{BLOCKED}?do=block&of={account}");
    let block = |account| [("action", "block"), ("of", account)];
    for (account, told) in
        [("", "This is needed."), ("Acme", "1 to 64 of a-z"), ("globex", "An account cannot block itself.")]
    {
        // Whether it is asked or done.
        for page in
            [globex.opens(&question(account)).await, globex.sends(BLOCKED, BLOCKED, &block(account)).await]
        {
            page.says(&["id=\"of-error\"", told, &format!("value=\"{account}\""), "No owner is blocked."]);
        }
    }
    globex.language = "zh-CN";
    globex.opens(&question("globex")).await.says(&["不能屏蔽自己的账号。", "没有屏蔽任何所有者"]);
    let asked = globex.opens(&question("acme")).await;
    asked.says(&["要屏蔽 acme 吗？", "该账号共享给您的镜像将立即全部退出"]);
    globex.language = "en";
    let asked = globex.opens(&question("+acme+")).await;
    asked.says(&[
        "Block acme?",
        "All that it shares with you is left, at once",
        "href=\"/console/blocked-owners\"",
    ]);
    // The same is asked of a name that nobody has.
    let nobody = globex.opens(&question("nobody")).await.text.replace("nobody", "acme");
    assert_eq!(nobody, asked.text);
    globex.opens(BLOCKED).await.says(&["No owner is blocked."]);
    globex.opens(WEB).await.is(200);
    let blocked = globex.answers(&asked, BLOCKED, &[("action", "block")]).await;
    blocked.says(&["The owner is blocked.", "Unblock acme", "2027-01-15 08:00 +00:00"]);
    globex.opens(WEB).await.is(404);
    let share = [("action", "share"), ("account", "globex"), ("permanent", "on")];
    let form = format!("{WEB}?tab=sharing&new=1");
    acme.sends(&form, WEB, &share).await.says(&["id=\"account-error\"", "takes no shares from yours"]);
    let dev = Browser::of(&app, "dev@acme").await;
    let token = dev.opens(BLOCKED).await.is(200).says_nothing_of(&["name=\"of\""]).form_token();
    for fields in [block("initech"), block("acme"), [("action", "unblock"), ("of", "globex")]] {
        dev.posts(BLOCKED, &token, &fields).await.is(403);
    }
    let unblock = [("action", "unblock"), ("of", "acme")];
    globex
        .sends(BLOCKED, BLOCKED, &unblock)
        .await
        .says(&["The owner is no longer blocked.", "No owner is blocked."]);
    globex.sends(BLOCKED, BLOCKED, &unblock).await.says(&["It was gone already"]);
    acme.sends(&form, WEB, &share).await.says(&["Shared."]);
}

#[tokio::test]
async fn when_the_end_of_a_share_is_told_is_said_in_days() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    let (new, change) = (format!("{WEB}?tab=sharing&new=1"), format!("{WEB}?tab=sharing&change=globex"));
    acme.opens(&new).await.says(&["aria-describedby=\"notice-hint\"", "Nothing typed: 3, as"]);
    let fields = |action, notice, deadline: &'static str| {
        let deadline = if deadline.is_empty() { ("permanent", "on") } else { ("deadline", deadline) };
        [("action", action), ("account", "globex"), ("notice", notice), deadline]
    };
    for notice in ["x", "-1", "367", "18446744073709551615"] {
        let page = acme.sends(&new, WEB, &fields("share", notice, "2027-06-30")).await;
        page.says(&[
            "id=\"notice-error\"",
            "at most 366",
            &format!("value=\"{notice}\""),
            "value=\"2027-06-30\"",
        ]);
    }
    let asked = acme.sends(&new, WEB, &fields("check-share", "7", "2027-06-30")).await;
    asked.says(&["<dt>Notice before the end, in days</dt><dd>7</dd>", "name=\"notice\" value=\"7\""]);
    acme.posts(WEB, &asked.form_token(), &fields("share", "7", "2027-06-30")).await.says(&["Shared."]);
    let days = async || {
        let share = app.get("acme", "/api/v1/repositories/team-a%2Fweb/shares/globex").await;
        let share: Value = share.json().await.unwrap();
        share["notice_before_seconds"].as_u64().unwrap() / (24 * 60 * 60)
    };
    assert_eq!(days().await, 7);
    acme.opens(&change).await.says(&["name=\"notice\" type=\"text\" value=\"7\""]);
    for (notice, deadline, then) in
        [("0", "2027-06-30", 0), ("", "2027-06-30", 3), ("14", "2027-07-31", 14), ("14", "", 14)]
    {
        acme.sends(&change, WEB, &fields("change-share", notice, deadline)).await.says(&["Saved."]);
        assert_eq!(days().await, then, "{notice:?} {deadline:?}");
    }
    let permanent = acme.sends(&change, WEB, &fields("change-share", "5", "")).await;
    permanent.says(&["id=\"notice-error\"", "0 alone for what is permanent", "value=\"5\""]);
}

#[tokio::test]
async fn patterns_beyond_their_number_are_said_beside_the_tags() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    let new = format!("{WEB}?tab=sharing&new=1");
    let share =
        |account, tags| [("action", "share"), ("account", account), ("permanent", "on"), ("tags", tags)];
    acme.sends(&new, WEB, &share("globex", "a,b,c,d,e,f,g")).await.says(&["Shared."]);
    let page = acme.sends(&new, WEB, &share("admin", "h,i")).await;
    page.says(&["id=\"tags-error\"", "At most 8 patterns of tags", "value=\"h,i\""]);
}

#[tokio::test]
async fn what_was_pushed_makes_no_page_heavy() {
    const PAGE_BYTES_MAX: usize = 160 << 10;
    let app = TestApp::start().await;
    let quotes = "\"".repeat(200_000);
    let steps: Vec<_> = (0..100).map(|_| json!({"created_by": "\"".repeat(2_000)})).collect();
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": {"Labels": {"a": quotes}}, "history": steps,
    });
    let config = config.to_string();
    let digest = app.push_blob("acme", "team-a/web", config.as_bytes()).await;
    let layer = app.push_blob("acme", "team-a/web", b"layer").await;
    let mut manifest: Value = serde_json::from_str(&image(&digest, config.len(), &layer, 5)).unwrap();
    for number in 0..40 {
        manifest["annotations"][format!("{number:03}")] = json!("\"".repeat(500));
    }
    let pushed = app.put_manifest("acme", "team-a/web", "large", IMAGE, &manifest.to_string()).await;
    assert_eq!(pushed.status(), 201);
    let platform = |number| {
        let platform = json!({"os": format!("{number}{}", "\"".repeat(200)), "architecture": "x"});
        let kind = format!("application/{}", "x".repeat(100));
        json!({"mediaType": IMAGE, "digest": digest, "size": 1, "platform": platform, "artifactType": kind})
    };
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
    for number in 0..50 {
        let mut index = index.clone();
        let children: Vec<_> = (0..60).map(|of| platform(format!("{number}-{of}"))).collect();
        index["manifests"] = json!(children);
        let tag = format!("index-{number}");
        let pushed = app.put_manifest("acme", "team-a/web", &tag, INDEX, &index.to_string()).await;
        assert_eq!(pushed.status(), 201, "{}", pushed.text().await.unwrap());
    }
    let acme = Browser::of(&app, "acme").await;
    for (path, says) in [
        ("", "index-0"),
        ("?tab=tags&reference=large", "The first 3 are shown."),
        ("?tab=tags&reference=index-0", "Images for each platform"),
    ] {
        let page = acme.opens(&format!("{WEB}{path}")).await;
        page.is(200).says(&[says, "…"]);
        assert!(page.text.len() <= PAGE_BYTES_MAX, "{path}: {} bytes", page.text.len());
    }
}
