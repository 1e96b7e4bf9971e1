//! An image's tags.

use std::collections::BTreeMap;

use auth::Action;
use maud::{Markup, html};
use oci::{Digest, Reference, Tag};
use storage::TagDetails;

use super::forms::gone;
use super::image::{Seen, Tab};
use super::list::{ROWS_A_PAGE, Rows, pager};
use super::page::{Answer, Question, command, go, size, time};
use super::problem::Problem;
use super::read::Read;
use super::search::{self, Search};
use super::table::{column, heading, number, table, words};
use super::text::{clipped, fill};
use super::visitor::{Form, Visitor, parameter};

/// How many tags a search looks at for one page, and how many at once.
const TAGS_SEARCHED_MAX: usize = 10_000;
const TAGS_AT_ONCE: usize = 1_000;
/// What is read of a manifest or a configuration to say in a list what it runs on.
const LISTED_BYTES_MAX: u64 = 64 << 10;

/// The first tag there is.
pub(super) async fn first(visitor: &Visitor, seen: &Seen) -> Result<Option<String>, Problem> {
    Ok(visitor.app.storage.tags(&seen.permit, None, 1).await?.items.pop())
}

/// The list; with `delete`, the question before that tag is deleted.
pub(super) async fn list(visitor: &Visitor, seen: &Seen) -> Result<Markup, Problem> {
    if let Some(tag) = visitor.query.get("delete") {
        return question(visitor, seen, tag).await;
    }
    let t = visitor.t;
    let wanted = search::wanted(visitor);
    let found =
        if wanted.is_empty() { a_page(visitor, seen).await? } else { found(visitor, seen, &wanted).await? };
    let at = format!("{}?tab=tags", seen.address());
    let search = Search { list: &at, label: t.search_tags };
    let pages = pager(visitor, &search.address(visitor), found.next.as_deref());
    if found.items.is_empty() && !wanted.is_empty() {
        return Ok(
            html! { (search.form(visitor)) (search.found_nothing(visitor, found.next.is_some())) (pages) },
        );
    }
    if found.items.is_empty() && visitor.query.get("after").is_none() {
        return Ok(html! {
            div.empty {
                p { (t.no_tags) }
                @if seen.pushes { (super::guide::push_of_new(visitor, seen.repository.name.as_str())) } @else {
                    p { (fill(t.no_tags_ask, &[("owner", &seen.repository.account)])) }
                }
            }
        });
    }
    let mut platforms = BTreeMap::new();
    for tag in &found.items {
        if !platforms.contains_key(&tag.digest) {
            platforms.insert(tag.digest.clone(), platforms_of(visitor, seen, &tag.digest).await?);
        }
    }
    let mut columns = vec![
        heading(t.tag),
        column(t.pull_command),
        column(t.digest_and_media_type),
        words(t.platform),
        number(t.size),
        column(t.pushed),
    ];
    columns.extend(seen.pushes.then(|| column(t.actions)));
    let lines = found.items.iter().map(|tag| {
        let platforms = platforms.get(&tag.digest).map_or("", String::as_str);
        line(visitor, seen, tag, platforms)
    });
    Ok(html! {
        @if search.is_for(visitor, &found) { (search.form(visitor)) }
        (table(t, &columns, lines))
        (pages)
    })
}

/// A page of all tags.
async fn a_page(visitor: &Visitor, seen: &Seen) -> Result<Rows<TagDetails>, Problem> {
    let mut after = visitor.query.get("after").map(str::to_owned);
    loop {
        let found = visitor.app.storage.tag_details(&seen.permit, after.as_deref(), ROWS_A_PAGE).await?;
        let last = found.items.last().map(|tag| tag.name.clone());
        // All of a page may have been deleted while it was read; what follows is still to be shown.
        if !found.items.is_empty() || !found.more {
            return Ok(Rows { next: last.filter(|_| found.more), items: found.items });
        }
        after = last.or(after);
    }
}

/// A page of the tags with `wanted` in their names; a shorter one, perhaps of none, where it would take too long to find as many.
async fn found(visitor: &Visitor, seen: &Seen, wanted: &str) -> Result<Rows<TagDetails>, Problem> {
    let storage = &visitor.app.storage;
    let mut next = visitor.query.get("after").map(str::to_owned);
    let mut items = Vec::new();
    for _ in 0..TAGS_SEARCHED_MAX / TAGS_AT_ONCE {
        let some = storage.tags(&seen.permit, next.as_deref(), TAGS_AT_ONCE).await?;
        for name in some.items {
            if name.to_lowercase().contains(wanted) {
                if items.len() == ROWS_A_PAGE {
                    return Ok(Rows { items, next });
                }
                let tag = Tag::parse(&name).map_err(|_| Problem::Failed)?;
                match storage.tag(&seen.permit, &tag).await {
                    Ok(tag) => items.push(tag),
                    // Deleted since the list was read.
                    Err(storage::Error::ManifestUnknown) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            next = Some(name);
        }
        if !some.more {
            return Ok(Rows { items, next: None });
        }
    }
    Ok(Rows { items, next })
}

/// What the manifest's images run on; nothing where it says too much to be read for a list.
async fn platforms_of(visitor: &Visitor, seen: &Seen, digest: &Digest) -> Result<String, Problem> {
    match Read::of(visitor, seen, &Reference::Digest(digest.clone()), LISTED_BYTES_MAX).await {
        Ok(read) => Ok(clipped(&read.platforms().join(", "))),
        // Deleted since the list was read.
        Err(Problem::NotFound) => Ok(String::new()),
        Err(problem) => Err(problem),
    }
}

fn line(visitor: &Visitor, seen: &Seen, tag: &TagDetails, platforms: &str) -> Vec<Markup> {
    let t = visitor.t;
    let (name, digest) = (tag.name.as_str(), tag.digest.to_string());
    let at = |what: &str| format!("{}?tab=tags&{what}={}", seen.address(), parameter(name));
    let mut cells = vec![
        html! { a href=(at("reference")) { (name) } },
        command(t, &format!("docker pull {}/{}:{name}", visitor.host, seen.repository.name)),
        html! {
            code title=(digest) { (short(&digest)) }
            div.hint { (breakable(&tag.media_type)) }
        },
        html! { (platforms) },
        html! { (size(tag.size)) },
        time(tag.pushed_at, &visitor.zone),
    ];
    let delete = fill(t.delete_tag_question, &[("tag", &name)]);
    let delete = html! { a href=(at("delete")) aria-label=(delete) { (t.delete) } };
    cells.extend(seen.pushes.then_some(delete));
    cells
}

/// A media type, which may go on in the next line behind its parts.
fn breakable(media_type: &str) -> Markup {
    html! { @for part in media_type.split_inclusive(['/', '.', '+']) { (part) wbr; } }
}

/// As much of a digest as tells it from others here.
pub(super) fn short(digest: &str) -> &str {
    const SHOWN: usize = 19;
    digest.get(..SHOWN).unwrap_or(digest)
}

async fn question(visitor: &Visitor, seen: &Seen, tag: &str) -> Result<Markup, Problem> {
    let t = visitor.t;
    let tag = Tag::parse(tag).ok().filter(|_| seen.pushes).ok_or(Problem::NotFound)?;
    visitor.app.storage.tag(&seen.permit, &tag).await?;
    let question = Question {
        text: &fill(t.delete_tag_question, &[("tag", &tag)]),
        warning: t.delete_tag_warning,
        address: &seen.address(),
        action: "delete-tag",
        of: tag.as_str(),
        button: t.delete,
        back: &format!("{}?tab=tags", seen.address()),
    };
    Ok(question.asks(visitor))
}

/// Deletes a tag.
pub(super) async fn delete(visitor: &Visitor, seen: &Seen, form: &Form) -> Result<Answer, Problem> {
    let tag = Tag::parse(form.get("of")).map_err(|_| Problem::NotFound)?;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let permit = auth.authorize(p, &seen.repository.name, Action::DeleteTag, now).await?;
    match visitor.app.storage.delete_tag(&permit, &tag, now).await {
        Ok(()) => Ok(go(&format!("{}?tab=tags&done=tag-deleted", seen.address()))),
        Err(storage::Error::ManifestUnknown) => Ok(gone(&format!("{}?tab=tags", seen.address()))),
        Err(storage::Error::TooMuchShared { max }) => {
            let text = fill(visitor.t.too_much_shared, &[("max", &max)]);
            let content = html! { p.wrong role="alert" { (text) } (list(visitor, seen).await?) };
            Ok(seen.page(visitor, Tab::Tags, &content))
        }
        Err(error) => Err(error.into()),
    }
}
