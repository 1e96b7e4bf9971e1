//! A manifest, as people want to see it: what it is made of, how it was built, what refers to it. All of it is what
//! somebody pushed, and is shown as text.

use maud::{Markup, html};
use oci::{Digest, Reference};
use serde_json::Value;

use super::image::Seen;
use super::page::{command, size, time};
use super::problem::Problem;
use super::read::{Read, platform, text};
use super::table::{Column, column, heading, number, table};
use super::tags::short;
use super::text::{clipped, fill, shortened};
use super::visitor::{Visitor, parameter};

/// What is read of a manifest or a configuration, to be shown.
const SHOWN_BYTES_MAX: u64 = 1 << 20;
/// How many layers, steps, annotations and referrers are shown.
const ROWS_MAX: usize = 200;
/// The bytes of a list on the page, of steps or of labels, as far as its last row fits: what was pushed makes no page heavy.
const LIST_BYTES_MAX: usize = 24 << 10;

/// The manifest that `reference`, a tag or a digest, names.
pub(super) async fn show(visitor: &Visitor, seen: &Seen, reference: &str) -> Result<Markup, Problem> {
    let t = visitor.t;
    let parsed = Reference::parse(reference).map_err(|_| Problem::NotFound)?;
    let read = Read::of(visitor, seen, &parsed, SHOWN_BYTES_MAX).await?;
    let separator = if matches!(parsed, Reference::Digest(_)) { '@' } else { ':' };
    let pull = format!("docker pull {}/{}{separator}{reference}", visitor.host, seen.repository.name);
    let tag = match &parsed {
        Reference::Tag(tag) => Some(visitor.app.storage.tag(&seen.permit, tag).await?),
        Reference::Digest(_) => None,
    };
    let platforms = read.platforms();
    let Read { stored, document, configuration, unread } = read;
    let referrers = visitor.app.storage.referrers(&seen.permit, &stored.digest, None, None, ROWS_MAX).await?;
    Ok(html! {
        h2 { (t.manifest) " " (reference) }
        dl.facts {
            dt { (t.digest) } dd { code { (stored.digest) } }
            dt { (t.media_type) } dd { (stored.media_type) }
            @if let Some(kind) = document.as_ref().and_then(|document| text(&document["artifactType"])) {
                dt { (t.artifact_type) } dd { (clipped(kind)) }
            }
            @if !platforms.is_empty() { dt { (t.platform) } dd { (shortened(&platforms.join(", "))) } }
            @if let Some(tag) = &tag {
                dt { (t.size) } dd { (size(tag.size)) }
                dt { (t.pushed) } dd { (time(tag.pushed_at, &visitor.zone)) }
            }
        }
        h2 { (t.pull_command) }
        (command(t, &pull))
        @match &document {
            None => p { (t.too_large) },
            Some(document) => (parts(visitor, seen, document)),
        }
        @if let Some(configuration) = &configuration { (of_configuration(visitor, configuration)) }
        @if unread { h2 { (t.configuration) } p { (t.configuration_unread) } }
        h2 { (t.referrers) }
        @if referrers.descriptors.is_empty() { p { (t.no_referrers) } } @else {
            (descriptors(visitor, seen, &serde_json::json!(referrers.descriptors), true))
        }
    })
}

/// Layers or images for each platform, and annotations.
fn parts(visitor: &Visitor, seen: &Seen, document: &Value) -> Markup {
    let t = visitor.t;
    html! {
        @if document["layers"].is_array() {
            h2 { (t.layers) }
            (descriptors(visitor, seen, &document["layers"], false))
        }
        @if document["manifests"].is_array() {
            h2 { (t.images_of_index) }
            (descriptors(visitor, seen, &document["manifests"], true))
        }
        @if let Some(annotations) = document["annotations"].as_object().filter(|all| !all.is_empty()) {
            h2 { (t.annotations) }
            (pairs(visitor, annotations))
        }
    }
}

/// A list of what was pushed, of `count` rows: as many of the first ones as there is room for.
fn list(
    visitor: &Visitor,
    columns: &[Column<'_>],
    count: usize,
    rows: impl Iterator<Item = Vec<Markup>>,
) -> Markup {
    let shown = fitting(rows, |row| row.iter().map(|cell| cell.0.len()).sum());
    html! { (cut(visitor, shown.len(), count)) (table(visitor.t, columns, shown)) }
}

/// The first of `all`, each of so many bytes, that there is room for; one in any case.
fn fitting<T>(all: impl Iterator<Item = T>, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let mut left = LIST_BYTES_MAX;
    let fit = all.take(ROWS_MAX).take_while(|one| {
        let room = left > 0;
        left = left.saturating_sub(bytes(one));
        room
    });
    fit.collect()
}

/// Says that only the first ones are shown, if so.
fn cut(visitor: &Visitor, shown: usize, of: usize) -> Markup {
    html! { @if shown < of { p.hint { (fill(visitor.t.first_only, &[("count", &shown)])) } } }
}

fn pairs(visitor: &Visitor, all: &serde_json::Map<String, Value>) -> Markup {
    let t = visitor.t;
    let line = |(name, value): (&String, &Value)| {
        vec![html! { (clipped(name)) }, html! { (shortened(text(value).unwrap_or_default())) }]
    };
    list(visitor, &[heading(t.name), column(t.value)], all.len(), all.iter().map(line))
}

/// A table of descriptors; those of manifests lead on.
fn descriptors(visitor: &Visitor, seen: &Seen, all: &Value, of_manifests: bool) -> Markup {
    let t = visitor.t;
    let all = all.as_array().map_or(&[][..], Vec::as_slice);
    let columns = match of_manifests {
        true => vec![heading(t.digest), column(t.platform), column(t.artifact_type), number(t.size)],
        false => vec![heading(t.digest), column(t.media_type), number(t.size)],
    };
    let said = |value: &Value| html! { (clipped(text(value).unwrap_or_default())) };
    let line = |descriptor: &Value| {
        let digest = named(seen, text(&descriptor["digest"]).unwrap_or_default(), of_manifests);
        let bytes = html! { (size(descriptor["size"].as_u64().unwrap_or(0))) };
        match of_manifests {
            true => {
                let platform = html! { (clipped(&platform(&descriptor["platform"]))) };
                vec![digest, platform, said(&descriptor["artifactType"]), bytes]
            }
            false => vec![digest, said(&descriptor["mediaType"]), bytes],
        }
    };
    list(visitor, &columns, all.len(), all.iter().map(line))
}

/// A digest; that of a manifest leads on.
fn named(seen: &Seen, digest: &str, is_manifest: bool) -> Markup {
    let shown = html! { code title=(clipped(digest)) { (short(digest)) } };
    if !is_manifest || Digest::parse(digest).is_err() {
        return shown;
    }
    html! { a href=(format!("{}?tab=tags&reference={}", seen.address(), parameter(digest))) { (shown) } }
}

fn of_configuration(visitor: &Visitor, configuration: &Value) -> Markup {
    let t = visitor.t;
    let config = &configuration["config"];
    let shown = ["Entrypoint", "Cmd", "Env", "WorkingDir", "User", "ExposedPorts"];
    let given = shown.into_iter().filter(|name| !config[*name].is_null()).collect::<Vec<_>>();
    html! {
        @if !given.is_empty() {
            h2 { (t.configuration) }
            (list(visitor, &[heading(t.name), column(t.value)], given.len(), given.into_iter().map(|name| {
                let value = serde_json::to_string(&config[name]).unwrap_or_default();
                vec![html! { (name) }, html! { code { (shortened(&value)) } }]
            })))
        }
        @if let Some(labels) = config["Labels"].as_object().filter(|labels| !labels.is_empty()) {
            h2 { (t.labels) }
            (pairs(visitor, labels))
        }
        @if let Some(history) = configuration["history"].as_array().filter(|history| !history.is_empty()) {
            (steps(visitor, history))
        }
    }
}

fn steps(visitor: &Visitor, history: &[Value]) -> Markup {
    let said = |step: &Value| {
        let said = text(&step["created_by"]).or(text(&step["comment"])).unwrap_or("–");
        html! { li { code { (shortened(said)) } } }
    };
    let shown = fitting(history.iter().map(said), |step| step.0.len());
    html! {
        h2 { (visitor.t.history) }
        (cut(visitor, shown.len(), history.len()))
        ol { @for step in shown { (step) } }
    }
}
