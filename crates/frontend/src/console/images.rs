//! My images › Own images: what the visitor's account owns, searched, sorted and in pages.

use std::collections::BTreeMap;

use auth::{AccountName, Repository, RepositoryId, Visibility, Which};
use maud::{Markup, html};
use storage::RepositoryUsage;

use super::forms::Asked;
use super::image_form;
use super::page::{Answer, Place, page, size, time};
use super::problem::Problem;
use super::text::fill;
use super::visitor::{Query, Visitor, parameter};

/// Where the list is.
pub(super) const ALL: &str = "/console/images";
/// The most images of one list, as for every order, filter and total.
const IMAGES_MAX: usize = 10_000;
/// How many are read at once.
const IMAGES_AT_ONCE: usize = 1_000;
const IMAGES_A_PAGE: usize = 50;
/// How many accounts are named in a row.
const ACCOUNTS_NAMED_MAX: usize = 3;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Tags,
    Size,
    LastPush,
}

impl Column {
    const ALL: [Column; 4] = [Column::Name, Column::Tags, Column::Size, Column::LastPush];

    fn word(self) -> &'static str {
        match self {
            Column::Name => "name",
            Column::Tags => "tags",
            Column::Size => "size",
            Column::LastPush => "pushed",
        }
    }
}

/// What is wanted of the list.
struct Wanted<'q> {
    search: &'q str,
    shared: bool,
    column: Column,
    descending: bool,
    page: usize,
}

impl<'q> Wanted<'q> {
    fn of(query: &'q Query) -> Wanted<'q> {
        let word = query.get("sort").unwrap_or_default();
        Wanted {
            search: query.get("q").unwrap_or_default().trim(),
            shared: query.get("shared").is_some(),
            column: Column::ALL.into_iter().find(|column| column.word() == word).unwrap_or(Column::Name),
            descending: query.get("order") == Some("down"),
            page: query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
        }
    }

    /// The same list otherwise: another order, another page.
    fn address(&self, column: Column, descending: bool, page: usize) -> String {
        let mut address = format!("{ALL}?sort={}&page={page}", column.word());
        if descending {
            address.push_str("&order=down");
        }
        if !self.search.is_empty() {
            address.push_str(&format!("&q={}", parameter(self.search)));
        }
        if self.shared {
            address.push_str("&shared=on");
        }
        address
    }
}

/// An image with what is shown of it.
struct Row {
    repository: Repository,
    usage: RepositoryUsage,
}

/// The page that is asked for.
struct Listed {
    rows: Vec<Row>,
    pages: usize,
    total: usize,
    with: BTreeMap<RepositoryId, Vec<AccountName>>,
}

/// `GET /console/images`.
pub(super) async fn list(visitor: Visitor) -> Answer {
    if visitor.query.get("do") == Some("create") {
        return image_form::show(&visitor, Asked::First(&visitor.query));
    }
    let wanted = Wanted::of(&visitor.query);
    match find(&visitor, &wanted).await {
        Ok(listed) => {
            page(&visitor, Place::OwnImages, visitor.t.own_images, &shown(&visitor, &wanted, &listed))
        }
        Err(problem) => problem.answer(visitor.language),
    }
}

async fn find(visitor: &Visitor, wanted: &Wanted<'_>) -> Result<Listed, Problem> {
    let with = shared_with(visitor).await?;
    let mut found = all(visitor, |repository| {
        let searched = repository.name.as_str().contains(&wanted.search.to_lowercase());
        searched && (!wanted.shared || with.contains_key(&repository.id))
    })
    .await?;
    let total = found.len();
    if wanted.column == Column::Name && wanted.descending {
        found.reverse();
    }
    let mut rows = Vec::new();
    let skipped = (wanted.page - 1).saturating_mul(IMAGES_A_PAGE);
    if wanted.column == Column::Name {
        // What the page shows is all that has to be looked up.
        found = found.into_iter().skip(skipped).take(IMAGES_A_PAGE).collect();
    }
    for repository in found {
        let usage =
            visitor.app.storage.usage_within(repository.id, &repository.scope).await?.unwrap_or_default();
        rows.push(Row { repository, usage });
    }
    if wanted.column != Column::Name {
        rows.sort_by_key(|row| match wanted.column {
            Column::Tags => i128::from(row.usage.tags),
            Column::Size => i128::from(row.usage.bytes),
            _ => row.usage.pushed_at.map_or(i128::MIN, jiff::Timestamp::as_nanosecond),
        });
        if wanted.descending {
            rows.reverse();
        }
        rows = rows.into_iter().skip(skipped).take(IMAGES_A_PAGE).collect();
    }
    Ok(Listed { rows, pages: total.div_ceil(IMAGES_A_PAGE).max(1), total, with })
}

/// All that `wants` wants, in the order of their names.
async fn all(visitor: &Visitor, wants: impl Fn(&Repository) -> bool) -> Result<Vec<Repository>, Problem> {
    let (auth, p) = (&visitor.app.auth, &visitor.principal);
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = auth.list_repositories(p, None, Which::All, after.as_deref(), IMAGES_AT_ONCE).await?;
        let full = page.len() == IMAGES_AT_ONCE;
        after = page.last().map(|last| last.name.to_string());
        found.extend(page.into_iter().filter(&wants));
        if found.len() > IMAGES_MAX {
            return Err(Problem::TooManyImages(IMAGES_MAX));
        }
        if !full {
            return Ok(found);
        }
    }
}

/// With whom each image is shared, as far as the visitor manages it.
async fn shared_with(visitor: &Visitor) -> Result<BTreeMap<RepositoryId, Vec<AccountName>>, Problem> {
    let (p, now) = (&visitor.principal, visitor.now);
    let mut with: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for share in visitor.app.auth.list_shares_by(p, None, usize::MAX, now).await? {
        if share.is_open(now) {
            with.entry(share.repository_id).or_default().push(share.grantee);
        }
    }
    Ok(with)
}

fn shown(visitor: &Visitor, wanted: &Wanted<'_>, listed: &Listed) -> Markup {
    let t = visitor.t;
    html! {
        form.bar method="get" action=(ALL) role="search" {
            input type="search" name="q" value=(wanted.search) placeholder=(t.search_images) aria-label=(t.search_images)
                data-live="images images-count";
            @if wanted.column != Column::Name { input type="hidden" name="sort" value=(wanted.column.word()); }
            @if wanted.descending { input type="hidden" name="order" value="down"; }
            label.check {
                input type="checkbox" name="shared" checked[wanted.shared] data-submits="";
                (t.shared_by_me)
            }
            button.plain type="submit" { (t.search) }
        }
        (image_form::link(visitor))
        p.hint id="images-count" role="status" { (fill(t.entries, &[("count", &listed.total)])) }
        div id="images" { (results(visitor, wanted, listed)) }
    }
}

/// What the script puts in its place when somebody types.
fn results(visitor: &Visitor, wanted: &Wanted<'_>, listed: &Listed) -> Markup {
    let t = visitor.t;
    if listed.rows.is_empty() {
        return html! { div.empty { (empty(visitor, wanted)) } };
    }
    html! {
        form method="get" action="/console/share" {
            div.bar { button type="submit" { (t.share_selected) } }
            div.scroll tabindex="0" {
                table {
                    thead { (head(visitor, wanted)) }
                    tbody { @for row in &listed.rows { (line(visitor, row, &listed.with)) } }
                }
            }
        }
        (pages(visitor, wanted, listed))
    }
}

fn empty(visitor: &Visitor, wanted: &Wanted<'_>) -> Markup {
    let t = visitor.t;
    if !wanted.search.is_empty() || wanted.page > 1 {
        return html! { p { (t.nothing_found) } p { a href=(ALL) { (t.clear) } } };
    }
    if wanted.shared {
        return html! { p { (t.nothing_shared_by_me) } };
    }
    html! {
        p { (t.no_images) }
        p { (t.no_images_hint) }
        (super::guide::push_of_new(visitor))
    }
}

fn head(visitor: &Visitor, wanted: &Wanted<'_>) -> Markup {
    let t = visitor.t;
    let sorted = |column: Column, text: &'static str, class: Option<&'static str>| {
        let is_this = wanted.column == column;
        let descending = if is_this { !wanted.descending } else { column != Column::Name };
        let order = is_this.then_some(if wanted.descending { "descending" } else { "ascending" });
        html! {
            th scope="col" class=[class] aria-sort=[order] {
                a href=(wanted.address(column, descending, 1)) {
                    (text)
                    @if is_this { span aria-hidden="true" { (if wanted.descending { " ▼" } else { " ▲" }) } }
                }
            }
        }
    };
    html! {
        tr {
            th scope="col" { span.nowrap { (t.share) } }
            (sorted(Column::Name, t.name, None))
            th scope="col" { (t.visibility) }
            (sorted(Column::Tags, t.tags, Some("number")))
            (sorted(Column::Size, t.size, Some("number")))
            (sorted(Column::LastPush, t.last_push, None))
            th scope="col" { (t.shared_with) }
        }
    }
}

fn line(visitor: &Visitor, row: &Row, with: &BTreeMap<RepositoryId, Vec<AccountName>>) -> Markup {
    let t = visitor.t;
    let Row { repository, usage } = row;
    let name = repository.name.as_str();
    let with = with.get(&repository.id).map_or(&[][..], Vec::as_slice);
    html! {
        tr {
            td { input type="checkbox" name="image" value=(name) aria-label=(fill(t.select, &[("name", &name)])); }
            th scope="row" { a href=(address(name)) { (name) } }
            td { (visibility(visitor, repository.visibility)) }
            td.number { (usage.tags) }
            td.number { (size(usage.bytes)) }
            td { @match usage.pushed_at { Some(at) => (time(at, &visitor.zone)), None => (t.never) } }
            td {
                @if with.is_empty() { (t.nobody) }
                @else if with.len() <= ACCOUNTS_NAMED_MAX {
                    @for (at, account) in with.iter().enumerate() { @if at > 0 { ", " } (account) }
                } @else { (fill(t.shared_with_count, &[("count", &with.len())])) }
            }
        }
    }
}

fn pages(visitor: &Visitor, wanted: &Wanted<'_>, listed: &Listed) -> Markup {
    let t = visitor.t;
    if listed.pages == 1 {
        return html! {};
    }
    let to = |page| wanted.address(wanted.column, wanted.descending, page);
    html! {
        nav.bar aria-label=(fill(t.page_of, &[("page", &wanted.page), ("pages", &listed.pages)])) {
            @if wanted.page > 1 { a.button.plain href=(to(wanted.page - 1)) rel="prev" { (t.previous) } }
            span { (fill(t.page_of, &[("page", &wanted.page), ("pages", &listed.pages)])) }
            @if wanted.page < listed.pages { a.button.plain href=(to(wanted.page + 1)) rel="next" { (t.next) } }
        }
    }
}

/// Where an image's page is.
pub(super) fn address(name: &str) -> String {
    format!("{ALL}/{name}")
}

pub(super) fn visibility(visitor: &Visitor, visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => visitor.t.public,
        Visibility::Private => visitor.t.private,
    }
}
