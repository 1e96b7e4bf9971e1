//! The console in a real browser: the story of a shared image clicked through by two accounts, in both languages, and every
//! page looked at.

mod pages;

use tests::{Browser, Docker, Image, Look, Person, ServerProcess};
use tokio::sync::Mutex;

/// One test at a time: a browser wants a machine's whole attention.
static TURN: Mutex<()> = Mutex::const_new(());

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
    owner.sees(&["Globex Corporation", "2029-12-31", "+00:00", "for the pilot"]).await;
    owner.presses("button[value=share]").await;
    owner.sees(&["globex", words.end, words.open]).await;
}

/// What stands on the pages in a language.
struct Words {
    own_images: &'static str,
    shared_by_others: &'static str,
    sharing: &'static str,
    share_image: &'static str,
    revoke: &'static str,
    revoked: &'static str,
    characters_left: &'static str,
    open: &'static str,
    end: &'static str,
    copied: &'static str,
    nothing_here: &'static str,
}

const IN_ENGLISH: Words = Words {
    own_images: "Own images",
    shared_by_others: "Shared by others",
    sharing: "Sharing",
    share_image: "Share image",
    revoke: "Revoke",
    revoked: "The share is revoked.",
    characters_left: "987 characters left",
    open: "Open",
    end: "end of 2029-12-31 (+00:00)",
    copied: "Copied",
    nothing_here: "There is nothing here",
};

const IN_CHINESE: Words = Words {
    own_images: "自有镜像",
    shared_by_others: "他人共享",
    sharing: "共享管理",
    share_image: "共享镜像",
    revoke: "取消共享",
    revoked: "已取消该共享。",
    characters_left: "987 个字符可用",
    open: "有效",
    end: "2029-12-31 当日结束（+00:00）",
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
    sharee.presses(".command button.copy").await;
    sharee.sees(&[sharee_words.copied]).await;
    let command = sharee.pastes().await;
    assert_eq!(command, format!("docker pull {}/team-a/web:v1", server.host()));
    let theirs = Docker::of(&globex, &server).await;
    let words: Vec<_> = command.split(' ').skip(1).collect();
    theirs.runs(&words).await.succeeds();
    assert_eq!(theirs.output_of(words[1]).await, "shared by clicks");
    docker.forgets(&[words[1]]).await;

    owner.follows(owner_words.revoke).await;
    owner.sees(&["globex"]).await;
    owner.presses("button[value=revoke-share]").await;
    owner.sees(&[owner_words.revoked]).await;
    sharee.reloads().await;
    sharee.sees(&[sharee_words.nothing_here]).await;
    theirs.runs(&words).await.fails_saying(&["denied", "not found", "unauthorized", "unknown"]);
    owner.closes().await;
    sharee.closes().await;
}

#[tokio::test]
async fn an_owner_shares_with_a_few_clicks_and_the_partner_pulls_what_the_page_says() {
    let _turn = TURN.lock().await;
    story((ENGLISH, &IN_ENGLISH), (CHINESE, &IN_CHINESE)).await;
}

#[tokio::test]
async fn the_same_in_the_other_languages() {
    let _turn = TURN.lock().await;
    story((CHINESE, &IN_CHINESE), (ENGLISH, &IN_ENGLISH)).await;
}

#[tokio::test]
async fn keys_alone_share_an_image_for_good_and_revoke_it() {
    let _turn = TURN.lock().await;
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    server.account("globex").await;
    acme.pushes("team-a/web", "v1", &Image::small()).await;
    let owner = Browser::open(&server, ENGLISH).await;
    owner.goes("/console/sign-in").await;
    owner.tabs_to("#username").await;
    owner.presses_keys(&keys(acme.login())).await;
    owner.tabs_to("#password").await;
    owner.presses_keys(&keys(acme.password())).await;
    owner.presses_keys(ENTER).await;
    owner.sees(&["Own images", "team-a/web"]).await;
    for link in ["a[href='/console/images/team-a/web']", "a[href$='tab=sharing']", "a[href$='new=1']"] {
        owner.tabs_to(link).await;
        owner.presses_keys(ENTER).await;
        owner.sees(&["team-a/web"]).await;
    }
    owner.tabs_to("#account").await;
    owner.presses_keys(&keys("globex")).await;
    owner.tabs_to("input[name=permanent]").await;
    owner.presses_keys(&[' ']).await;
    owner.tabs_to("button[value=check-share]").await;
    owner.presses_keys(ENTER).await;
    owner.sees(&["Permanently valid", "globex"]).await;
    owner.tabs_to("button[value=share]").await;
    owner.presses_keys(ENTER).await;
    owner.sees(&["globex", "Open"]).await;
    owner.tabs_to("a[href*='revoke=globex']").await;
    owner.presses_keys(ENTER).await;
    owner.tabs_to("button[value=revoke-share]").await;
    owner.presses_keys(ENTER).await;
    owner.sees(&["The share is revoked."]).await;
    // What was done is said once.
    owner.reloads().await;
    owner.sees(&["This image is shared with nobody."]).await;
    owner.sees_no_more("The share is revoked.").await;
    owner.closes().await;
}

const ENTER: &[char] = &['\u{e007}'];

fn keys(text: &str) -> Vec<char> {
    text.chars().collect()
}

#[tokio::test]
async fn a_share_that_ends_while_its_page_is_open_opens_nothing_any_more() {
    let _turn = TURN.lock().await;
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    acme.pushes("team-a/web", "v1", &Image::small()).await;
    let sharee = Browser::open(&server, ENGLISH).await;
    sharee.signs_in(&globex).await;
    acme.shares("team-a/web", "globex", tests::in_seconds(8)).await;
    sharee.goes(WEB).await;
    sharee.sees(&["v1", "docker pull"]).await;
    tokio::time::sleep(std::time::Duration::from_secs(9)).await;
    sharee.presses("th a").await;
    sharee.sees(&["There is nothing here"]).await;
    sharee.goes("/console/shared").await;
    sharee.sees(&["team-a/web", "Ended"]).await;
    sharee.closes().await;
}

#[tokio::test]
async fn a_search_finds_while_one_types() {
    let _turn = TURN.lock().await;
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    for name in ["team-a/web", "team-a/api"] {
        acme.pushes(name, "v1", &Image::small()).await;
    }
    let owner = Browser::open(&server, ENGLISH).await;
    owner.signs_in(&acme).await;
    owner.sees(&["team-a/web", "team-a/api"]).await;
    owner.presses("input[type=search]").await;
    owner.presses_keys(&keys("WEB")).await;
    owner.sees_no_more("team-a/api").await;
    owner.sees(&["team-a/web"]).await;
    // Whoever goes on typing types into the same field.
    owner.presses_keys(&keys("x")).await;
    owner.sees(&["Nothing matches."]).await;
    owner.reloads().await;
    owner.sees(&["Nothing matches."]).await;
    owner.closes().await;
}

/// A dialog, what is typed into it, the button, the field that is wrong, and what keeps its text.
struct Dialog {
    path: &'static str,
    typed: &'static [(&'static str, &'static str)],
    button: &'static str,
    wrong: &'static str,
    kept: &'static [&'static str],
}

const DIALOGS: &[Dialog] = &[
    Dialog {
        path: "/console/images/team-a/web?tab=sharing&new=1",
        typed: &[("description", "kept"), ("tags", "v*")],
        button: "button[value=check-share]",
        wrong: "account",
        kept: &["description", "tags"],
    },
    Dialog {
        path: "/console/images/team-a/web?tab=sharing&new=1",
        typed: &[("account", "nobody-of-that-name"), ("deadline", "2029-12-31"), ("description", "kept")],
        button: "button[value=check-share]",
        wrong: "account",
        kept: &["account", "deadline", "description"],
    },
    Dialog {
        path: "/console/images/team-a/web?tab=sharing&new=1",
        typed: &[("account", "globex"), ("description", "no end")],
        button: "button[value=check-share]",
        wrong: "deadline",
        kept: &["account", "description"],
    },
    Dialog {
        path: "/console/images/team-a/web?tab=sharing&new=1",
        typed: &[("account", "globex"), ("deadline", "2029-12-31"), ("tags", "v[")],
        button: "button[value=check-share]",
        wrong: "tags",
        kept: &["account", "deadline", "tags"],
    },
    Dialog {
        path: "/console/organizations?do=create",
        typed: &[("name", "No such Name")],
        button: "main button[value=create]",
        wrong: "name",
        kept: &["name"],
    },
    Dialog {
        path: "/console/users?do=create",
        typed: &[
            ("name", "No such Name"),
            ("password", "a long enough password"),
            ("repeated", "a long enough password"),
        ],
        button: "main button[value=create]",
        wrong: "name",
        kept: &["name"],
    },
    Dialog {
        path: "/console/users?do=create",
        typed: &[
            ("name", "dev"),
            ("password", "a long enough password"),
            ("repeated", "another long password"),
        ],
        button: "main button[value=create]",
        wrong: "repeated",
        kept: &["name"],
    },
    Dialog {
        path: "/console/blocked-owners",
        typed: &[("of", "No such Name")],
        button: "main form[method=get] button",
        wrong: "of",
        kept: &["of"],
    },
    Dialog {
        path: "/console/credentials?do=docker-login",
        typed: &[("current_password", "wrong")],
        button: "button[value=docker-login]",
        wrong: "current_password",
        kept: &[],
    },
    Dialog {
        path: "/console/credentials?do=token",
        typed: &[("days", "30"), ("description", "kept"), ("scope", "repository:team-a/*:pull")],
        button: "button[value=token]",
        wrong: "current_password",
        kept: &["days", "description", "scope"],
    },
    Dialog {
        path: "/console/webhooks?do=create",
        typed: &[("url", "ftp://receiver.example/")],
        button: "main button[value=create]",
        wrong: "url",
        kept: &["url"],
    },
    Dialog {
        path: "/console/settings",
        typed: &[("time_zone", "Nowhere/Else"), ("display_name", "Acme")],
        button: "button[value=profile]",
        wrong: "time_zone",
        kept: &["time_zone", "display_name"],
    },
    Dialog {
        path: "/console/settings",
        typed: &[
            ("current_password", "wrong"),
            ("password", "a long enough password"),
            ("repeated", "a long enough password"),
        ],
        button: "button[value=password]",
        wrong: "current_password",
        kept: &[],
    },
];

#[tokio::test]
async fn each_dialog_says_what_is_wrong_beside_the_field_and_keeps_what_was_typed() {
    let _turn = TURN.lock().await;
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    server.account("globex").await;
    acme.pushes("team-a/web", "v1", &Image::small()).await;
    let owner = Browser::open(&server, ENGLISH).await;
    owner.goes("/console/sign-in").await;
    owner.types("username", "acme").await;
    owner.types("password", "wrong").await;
    owner.presses("main button[type=submit]").await;
    owner.reads("[role=alert]").await;
    assert_eq!(owner.value_of("username").await, "acme");
    owner.is_accessible().await;
    owner.signs_in(&acme).await;
    for dialog in DIALOGS {
        owner.goes(dialog.path).await;
        for (field, text) in dialog.typed {
            match *field {
                "deadline" => owner.chooses_day(field, text).await,
                field => owner.types(field, text).await,
            }
        }
        owner.presses(dialog.button).await;
        let error = owner.reads(&format!("#{}-error", dialog.wrong)).await;
        assert!(error.len() > 5, "{}: {error}", dialog.path);
        let described = owner.attribute_of(dialog.wrong, "aria-describedby").await;
        assert!(described.contains(&format!("{}-error", dialog.wrong)), "{}: {described}", dialog.path);
        for field in dialog.kept {
            let typed =
                dialog.typed.iter().find(|(name, _)| name == field).expect("a field that is typed into").1;
            assert_eq!(owner.value_of(field).await, typed, "{}: {field}", dialog.path);
        }
        owner.is_accessible().await;
    }
    owner.closes().await;
}
