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

/// Those of all works that are asked for by the beginnings of their ids; without any, all of them.
pub(crate) fn asked_for<W>(
    all: Vec<W>,
    only: &[String],
    id: impl Fn(&W) -> String,
) -> Result<Vec<W>, String> {
    let begins = |work: &W, asked: &String| id(work).starts_with(asked.as_str());
    if let Some(unknown) = only.iter().find(|asked| !all.iter().any(|work| begins(work, asked))) {
        return Err(format!("no work's id begins with {unknown:?}: see --list"));
    }
    let is_chosen = |work: &W| only.is_empty() || only.iter().any(|asked| begins(work, asked));
    Ok(all.into_iter().filter(is_chosen).collect())
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

#[cfg(test)]
mod tests {
    use super::{asked_for, row};
    use crate::result::{Row, Sample};

    #[test]
    fn works_are_asked_for_by_the_beginnings_of_their_ids() {
        let asked = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(|&asked| asked.to_owned()).collect();
            asked_for(vec!["get-a", "get-b", "put"], &only, |work| (*work).to_owned())
        };
        assert_eq!(asked(&[]).unwrap(), ["get-a", "get-b", "put"]);
        assert_eq!(asked(&["get", "get-b"]).unwrap(), ["get-a", "get-b"]);
        assert!(asked(&["put", "delete"]).is_err());
    }

    #[tokio::test]
    async fn each_round_begins_with_another_and_who_has_failed_is_not_asked_again() {
        let empty = Row {
            id: String::new(),
            work: String::new(),
            unit: "ms".to_owned(),
            lower_is_better: true,
            cpu_per: String::new(),
            limit: None,
            entries: Vec::new(),
        };
        let mut turns = Vec::new();
        let names = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let measure = async |who, round| {
            turns.push((round, who));
            let sample = Sample { value: who as f64, amount: 1.0, ..Sample::default() };
            if who == 2 { Err("it is gone".into()) } else { Ok(sample) }
        };
        let row = row(empty, names, 2, |_| {}, measure).await;
        assert_eq!(turns, [(0, 0), (0, 1), (0, 2), (1, 1), (1, 0)]);
        assert_eq!(row.entry("b").unwrap().samples.len(), 2);
        assert_eq!(row.entry("c").unwrap().failure.as_deref(), Some("it is gone"));
    }
}
