//! My images › Own images: what the visitor's account owns, searched, sorted and in pages.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use auth::{Grantees, NamedRepository, Namespace, Repository, RepositoryId, Visibility};
use kv::Usage;
use maud::{Markup, html};
use oci::RepositoryName;
use storage::RepositoryUsage;

use super::forms::ended;
use super::image_form;
use super::organizations;
use super::page::{Answer, Place, page, size, time};
use super::problem::Problem;
use super::selection::{FIELD, Selection};
use super::table::{self, column, heading, number, table};
use super::text::fill;
use super::visitor::{Query, Visitor, parameter};

/// Where the list is.
pub(super) const ALL: &str = "/console/images";
/// The most images that are put in order by what they hold.
const IMAGES_ORDERED_MAX: usize = 10_000;
const IMAGES_A_PAGE: usize = 50;
/// How many accounts are named in a row.
const ACCOUNTS_NAMED_MAX: usize = 3;
/// How many are counted.
const ACCOUNTS_COUNTED_MAX: usize = 20;

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

    /// The figure that it shows, if it is one.
    fn figure(self) -> Option<Usage> {
        match self {
            Column::Name => None,
            Column::Tags => Some(Usage::Tags),
            Column::Size => Some(Usage::Bytes),
            Column::LastPush => Some(Usage::LastPush),
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
        // The head that was pressed comes before what the list was ordered by.
        let by = query.get("by").map(|by| by.split_once(' ').unwrap_or((by, "")));
        let (word, order) = by.unwrap_or_else(|| {
            (query.get("sort").unwrap_or_default(), query.get("order").unwrap_or_default())
        });
        Wanted {
            search: query.get("q").unwrap_or_default().trim(),
            shared: query.get("shared").is_some(),
            column: Column::ALL.into_iter().find(|column| column.word() == word).unwrap_or(Column::Name),
            descending: order == "down",
            page: query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
        }
    }

    /// The same list, with nothing selected.
    fn address(&self) -> String {
        let mut address = format!("{ALL}?sort={}&page={}", self.column.word(), self.page);
        if self.descending {
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
    with: BTreeMap<RepositoryId, Grantees>,
    /// Whether the visitor may make images.
    makes: bool,
    /// The first organization that the visitor may push to, where there is nothing else to show.
    organization: Option<Namespace>,
    /// Whether they are too many for the order that is wanted, and stand in that of their names.
    unordered: bool,
}

/// `GET /console/images`.
pub(super) async fn list(visitor: Visitor) -> Answer {
    if visitor.query.get("do") == Some("create") {
        return ended(&visitor, image_form::asked(&visitor).await);
    }
    let mut wanted = Wanted::of(&visitor.query);
    match find(&visitor, &mut wanted).await {
        Ok(listed) => {
            page(&visitor, Place::OwnImages, visitor.t.own_images, &shown(&visitor, &wanted, &listed))
        }
        Err(problem) => problem.answer(visitor.language),
    }
}

/// Of all images their names are read, of the page's all that is shown, and in between no more than the order takes.
async fn find(visitor: &Visitor, wanted: &mut Wanted<'_>) -> Result<Listed, Problem> {
    let (auth, storage) = (&visitor.app.auth, &visitor.app.storage);
    let (p, now) = (&visitor.principal, visitor.now);
    let search = wanted.search.to_lowercase();
    let wants = |one: &NamedRepository| one.name.as_str().contains(&search);
    let mut found = match wanted.shared {
        true => auth.find_shared_repositories(p, wants).await?,
        false => auth.find_repositories(p, None, wants).await?,
    };
    let total = found.len();
    let unordered = wanted.column != Column::Name && total > IMAGES_ORDERED_MAX;
    if let Some(figure) = wanted.column.figure().filter(|_| !unordered) {
        let ids: Vec<_> = found.iter().map(|one| one.id).collect();
        let owner = p.account().ok_or(Problem::Forbidden)?;
        let figures = storage.usage_figures(owner, figure, &ids).await?;
        let mut keyed: Vec<_> = figures.into_iter().zip(found).collect();
        match wanted.descending {
            false => keyed.sort_by_key(|(figure, _)| *figure),
            true => keyed.sort_by_key(|(figure, _)| Reverse(*figure)),
        }
        found = keyed.into_iter().map(|(_, one)| one).collect();
    } else if wanted.descending && !unordered {
        found.reverse();
    }
    // There were more when the address was made.
    let pages = total.div_ceil(IMAGES_A_PAGE).max(1);
    wanted.page = wanted.page.min(pages);
    let skipped = (wanted.page - 1).saturating_mul(IMAGES_A_PAGE);
    let of_page: Vec<_> = found.into_iter().skip(skipped).take(IMAGES_A_PAGE).collect();
    let shown = auth.show_repositories(p, &of_page).await?;
    let usages = storage.usages(&shown).await?;
    let with = auth.grantees_of(p, &shown, ACCOUNTS_COUNTED_MAX, now).await?;
    let rows = shown.into_iter().zip(usages).map(|(repository, usage)| Row { repository, usage }).collect();
    let makes = auth.may_push_somewhere(p).await?;
    let first_of_all = total == 0 && makes && !wanted.shared && wanted.search.is_empty();
    let organization = if first_of_all { organizations::first_to_push_to(visitor).await? } else { None };
    Ok(Listed { rows, makes, organization, pages, total, with, unordered })
}

fn shown(visitor: &Visitor, wanted: &Wanted<'_>, listed: &Listed) -> Markup {
    let t = visitor.t;
    // One form, so that what is ticked goes along. Its first button is the one that a typed line sends it with.
    html! {
        form method="get" action=(ALL) {
            div.bar role="search" {
            input type="search" name="q" value=(wanted.search) placeholder=(t.search_images) aria-label=(t.search_images)
                data-live="images images-count";
            @if wanted.column != Column::Name { input type="hidden" name="sort" value=(wanted.column.word()); }
            @if wanted.descending { input type="hidden" name="order" value="down"; }
            label.check {
                input type="checkbox" name="shared" checked[wanted.shared] data-submits="";
                (t.shared_by_me)
            }
            button.plain type="submit" { (t.search) }
            @if listed.makes { (image_form::link(visitor)) }
            }
            p.hint id="images-count" role="status" { (fill(t.entries, &[("count", &listed.total)])) }
            div id="images" { (results(visitor, wanted, listed)) }
        }
    }
}

/// What the script puts in its place when somebody types.
fn results(visitor: &Visitor, wanted: &Wanted<'_>, listed: &Listed) -> Markup {
    let t = visitor.t;
    let selection = Selection::of(&visitor.query);
    let has_box = |name: &RepositoryName| {
        let row = listed.rows.iter().find(|row| row.repository.name == *name);
        row.is_some_and(|row| listed.with.contains_key(&row.repository.id))
    };
    let share = !listed.with.is_empty() || !selection.is_empty();
    html! {
        @if listed.unordered { p.wrong { (fill(t.too_many_to_order, &[("max", &IMAGES_ORDERED_MAX)])) } }
        @if share { div.bar { button type="submit" formaction="/console/share" { (t.share_selected) } } }
        (selection.elsewhere(visitor, has_box, &wanted.address()))
        @if listed.rows.is_empty() { div.empty { (empty(visitor, wanted, listed)) } } @else {
            (table(t, &head(visitor, wanted), listed.rows.iter().map(|row| line(visitor, row, &listed.with, &selection))))
            (pages(visitor, wanted, listed))
        }
    }
}

fn empty(visitor: &Visitor, wanted: &Wanted<'_>, listed: &Listed) -> Markup {
    let t = visitor.t;
    if !wanted.search.is_empty() {
        return html! { p { (t.nothing_found) } p { a href=(ALL) { (t.clear) } } };
    }
    if wanted.shared {
        return html! { p { (t.nothing_shared_by_me) } };
    }
    if !listed.makes {
        let account = visitor.principal.account_name().map(ToString::to_string).unwrap_or_default();
        return html! { p { (fill(t.no_images_seen, &[("account", &account)])) } };
    }
    let Some(organization) = &listed.organization else {
        return html! {
            p { (t.no_images) }
            p { (t.no_organization) }
            p { a.button href=(organizations::NEW) { (t.organization_new) } }
        };
    };
    html! {
        p { (t.no_images) }
        p { (t.no_images_hint) }
        (super::guide::push_of_new(visitor, &format!("{}/NAME", organization.name.as_str())))
    }
}

fn head<'a>(visitor: &Visitor, wanted: &Wanted<'_>) -> [table::Column<'a>; 7] {
    let t = visitor.t;
    let sorted = |by: Column, shown: table::Column<'a>, text: &'static str| {
        let is_this = wanted.column == by;
        let descending = if is_this { !wanted.descending } else { by != Column::Name };
        let order = is_this.then_some(if wanted.descending { "descending" } else { "ascending" });
        let value = format!("{}{}", by.word(), if descending { " down" } else { "" });
        let head = html! {
            button.link type="submit" name="by" value=(value) {
                (text)
                @if is_this { span aria-hidden="true" { (if wanted.descending { " ▼" } else { " ▲" }) } }
            }
        };
        shown.sorts(head, order)
    };
    [
        column(t.share),
        sorted(Column::Name, heading(t.name), t.name),
        column(t.visibility),
        sorted(Column::Tags, number(t.tags), t.tags),
        sorted(Column::Size, number(t.size), t.size),
        sorted(Column::LastPush, column(t.last_push), t.last_push),
        column(t.shared_with),
    ]
}

fn line(
    visitor: &Visitor,
    row: &Row,
    with: &BTreeMap<RepositoryId, Grantees>,
    selection: &Selection,
) -> Vec<Markup> {
    let t = visitor.t;
    let Row { repository, usage } = row;
    let name = repository.name.as_str();
    // `None`: the visitor does not manage it, and is told nothing.
    let with = with.get(&repository.id);
    vec![
        html! {
            @if with.is_some() {
                input type="checkbox" name=(FIELD) value=(name) checked[selection.has(&repository.name)]
                    aria-label=(fill(t.select, &[("name", &name)]));
            }
        },
        html! { a href=(address(name)) { (name) } },
        html! { (visibility(visitor, repository.visibility)) },
        html! { (usage.tags) },
        html! { (size(usage.bytes)) },
        html! { @match usage.pushed_at { Some(at) => (time(at, &visitor.zone)), None => (t.never) } },
        html! { @match with { Some(with) => (grantees(visitor, with)), None => "–" } },
    ]
}

fn grantees(visitor: &Visitor, with: &Grantees) -> Markup {
    let (t, count) = (visitor.t, with.accounts.len());
    html! {
        @if with.more { (fill(t.shared_with_many, &[("count", &count)])) }
        @else if count == 0 { (if with.ended > 0 { t.ended } else { t.nobody }) }
        @else if count <= ACCOUNTS_NAMED_MAX {
            @for (at, account) in with.accounts.iter().enumerate() { @if at > 0 { ", " } (account) }
        } @else { (fill(t.shared_with_count, &[("count", &count)])) }
    }
}

fn pages(visitor: &Visitor, wanted: &Wanted<'_>, listed: &Listed) -> Markup {
    let t = visitor.t;
    if listed.pages == 1 {
        return html! {};
    }
    html! {
        nav.bar aria-label=(fill(t.page_of, &[("page", &wanted.page), ("pages", &listed.pages)])) {
            @if wanted.page > 1 { button.plain type="submit" name="page" value=(wanted.page - 1) { (t.previous) } }
            span { (fill(t.page_of, &[("page", &wanted.page), ("pages", &listed.pages)])) }
            @if wanted.page < listed.pages { button.plain type="submit" name="page" value=(wanted.page + 1) { (t.next) } }
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
