//! The console in a real browser: the story of a shared image clicked through by two accounts, in both languages, and every
//! page looked at.

use std::path::PathBuf;

use tests::{Browser, Docker, Image, Look, Person, ServerProcess};

const ENGLISH: Look = Look { width: 1280, dark: false, language: "en" };
const CHINESE: Look = Look { width: 1280, dark: true, language: "zh-CN" };
const WEB: &str = "/console/images/team-a/web";

/// Clicks from the list of images to the dialog, and shares `team-a/web` until the end of 2029.
async fn shares(owner: &Browser, words: &Words) {
    owner.goes("/").await;
    owner.sees(&[words.own_images, "team-a/web"]).await;
    owner.follows("team-a/web").await;
    owner.follows(words.sharing).await;
    owner.follows(words.share_image).await;
    owner.types("account", "globex").await;
    owner.chooses_day("deadline", "2029-12-31").await;
    owner.types("description", "for the pilot").await;
    owner.sees(&[words.characters_left]).await;
    owner.presses("button[value=check-share]").await;
    owner.sees(&["Globex Corporation", "2030-01-01 00:00 +00:00", "for the pilot"]).await;
    owner.presses("button[value=share]").await;
    owner.sees(&["globex", "2030-01-01 00:00 +00:00", words.open]).await;
}

/// What stands on the pages in a language.
struct Words {
    own_images: &'static str,
    shared_by_others: &'static str,
    sharing: &'static str,
    share_image: &'static str,
    revoke: &'static str,
    characters_left: &'static str,
    open: &'static str,
    copied: &'static str,
    nothing_here: &'static str,
}

const IN_ENGLISH: Words = Words {
    own_images: "Own images",
    shared_by_others: "Shared by others",
    sharing: "Sharing",
    share_image: "Share image",
    revoke: "Revoke",
    characters_left: "987 characters left",
    open: "Open",
    copied: "Copied",
    nothing_here: "There is nothing here",
};

const IN_CHINESE: Words = Words {
    own_images: "自有镜像",
    shared_by_others: "他人共享",
    sharing: "共享管理",
    share_image: "共享镜像",
    revoke: "取消共享",
    characters_left: "987 个字符可用",
    open: "有效",
    copied: "已复制",
    nothing_here: "页面不存在",
};

/// acme with the image `team-a/web:v1`, pushed by docker, and globex with a display name.
async fn stage() -> (ServerProcess, Person, Person, Docker) {
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    let profile = serde_json::json!({"display_name": "Globex Corporation"});
    globex.patch("/api/v1/accounts/globex/profile").json(&profile).send().await.expect(200);
    let docker = Docker::of(&acme, &server).await;
    let image = format!("{}/team-a/web:v1", server.host());
    docker.builds(&image, &[("one", b"shared by clicks\n")]).await;
    docker.pushes(&image).await.succeeds();
    docker.forgets(&[&image]).await;
    (server, acme, globex, docker)
}

/// The whole story: `owner` and `sharee` say how their browsers are set up, and in which words.
async fn story((owner_look, owner_words): (Look, &Words), (sharee_look, sharee_words): (Look, &Words)) {
    let (server, acme, globex, docker) = stage().await;
    let owner = Browser::open(&server, owner_look).await;
    let sharee = Browser::open(&server, sharee_look).await;
    owner.signs_in(&acme).await;
    sharee.signs_in(&globex).await;
    shares(&owner, owner_words).await;

    sharee.follows(sharee_words.shared_by_others).await;
    sharee.sees(&["acme", "team-a/web", "for the pilot", sharee_words.open]).await;
    sharee.follows("team-a/web").await;
    let command = sharee.reads(".command code").await;
    assert_eq!(command, format!("docker pull {}/team-a/web:v1", server.host()));
    sharee.presses(".command button.copy").await;
    sharee.sees(&[sharee_words.copied]).await;
    let theirs = Docker::of(&globex, &server).await;
    let words: Vec<_> = command.split(' ').skip(1).collect();
    theirs.runs(&words).await.succeeds();
    assert_eq!(theirs.output_of(words[1]).await, "shared by clicks");
    docker.forgets(&[words[1]]).await;

    owner.follows(owner_words.revoke).await;
    owner.sees(&["globex"]).await;
    owner.presses("button[value=revoke-share]").await;
    sharee.reloads().await;
    sharee.sees(&[sharee_words.nothing_here]).await;
    theirs.runs(&words).await.fails_saying(&["denied", "not found", "unauthorized"]);
    owner.closes().await;
    sharee.closes().await;
}

#[tokio::test]
async fn an_owner_shares_with_a_few_clicks_and_the_partner_pulls_what_the_page_says() {
    story((ENGLISH, &IN_ENGLISH), (CHINESE, &IN_CHINESE)).await;
}

#[tokio::test]
async fn the_same_in_the_other_languages() {
    story((CHINESE, &IN_CHINESE), (ENGLISH, &IN_ENGLISH)).await;
}

#[tokio::test]
async fn a_share_that_ends_while_its_page_is_open_opens_nothing_any_more() {
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    acme.pushes("team-a/web", "v1", &Image::small()).await;
    acme.shares("team-a/web", "globex", tests::in_seconds(6)).await;
    let sharee = Browser::open(&server, ENGLISH).await;
    sharee.signs_in(&globex).await;
    sharee.goes(WEB).await;
    sharee.sees(&["v1", "docker pull"]).await;
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    sharee.presses("th a").await;
    sharee.sees(&["There is nothing here"]).await;
    sharee.goes("/console/shared").await;
    sharee.sees(&["team-a/web", "Ended"]).await;
    sharee.closes().await;
}

/// The pages of an account that owns images, and that others share with.
const PAGES: &[(&str, &str)] = &[
    ("sign-in", "/console/sign-in"),
    ("images", "/console/images"),
    ("shared-by-me", "/console/images?shared=on"),
    ("several", "/console/share?image=team-a/web&image=team-a/a/long/name/that/fits/no/narrow/screen/at/all"),
    ("tags", WEB),
    ("manifest", "/console/images/team-a/web?tab=tags&reference=v1"),
    ("delete-tag", "/console/images/team-a/web?tab=tags&delete=v1"),
    ("guide", "/console/images/team-a/web?tab=guide"),
    ("description", "/console/images/team-a/web?tab=description"),
    ("sharing", "/console/images/team-a/web?tab=sharing"),
    ("share", "/console/images/team-a/web?tab=sharing&new=1"),
    ("change", "/console/images/team-a/web?tab=sharing&change=globex"),
    ("revoke", "/console/images/team-a/web?tab=sharing&revoke=globex"),
    ("usage", "/console/images/team-a/web?tab=usage&account=globex"),
    ("permissions", "/console/images/team-a/web?tab=permissions"),
    ("shared", "/console/shared"),
    ("organizations", "/console/organizations"),
    ("organization", "/console/organizations/team-a"),
    ("users", "/console/users"),
    ("credentials", "/console/credentials"),
    ("docker-login", "/console/credentials?do=docker-login"),
    ("token", "/console/credentials?do=token"),
    ("access-key", "/console/credentials?do=access-key"),
    ("audit", "/console/audit"),
    ("webhooks", "/console/webhooks"),
    ("settings", "/console/settings"),
    ("missing", "/console/nothing"),
];

#[tokio::test]
async fn every_page_is_accessible_and_pictured_narrow_and_wide_light_and_dark() {
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.owner("globex", "team-g").await;
    for name in ["team-a/web", "team-a/a/long/name/that/fits/no/narrow/screen/at/all"] {
        acme.pushes(name, "v1", &Image::small()).await;
        acme.shares(name, "globex", tests::in_seconds(86_400)).await;
    }
    globex.pushes("team-g/api", "v1", &Image::small()).await;
    globex.shares_for_good("team-g/api", "acme").await;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/console");
    for (width, dark, language) in
        [(360, false, "en"), (360, true, "zh-CN"), (1280, false, "zh-CN"), (1280, true, "en")]
    {
        let browser = Browser::open(&server, Look { width, dark, language }).await;
        browser.signs_in(&acme).await;
        for (name, path) in PAGES {
            browser.goes(path).await;
            browser.is_accessible().await;
            let shade = if dark { "dark" } else { "light" };
            browser.is_pictured(width, &folder.join(format!("{name}-{width}-{shade}.png"))).await;
        }
        browser.closes().await;
        let browser = Browser::open(&server, Look { width, dark, language }).await;
        browser.signs_in(&server.admin()).await;
        browser.goes("/console/accounts").await;
        browser.is_accessible().await;
        let shade = if dark { "dark" } else { "light" };
        browser.is_pictured(width, &folder.join(format!("accounts-{width}-{shade}.png"))).await;
        browser.closes().await;
    }
}
