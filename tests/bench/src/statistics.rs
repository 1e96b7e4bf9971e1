//! The few figures that many make.

use serde::{Deserialize, Serialize};

/// The middle of some values, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: &[f64]) -> Option<Spread> {
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        median(values).map(|median| Spread { median, min, max })
    }
}

/// The value in the middle; of an even number, what lies between the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The lowest, or the highest.
pub(crate) fn best(values: impl Iterator<Item = f64>, lower_is_better: bool) -> Option<f64> {
    values.reduce(if lower_is_better { f64::min } else { f64::max })
}

#[cfg(test)]
mod tests {
    use super::{Spread, best, median};

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn a_spread_reaches_from_the_lowest_to_the_highest() {
        assert_eq!(Spread::of(&[2.0, 9.0, 1.0]), Some(Spread { median: 2.0, min: 1.0, max: 9.0 }));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn the_best_is_the_lowest_or_the_highest() {
        assert_eq!(best([2.0, 1.0, 3.0].into_iter(), true), Some(1.0));
        assert_eq!(best([2.0, 1.0, 3.0].into_iter(), false), Some(3.0));
        assert_eq!(best([].into_iter(), false), None);
    }
}
