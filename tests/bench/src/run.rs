//! The rounds: each work is done by all who can, one after the other, several times over, and each round begins with
//! another one. So what the machine does besides falls on all alike.

use std::time::Duration;

use jiff::Timestamp;

use crate::bench::{Bench, Place};
use crate::machine::Machine;
use crate::options::Options;
use crate::result::{Entry, Report, Row, Sample, Version};
use crate::systems::System;
use crate::works::{DISK, HASH, Participant, Trouble, Work};

/// How long one work of one system may take in one round. It ends what would hang.
const WORK_WITHIN: Duration = Duration::from_secs(45 * 60);

/// The works that are asked for.
pub(crate) fn works(options: &Options) -> Result<Vec<Work>, String> {
    let is_asked_for = |work: &Work, asked: &String| work.id().starts_with(asked.as_str());
    if let Some(unknown) =
        options.only.iter().find(|asked| !Work::ALL.iter().any(|work| is_asked_for(work, asked)))
    {
        return Err(format!("no work's id begins with {unknown:?}: see --list"));
    }
    let chosen = Work::ALL
        .iter()
        .filter(|work| options.only.is_empty() || options.only.iter().any(|asked| is_asked_for(work, asked)));
    Ok(chosen.copied().collect())
}

/// Runs them. What happens is told to `say`.
pub(crate) async fn run(options: &Options, now: Timestamp, say: fn(&str)) -> Result<Report, String> {
    let works = works(options)?;
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
        made_at: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        quick: options.quick,
        rounds: bench.scale.rounds,
        machine: Machine::this(bench.folder(Place::Disk)),
        systems: versions,
        rows,
    })
}

/// One participant's part in a row.
struct Part {
    who: Participant,
    name: String,
    samples: Vec<Sample>,
    trouble: Option<Trouble>,
}

async fn row(bench: &mut Bench, work: Work, say: fn(&str)) -> Row {
    let mut row = work.row(&bench.scale);
    say(&row.work);
    if work.is_fresh() {
        bench.stop_all();
    }
    let participants = work.participants(bench.systems());
    let mut parts: Vec<_> = participants
        .into_iter()
        .map(|who| Part { who, name: name(bench, who), samples: Vec::new(), trouble: None })
        .collect();
    for round in 0..bench.scale.rounds {
        let first = round as usize % parts.len().max(1);
        parts.rotate_left(first);
        for part in &mut parts {
            part.take_turn(bench, work, round, say).await;
        }
        parts.rotate_right(first);
    }
    row.entries = parts.into_iter().map(Part::entry).collect();
    row.relate();
    row
}

fn name(bench: &Bench, who: Participant) -> String {
    match who {
        Participant::System(index) => bench.system(index).name.clone(),
        Participant::Disk => DISK.to_owned(),
        Participant::Hash => HASH.to_owned(),
    }
}

impl Part {
    /// Unless it has failed: another try would take its time and fail again.
    async fn take_turn(&mut self, bench: &mut Bench, work: Work, round: u32, say: fn(&str)) {
        if self.trouble.is_some() {
            return;
        }
        let measured = tokio::time::timeout(WORK_WITHIN, work.measure(bench, self.who, round)).await;
        match measured.unwrap_or_else(|_| Err(Trouble::Failed(format!("no end after {WORK_WITHIN:?}")))) {
            Ok(sample) => self.samples.push(sample),
            Err(trouble) => {
                if let Trouble::Failed(why) = &trouble {
                    say(&format!("FAILED: {}: {why}", self.name));
                }
                self.trouble = Some(trouble);
            }
        }
    }

    fn entry(self) -> Entry {
        match self.trouble {
            None => Entry::of(&self.name, self.samples),
            Some(Trouble::Absent(why)) => Entry { system: self.name, absent: Some(why), ..Entry::default() },
            Some(Trouble::Failed(why)) => Entry { system: self.name, failure: Some(why), ..Entry::default() },
        }
    }
}
