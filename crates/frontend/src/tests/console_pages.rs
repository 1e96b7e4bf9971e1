//! Every page of the console: who sees it, and that it is well made.

use http::Method;

use super::app::TestApp;
use super::browser::{Browser, Page};

/// What is answered to the account, a user of it, an account that an image is shared with, and an administrator. The question
/// whether something shall go that is not there leads to its list.
const PAGES: &[(&str, [u16; 4])] = &[
    ("/console/images", [200, 200, 200, 200]),
    ("/console/images?do=create", [200, 200, 200, 200]),
    ("/console/images/team-a/web?tab=tags", [200, 200, 200, 404]),
    ("/console/images/team-a/web?tab=tags&reference=v1", [200, 200, 200, 404]),
    ("/console/images/team-a/web?tab=guide", [200, 200, 200, 404]),
    ("/console/images/team-a/web?tab=description", [200, 200, 404, 404]),
    ("/console/images/team-a/web?tab=settings", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=settings&do=publish", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=settings&do=unpublish", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=settings&do=delete", [200, 404, 404, 200]),
    ("/console/images/team-a/web?tab=settings&do=x", [404, 404, 404, 404]),
    ("/console/shared", [200, 200, 200, 200]),
    ("/console/blocked-owners", [200, 200, 200, 200]),
    ("/console/blocked-owners?do=block&of=initech", [200, 403, 200, 200]),
    ("/console/blocked-owners?do=block&of=X", [200, 403, 200, 200]),
    ("/console/images/team-a/web?tab=sharing&new=1", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=sharing&change=globex", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=sharing", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=permissions", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=permissions&do=remove-permission&of=dev", [200, 404, 404, 404]),
    ("/console/images/team-a/web?tab=usage", [200, 404, 404, 404]),
    ("/console/organizations", [200, 200, 200, 200]),
    ("/console/organizations?do=create", [200, 403, 200, 200]),
    ("/console/organizations?do=free", [403, 403, 403, 200]),
    ("/console/organizations?do=free&of=team-b", [403, 403, 403, 200]),
    ("/console/organizations/team-a", [200, 200, 404, 404]),
    ("/console/organizations/team-a?do=delete", [200, 403, 200, 200]),
    ("/console/organizations/team-a?do=remove-permission&of=dev", [200, 200, 200, 200]),
    ("/console/organizations/none", [404, 404, 404, 404]),
    ("/console/users", [200, 200, 200, 200]),
    ("/console/users?do=create", [200, 200, 200, 200]),
    ("/console/users?do=password&of=dev", [200, 200, 404, 404]),
    ("/console/users?do=delete&of=dev", [200, 200, 200, 200]),
    ("/console/credentials", [200, 200, 200, 200]),
    ("/console/credentials?do=docker-login", [200, 200, 200, 200]),
    ("/console/credentials?do=token", [200, 200, 200, 200]),
    ("/console/credentials?do=access-key", [200, 200, 200, 200]),
    ("/console/credentials?do=revoke&of=1", [200, 200, 200, 200]),
    ("/console/credentials?do=delete&of=x", [200, 200, 200, 200]),
    ("/console/audit", [200, 403, 200, 200]),
    ("/console/webhooks", [200, 403, 200, 200]),
    ("/console/webhooks?do=create", [200, 403, 200, 200]),
    ("/console/webhooks/WEBHOOK", [200, 403, 404, 404]),
    ("/console/webhooks/WEBHOOK?do=change", [200, 403, 404, 404]),
    ("/console/webhooks/WEBHOOK?do=delete", [200, 403, 200, 200]),
    ("/console/settings", [200, 200, 200, 200]),
    ("/console/system", [404, 404, 404, 200]),
    ("/console/accounts", [404, 404, 404, 200]),
    ("/console/accounts?do=create", [404, 404, 404, 200]),
    ("/console/accounts?do=password&of=acme", [404, 404, 404, 200]),
    ("/console/accounts?do=delete&of=acme", [404, 404, 404, 200]),
    ("/console/accounts?do=free", [404, 404, 404, 200]),
    ("/console/accounts?do=free&of=X", [404, 404, 404, 200]),
    ("/console/accounts?do=free&of=initech", [404, 404, 404, 200]),
];

#[tokio::test]
async fn every_page_is_for_who_may_see_it_and_is_well_made() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", None).await;
    let hook = serde_json::json!({"url": "https://hooks.example/x"});
    let made = app.by("acme", Method::POST, "/api/v1/webhooks").json(&hook).send().await.unwrap();
    let id = made.json::<serde_json::Value>().await.unwrap()["id"].to_string();
    for (at, login) in ["acme", "dev@acme", "globex", "admin"].into_iter().enumerate() {
        for language in ["en", "zh-CN"] {
            let mut browser = Browser::of(&app, login).await;
            browser.language = language;
            for (path, statuses) in PAGES {
                let page = browser.opens(&path.replace("WEBHOOK", &id)).await;
                assert_eq!(page.status, statuses[at], "{login} {path}: {}", page.text);
                is_well_made(&page);
                let menu = page.text.split_once("</nav>").map_or("", |(menu, _)| menu);
                for (link, shown) in [
                    ("/console/accounts", login == "admin"),
                    ("/console/system", login == "admin"),
                    ("/console/users", login != "dev@acme"),
                    ("/console/organizations", true),
                ] {
                    let linked = menu.contains(&format!("href=\"{link}\""));
                    assert!(page.status != 200 || linked == shown, "{login} {path} {link}");
                }
            }
        }
    }
}

/// Ids are unique, labels lead to controls, heads have their scope, nothing is inline, every form carries its token.
fn is_well_made(page: &Page) {
    let (text, address) = (&page.text, &page.address);
    let values = |before: &str| {
        text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut ids = values(" id=\"");
    for target in values(" for=\"").into_iter().chain(values(" aria-labelledby=\"")) {
        assert!(ids.contains(&target), "{address}: nothing has the id {target}");
    }
    for described in values(" aria-describedby=\"") {
        assert!(described.split(' ').all(|id| ids.iter().any(|known| known == id)), "{address}: {described}");
    }
    for (before, what) in
        [(" data-live=\"", "results"), (" data-counter=\"", "a counter"), (" data-excludes=\"", "a field")]
    {
        for targets in values(before) {
            let known = targets.split(' ').all(|id| ids.iter().any(|known| known == id));
            assert!(known, "{address}: the script does not find {what}: {targets}");
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{address}: an id is there twice");
    for head in text.split("<th").skip(1).filter(|rest| !rest.starts_with("ead")) {
        assert!(head.split('>').next().unwrap().contains("scope="), "{address}: <th{head:.40}");
    }
    for inline in [" style=\"", "<style", " onclick=", "javascript:", "<script>"] {
        assert!(!text.contains(inline), "{address}: {inline}");
    }
    for form in text.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap();
        assert!(
            !form.contains("method=\"post\"") || form.contains("name=\"form_token\""),
            "{address}: {form}"
        );
    }
    // A row's links and buttons say by themselves what they do, and with what.
    let rows = text.split_once("<tbody>").map_or("", |(_, rows)| rows);
    for button in rows.split("<button").skip(1) {
        let button = button.split('>').next().unwrap();
        assert!(!button.contains("class=\"plain\"") || button.contains("aria-label="), "{address}: {button}");
    }
}
