//! Fills a data folder with many repositories, tags and shares, through the same operations as a server's, so that what
//! depends on how much there is can be measured. Not a way to import anything.
//!
//! An account's part of what there is: a namespace of its own name, a hundredth of the repositories, each with some tags
//! and manifests, and shared once with another account: the first owner's with the second, and so on around.
//! One more repository, `owner-00/tags`, has many tags.

mod fill;
mod plan;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::fill::Filler;
use crate::plan::Plan;

/// Fills a data folder for a benchmark.
#[derive(Debug, Parser)]
struct Options {
    /// The data folder: a new one.
    folder: PathBuf,
    /// How many repositories there are to be, in hundreds.
    #[arg(long, default_value_t = 10_000)]
    hundreds: u32,
    /// How many tags each of them has, each of a manifest of its own.
    #[arg(long, default_value_t = 9)]
    tags: u32,
    /// How many tags one more repository has.
    #[arg(long, default_value_t = 1_000_000)]
    many_tags: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Options { folder, hundreds, tags, many_tags } = Options::parse();
    let plan = Plan { repositories_each: hundreds, tags_each: tags, many_tags };
    let filled = match Filler::open(&folder).await {
        Ok(filler) => filler.fill(plan).await,
        Err(error) => Err(error),
    };
    match filled {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{}: {error}", folder.display()));
            ExitCode::FAILURE
        }
    }
}

/// Tells the person who waits. A terminal that is gone stops nothing.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
