//! A run's belongings: the systems, each on a stand with what is pulled from it, the random bytes, and the folders, which
//! go when the run ends.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::docker::Docker;
use crate::options::Options;
use crate::random::Random;
use crate::scale::Scale;
use crate::stock::Stock;
use crate::systems::{Running, System};
use crate::works::many;

/// Where a folder in memory is.
const MEMORY: &str = "/dev/shm";
/// What the names of our folders begin with; the process's id follows.
const PREFIX: &str = "gangplank-bench-";

/// A run's belongings.
pub(crate) struct Bench {
    pub(crate) scale: Scale,
    pub(crate) random: Random,
    pub(crate) stock: Stock,
    pub(crate) docker: Option<Docker>,
    // Before the folders: servers end before their data goes.
    stands: Vec<Stand>,
    disk: TempDir,
    memory: TempDir,
}

/// A system, and the folder with what is pulled from it.
struct Stand {
    system: System,
    running: Option<Running>,
    folder: Option<TempDir>,
}

/// Where a fresh server keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Disk,
    Memory,
}

/// A server on an empty folder. Dropping it ends it and removes what it stored.
pub(crate) struct Fresh {
    pub(crate) running: Running,
    _folder: TempDir,
}

impl Bench {
    pub(crate) fn new(options: &Options, systems: Vec<System>) -> Result<Bench, String> {
        let mut scale = Scale::of(options);
        let cannot = |path: &Path, error| format!("cannot make a folder in {}: {error}", path.display());
        fs::create_dir_all(&options.folder).map_err(|error| cannot(&options.folder, error))?;
        // Whole: servers and engines run in folders of their own.
        let folder = fs::canonicalize(&options.folder).map_err(|error| cannot(&options.folder, error))?;
        for folder in [&folder, Path::new(MEMORY)] {
            remove_what_was_left(folder);
        }
        let disk = in_folder(&folder)?;
        let memory = in_folder(Path::new(MEMORY))?;
        scale.push_at_once_bytes =
            Some(scale.push_at_once_bytes.map_or_else(|| many::bytes_for(disk.path(), &scale), Ok)?);
        let mut random = Random::new(scale.body_bytes_max())?;
        let stock = Stock::new(&scale, &mut random);
        let docker = Docker::new(disk.path())?;
        let stands =
            systems.into_iter().map(|system| Stand { system, running: None, folder: None }).collect();
        Ok(Bench { scale, random, stock, docker, stands, disk, memory })
    }

    pub(crate) fn systems(&self) -> impl Iterator<Item = &System> {
        self.stands.iter().map(|stand| &stand.system)
    }

    pub(crate) fn system(&self, index: usize) -> &System {
        &self.stands[index].system
    }

    /// A folder of the run.
    pub(crate) fn folder(&self, place: Place) -> &Path {
        match place {
            Place::Disk => self.disk.path(),
            Place::Memory => self.memory.path(),
        }
    }

    /// The system with what is pulled from it: it is started, and filled the first time.
    pub(crate) async fn stocked(&mut self, index: usize) -> Result<&mut Running, String> {
        let stand = &mut self.stands[index];
        let folder = match stand.folder.take() {
            Some(folder) => folder,
            None => {
                let folder = in_folder(self.disk.path())?;
                if stand.system.is_files() {
                    self.stock.write(folder.path())?;
                } else {
                    let running = stand.system.start(folder.path()).await?;
                    self.stock
                        .fill(&running)
                        .await
                        .map_err(|why| format!("{} cannot be filled: {why}", stand.system.name))?;
                }
                folder
            }
        };
        let folder = stand.folder.insert(folder);
        let running = match stand.running.take() {
            Some(running) => running,
            None => stand.system.start(folder.path()).await?,
        };
        let running = stand.running.insert(running);
        running.check()?;
        Ok(running)
    }

    /// Stops the system, and gives the folder with what is pulled from it, for it to be started again.
    pub(crate) async fn stop_stocked(&mut self, index: usize) -> Result<(&System, &Path), String> {
        self.stocked(index).await?;
        let stand = &mut self.stands[index];
        stand.running = None;
        let folder = stand.folder.as_ref().ok_or("it has no folder")?;
        Ok((&stand.system, folder.path()))
    }

    /// Takes back a system that was stopped and has been started again.
    pub(crate) fn put_back(&mut self, index: usize, running: Running) {
        self.stands[index].running = Some(running);
    }

    /// Stops all, so that nothing runs but what a work starts itself.
    pub(crate) fn stop_all(&mut self) {
        for stand in &mut self.stands {
            stand.running = None;
        }
    }

    /// A server on an empty folder. Those with what is pulled must have been stopped.
    pub(crate) async fn fresh(&self, index: usize, place: Place) -> Result<Fresh, String> {
        let folder = in_folder(self.folder(place))?;
        let running = self.stands[index].system.start(folder.path()).await?;
        Ok(Fresh { running, _folder: folder })
    }
}

/// A folder in `folder` that goes with the run.
pub(crate) fn in_folder(folder: &Path) -> Result<TempDir, String> {
    let prefix = format!("{PREFIX}{}-", std::process::id());
    let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(folder);
    made.map_err(|error| format!("cannot make a folder in {}: {error}", folder.display()))
}

/// Removes the folders of runs that were killed: those in memory would stay until the machine is started again.
pub(crate) fn remove_what_was_left(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let pid = rest.and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // What cannot be removed is somebody else's.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{PREFIX, remove_what_was_left};

    #[test]
    fn what_a_killed_run_left_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let names = [format!("{PREFIX}{}-a", std::process::id()), format!("{PREFIX}x-a"), "last.json".into()];
        for name in names.iter().chain([&format!("{PREFIX}{}-a", u32::MAX)]) {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        remove_what_was_left(folder.path());
        let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
        left.sort();
        let mut expected = names.to_vec();
        expected.sort();
        assert_eq!(left, expected);
    }
}
