//! How the server does, for its administrators. To everybody else there is no such page.

use jiff::Timestamp;
use maud::{Markup, html};

use super::forms::ended;
use super::page::{Answer, Place, page, size, time};
use super::problem::Problem;
use super::table::{heading, number, titled};
use super::text::{Texts, fill};
use super::visitor::Visitor;
use crate::system::{self, CANDIDATES_MAX};
use crate::types::{
    FilesHealth, MetadataHealth, System, SystemHealth, SystemStorage, Upkeep, UpkeepChore, UpkeepFailure,
    UpkeepHealth, UpkeepRound,
};

/// `GET /console/system`.
pub(super) async fn show(visitor: Visitor) -> Answer {
    ended(&visitor, shown(&visitor).await)
}

async fn shown(visitor: &Visitor) -> Result<Answer, Problem> {
    let t = visitor.t;
    if !visitor.principal.is_administrator() {
        return Err(Problem::NotFound);
    }
    let report = system::report(&visitor.app, &visitor.principal, visitor.now).await?;
    let content = html! {
        (process(visitor, &report))
        h2 { (t.health) }
        (health(t, &report.health))
        h2 { (t.storage) }
        (storage(t, &report.storage))
        h2 { (t.upkeep) }
        (upkeep(visitor, &report.upkeep, report.storage.candidates))
    };
    Ok(page(visitor, Place::System, t.system, &content))
}

fn process(visitor: &Visitor, report: &System) -> Markup {
    let t = visitor.t;
    html! {
        dl.facts {
            dt { (t.version) } dd { (report.version) }
            dt { (t.region) } dd { (report.region) }
            dt { (t.running_since) }
            dd { (time(report.started_at, &visitor.zone)) " · " (lasted(t, report.uptime_seconds)) }
        }
    }
}

fn health(t: &'static Texts, health: &SystemHealth) -> Markup {
    let metadata = match health.metadata {
        MetadataHealth::Ok => works(t.metadata_answers),
        MetadataHealth::Failed => fails(t.metadata_failed),
    };
    let files = match health.files {
        FilesHealth::Ok => works(t.files_written),
        FilesHealth::Full => fails(t.files_full),
        FilesHealth::ReadOnly => fails(t.files_read_only),
        FilesHealth::Failed => fails(t.files_failed),
    };
    let upkeep = match health.upkeep {
        UpkeepHealth::Ok => works(t.upkeep_works),
        UpkeepHealth::Failed => fails(t.upkeep_failed),
        UpkeepHealth::Stopped => fails(t.upkeep_stopped),
    };
    html! {
        dl.facts {
            dt { (t.metadata) } dd { (metadata) }
            dt { (t.files) } dd { (files) }
            dt { (t.upkeep) } dd { (upkeep) }
        }
    }
}

fn works(text: &str) -> Markup {
    html! { span.state.open { (text) } }
}

fn fails(text: &str) -> Markup {
    html! { span.state.failed { (text) } }
}

fn storage(t: &'static Texts, storage: &SystemStorage) -> Markup {
    let known = |bytes: Option<u64>| bytes.map_or_else(|| t.unknown.to_owned(), size);
    let of_disk = storage
        .free_bytes
        .zip(storage.total_bytes)
        .map(|(free, total)| fill(t.free_of, &[("free", &size(free)), ("total", &size(total))]));
    let count = storage.blobs.map_or_else(|| t.unknown.to_owned(), |blobs| blobs.to_string());
    html! {
        dl.facts {
            dt { (t.free) } dd { (of_disk.as_deref().unwrap_or(t.unknown)) }
            dt { (t.reserve) } dd { (size(storage.reserve_bytes)) " · " (t.reserve_text) }
            dt { (t.blobs) } dd { (count) }
            dt { (t.blob_bytes) } dd { (known(storage.blob_bytes)) " · " (t.blob_bytes_text) }
        }
    }
}

fn upkeep(visitor: &Visitor, upkeep: &Upkeep, candidates: Option<u64>) -> Markup {
    let t = visitor.t;
    let failures = upkeep.last_round.iter().flat_map(|round| &round.failures);
    let waiting = match candidates {
        Some(count) if count >= CANDIDATES_MAX as u64 => fill(t.or_more, &[("count", &count)]),
        Some(count) => count.to_string(),
        None => t.unknown.to_owned(),
    };
    let instant = |at: Timestamp| time(at, &visitor.zone);
    html! {
        @for failure in failures {
            p.wrong { (fill(t.chore_failed, &[("chore", &chore(t, failure.chore))])) " " (cause(failure)) }
        }
        dl.facts {
            dt { (t.last_round) }
            dd { @match &upkeep.last_round { Some(round) => (last_round(visitor, round)), None => (t.none_yet) } }
            @if let Some(since) = upkeep.running_since { dt { (t.round_running) } dd { (instant(since)) } }
            @if let Some(at) = upkeep.next_at { dt { (t.next_round) } dd { (instant(at)) } }
            dt { (t.candidates) } dd { (waiting) }
            dt { (t.last_failure) }
            dd { @match &upkeep.last_failure { Some(last) => (failure(visitor, last)), None => (t.never) } }
        }
        (removed(t, upkeep))
    }
}

fn last_round(visitor: &Visitor, round: &UpkeepRound) -> Markup {
    let seconds = round.ended_at.duration_since(round.began_at).as_secs();
    let took = fill(visitor.t.took, &[("time", &lasted(visitor.t, u64::try_from(seconds).unwrap_or(0)))]);
    html! { (time(round.began_at, &visitor.zone)) " – " (time(round.ended_at, &visitor.zone)) " · " (took) }
}

fn failure(visitor: &Visitor, failure: &UpkeepFailure) -> Markup {
    html! { (time(failure.at, &visitor.zone)) " · " (chore(visitor.t, failure.chore)) (visitor.t.colon) (cause(failure)) }
}

/// As the program below says it, and the log has it: in one language.
fn cause(failure: &UpkeepFailure) -> Markup {
    html! { code lang="en" { (failure.reason) } }
}

fn removed(t: &'static Texts, upkeep: &Upkeep) -> Markup {
    let last = upkeep.last_round.as_ref().map(|round| round.removed).unwrap_or_default();
    let all = upkeep.removed_since_start;
    let row = |name: &str, in_last: String, in_all: String| {
        vec![html! { (name) }, html! { (in_last) }, html! { (in_all) }]
    };
    let rows = [
        row(t.blobs, last.blobs.to_string(), all.blobs.to_string()),
        row(t.blob_bytes, size(last.bytes), size(all.bytes)),
        row(t.removed_uploads, last.uploads.to_string(), all.uploads.to_string()),
        row(t.removed_images, last.repositories.to_string(), all.repositories.to_string()),
    ];
    html! {
        h3 { (t.removed) }
        (titled(t.removed, &[heading(t.kind), number(t.last_round), number(t.since_start)], rows))
    }
}

fn chore(t: &'static Texts, chore: UpkeepChore) -> &'static str {
    match chore {
        UpkeepChore::Uploads => t.chore_uploads,
        UpkeepChore::Reap => t.chore_reap,
        UpkeepChore::Collect => t.chore_collect,
        UpkeepChore::Events => t.chore_events,
        UpkeepChore::Usage => t.chore_usage,
        UpkeepChore::Signatures => t.chore_signatures,
    }
}

/// For how long something went on, in its two greatest units.
fn lasted(t: &'static Texts, seconds: u64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / (60 * 60));
    match hours / 24 {
        0 if minutes == 0 => fill(t.for_seconds, &[("seconds", &seconds)]),
        0 => fill(t.for_hours, &[("hours", &hours), ("minutes", &(minutes % 60))]),
        days => fill(t.for_days, &[("days", &days), ("hours", &(hours % 24))]),
    }
}
