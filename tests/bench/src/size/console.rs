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

use super::count::{Counted, MANY_TAGS, OWNERS, before_tag, image, owner, password};
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
    /// How many rows its table has; `None`: that depends on what was done.
    rows: Option<u64>,
}

/// The pages.
fn pages(counted: &Counted) -> Vec<Page> {
    let images = counted.images_of(VISITOR);
    let far = FAR_PAGE.min(images.div_ceil(ROWS_A_PAGE));
    let own = image(VISITOR, images / 2);
    let of_visitor =
        |path: &str, rows| Page { account: owner(VISITOR), path: format!("/console/{path}"), rows };
    let of_admin =
        |path: &str, rows| Page { account: ADMIN.to_owned(), path: format!("/console/{path}"), rows };
    let full = Some(images.min(ROWS_A_PAGE));
    let tags = |after: &str| Page {
        account: owner(0),
        path: format!("/console/images/{MANY_TAGS}?after={after}"),
        rows: Some(counted.tags.min(ROWS_A_PAGE)),
    };
    vec![
        of_visitor("images", full),
        of_visitor("images?sort=size&order=down", full),
        of_visitor("images?sort=pushed&order=down", full),
        of_visitor("images?sort=tags", full),
        of_visitor(&format!("images?page={far}"), Some((images - (far - 1) * ROWS_A_PAGE).min(ROWS_A_PAGE))),
        // As many have such a name, however many there are.
        of_visitor("images?q=image-0000", Some(images.min(10))),
        of_visitor("images?shared=on", full),
        of_visitor("shared", Some(counted.images_of(VISITOR - 1).min(ROWS_A_PAGE))),
        tags(&before_tag(0)),
        tags(&before_tag(counted.tags / 2)),
        of_visitor(&format!("images/{own}?tab=sharing"), Some(1)),
        of_visitor(&format!("images/{own}?tab=usage"), None),
        of_visitor("audit", None),
        of_visitor("organizations", Some(1)),
        of_visitor("credentials", None),
        of_visitor("users", None),
        of_visitor("webhooks", None),
        of_visitor("blocked-owners", None),
        of_visitor("settings", None),
        of_admin("accounts", Some((OWNERS + 1).min(ROWS_A_PAGE))),
        of_admin("system", None),
        of_admin("audit", None),
    ]
}

/// The median of the slowest page's first byte; of each page in the sample.
pub(crate) async fn slowest_page(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let (mut used, mut seconds, mut views) = (Used::default(), 0.0, 0);
    let mut millis = BTreeMap::new();
    for page in pages(&loaded.counted) {
        let request = request(loaded, &page).await?;
        let running = loaded.running().await?;
        check(running, &request, page.rows).await?;
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

/// A page is whole, and has as many rows as it should.
async fn check(running: &Running, request: &Request, wanted: Option<u64>) -> Result<(), String> {
    let answer = expect(Connection::open(running.address).await?.ask_for(request).await?, request, 200)?;
    let text = String::from_utf8_lossy(&answer.body);
    let found = rows(&text);
    if !text.contains("</html>") || wanted.is_some_and(|wanted| wanted != found) {
        return Err(format!("{}: {found} rows, and {wanted:?} are right", request.line));
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
