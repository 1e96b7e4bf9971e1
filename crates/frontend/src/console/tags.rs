//! An image's tags.

use std::collections::BTreeMap;

use auth::Action;
use maud::{Markup, html};
use oci::{Digest, Reference, Tag};
use storage::TagDetails;

use super::forms::gone;
use super::image::{Seen, Tab};
use super::list::pager;
use super::page::{Answer, Question, command, go, size, time};
use super::problem::Problem;
use super::read::Read;
use super::text::fill;
use super::visitor::{Form, Visitor, parameter};

const TAGS_A_PAGE: usize = 50;
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
    let mut after = visitor.query.get("after").map(str::to_owned);
    let found = loop {
        let found = visitor.app.storage.tag_details(&seen.permit, after.as_deref(), TAGS_A_PAGE).await?;
        // All of a page may have been deleted while it was read; what follows is still to be shown.
        if !found.items.is_empty() || !found.more {
            break found;
        }
        after = found.items.last().map(|tag| tag.name.clone()).or(after);
    };
    if found.items.is_empty() && visitor.query.get("after").is_none() {
        return Ok(html! {
            div.empty {
                p { (t.no_tags) }
                @if seen.pushes { (super::guide::push_of_new(visitor, Some(&seen.repository.name))) } @else {
                    p { (fill(t.no_tags_ask, &[("owner", &seen.repository.account)])) }
                }
            }
        });
    }
    let next = found.items.last().filter(|_| found.more).map(|tag| tag.name.clone());
    let mut platforms = BTreeMap::new();
    for tag in &found.items {
        if !platforms.contains_key(&tag.digest) {
            platforms.insert(tag.digest.clone(), platforms_of(visitor, seen, &tag.digest).await?);
        }
    }
    Ok(html! {
        div.scroll tabindex="0" role="group" aria-label=(t.list) {
            table {
                thead {
                    tr {
                        th scope="col" { (t.tag) }
                        th scope="col" { (t.digest) }
                        th scope="col" { (t.media_type) }
                        th scope="col" { (t.platform) }
                        th.number scope="col" { (t.size) }
                        th scope="col" { (t.pushed) }
                        th scope="col" { (t.pull_command) }
                        @if seen.pushes { th scope="col" { (t.delete) } }
                    }
                }
                tbody {
                    @for tag in &found.items {
                        (line(visitor, seen, tag, platforms.get(&tag.digest).map_or("", String::as_str)))
                    }
                }
            }
        }
        (pager(visitor, &format!("{}?tab=tags", seen.address()), next.as_deref()))
    })
}

/// What the manifest's images run on; nothing where it says too much to be read for a list.
async fn platforms_of(visitor: &Visitor, seen: &Seen, digest: &Digest) -> Result<String, Problem> {
    match Read::of(visitor, seen, &Reference::Digest(digest.clone()), LISTED_BYTES_MAX).await {
        Ok(read) => Ok(read.platforms().join(", ")),
        // Deleted since the list was read.
        Err(Problem::NotFound) => Ok(String::new()),
        Err(problem) => Err(problem),
    }
}

fn line(visitor: &Visitor, seen: &Seen, tag: &TagDetails, platforms: &str) -> Markup {
    let t = visitor.t;
    let (name, digest) = (tag.name.as_str(), tag.digest.to_string());
    let at = |what: &str| format!("{}?tab=tags&{what}={}", seen.address(), parameter(name));
    html! {
        tr {
            th scope="row" { a href=(at("reference")) { (name) } }
            td.nowrap { code title=(digest) { (short(&digest)) } }
            td.nowrap { (tag.media_type) }
            td.nowrap { (platforms) }
            td.number { (size(tag.size)) }
            td { (time(tag.pushed_at, &visitor.zone)) }
            td { (command(t, &format!("docker pull {}/{}:{name}", visitor.host, seen.repository.name))) }
            @if seen.pushes {
                td { a href=(at("delete")) aria-label=(fill(t.delete_tag_question, &[("tag", &name)])) { (t.delete) } }
            }
        }
    }
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
