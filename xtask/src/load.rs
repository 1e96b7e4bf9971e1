//! The data folders that `cargo xtask bench --load` measures on: filled once by a program of their own (`tests/load`), and
//! kept.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{Interrupt, target, watched};

/// How many hundred repositories there usually are where there is much: a million.
pub(crate) const HUNDREDS: u64 = 10_000;
/// How many times less there is where there is little.
const LESS: u64 = 1000;
/// The fewest hundreds where there is little: then each of the hundred owners has some repositories.
const HUNDREDS_LITTLE: u64 = 10;
/// Of each repository.
const TAGS: u64 = 9;
/// Of one more repository, for each hundred of the others.
const MANY_TAGS_PER_HUNDRED: u64 = 100;
/// The file that is written last: it says what was filled in.
const MARKER: &str = "filled";

/// What a data folder is filled with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filling {
    /// The name of the folder that has it.
    name: String,
    hundreds: u64,
}

impl Filling {
    /// With so many hundreds, and with a thousandth of that.
    pub(crate) fn little_and_much(hundreds: u64) -> Result<[Filling; 2], String> {
        let little = (hundreds / LESS).max(HUNDREDS_LITTLE);
        if little >= hundreds {
            return Err(format!("there is little with {little} hundreds: much is more than that"));
        }
        Ok([Filling::new("little", little, HUNDREDS_LITTLE), Filling::new("much", hundreds, HUNDREDS)])
    }

    /// Another size than the usual one has another folder: what took hours to fill stays.
    fn new(name: &str, hundreds: u64, usual: u64) -> Filling {
        let name = if hundreds == usual { name.to_owned() } else { format!("{name}-{hundreds}") };
        Filling { name, hundreds }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn folder(&self) -> PathBuf {
        target().join("bench/load").join(&self.name)
    }

    /// What the loader is told.
    fn arguments(&self) -> Vec<String> {
        let many_tags = self.hundreds * MANY_TAGS_PER_HUNDRED;
        let numbers = [("--hundreds", self.hundreds), ("--tags", TAGS), ("--many-tags", many_tags)];
        numbers.into_iter().flat_map(|(flag, number)| [flag.to_owned(), number.to_string()]).collect()
    }

    /// Fills the data folder, unless that was done before. What was begun and broken off goes.
    pub(crate) fn fill(&self, interrupt: &Interrupt) -> Result<(), String> {
        let folder = self.folder();
        let (marker, words) = (folder.join(MARKER), self.arguments().join(" "));
        if fs::read_to_string(&marker).is_ok_and(|filled| filled == words) {
            return Ok(());
        }
        if folder.exists() {
            eprintln!("xtask: {} is not whole: it is filled anew", folder.display());
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let mut load = Command::new(target().join("release/load"));
        load.arg(self.data()).args(self.arguments());
        watched(&mut load, interrupt, |_| {})?;
        fs::write(&marker, words).map_err(|error| format!("cannot write {}: {error}", marker.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Filling, HUNDREDS};

    #[test]
    fn little_is_a_thousandth_of_much() {
        let usual = Filling::little_and_much(HUNDREDS).unwrap();
        let words = usual.each_ref().map(|filling| filling.arguments().join(" "));
        assert_eq!(words[0], "--hundreds 10 --tags 9 --many-tags 1000");
        assert_eq!(words[1], "--hundreds 10000 --tags 9 --many-tags 1000000");
        assert_eq!(usual.map(|filling| filling.name), ["little", "much"]);
        assert!(Filling::little_and_much(10).is_err());
    }

    #[test]
    fn another_size_has_another_folder() {
        let names = |hundreds| Filling::little_and_much(hundreds).unwrap().map(|filling| filling.name);
        assert_eq!(names(100), ["little", "much-100"]);
        assert_eq!(names(20_000), ["little-20", "much-20000"]);
    }
}
