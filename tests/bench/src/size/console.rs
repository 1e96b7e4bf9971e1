//! Pages of the console, as a browser opens them: after the sign-in with its form, by a cookie.

use std::collections::BTreeMap;

use crate::connection::{Connection, Request};
use crate::crowd::{Crowd, Expected, Until};
use crate::door::expect;
use crate::gauge::{Gauge, Used};
use crate::random::Body;
use crate::result::Sample;
use crate::scale::Scale;
use crate::systems::Running;
use crate::works::{Measured, sample};

use super::count::{Counted, MANY_TAGS, OWNERS, before_tag, image, owner, password, tag};
use super::loaded::Loaded;

/// Rows of a page of any list.
const ROWS_A_PAGE: u64 = 50;
/// The page of the list of images that is opened, or the last one.
const FAR_PAGE: u64 = 100;
/// Who opens most of them: an account that owns images, and nothing besides.
const VISITOR: u64 = 1;
const ADMIN: &str = "admin";

/// A page.
struct Page {
    account: String,
    path: String,
    wanted: Wanted,
}

/// What tells that a page is the right one, besides its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// How many rows its tables have.
    Rows(u64),
    /// Something that stands in it.
    Says(&'static str),
    /// Nothing: what is on it depends on what was done.
    Whatever,
}

/// The pages: lists, then what is shown of one of their rows, then forms, then those of an administrator.
fn pages(counted: &Counted) -> Vec<Page> {
    let shown = lists(counted).into_iter().chain(of_images(counted));
    shown.chain(forms(counted)).chain(of_admin()).collect()
}

fn page(account: &str, path: &str, wanted: Wanted) -> Page {
    Page { account: account.to_owned(), path: format!("/console/{path}"), wanted }
}

fn lists(counted: &Counted) -> Vec<Page> {
    let images = counted.images_of(VISITOR);
    let far = FAR_PAGE.min(images.div_ceil(ROWS_A_PAGE));
    let of_far = (images - (far - 1) * ROWS_A_PAGE).min(ROWS_A_PAGE);
    let full = Wanted::Rows(images.min(ROWS_A_PAGE));
    let shared = counted.images_of(VISITOR - 1).min(ROWS_A_PAGE);
    let visitor = owner(VISITOR);
    let list = |path: &str, wanted| page(&visitor, path, wanted);
    vec![
        list("images", full),
        list("images?sort=size&order=down", full),
        list("images?sort=pushed&order=down", full),
        list("images?sort=tags", full),
        list(&format!("images?page={far}"), Wanted::Rows(of_far)),
        // As many have such a name, however many there are.
        list("images?q=image-0000", Wanted::Rows(images.min(10))),
        list("images?shared=on", full),
        list("shared", Wanted::Rows(shared)),
        list("audit", Wanted::Whatever),
        list("audit?kind=share_created", Wanted::Says("value=\"share_created\" selected")),
        list("organizations", Wanted::Rows(1)),
        list(&format!("organizations/{visitor}"), Wanted::Whatever),
        list("credentials", Wanted::Whatever),
        list("users", Wanted::Whatever),
        list("webhooks", Wanted::Whatever),
        list("blocked-owners", Wanted::Whatever),
        list("settings", Wanted::Whatever),
    ]
}

/// Those of one image: of one with many tags, of the visitor's, and of one that is shared with it.
fn of_images(counted: &Counted) -> Vec<Page> {
    let visitor = owner(VISITOR);
    let middle = |number| image(number, counted.images_of(number) / 2);
    let (own, shared, sharee, tag) = (middle(VISITOR), middle(VISITOR - 1), owner(VISITOR + 1), tag(0));
    let tags = |after: &str| {
        let wanted = Wanted::Rows(counted.tags.min(ROWS_A_PAGE));
        page(&owner(0), &format!("images/{MANY_TAGS}?after={after}"), wanted)
    };
    let own = |query: &str, wanted| page(&visitor, &format!("images/{own}?tab={query}"), wanted);
    vec![
        tags(&before_tag(0)),
        tags(&before_tag(counted.tags / 2)),
        // Nowhere: all are looked at, as far as one page does.
        page(&owner(0), &format!("images/{MANY_TAGS}?tab=tags&q=nowhere"), Wanted::Rows(0)),
        own("tags", Wanted::Whatever),
        own(&format!("tags&reference={tag}"), Wanted::Says("sha256:")),
        own(&format!("tags&delete={tag}"), Wanted::Says("value=\"delete-tag\"")),
        own("guide", Wanted::Says("docker pull")),
        own("description", Wanted::Says("value=\"describe\"")),
        own("sharing", Wanted::Rows(1)),
        own(&format!("sharing&change={sharee}"), Wanted::Says("value=\"change-share\"")),
        own(&format!("sharing&revoke={sharee}"), Wanted::Says("value=\"revoke-share\"")),
        own("permissions", Wanted::Whatever),
        own("usage", Wanted::Whatever),
        own("settings", Wanted::Whatever),
        own("settings&do=delete", Wanted::Says("value=\"delete\"")),
        page(&visitor, &format!("images/{shared}"), Wanted::Says("docker pull")),
        page(&visitor, &format!("images/{shared}?tab=guide"), Wanted::Says("docker pull")),
    ]
}

fn forms(counted: &Counted) -> Vec<Page> {
    let visitor = owner(VISITOR);
    let images = counted.images_of(VISITOR);
    let share = format!("images/{}?tab=sharing&new=1", image(VISITOR, images / 2));
    let meant = format!("{share}&step=check&account={}&deadline=2099-12-31", owner(VISITOR + 2));
    let selected = (0..ROWS_A_PAGE.min(images)).map(|number| format!("image={}", image(VISITOR, number)));
    let selected = selected.collect::<Vec<_>>().join("&");
    let form = |path: &str, button| page(&visitor, path, Wanted::Says(button));
    vec![
        form(&share, "value=\"check-share\""),
        form(&meant, "value=\"share\""),
        form(&format!("share?{selected}"), "value=\"check-share\""),
        form("images?do=create", "value=\"create\""),
        form("organizations?do=create", "value=\"create\""),
        form(&format!("organizations/{visitor}?do=delete"), "value=\"delete\""),
        form("users?do=create", "value=\"create\""),
        form("credentials?do=docker-login", "value=\"docker-login\""),
        form("credentials?do=token", "value=\"token\""),
        form("credentials?do=access-key", "value=\"access-key\""),
        form(&format!("blocked-owners?do=block&of={}", owner(VISITOR + 2)), "value=\"block\""),
        form("webhooks?do=create", "value=\"create\""),
    ]
}

fn of_admin() -> Vec<Page> {
    vec![
        page(ADMIN, "accounts", Wanted::Rows((OWNERS + 1).min(ROWS_A_PAGE))),
        page(ADMIN, "accounts?do=create", Wanted::Says("value=\"create\"")),
        page(ADMIN, "system", Wanted::Whatever),
        page(ADMIN, "audit", Wanted::Whatever),
    ]
}

/// The median of the slowest page's first byte; of each page in the sample.
pub(crate) async fn slowest_page(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let (mut used, mut seconds, mut views) = (Used::default(), 0.0, 0);
    let mut millis = BTreeMap::new();
    for page in pages(&loaded.counted) {
        let request = request(loaded, &page).await?;
        let running = loaded.running().await?;
        check(running, &request, page.wanted).await?;
        let expected = Expected { status: 200, bytes: None };
        let mut crowd = Crowd::open(running.address, 1, request, expected).await?;
        let gauge = Gauge::begin(running.pid());
        let mut tally = crowd.run(Until::Times(scale.page_views)).await?;
        used.add(gauge.end()?);
        (seconds, views) = (seconds + tally.seconds, views + tally.requests);
        let pair = tally.first_byte_millis().ok_or("no answers")?;
        millis.insert(format!("{} ({})", page.path, page.account), pair);
    }
    let slowest = slowest(&millis).ok_or("there are no pages")?;
    let sample = sample(slowest[0], seconds, views as f64 / 1000.0, used);
    Ok(Sample { first_byte_millis: Some(slowest), pages_millis: millis, ..sample })
}

fn slowest(millis: &BTreeMap<String, [f64; 2]>) -> Option<[f64; 2]> {
    millis.values().copied().reduce(|one, other| if other[0] > one[0] { other } else { one })
}

async fn request(loaded: &mut Loaded, page: &Page) -> Result<Request, String> {
    let session = match loaded.sessions.get(&page.account) {
        Some(session) => session.clone(),
        None => {
            let session = sign_in(loaded.running().await?, &page.account).await?;
            loaded.sessions.insert(page.account.clone(), session.clone());
            session
        }
    };
    let host = loaded.running().await?.address.to_string();
    Ok(get(&host, &page.path, &session))
}

fn get(host: &str, path: &str, cookies: &str) -> Request {
    let mut headers = vec![("host", host), ("accept-language", "en"), ("accept", "text/html")];
    if !cookies.is_empty() {
        headers.push(("cookie", cookies));
    }
    Request::new("GET", path, &headers, None)
}

/// A page is whole, and the right one.
async fn check(running: &Running, request: &Request, wanted: Wanted) -> Result<(), String> {
    let answer = expect(Connection::open(running.address).await?.ask_for(request).await?, request, 200)?;
    let text = String::from_utf8_lossy(&answer.body);
    let is_right = match wanted {
        Wanted::Rows(count) => rows(&text) == count,
        Wanted::Says(words) => text.contains(words),
        Wanted::Whatever => true,
    };
    if !text.contains("</html>") || !is_right {
        let found = rows(&text);
        return Err(format!("{}: {wanted:?} is wanted, and there are {found} rows", request.line));
    }
    Ok(())
}

/// Rows of tables, without those of their heads.
fn rows(page: &str) -> u64 {
    let (rows, heads) = (page.matches("<tr").count(), page.matches("<thead").count());
    rows.saturating_sub(heads) as u64
}

/// Signs in, and gives the session's cookie.
async fn sign_in(running: &Running, account: &str) -> Result<String, String> {
    const PATH: &str = "/console/sign-in";
    let host = running.address.to_string();
    let mut connection = Connection::open(running.address).await?;
    let request = get(&host, PATH, "");
    let answer = expect(connection.ask_for(&request).await?, &request, 200)?;
    let page = String::from_utf8_lossy(&answer.body);
    let token = form_token(&page).ok_or("the sign-in has no form")?;
    let password = password(account).replace(' ', "+");
    let form = format!("form_token={token}&username={account}&password={password}&next=");
    let cookies = answer.cookies.join("; ");
    let headers = [
        ("host", host.as_str()),
        ("cookie", &cookies),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let request = Request::new("POST", PATH, &headers, Some(Body::of(form)));
    let answer = expect(connection.ask_for(&request).await?, &request, 303)?;
    let session = answer.cookies.into_iter().find(|cookie| cookie.starts_with("gangplank_session="));
    session.ok_or_else(|| format!("{account} is not signed in: no session"))
}

/// What the form carries.
fn form_token(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("name=\"form_token\" value=\"")?;
    rest.split_once('"').map(|(token, _)| token)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{form_token, rows, slowest};

    #[test]
    fn a_tables_head_is_no_row() {
        assert_eq!(rows("<table><thead><tr></tr></thead><tbody><tr></tr><tr class=\"a\"></tr></tbody>"), 2);
        assert_eq!(rows("<p>nothing</p>"), 0);
    }

    #[test]
    fn the_forms_token_is_found() {
        assert_eq!(form_token("<input name=\"form_token\" value=\"abc\">"), Some("abc"));
        assert_eq!(form_token("<p>"), None);
    }

    #[test]
    fn the_slowest_page_is_that_with_the_highest_median() {
        let pages = [("a", [1.0, 9.0]), ("b", [2.0, 3.0])].map(|(name, pair)| (name.to_owned(), pair));
        assert_eq!(slowest(&BTreeMap::from(pages)), Some([2.0, 3.0]));
    }
}
