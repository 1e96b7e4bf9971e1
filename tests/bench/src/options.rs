//! What may be asked on the command line.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Parser;

/// Where stored results lie, below the top of the workspace.
const STORED: &str = "docs/performance";
/// What a result is called.
const RESULT: &str = "last.json";
/// The same of one of little and much.
const RESULT_OF_SIZE: &str = "size.json";

/// Gives Gangplank, other registries and nginx the same work, and prints a table of what each made of it.
#[derive(Debug, Parser)]
#[command(name = "bench", bin_name = "cargo xtask bench", version, about, max_term_width = 110)]
pub(crate) struct Options {
    /// The server's binary, built in release
    #[arg(long, value_name = "BINARY")]
    pub(crate) gangplank: Option<PathBuf>,
    /// The binary of distribution 3; without one there is no row of it
    #[arg(long, value_name = "BINARY")]
    pub(crate) distribution: Option<PathBuf>,
    /// The binary of distribution 2 as Debian ships it, where `docker-registry` is not in the path
    #[arg(long, value_name = "BINARY")]
    pub(crate) docker_registry: Option<PathBuf>,
    /// Another registry: its name, the shell's command that runs it in the foreground, and where it then listens;
    /// `{data}` in the command becomes the folder that it is to keep everything in. May be given several times
    #[arg(long = "system", value_name = "NAME=COMMAND@ADDRESS:PORT")]
    pub(crate) systems: Vec<Other>,
    /// Give our server the same works with little in it and with much, instead of comparing it with others: the data
    /// folders, which `cargo xtask bench --load` fills; the works add a little to them
    #[arg(
        long,
        value_name = "LITTLE,MUCH",
        conflicts_with_all = ["systems", "without", "distribution", "docker_registry", "large_mib", "memory_push_mib"]
    )]
    pub(crate) loaded: Option<Loaded>,
    /// Leave this system out; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) without: Vec<String>,
    /// Only the works whose ids begin so; may be given several times
    #[arg(long, value_name = "WORK")]
    pub(crate) only: Vec<String>,
    /// List the works and end
    #[arg(long)]
    pub(crate) list: bool,
    /// Small sizes and one round: whether everything works, not how fast it is
    #[arg(long)]
    pub(crate) quick: bool,
    /// How often each system does each work
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: Option<u32>,
    /// The large blob's size in MiB
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=16_384))]
    pub(crate) large_mib: Option<u64>,
    /// What each of the many pushes at once brings in the work `memory`, in MiB: 1024 where the disk holds that, else 256
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=16_384))]
    pub(crate) memory_push_mib: Option<u64>,
    /// Where the servers keep their data meanwhile, and the last result stays
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) folder: PathBuf,
    /// Store the result, with its picture, for later runs to be compared with, and for the README
    #[arg(long)]
    pub(crate) store: bool,
    /// Compare with a stored result: list the ratios that are worse by more than a tenth, and end with 1 if there are any
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(crate) against: Option<Option<PathBuf>>,
    /// Run nothing: take the last run's result
    #[arg(long)]
    pub(crate) no_run: bool,
}

/// Two data folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) little: PathBuf,
    pub(crate) much: PathBuf,
}

impl Options {
    /// Where the last run's result stays.
    pub(crate) fn last(&self) -> PathBuf {
        self.folder.join(self.result())
    }

    /// Where the stored result lies, below the top of the workspace.
    pub(crate) fn stored(&self) -> PathBuf {
        Path::new(STORED).join(self.result())
    }

    fn result(&self) -> &'static str {
        if self.loaded.is_some() { RESULT_OF_SIZE } else { RESULT }
    }
}

impl FromStr for Loaded {
    type Err = String;

    fn from_str(text: &str) -> Result<Loaded, String> {
        match text.split_once(',') {
            Some((little, much)) if !little.is_empty() && !much.is_empty() && little != much => {
                Ok(Loaded { little: little.into(), much: much.into() })
            }
            _ => Err("two folders are wanted, with a comma between them".to_owned()),
        }
    }
}

/// A registry that is given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) name: String,
    pub(crate) command: String,
    pub(crate) address: std::net::SocketAddr,
}

impl FromStr for Other {
    type Err = String;

    fn from_str(text: &str) -> Result<Other, String> {
        let (name, rest) = text.split_once('=').ok_or("no `=` after the name")?;
        let (command, address) = rest.rsplit_once('@').ok_or("no `@` before the address")?;
        let address: std::net::SocketAddr =
            address.parse().map_err(|_| format!("{address:?} is no address such as 127.0.0.1:5001"))?;
        if name.is_empty() || command.is_empty() {
            return Err("a name and a command are wanted".to_owned());
        }
        if !address.ip().is_loopback() {
            return Err(format!("{address} is not this machine's own"));
        }
        Ok(Other { name: name.to_owned(), command: command.to_owned(), address })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Loaded, Options, Other};

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn little_and_much_are_two_folders() {
        let loaded: Loaded = "a/b,c".parse().unwrap();
        assert_eq!((loaded.little, loaded.much), ("a/b".into(), "c".into()));
        for wrong in ["", "a", "a,", ",a", "a,a"] {
            assert!(wrong.parse::<Loaded>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn another_system_is_a_name_a_command_and_an_address() {
        let other: Other = "zot=zot serve '{data}/a=b@c.json'@127.0.0.1:5001".parse().unwrap();
        assert_eq!(other.name, "zot");
        assert_eq!(other.command, "zot serve '{data}/a=b@c.json'");
        assert_eq!(other.address.port(), 5001);
        for wrong in ["zot", "zot=serve", "zot=serve@here", "=serve@127.0.0.1:1", "zot=serve@192.0.2.1:80"] {
            assert!(wrong.parse::<Other>().is_err(), "{wrong}");
        }
    }
}
