//! The comparison with other systems: which works are done, by whom, and what comes of it.

use jiff::Timestamp;

use crate::bench::{Bench, Place};
use crate::machine::Machine;
use crate::options::Options;
use crate::result::{About, Report, Row, Version};
use crate::rounds::{self, asked_for};
use crate::systems::System;
use crate::works::{DISK, HASH, Participant, Work};

/// Runs the works that are asked for. What happens is told to `say`.
pub(crate) async fn run(options: &Options, now: Timestamp, say: fn(&str)) -> Result<Report, String> {
    let works = asked_for(Work::ALL.to_vec(), &options.only, |work| work.id().to_owned())?;
    let systems = System::all(options, say)?;
    let versions =
        systems.iter().map(|system| Version { name: system.name.clone(), version: system.version.clone() });
    let versions = versions.collect();
    say("making random bytes");
    let mut bench = Bench::new(options, systems)?;
    let mut rows = Vec::new();
    for work in works {
        rows.push(row(&mut bench, work, say).await);
    }
    Ok(Report {
        about: About::Peers,
        made_at: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        quick: options.quick,
        rounds: bench.scale.rounds,
        machine: Machine::this(bench.folder(Place::Disk)),
        systems: versions,
        rows,
    })
}

async fn row(bench: &mut Bench, work: Work, say: fn(&str)) -> Row {
    let row = work.row(&bench.scale);
    say(&row.work);
    if work.is_fresh() {
        bench.stop_all();
    }
    let participants = work.participants(bench.systems());
    let names = participants.iter().map(|who| name(bench, *who)).collect();
    let rounds = bench.scale.rounds;
    rounds::row(row, names, rounds, say, async |who, round| {
        work.measure(bench, participants[who], round).await
    })
    .await
}

fn name(bench: &Bench, who: Participant) -> String {
    match who {
        Participant::System(index) => bench.system(index).name.clone(),
        Participant::Disk => DISK.to_owned(),
        Participant::Hash => HASH.to_owned(),
    }
}
