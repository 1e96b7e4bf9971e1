//! The same server with little in it and with much: the works, and their rounds. What a request costs must not depend on
//! how much there is.
//!
//! Both data folders were filled by the loader (`tests/load`); nothing else of them is known but what is counted first.

mod console;
mod count;
mod lists;
mod loaded;
mod requests;
mod start;
mod upkeep;

use std::fs;

use jiff::Timestamp;
use tempfile::TempDir;

use crate::bench::{in_folder, remove_what_was_left};
use crate::machine::Machine;
use crate::options::{Loaded as Folders, Options};
use crate::result::{About, Report, Row, Version};
use crate::rounds::{self, asked_for};
use crate::scale::Scale;
use crate::systems::System;
use crate::works::{Measured, REQUESTS};

use count::grouped;
use lists::{Length, List};
use loaded::Loaded;
use requests::Who;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Start,
    Memory,
    FirstPulls,
    Token,
    Pull,
    Head(Who),
    ShareCheck,
    List(List, Length),
    Referrers,
    Push,
    Console,
    Collection,
    Idle,
    FirstRounds,
}

/// What there is of little and much, as far as works need it besides the one that they measure.
pub(crate) struct Hall {
    pub(crate) scale: Scale,
    stands: Vec<Loaded>,
    // Behind the servers, whose logs are there.
    _logs: TempDir,
}

impl Work {
    /// All of them, in their order.
    pub(crate) fn all() -> impl Iterator<Item = Work> {
        let lists = List::ALL.into_iter();
        let lists = lists.flat_map(|list| Length::ALL.map(|length| Work::List(list, length)));
        let first = [Work::Start, Work::Memory, Work::FirstPulls, Work::Token, Work::Pull];
        let then = [Work::Head(Who::Owner), Work::Head(Who::Sharee), Work::ShareCheck];
        let last =
            [Work::Referrers, Work::Push, Work::Console, Work::Collection, Work::Idle, Work::FirstRounds];
        // The list of all tags is as long with little: one work of it says all.
        let is_twice = |work: &Work| *work == Work::List(List::Tags, Length::Most);
        first.into_iter().chain(then).chain(lists.filter(move |work| !is_twice(work))).chain(last)
    }

    /// What `--only` calls it.
    pub(crate) fn id(self) -> String {
        match self {
            Work::Start => "start".to_owned(),
            Work::Memory => "memory".to_owned(),
            Work::FirstPulls => "first-pulls".to_owned(),
            Work::Token => "token".to_owned(),
            Work::Pull => "get-manifest-shared".to_owned(),
            Work::Head(who) => format!("head-manifest-{}", who.word()),
            Work::ShareCheck => "share-check".to_owned(),
            Work::List(list, Length::Common) => list.id().to_owned(),
            Work::List(list, Length::Most) => format!("{}-long", list.id()),
            Work::Referrers => "referrers".to_owned(),
            Work::Push => "push-manifest".to_owned(),
            Work::Console => "console".to_owned(),
            Work::Collection => "collection".to_owned(),
            Work::Idle => "idle-upkeep".to_owned(),
            Work::FirstRounds => "first-upkeep".to_owned(),
        }
    }

    /// What tables call it.
    pub(crate) fn title(self, scale: &Scale) -> String {
        let (connections, different) = (scale.connections, grouped(scale.different));
        match self {
            Work::Start => "start, until it is ready".to_owned(),
            Work::Memory => "memory after a start".to_owned(),
            Work::FirstPulls => format!("first GET of {different} shared manifests after a start"),
            Work::Token => format!("token for {different} shared repositories, {connections} connections"),
            Work::Pull => format!("GET of {different} shared manifests, {connections} connections"),
            Work::Head(Who::Owner) => {
                format!("HEAD of {different} manifests by their owners, {connections} connections")
            }
            Work::Head(Who::Sharee) => {
                format!("HEAD of {different} manifests by sharees, {connections} connections")
            }
            Work::ShareCheck => "share check: CPU of a HEAD by a sharee, less one by the owner".to_owned(),
            Work::List(list, Length::Common) => list.page("as many entries as both have"),
            Work::List(list, Length::Most) => list.page(&entries(scale.page_entries)),
            Work::Referrers => format!("{} referrers, first byte", scale.referrers),
            Work::Push => format!("PUT manifest beside many tags, {connections} connections"),
            Work::Console => "the console's slowest page, first byte".to_owned(),
            Work::Collection => {
                format!("{} blobs of a deleted repository, until they are gone", grouped(scale.garbage))
            }
            Work::Idle => "upkeep that finds nothing to do, CPU of a round".to_owned(),
            Work::FirstRounds => "a start and the upkeep that follows it, CPU".to_owned(),
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Work::Memory => "MiB",
            Work::Token | Work::Pull | Work::Head(_) | Work::Push => "/s",
            Work::ShareCheck => "µs",
            _ => "ms",
        }
    }

    fn cpu_per(self) -> &'static str {
        match self {
            Work::Start | Work::Memory | Work::FirstRounds => "start",
            Work::Collection => "1,000 blobs",
            Work::Idle => "1,000 rounds",
            Work::Push => "1,000 pushes",
            _ => REQUESTS,
        }
    }

    /// Its row, without entries. Who has little is what the other one is held against, where there is a ratio to be had:
    /// a difference of two figures may be nothing, or less.
    fn row(self, hall: &Hall) -> Row {
        // With the number of entries: pages of different lengths are different works.
        let title = match self {
            Work::List(list, _) => list.page(&entries(hall.length(self))),
            _ => self.title(&hall.scale),
        };
        let little = hall.stands.first().map(|loaded| loaded.name.clone());
        Row {
            id: self.id(),
            work: title,
            unit: self.unit().to_owned(),
            lower_is_better: self.unit() != "/s",
            cpu_per: self.cpu_per().to_owned(),
            limit: little.filter(|_| self != Work::ShareCheck),
            entries: Vec::new(),
        }
    }

    async fn measure(self, hall: &mut Hall, who: usize, round: u32) -> Measured {
        let (scale, length) = (hall.scale.clone(), hall.length(self));
        let loaded = &mut hall.stands[who];
        match self {
            Work::Start => start::start(loaded).await,
            Work::Memory => start::memory(loaded, &scale).await,
            Work::FirstPulls => start::first_pulls(loaded, &scale).await,
            Work::Token => requests::tokens(loaded, &scale).await,
            Work::Pull => requests::pull(loaded, &scale).await,
            Work::Head(who) => requests::head(loaded, &scale, who).await,
            Work::ShareCheck => requests::share_check(loaded, &scale, round).await,
            Work::List(list, _) => lists::list(loaded, &scale, list, length).await,
            Work::Referrers => lists::referrers(loaded, &scale).await,
            Work::Push => requests::push(loaded, &scale).await,
            Work::Console => console::slowest_page(loaded, &scale).await,
            Work::Collection => upkeep::collection(loaded, &scale).await,
            Work::Idle => upkeep::idle(loaded, &scale).await,
            Work::FirstRounds => upkeep::first_rounds(loaded).await,
        }
    }
}

impl Hall {
    /// How many entries of a list are asked for.
    fn length(&self, work: Work) -> u64 {
        let most = self.scale.page_entries;
        match work {
            Work::List(list, Length::Common) => {
                let all = self.stands.iter().map(|loaded| list.entries(&loaded.counted));
                all.min().unwrap_or(0).min(most)
            }
            _ => most,
        }
    }
}

/// Who has little is no peer of who has much, nor the other way round.
fn without_peers(row: &mut Row) {
    for entry in &mut row.entries {
        let ratios = &mut entry.ratios;
        (ratios.speed_to_best_peer, ratios.cpu_to_best_peer) = (None, None);
    }
}

fn entries(number: u64) -> String {
    format!("{} entries", grouped(number))
}

/// Counts what there is, and runs the works. What happens is told to `say`.
pub(crate) async fn run(
    options: &Options,
    folders: &Folders,
    now: Timestamp,
    say: fn(&str),
) -> Result<Report, String> {
    let works = asked_for(Work::all().collect(), &options.only, |work| work.id())?;
    let (ours, binary) = (System::ours(options)?, System::our_binary(options)?);
    fs::create_dir_all(&options.folder)
        .map_err(|error| format!("cannot make {}: {error}", options.folder.display()))?;
    remove_what_was_left(&options.folder);
    let logs = in_folder(&options.folder)?;
    let mut stands = Vec::new();
    for (number, data) in [&folders.little, &folders.much].into_iter().enumerate() {
        say(&format!("counting what is in {}", data.display()));
        let log = logs.path().join(format!("{number}.log"));
        stands.push(Loaded::new(&binary, data, &log).await?);
        say(&stands[number].counted.describe());
    }
    if stands[0].counted.images() >= stands[1].counted.images() {
        return Err("the first folder has not less in it than the second".to_owned());
    }
    let systems = stands.iter().map(|loaded| Version {
        name: loaded.name.clone(),
        version: format!("and {} tags in one ({})", grouped(loaded.counted.tags), ours.version),
    });
    let (systems, names): (Vec<_>, Vec<_>) =
        (systems.collect(), stands.iter().map(|loaded| loaded.name.clone()).collect());
    let mut hall = Hall { scale: Scale::of(options), stands, _logs: logs };
    let mut rows = Vec::new();
    for work in works {
        let row = work.row(&hall);
        say(&row.work);
        let (names, rounds) = (names.clone(), hall.scale.rounds);
        let measure = async |who, round| work.measure(&mut hall, who, round).await;
        let mut row = rounds::row(row, names, rounds, say, measure).await;
        without_peers(&mut row);
        rows.push(row);
    }
    Ok(Report {
        about: About::Size,
        made_at: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        quick: options.quick,
        rounds: hall.scale.rounds,
        machine: Machine::this(&folders.much),
        systems,
        rows,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Work;

    #[test]
    fn every_work_has_an_id_of_its_own() {
        let ids: BTreeSet<_> = Work::all().map(Work::id).collect();
        assert_eq!(ids.len(), Work::all().count());
    }
}
