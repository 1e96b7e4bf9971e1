//! The rounds: each work is done by all who can, one after the other, several times over, and each round begins with
//! another one. So what the machine does besides falls on all alike.

use std::time::Duration;

use crate::result::{Entry, Row, Sample};
use crate::works::{Measured, Trouble};

/// How long one work of one participant may take in one round. It ends what would hang.
const WORK_WITHIN: Duration = Duration::from_secs(45 * 60);

/// One participant's part in a row.
struct Part {
    who: usize,
    name: String,
    samples: Vec<Sample>,
    trouble: Option<Trouble>,
}

/// Fills `row`: `measure` has the participant of that number do the work once, in that round.
pub(crate) async fn row(
    mut row: Row,
    names: Vec<String>,
    rounds: u32,
    say: fn(&str),
    mut measure: impl AsyncFnMut(usize, u32) -> Measured,
) -> Row {
    let parts = names.into_iter().enumerate();
    let mut parts: Vec<_> =
        parts.map(|(who, name)| Part { who, name, samples: Vec::new(), trouble: None }).collect();
    for round in 0..rounds {
        let first = round as usize % parts.len().max(1);
        parts.rotate_left(first);
        for part in &mut parts {
            part.take_turn(&mut measure, round, say).await;
        }
        parts.rotate_right(first);
    }
    row.entries = parts.into_iter().map(Part::entry).collect();
    row.relate();
    row
}

impl Part {
    /// Unless it has failed: another try would take its time and fail again.
    async fn take_turn(
        &mut self,
        measure: &mut impl AsyncFnMut(usize, u32) -> Measured,
        round: u32,
        say: fn(&str),
    ) {
        if self.trouble.is_some() {
            return;
        }
        let measured = tokio::time::timeout(WORK_WITHIN, measure(self.who, round)).await;
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
