//! A manifest, as people want to see it: what it is made of, how it was built, what refers to it. All of it is what
//! somebody pushed, and is shown as text.

use maud::{Markup, html};
use oci::{Digest, Reference};
use serde_json::Value;

use super::image::Seen;
use super::page::{command, size, time};
use super::problem::Problem;
use super::read::{Read, platform, text};
use super::table::{column, heading, number, table};
use super::tags::short;
use super::text::{SHORTENED_CHARACTERS, clipped, fill, shortened};
use super::visitor::{Visitor, parameter};

/// What is read of a manifest or a configuration, to be shown.
const SHOWN_BYTES_MAX: u64 = 1 << 20;
/// How many layers, steps, annotations and referrers are shown.
const ROWS_MAX: usize = 200;
/// The bytes that all steps have together, or all annotations, or all labels: what was pushed makes no page larger than that.
const LIST_BYTES_MAX: usize = 16 << 10;

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

/// The first of `all`, each of so many bytes, that there is room for.
fn fitting<T>(all: &[T], bytes: impl Fn(&T) -> usize) -> &[T] {
    let mut left = LIST_BYTES_MAX;
    let fit = all.iter().take(ROWS_MAX).take_while(|one| {
        let room = left > 0;
        left = left.saturating_sub(bytes(one).min(SHORTENED_CHARACTERS));
        room
    });
    &all[..fit.count()]
}

fn pairs(visitor: &Visitor, all: &serde_json::Map<String, Value>) -> Markup {
    let t = visitor.t;
    let pairs: Vec<_> =
        all.iter().map(|(name, value)| (name.as_str(), text(value).unwrap_or_default())).collect();
    let shown = fitting(&pairs, |(name, value)| name.len() + value.len());
    let columns = [heading(t.name), column(t.value)];
    let line = |name: &str, value: &str| vec![html! { (clipped(name)) }, html! { (shortened(value)) }];
    html! {
        @if shown.len() < pairs.len() { p.hint { (fill(t.first_only, &[("count", &shown.len())])) } }
        (table(t, &columns, shown.iter().map(|(name, value)| line(name, value))))
    }
}

/// A table of descriptors; those of manifests lead on.
fn descriptors(visitor: &Visitor, seen: &Seen, list: &Value, of_manifests: bool) -> Markup {
    let t = visitor.t;
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
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
    html! {
        @if list.len() > ROWS_MAX { p.hint { (fill(t.first_only, &[("count", &ROWS_MAX)])) } }
        (table(t, &columns, list.iter().take(ROWS_MAX).map(line)))
    }
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
            (table(t, &[heading(t.name), column(t.value)], given.into_iter().map(|name| {
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
    let t = visitor.t;
    let said = |step: &Value| text(&step["created_by"]).or(text(&step["comment"])).unwrap_or("–").to_owned();
    let steps: Vec<_> = history.iter().map(said).collect();
    let shown = fitting(&steps, String::len);
    html! {
        h2 { (t.history) }
        @if shown.len() < steps.len() { p.hint { (fill(t.first_only, &[("count", &shown.len())])) } }
        ol { @for step in shown { li { code { (shortened(step)) } } } }
    }
}
