//! Real files for a large image: those of the machine's own Debian packages.

use std::fs::File;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::program;

/// No single package is larger: the image shall be large, not endless.
const PACKAGE_BYTES_MAX: u64 = 250 << 20;

/// Archives in `folder`, each with one installed package's files: the machine's largest packages, until they hold
/// `bytes` together.
pub async fn packages_of_at_least(bytes: u64, folder: &Path) -> Vec<PathBuf> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${Installed-Size} ${Package} ${db:Status-Abbrev}\n"]);
    let installed = program::run(query, b"").await.output();
    let mut packages: Vec<(u64, &str)> = installed.lines().filter_map(size_and_name).collect();
    packages.retain(|(size, _)| *size <= PACKAGE_BYTES_MAX);
    packages.sort_unstable_by(|one, other| other.cmp(one));
    let (mut archives, mut held) = (Vec::new(), 0);
    for (size, name) in packages {
        if held >= bytes {
            return archives;
        }
        archives.push(archive_of(name, folder).await);
        held += size;
    }
    panic!("the packages of this machine hold {held} bytes, and the test wants {bytes}");
}

/// A line of dpkg's, if it is of an installed package; it counts in KiB.
fn size_and_name(line: &str) -> Option<(u64, &str)> {
    let mut words = line.split_whitespace();
    let (size, name, status) = (words.next()?, words.next()?, words.next()?);
    (status == "ii").then_some((size.parse::<u64>().ok()? << 10, name))
}

async fn archive_of(package: &str, folder: &Path) -> PathBuf {
    let archive = folder.join(format!("{package}.tar"));
    let mut list = Command::new("dpkg-query");
    list.args(["--listfiles", package]);
    let files = program::run(list, b"").await.output();
    // Folders are made by what lies in them; a file that is gone, or that we may not read, is no matter.
    let files: Vec<&str> = files.lines().filter(|file| is_readable_file(Path::new(file))).collect();
    let mut tar = Command::new("tar");
    tar.args(["--create", "--files-from=-", "--file"]).arg(&archive);
    program::run(tar, files.join("\n").as_bytes()).await.succeeds();
    archive
}

fn is_readable_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) && File::open(path).is_ok()
}
