//! What forms of an image and an organization say that are sent twice, too late, or by who gives away its own permission.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::app::{TestApp, header};
use super::browser::Browser;

const WEB: &str = "/console/images/team-a/web";
const TEAM: &str = "/console/organizations/team-a";
const GONE: &str = "It was gone already";

async fn stage() -> TestApp {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app
}

#[tokio::test]
async fn a_tag_that_is_deleted_twice_was_gone_already() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let question = format!("{WEB}?tab=tags&delete=v1");
    let token = acme.opens(&question).await.says(&["Delete the tag v1?"]).form_token();
    for told in ["The tag is deleted.", GONE] {
        acme.posts(WEB, &token, &[("action", "delete-tag"), ("of", "v1")]).await.is(200).says(&[told]);
    }
    for tag in ["v1", "never"] {
        let page = acme.opens(&format!("{WEB}?tab=tags&delete={tag}")).await;
        page.is(200).says(&[GONE]).says_nothing_of(&["Delete the tag"]);
        assert_eq!(page.address, format!("{WEB}?tab=tags&done=gone"));
    }
}

#[tokio::test]
async fn a_permission_that_is_taken_away_twice_was_gone_already() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let token = acme.opens("/console/settings").await.form_token();
    let set = [("action", "set-permission"), ("user", "dev"), ("level", "read")];
    acme.posts(WEB, &token, &set).await.says(&["The permission is set."]);
    for (path, list) in [(WEB, format!("{WEB}?tab=permissions&")), (TEAM, format!("{TEAM}?"))] {
        let question = |user: &str| format!("{list}do=remove-permission&of={user}");
        acme.opens(&question("dev")).await.says(&["Take away the permission of dev?"]);
        let remove = [("action", "remove-permission"), ("of", "dev")];
        for told in ["The permission is taken away.", GONE] {
            acme.posts(path, &token, &remove).await.is(200).says(&[told]);
        }
        let nobody = [("action", "remove-permission"), ("of", "nobody")];
        acme.posts(path, &token, &nobody).await.is(200).says(&[GONE]);
        for user in ["dev", "nobody"] {
            let page = acme.opens(&question(user)).await;
            page.is(200).says(&[GONE]).says_nothing_of(&["<p>Take away the permission of"]);
            assert_eq!(page.address, format!("{list}done=gone"));
        }
    }
}

#[tokio::test]
async fn who_gives_away_the_own_permission_is_led_to_the_images() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let token = acme.opens("/console/settings").await.form_token();
    let set = |level| [("action", "set-permission"), ("user", "dev"), ("level", level)];
    for (path, action) in [(TEAM, "remove-permission"), (WEB, "set-permission")] {
        acme.posts(path, &token, &set("manage")).await.says(&["The permission is set."]);
        let dev = Browser::of(&app, "dev@acme").await;
        let own = dev.opens("/console/settings").await.form_token();
        let fields = [("action", action), ("user", "dev"), ("of", "dev"), ("level", "read")];
        let page = dev.posts(path, &own, &fields).await;
        page.is(200).says(&["The permission is "]);
        assert!(page.address.starts_with("/console/images?done=permission-"), "{}", page.address);
    }
    // What remains to be seen of an organization is shown.
    acme.posts(TEAM, &token, &set("manage")).await.says(&["The permission is set."]);
    let dev = Browser::of(&app, "dev@acme").await;
    let own = dev.opens("/console/settings").await.form_token();
    let page = dev.posts(TEAM, &own, &set("read")).await;
    page.is(200).says(&["The permission is set.", "Read"]);
    assert!(page.address.starts_with(TEAM), "{}", page.address);
}

#[tokio::test]
async fn what_is_sent_of_a_share_or_an_image_that_is_gone_leads_to_its_list() {
    let app = stage().await;
    app.push_image("acme", "team-a/api", "v1", b"layer").await;
    app.share("team-a/web", None).await;
    let acme = Browser::of(&app, "acme").await;
    let token = acme.opens(&format!("{WEB}?tab=sharing&change=globex")).await.form_token();
    app.revoke("team-a/web").await;
    let change = [("action", "change-share"), ("account", "globex"), ("permanent", "on")];
    for page in [
        acme.opens(&format!("{WEB}?tab=sharing&change=globex")).await,
        acme.posts(WEB, &token, &change).await,
    ] {
        page.is(200).says(&[GONE, "This image is shared with nobody."]);
        assert_eq!(page.address, format!("{WEB}?tab=sharing&done=gone"));
    }
    acme.posts(WEB, &token, &[("action", "delete"), ("of", "team-a/web")]).await.says(&["Deleted."]);
    for action in ["check-share", "share", "delete-tag", "describe", "set-permission"] {
        let page = acme.posts(WEB, &token, &[("action", action), ("account", "globex")]).await;
        page.is(200).says(&[GONE, "team-a/api"]);
    }
}

#[tokio::test]
async fn the_whole_description_of_a_share_is_shown_to_both() {
    let app = stage().await;
    app.share("team-a/web", None).await;
    let (begins, ends) = ("What it is for. ".repeat(12), "The end of it.");
    let (acme, globex) = (Browser::of(&app, "acme").await, Browser::of(&app, "globex").await);
    let describe = |text: String| {
        [
            ("action", "change-share".to_owned()),
            ("account", "globex".to_owned()),
            ("permanent", "on".to_owned()),
            ("description", text),
        ]
    };
    for (text, folded) in [(format!("{begins}{ends}"), true), (ends.to_owned(), false)] {
        let fields = describe(text.clone());
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        acme.sends(&format!("{WEB}?tab=sharing&change=globex"), WEB, &fields).await.says(&["Saved."]);
        for page in [acme.opens(&format!("{WEB}?tab=sharing")).await, globex.opens("/console/shared").await] {
            page.says(&[&text]);
            assert_eq!(page.text.contains("<details><summary>"), folded);
        }
    }
}

#[tokio::test]
async fn a_permanent_share_has_no_notice_and_that_is_said_before_the_question() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let token = acme.opens("/console/settings").await.form_token();
    let share =
        |action, notice| [("action", action), ("account", "globex"), ("permanent", "on"), ("notice", notice)];
    for action in ["check-share", "share"] {
        let page = acme.posts(WEB, &token, &share(action, "5")).await;
        page.is(200).says(&["id=\"notice-error\"", "value=\"5\""]).says_nothing_of(&["Share with globex?"]);
    }
    acme.posts(WEB, &token, &share("check-share", "0")).await.says(&["Share with globex?"]);
    // What had a deadline is made permanent without touching the notice it had.
    app.share("team-a/web", Some(10 * 24 * 3600)).await;
    let change = format!("{WEB}?tab=sharing&change=globex");
    acme.sends(&change, WEB, &share("change-share", "5")).await.says(&["id=\"notice-error\""]);
    acme.sends(&change, WEB, &share("change-share", "3")).await.says(&["Saved.", "Permanently valid"]);
}

#[tokio::test]
async fn who_changes_one_thing_of_a_share_leaves_what_others_changed_meanwhile() {
    const SHARE: &str = "/api/v1/repositories/team-a%2Fweb/shares/globex";
    let app = stage().await;
    app.share("team-a/web", None).await;
    let acme = Browser::of(&app, "acme").await;
    let share = async || app.get("acme", SHARE).await.json::<Value>().await.unwrap();
    let shown = acme.opens(&format!("{WEB}?tab=sharing&change=globex")).await;
    let narrow = json!({"tags": ["v1"], "until": "2027-06-30T00:00:00Z"});
    let narrowed = app.by("acme", Method::PATCH, SHARE).json(&narrow).send().await.unwrap();
    assert_eq!(narrowed.status(), 200);
    // As the form was shown, but for the description.
    let fields = |description| {
        let same = [("account", "globex"), ("permanent", "on"), ("tags", ""), ("notice", "")];
        [&[("action", "change-share"), ("description", description)][..], &same].concat()
    };
    // What is wrong is mended first: the form comes again, and still knows what it had shown.
    let long = "x".repeat(1001);
    let again = acme.answers(&shown, WEB, &fields(&long)).await;
    again.says(&["id=\"description-error\""]);
    acme.answers(&again, WEB, &fields("for the pilot")).await.says(&["Saved.", "for the pilot"]);
    let now = share().await;
    assert_eq!(now["description"], "for the pilot");
    assert_eq!((&now["tags"], &now["deadline"]), (&json!(["v1"]), &json!("2027-06-30T00:00:00Z")), "{now}");

    // What was to go on is not opened again where somebody ended it.
    let shown_open = acme.opens(&format!("{WEB}?tab=sharing&change=globex")).await;
    let soon =
        json!({"until": (crate::Clock::now(&*app.clock) + jiff::SignedDuration::from_secs(5)).to_string()});
    let shortened = app.by("acme", Method::PATCH, SHARE).json(&soon).send().await.unwrap();
    assert_eq!(shortened.status(), 200);
    app.clock.advance(6);
    let ended = share().await;
    let same = [
        ("action", "change-share"),
        ("account", "globex"),
        ("deadline", "2027-06-29"),
        ("description", "kept"),
    ];
    let told = acme.answers(&shown_open, WEB, &same).await;
    told.is(200).says(&["has ended since this form was opened", "kept</textarea>"]);
    assert_eq!(share().await, ended);
    acme.answers(&told, WEB, &same).await.says(&["Saved.", "end of 2027-06-29"]);

    // One that was made anew is another.
    app.revoke("team-a/web").await;
    app.share("team-a/web", Some(60)).await;
    let before = share().await;
    let page = acme.answers(&shown, WEB, &fields("late")).await;
    page.is(200).says(&[GONE]).says_nothing_of(&["late"]);
    assert_eq!(share().await, before);
}

#[tokio::test]
async fn what_ended_while_a_form_came_bites() {
    let app = stage().await;
    app.share("team-a/web", None).await;
    let new_user = |token: &str| {
        format!("form_token={token}&action=create&name=late&password=long+enough+1&repeated=long+enough+1")
    };
    let disable = json!({"disabled": true});
    let anew = json!({"password": "quite another one"});
    for change in [&disable, &anew] {
        let acme = Browser::of(&app, "acme").await;
        let form = new_user(&acme.opens("/console/settings").await.form_token());
        let (begins, rest) = form.split_at(9);
        let (send, parts) = tokio::sync::mpsc::channel(2);
        let body = reqwest::Body::wrap_stream(futures::stream::unfold(parts, |mut parts| async {
            let part: Result<String, std::io::Error> = parts.recv().await?;
            Some((part, parts))
        }));
        send.send(Ok(begins.to_owned())).await.unwrap();
        let sent = acme.request(Method::POST, "/console/users").body(body);
        let sent = tokio::spawn(sent.header("content-type", "application/x-www-form-urlencoded").send());
        // It has come as far as it will for now.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let changed =
            app.by("admin", Method::PATCH, "/api/v1/accounts/acme").json(change).send().await.unwrap();
        assert_eq!(changed.status(), 200);
        send.send(Ok(rest.to_owned())).await.unwrap();
        drop(send);
        let answer = sent.await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert!(header(&answer, "location").starts_with("/console/sign-in?ended=1"), "{answer:?}");
        let enable = json!({"disabled": false});
        let enabled =
            app.by("admin", Method::PATCH, "/api/v1/accounts/acme").json(&enable).send().await.unwrap();
        assert_eq!(enabled.status(), 200);
        let late = app.get("admin", "/api/v1/accounts/acme/users/late").await;
        assert_eq!(late.status(), 404, "{change}");
    }
}

#[tokio::test]
async fn a_disabled_webhook_is_sent_nothing_and_says_so() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let hook = json!({"url": "https://hooks.example/"});
    let made = app.by("acme", Method::POST, "/api/v1/webhooks").json(&hook).send().await.unwrap();
    let made: serde_json::Value = made.error_for_status().unwrap().json().await.unwrap();
    let at = format!("/console/webhooks/{}", made["id"]);
    let token = acme.opens(&at).await.says(&["Send a test"]).form_token();
    acme.posts(&at, &token, &[("action", "disable")]).await.says(&["Disabled."]);
    acme.opens(&at).await.says_nothing_of(&["Send a test", "end a test"]);
    for action in ["test", "again"] {
        let page = acme.posts(&at, &token, &[("action", action), ("of", "1")]).await;
        page.is(200).says(&["The webhook is disabled: nothing is sent to it."]);
    }
    acme.posts(&at, &token, &[("action", "enable")]).await.says(&["Send a test"]);
}

#[tokio::test]
async fn the_language_is_not_switched_where_something_would_be_lost() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let switch = "action=\"/console/language\"";
    let token = acme.opens("/console/settings").await.says(&[switch]).form_token();
    let long = "船".repeat(1000);
    let fields =
        [("action", "check-share"), ("account", "globex"), ("permanent", "on"), ("description", &*long)];
    let asked = acme.posts(WEB, &token, &fields).await;
    asked.says(&["Share with globex?", &long]).says_nothing_of(&[switch]);
    let images = |count| "&image=team-a/web".repeat(count);
    acme.opens(&format!("/console/share?{}", images(100))).await.says(&[switch]);
    acme.opens(&format!("/console/share?{}", images(250))).await.is(200).says_nothing_of(&[switch]);
    let fields = [("action", "docker-login"), ("hours", "1")];
    let made = acme.sends("/console/credentials?do=docker-login", "/console/credentials", &fields).await;
    made.says(&["This is shown once."]).says_nothing_of(&[switch]);
}
