//! Pages of who owns much: what they read is what they show.

use auth::{AccountName, Action, Description, NewRepository, NewShare, ShareEnd, ShareTags};
use oci::{RepositoryName, Tag};
use storage::TagCopy;

use super::app::{INDEX, TestApp, principal};
use super::browser::Browser;
use crate::Clock;

const IMAGES: usize = 2_000;
/// What a page of fifty may read: nine things of each image, and what all pages do.
const PAGE_READS_MAX: usize = 50 * 9 + 50;
const NOTHING: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// acme with many images: `team-a/image-0000` and so on, each tenth of which is shared with globex; the last has two tags.
async fn with_many() -> TestApp {
    let app = TestApp::start().await;
    let now = app.clock.now();
    let acme = principal(&app.auth, "acme", now).await;
    for number in 0..IMAGES {
        let name = RepositoryName::parse(&format!("team-a/image-{number:04}")).unwrap();
        app.auth.create_repository(&acme, &name, &NewRepository::default(), now).await.unwrap();
        if number % 10 == 0 {
            let share = NewShare {
                grantee: AccountName::parse("globex").unwrap(),
                end: ShareEnd::Permanent,
                tags: ShareTags::All,
                description: Description::default(),
                notice_before: None,
                region: None,
            };
            app.auth.create_share(&acme, &name, share, now).await.unwrap();
        }
    }
    for tag in ["v1", "v2"] {
        let pushed = app.put_manifest("acme", "team-a/image-1999", tag, INDEX, NOTHING).await;
        assert_eq!(pushed.status(), 201);
    }
    app
}

#[tokio::test]
async fn a_list_reads_a_row_for_each_name_and_the_records_of_one_page() {
    let app = with_many().await;
    let browser = Browser::of(&app, "acme").await;
    let shares = IMAGES / 10;
    // The address, what it shows, how much it may read, and how many rows of lists.
    for (path, shows, reads_max, rows_max) in [
        ("/console/images", "image-0049", PAGE_READS_MAX, IMAGES + 200),
        ("/console/images?page=40", "image-1999", PAGE_READS_MAX, IMAGES + 200),
        ("/console/images?order=down", "image-1999", PAGE_READS_MAX, IMAGES + 200),
        ("/console/images?q=IMAGE-00", "image-0049", PAGE_READS_MAX, IMAGES + 200),
        ("/console/images?sort=tags&order=down", "image-1999", IMAGES + PAGE_READS_MAX, IMAGES + 200),
        ("/console/images?shared=on", "image-0490", 3 * shares + PAGE_READS_MAX, IMAGES + shares + 200),
        ("/console/organizations", "2000", 50, 50),
        ("/console/organizations/team-a", "team-a", 100, 100),
        ("/console/audit", "team-a/image-1999", 200, 600),
    ] {
        app.engine.reads();
        app.engine.rows();
        browser.opens(path).await.is(200).says(&[shows]);
        let (reads, rows) = (app.engine.reads(), app.engine.rows());
        assert!(reads <= reads_max, "{path} makes {reads} reads");
        assert!(rows <= rows_max, "{path} reads {rows} rows");
    }
    let sharee = Browser::of(&app, "globex").await;
    app.engine.reads();
    app.engine.rows();
    sharee.opens("/console/shared").await.is(200).says(&["image-0000", "image-0490"]);
    let (reads, rows) = (app.engine.reads(), app.engine.rows());
    assert!(reads <= 3 * 51 + 50, "{reads} reads for a page of {shares}");
    assert!(rows <= 51, "{rows} rows");
}

#[tokio::test]
async fn lists_of_shares_go_on_page_by_page_and_show_each_once() {
    let app = with_many().await;
    let sharee = Browser::of(&app, "globex").await;
    let (mut path, mut seen) = ("/console/shared".to_owned(), Vec::new());
    for _ in 0..10 {
        let page = sharee.opens(&path).await;
        let names = page.text.split("<a href=\"/console/images/").skip(1);
        seen.extend(names.map(|rest| rest.split('"').next().unwrap().to_owned()));
        let Some(next) = page.text.split("<a class=\"button plain\" href=\"").last() else { break };
        let Some((next, _)) = next.split_once("\" rel=\"next\"") else { break };
        path = next.replace("&amp;", "&");
    }
    let all: Vec<_> = (0..IMAGES / 10).map(|number| format!("team-a/image-{:04}", number * 10)).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn long_descriptions_are_clipped_in_lists() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Browser::of(&app, "acme").await;
    let description = "<".repeat(1_000);
    let share =
        [("action", "share"), ("account", "globex"), ("permanent", "on"), ("description", &description)];
    let sharing = "/console/images/team-a/web?tab=sharing";
    acme.sends(&format!("{sharing}&new=1"), "/console/images/team-a/web", &share).await.says(&["Shared."]);
    let clipped = format!(">{}…<", "&lt;".repeat(160));
    acme.opens(sharing).await.says(&[&clipped]);
    Browser::of(&app, "globex").await.opens("/console/shared").await.says(&[&clipped]);
}

#[tokio::test]
async fn a_tag_is_found_among_more_than_one_page_looks_at() {
    const TAGS: usize = 10_100;
    let app = TestApp::start().await;
    let web = "/console/images/team-a/web";
    assert_eq!(app.put_manifest("acme", "team-a/web", "a", INDEX, NOTHING).await.status(), 201);
    let acme = Browser::of(&app, "acme").await;
    acme.opens(web).await.says_nothing_of(&["type=\"search\""]);
    let (now, name) = (app.clock.now(), RepositoryName::parse("team-a/web").unwrap());
    let login = principal(&app.auth, "acme", now).await;
    let permit = app.auth.authorize(&login, &name, Action::Push, now).await.unwrap();
    let source = Tag::parse("a").unwrap();
    for number in 0..TAGS {
        let last = if number + 60 < TAGS { "" } else { "-Release" };
        let destination = Tag::parse(&format!("v{number:05}{last}")).unwrap();
        let copy = TagCopy { source: source.clone(), destination, overwrite: false };
        app.storage.copy_tag(&permit, &copy, now).await.unwrap();
    }
    acme.opens(web).await.says(&["type=\"search\"", "v00048"]).says_nothing_of(&["v00049<"]);
    let page = acme.opens(&format!("{web}?tab=tags&q=00007")).await;
    page.says(&[">v00007<", "value=\"00007\"", "rel=\"next\""]).says_nothing_of(&["v00008"]);
    let page = acme.opens(&format!("{web}?tab=tags&q=10007&after=v05000")).await;
    page.says(&[">v10007<"]).says_nothing_of(&["rel=\"next\""]);
    acme.opens(&format!("{web}?tab=tags&q=nowhere&after=v05")).await.says(&["Nothing matches."]);

    let (mut path, mut seen) = (format!("{web}?tab=tags&q=release"), Vec::new());
    app.engine.rows();
    for _ in 0..4 {
        let page = acme.opens(&path).await;
        let rows = app.engine.rows();
        assert!(rows <= 10_200, "{path} reads {rows} rows");
        let names = page.text.split("reference=").skip(1);
        seen.push(names.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>());
        if seen.len() == 1 {
            page.says(&["Nothing so far. Go on"]).says_nothing_of(&["Nothing matches."]);
        }
        let Some((before, _)) = page.text.split_once("\" rel=\"next\"") else { break };
        path = before.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [0, 50, 10]);
    let all: Vec<_> = (TAGS - 60..TAGS).map(|number| format!("v{number:05}-Release")).collect();
    assert_eq!(seen.concat(), all);
}
