//! A manifest, as people want to see it: what it is made of, how it was built, what refers to it. All of it is what
//! somebody pushed, and is shown as text.

use maud::{Markup, html};
use oci::{Digest, Reference};
use serde_json::Value;

use super::image::Seen;
use super::page::{command, size, time};
use super::problem::Problem;
use super::read::{Read, platform, text};
use super::tags::short;
use super::text::{SHORTENED_CHARACTERS, clipped, fill, shortened};
use super::visitor::{Visitor, parameter};

/// What is read of a manifest or a configuration, to be shown.
const SHOWN_BYTES_MAX: u64 = 1 << 20;
/// How many layers, steps, annotations and referrers are shown.
const ROWS_MAX: usize = 200;
/// The bytes that all steps have together, or all annotations: what was pushed makes no page larger than that.
const LIST_BYTES_MAX: usize = 32 << 10;

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
            (pairs(visitor, &annotations.iter().collect::<Vec<_>>()))
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

fn pairs(visitor: &Visitor, all: &[(&String, &Value)]) -> Markup {
    let t = visitor.t;
    let pairs: Vec<_> =
        all.iter().map(|(name, value)| (name.as_str(), text(value).unwrap_or_default())).collect();
    let shown = fitting(&pairs, |(name, value)| name.len() + value.len());
    html! {
        @if shown.len() < pairs.len() { p.hint { (fill(t.first_only, &[("count", &shown.len())])) } }
        div.scroll tabindex="0" role="group" aria-label=(t.list) {
            table {
                thead { tr { th scope="col" { (t.name) } th scope="col" { (t.value) } } }
                tbody {
                    @for (name, value) in shown {
                        tr { th scope="row" { (clipped(name)) } td { (shortened(value)) } }
                    }
                }
            }
        }
    }
}

/// A table of descriptors; those of manifests lead on.
fn descriptors(visitor: &Visitor, seen: &Seen, list: &Value, of_manifests: bool) -> Markup {
    let t = visitor.t;
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    html! {
        @if list.len() > ROWS_MAX { p.hint { (fill(t.first_only, &[("count", &ROWS_MAX)])) } }
        div.scroll tabindex="0" role="group" aria-label=(t.list) {
            table {
                thead {
                    tr {
                        th scope="col" { (t.digest) }
                        th scope="col" { (if of_manifests { t.platform } else { t.media_type }) }
                        @if of_manifests { th scope="col" { (t.artifact_type) } }
                        th.number scope="col" { (t.size) }
                    }
                }
                tbody {
                    @for descriptor in list.iter().take(ROWS_MAX) {
                        @let digest = text(&descriptor["digest"]).unwrap_or_default();
                        tr {
                            th scope="row" {
                                @if of_manifests && Digest::parse(digest).is_ok() {
                                    a href=(format!("{}?tab=tags&reference={}", seen.address(), parameter(digest))) title=(digest) {
                                        code { (short(digest)) }
                                    }
                                } @else { code title=(digest) { (short(digest)) } }
                            }
                            @if of_manifests {
                                td { (clipped(&platform(&descriptor["platform"]))) }
                                td { (clipped(text(&descriptor["artifactType"]).unwrap_or_default())) }
                            } @else {
                                td { (clipped(text(&descriptor["mediaType"]).unwrap_or_default())) }
                            }
                            td.number { (size(descriptor["size"].as_u64().unwrap_or(0))) }
                        }
                    }
                }
            }
        }
    }
}

fn of_configuration(visitor: &Visitor, configuration: &Value) -> Markup {
    let t = visitor.t;
    let config = &configuration["config"];
    let shown = ["Entrypoint", "Cmd", "Env", "WorkingDir", "User", "ExposedPorts", "Labels"];
    let given = shown.into_iter().filter(|name| !config[*name].is_null()).collect::<Vec<_>>();
    html! {
        @if !given.is_empty() {
            h2 { (t.configuration) }
            div.scroll tabindex="0" role="group" aria-label=(t.list) {
                table {
                    tbody {
                        @for name in given {
                            tr {
                                th scope="row" { (name) }
                                td { code { (shortened(&serde_json::to_string(&config[name]).unwrap_or_default())) } }
                            }
                        }
                    }
                }
            }
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
