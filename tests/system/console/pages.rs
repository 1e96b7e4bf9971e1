//! Every page of the console looked at: in two widths, bright and dark, by axe-core and for a person to see
//! (`target/console`).

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::{Browser, Image, Look, Person, ServerProcess};

use super::TURN;

/// What a page may weigh with all that it loads.
const PAGE_BYTES_MAX: u64 = 100 << 10;
/// Nobody is there, which the list of deliveries says.
const RECEIVER: &str = "https://receiver.example/";
const LONG: &str = "team-a/a/long/name/that/fits/no/narrow/screen/at/all";

/// The pages of an account that owns images, and that others share with. In their addresses WEBHOOK, SHARE, TOKEN and KEY
/// stand for what the account has.
const PAGES: &[(&str, &str)] = &[
    ("sign-in", "/console/sign-in"),
    ("images", "/console/images"),
    ("images-selected", "/console/images?q=long&image=team-a/web"),
    ("images-nothing-found", "/console/images?q=nothing-of-that-name"),
    ("shared-by-me", "/console/images?shared=on"),
    ("several", "/console/share?image=team-a/web&image=team-a/a/long/name/that/fits/no/narrow/screen/at/all"),
    ("several-none", "/console/share"),
    ("tags", "/console/images/team-a/web"),
    ("manifest", "/console/images/team-a/web?tab=tags&reference=v1"),
    ("delete-tag", "/console/images/team-a/web?tab=tags&delete=v1"),
    ("guide", "/console/images/team-a/web?tab=guide"),
    ("description", "/console/images/team-a/web?tab=description"),
    ("sharing", "/console/images/team-a/web?tab=sharing"),
    ("share", "/console/images/team-a/web?tab=sharing&new=1"),
    ("change", "/console/images/team-a/web?tab=sharing&change=globex"),
    ("revoke", "/console/images/team-a/web?tab=sharing&revoke=globex"),
    ("usage", "/console/images/team-a/web?tab=usage"),
    ("permissions", "/console/images/team-a/web?tab=permissions"),
    ("permission-remove", "/console/images/team-a/web?tab=permissions&do=remove-permission&of=dev"),
    ("image-settings", "/console/images/team-a/web?tab=settings"),
    ("image-delete", "/console/images/team-a/web?tab=settings&do=delete"),
    ("image-new", "/console/images?do=create"),
    ("shared", "/console/shared"),
    ("leave", "/console/shared?leave=SHARE"),
    ("image-of-others", "/console/images/team-g/api"),
    ("guide-of-others", "/console/images/team-g/api?tab=guide"),
    ("blocked-owners", "/console/blocked-owners"),
    ("block", "/console/blocked-owners?do=block&of=initech"),
    ("organizations", "/console/organizations"),
    ("organization", "/console/organizations/team-a"),
    ("organization-new", "/console/organizations?do=create"),
    ("organization-delete", "/console/organizations/team-a?do=delete"),
    ("users", "/console/users"),
    ("user-new", "/console/users?do=create"),
    ("user-password", "/console/users?do=password&of=dev"),
    ("user-delete", "/console/users?do=delete&of=dev"),
    ("credentials", "/console/credentials"),
    ("docker-login", "/console/credentials?do=docker-login"),
    ("token", "/console/credentials?do=token"),
    ("token-revoke", "/console/credentials?do=revoke&of=TOKEN"),
    ("access-key", "/console/credentials?do=access-key"),
    ("access-key-delete", "/console/credentials?do=delete&of=KEY"),
    ("audit", "/console/audit"),
    ("audit-nothing-found", "/console/audit?kind=webhook_disabled"),
    ("webhooks", "/console/webhooks"),
    ("webhook-new", "/console/webhooks?do=create"),
    ("webhook", "/console/webhooks/WEBHOOK"),
    ("webhook-change", "/console/webhooks/WEBHOOK?do=change"),
    ("webhook-delete", "/console/webhooks/WEBHOOK?do=delete"),
    ("settings", "/console/settings"),
    ("missing", "/console/nothing"),
];

/// Those of an account that has nothing yet.
const EMPTY_PAGES: &[(&str, &str)] = &[
    ("empty-images", "/console/images"),
    ("empty-shared-by-me", "/console/images?shared=on"),
    ("empty-shared", "/console/shared"),
    ("empty-blocked-owners", "/console/blocked-owners"),
    ("empty-organizations", "/console/organizations"),
    ("empty-users", "/console/users"),
    ("empty-webhooks", "/console/webhooks"),
    ("empty-credentials", "/console/credentials"),
];

/// Those of a user, who may push to one image.
const USERS_PAGES: &[(&str, &str)] = &[
    ("user-images", "/console/images"),
    ("user-image", "/console/images/team-a/web"),
    ("user-shared", "/console/shared"),
    ("user-organizations", "/console/organizations"),
    ("user-users", "/console/users"),
    ("user-settings", "/console/settings"),
];

/// Those of an administrator.
const ADMINISTRATORS_PAGES: &[(&str, &str)] = &[
    ("accounts", "/console/accounts"),
    ("account-new", "/console/accounts?do=create"),
    ("account-password", "/console/accounts?do=password&of=acme"),
    ("account-delete", "/console/accounts?do=delete&of=acme"),
    ("account-free", "/console/accounts?do=free"),
    ("organization-free", "/console/organizations?do=free"),
    ("system", "/console/system"),
];

/// A page that only a form leads to.
struct Step {
    name: &'static str,
    /// Where the form is.
    form: &'static str,
    /// The field that is typed into, and the text; PASSWORD stands for the account's.
    typed: (&'static str, &'static str),
    /// What is pressed then, one after the other.
    pressed: &'static [&'static str],
    /// What the page has that the form has not.
    shows: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        name: "share-check",
        form: "/console/images/team-a/web?tab=sharing&new=1",
        typed: ("account", "initech"),
        pressed: &["input[name=permanent]", "button[value=check-share]"],
        shows: "button[value=share]",
    },
    Step {
        name: "several-check",
        form: "/console/share?image=team-a/web&image=team-a/a/long/name/that/fits/no/narrow/screen/at/all",
        typed: ("account", "initech"),
        pressed: &["input[name=permanent]", "button[value=check-share]"],
        shows: "button[value=share]",
    },
    Step {
        name: "once-docker-login",
        form: "/console/credentials?do=docker-login",
        typed: ("current_password", "PASSWORD"),
        pressed: &["main button[value=docker-login]"],
        shows: "main .command button.copy",
    },
    Step {
        name: "once-token",
        form: "/console/credentials?do=token",
        typed: ("current_password", "PASSWORD"),
        pressed: &["main button[value=token]"],
        shows: "main .command button.copy",
    },
    Step {
        name: "once-access-key",
        form: "/console/credentials?do=access-key",
        typed: ("current_password", "PASSWORD"),
        pressed: &["main button[value=access-key]"],
        shows: "main .command button.copy",
    },
    Step {
        name: "once-webhook",
        form: "/console/webhooks?do=create",
        typed: ("url", RECEIVER),
        pressed: &["main button[value=create]"],
        shows: "main .command button.copy",
    },
];

/// Who looks at pages, and what stands in their addresses.
struct Stage {
    server: ServerProcess,
    acme: Person,
    dev: Person,
    initech: Person,
    ids: Vec<(&'static str, String)>,
}

/// acme, which has one of each thing, a user of it, and initech, which has nothing.
async fn stage() -> Stage {
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.owner("globex", "team-g").await;
    let initech = server.account("initech").await;
    let image = Image::small();
    for name in ["team-a/web", LONG] {
        acme.pushes(name, "v1", &image).await;
        acme.shares(name, "globex", tests::in_seconds(86_400)).await;
    }
    let signature = image.referring_to(&image, "application/vnd.example.signature");
    acme.puts_manifest("team-a/web", "signature", &signature).await.expect(201);
    globex.pulls("team-a/web", "v1", &image).await;
    globex.pushes("team-g/api", "v1", &Image::small()).await;
    let share = globex.shares_for_good("team-g/api", "acme").await;
    let dev = acme.creates_user("dev").await;
    acme.permits("dev", "edit", "team-a/web").await;
    let made = async |path: &str, body| acme.post(path).json(&body).send().await.expect(201).json();
    made("/api/v1/blocked-owners", json!({"account": "spammer"})).await;
    let token = made("/api/v1/tokens", json!({"expires_in_seconds": 3600, "description": "build"})).await;
    let key = made("/api/v1/access-keys", json!({"description": "build"})).await;
    let webhook = made("/api/v1/webhooks", json!({"url": RECEIVER})).await;
    acme.shares("team-a/web", "initech", tests::in_seconds(86_400)).await;
    acme.revokes("team-a/web", "initech").await;
    let key = key["access_key"].as_str().expect("its public half").to_owned();
    let id = |of: &Value| of["id"].to_string();
    let ids = vec![("SHARE", id(&share)), ("TOKEN", id(&token)), ("KEY", key), ("WEBHOOK", id(&webhook))];
    Stage { server, acme, dev, initech, ids }
}

/// That a page is accessible, still and light; and its picture.
async fn is_looked_at(browser: &Browser, name: &str, look: Look) {
    browser.is_accessible().await;
    let moved = browser.layout_shift().await;
    assert!(moved < 0.001, "{name}: things move by {moved} with {look:?}");
    let bytes = browser.loaded_bytes().await;
    assert!((1..=PAGE_BYTES_MAX).contains(&bytes), "{name}: {bytes} bytes");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/console");
    let shade = if look.dark { "dark" } else { "light" };
    browser.is_pictured(&folder.join(format!("{name}-{}-{shade}.png", look.width))).await;
}

#[tokio::test]
async fn every_page_is_accessible_light_and_still_narrow_and_wide_bright_and_dark() {
    let _turn = TURN.lock().await;
    let stage = stage().await;
    let admin = stage.server.admin();
    for (width, dark, language) in
        [(360, false, "en"), (360, true, "zh-CN"), (1280, false, "zh-CN"), (1280, true, "en")]
    {
        let look = Look { width, dark, language };
        for (person, pages) in [
            (&stage.acme, PAGES),
            (&stage.dev, USERS_PAGES),
            (&stage.initech, EMPTY_PAGES),
            (&admin, ADMINISTRATORS_PAGES),
        ] {
            let browser = Browser::open(&stage.server, look).await;
            browser.signs_in(person).await;
            for (name, path) in pages {
                let path =
                    stage.ids.iter().fold((*path).to_owned(), |path, (word, id)| path.replace(word, id));
                browser.goes(&path).await;
                assert_eq!(browser.path().await, path, "{name}: another page");
                is_looked_at(&browser, name, look).await;
            }
            browser.closes().await;
        }
        let browser = Browser::open(&stage.server, look).await;
        browser.signs_in(&stage.acme).await;
        for step in STEPS {
            browser.goes(step.form).await;
            let (field, text) = step.typed;
            browser.types(field, if text == "PASSWORD" { stage.acme.password() } else { text }).await;
            for selector in step.pressed {
                browser.presses(selector).await;
            }
            browser.reads(step.shows).await;
            is_looked_at(&browser, step.name, look).await;
        }
        browser.closes().await;
    }
}
