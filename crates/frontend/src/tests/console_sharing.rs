//! The dialog in which images are shared: what is refused before it is asked, and what its addresses keep.

use http::Method;

use super::app::TestApp;
use super::browser::Browser;

const SEVERAL: &str = "/console/share";

/// acme with `team-a/web`, `team-a/api`, which is shared with globex, and `team-a/open`, which is public.
async fn stage() -> TestApp {
    let app = TestApp::start().await;
    for name in ["team-a/web", "team-a/api", "team-a/open"] {
        app.push_image("acme", name, "v1", b"layer").await;
    }
    app.share("team-a/api", None).await;
    let public = serde_json::json!({"visibility": "public"});
    let path = "/api/v1/repositories/team-a%2Fopen";
    app.by("acme", Method::PATCH, path).json(&public).send().await.unwrap().error_for_status().unwrap();
    app
}

fn fields<'a>(action: &'a str, images: &[&'a str], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("action", action), ("account", "globex"), ("description", "kept & typed")];
    all.extend(images.iter().map(|image| ("image", *image)));
    all.extend_from_slice(more);
    all
}

#[tokio::test]
async fn all_that_would_be_refused_is_told_before_the_question_and_what_was_typed_is_kept() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let token = acme.opens("/console/settings").await.form_token();
    let all = ["team-a/web", "team-a/api", "team-a/open", "team-a/none"];
    for action in ["check-share", "share"] {
        let page = acme.posts(SEVERAL, &token, &fields(action, &all, &[("permanent", "on")])).await;
        page.is(200).says(&["team-a/api: It is shared with this account already.", "kept &amp; typed"]);
        page.says(&["value=\"globex\"", "value=\"team-a/none\""]);
        if action == "check-share" {
            page.says(&["team-a/open: The image is public", "team-a/none: There is none, or you may not"]);
            page.says_nothing_of(&["Share with globex?", "team-a/web: "]);
        }
    }
    let page = acme.posts(SEVERAL, &token, &fields("check-share", &all[..2], &[("permanent", "on")])).await;
    page.says(&["id=\"account-error\">team-a/api: It is shared with this account already."]);
    let page = acme.posts(SEVERAL, &token, &fields("check-share", &all[..1], &[("permanent", "on")])).await;
    page.says(&["Share with globex?", "kept &amp; typed"]);
    let api = "/console/images/team-a/api";
    let page = acme.posts(api, &token, &fields("check-share", &[], &[("permanent", "on")])).await;
    page.says(&["id=\"account-error\">It is shared with this account already."]);
}

#[tokio::test]
async fn whoever_may_not_share_one_of_the_images_is_told_which_and_the_trail_has_it() {
    let app = stage().await;
    let dev = Browser::of(&app, "dev@acme").await;
    let token = dev.opens("/console/settings").await.form_token();
    let both = ["team-a/web", "team-a/api"];
    let page = dev.posts(SEVERAL, &token, &fields("share", &both, &[("permanent", "on")])).await;
    page.is(200).says(&["team-a/web: There is none, or you may not share it", "kept &amp; typed"]);
    app.auth.flush(crate::Clock::now(&*app.clock)).await.unwrap();
    let acme = Browser::of(&app, "acme").await;
    acme.opens("/console/audit?kind=change_refused").await.says(&["dev@acme", "POST /console/share"]);
}

#[tokio::test]
async fn the_steps_of_the_dialog_have_addresses_that_keep_what_was_typed_in_either_language() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let web = "/console/images/team-a/web";
    let more = [("deadline", "2027-02-28"), ("tags", "v1.*, latest"), ("notice", "2")];
    let token = acme.opens(&format!("{web}?tab=sharing&new=1")).await.form_token();
    let asked = acme.posts(web, &token, &fields("check-share", &[], &more)).await;
    let begins = format!("{web}?tab=sharing&new=1&account=globex&");
    assert!(asked.address.starts_with(&begins), "{}", asked.address);
    let told = ["globex", "kept &amp; typed", "v1.*, latest", "2027-02-28"];
    asked.says(&["Share with globex?"]).says(&told);
    acme.opens(&asked.address).await.says(&["Share with globex?"]);
    let request = acme
        .request(Method::GET, "/console/language?to=zh-CN")
        .header("referer", format!("http://{}{}", app.host, asked.address));
    let page = acme.follows(request, "/console/language").await;
    assert_eq!(page.address, asked.address);
    page.says(&["要共享给 globex 吗？"]).says(&told);
    let back = acme.posts(web, &token, &fields("edit-share", &[], &more)).await;
    back.says(&["value=\"2027-02-28\"", "value=\"v1.*, latest\"", "kept &amp; typed", "check-share"]);
    assert!(back.address.starts_with(&begins), "{}", back.address);
    // What another site leads to is not tried.
    let foreign = asked.address.replace("globex", "nobody");
    let request = acme.request(Method::GET, &foreign).header("sec-fetch-site", "cross-site");
    acme.follows(request, &foreign).await.says(&["value=\"nobody\""]).says_nothing_of(&["-error\""]);
    acme.opens(&foreign).await.says(&["id=\"account-error\""]);
    let long = "船".repeat(1000);
    let fields = [("account", "globex"), ("permanent", "on"), ("description", long.as_str())];
    let page = acme.posts(web, &token, &[&[("action", "check-share")][..], &fields].concat()).await;
    assert_eq!(page.address, web, "what is too long for an address is shown at once");
    page.says(&["要共享给 globex 吗？", &long]);
}

#[tokio::test]
async fn lists_of_shares_stand_in_the_order_of_names_and_are_searched() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let now = crate::Clock::now(&*app.clock);
    let admin = super::app::principal(&app.auth, "admin", now).await;
    let acme = super::app::principal(&app.auth, "acme", now).await;
    let web = oci::RepositoryName::parse("team-a/web").unwrap();
    for number in (0..52).rev() {
        let name = auth::AccountName::parse(&format!("partner-{number:02}")).unwrap();
        let password = auth::Secret::new(super::app::password_of(name.as_str()));
        app.auth.create_account(&admin, &name, &password, now).await.unwrap();
        let share = auth::NewShare {
            grantee: name,
            end: auth::ShareEnd::Permanent,
            tags: auth::ShareTags::All,
            description: auth::Description::default(),
            notice_before: None,
            region: None,
        };
        app.auth.create_share(&acme, &web, share, now).await.unwrap();
    }
    let acme = Browser::of(&app, "acme").await;
    let tab = "/console/images/team-a/web?tab=sharing";
    let names = |page: &super::browser::Page| {
        let rows = page.text.split(" scope=\"row\">").skip(1);
        rows.map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = acme.opens(tab).await;
    let expected: Vec<_> = (0..50).map(|number| format!("partner-{number:02}")).collect();
    assert_eq!(names(&first), expected);
    first.says(&["name=\"q\"", "aria-label=\"Search by account\"", "after=partner-49"]);
    let second = acme.opens(&format!("{tab}&after=partner-49")).await;
    assert_eq!(names(&second), ["partner-50", "partner-51"]);
    let found = acme.opens(&format!("{tab}&q=-5")).await;
    assert_eq!(names(&found), ["partner-50", "partner-51"]);
    found.says(&["value=\"-5\""]);
    acme.opens(&format!("{tab}&q=nobody")).await.says(&["Nothing matches.", "value=\"nobody\""]);
    let partner = Browser::of(&app, "partner-07").await;
    partner.opens("/console/shared").await.says(&["team-a/web"]).says_nothing_of(&["name=\"q\""]);
    partner.opens("/console/shared?q=ACME/team-A").await.says(&["team-a/web", "name=\"q\""]);
    partner.opens("/console/shared?q=other").await.says(&["Nothing matches."]);
}

#[tokio::test]
async fn what_is_ticked_in_the_list_goes_along_with_a_search_an_order_and_a_page() {
    let app = stage().await;
    let acme = Browser::of(&app, "acme").await;
    let ticked = |name: &str| format!("name=\"image\" value=\"{name}\" checked");
    let kept = |name: &str| format!("<input type=\"hidden\" name=\"image\" value=\"{name}\">");
    let list = acme.opens("/console/images").await;
    list.says(&["formaction=\"/console/share\"", "name=\"by\" value=\"size down\""]);
    list.says_nothing_of(&[" checked", "more are selected"]);
    let both = "image=team-a%2Fweb&image=team-a%2Fapi";
    let found = acme.opens(&format!("/console/images?q=web&{both}")).await;
    found.says(&[
        &ticked("team-a/web"),
        &kept("team-a/api"),
        "1 more are selected that this page does not show.",
    ]);
    let nothing = acme.opens(&format!("/console/images?q=zzz&{both}")).await;
    nothing.says(&[&kept("team-a/web"), &kept("team-a/api"), "Nothing matches.", "Share selected images"]);
    let all = acme.opens(&format!("/console/images?q=&by=size+down&{both}&image=%3Cx%3E")).await;
    all.says(&[&ticked("team-a/web"), &ticked("team-a/api"), "aria-sort=\"descending\""]);
    all.says_nothing_of(&["type=\"hidden\" name=\"image\"", "<x>"]);
    acme.opens(&format!("/console/share?q=web&sort=size&{both}")).await.says(&["team-a/web", "team-a/api"]);
    let many: Vec<_> = (0..101).map(|number| format!("image=team-a/image-{number}")).collect();
    let page = acme.opens(&format!("/console/images?{}", many.join("&"))).await;
    page.says(&["At most 100 images stay selected.", "100 more are selected"]);
}
