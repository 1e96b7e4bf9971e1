//! The folder that holds everything a server keeps.
//!
//! ```text
//! data/        0700
//! ├── lock     held by the server that serves it
//! ├── node     which node this is, and which region its data belongs to
//! ├── metadata/  the key-value engine's
//! ├── blobs/     the bytes of images
//! └── keys/      what signs tokens and seals secrets: outside the database, so that a copy of that opens nothing
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kv::{Id, Region};
use serde::{Deserialize, Serialize};

/// Why the data folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Somebody else's, or not there and not to be made.
    #[error(
        "the data folder {} cannot be used: cannot {doing}: {source}; give it to the user that runs gangplank, or \
         choose another with --data",
        folder.display()
    )]
    Unusable {
        /// The data folder.
        folder: PathBuf,
        /// What was tried.
        doing: String,
        /// What came of it.
        source: io::Error,
    },
    /// Two servers on the same data would destroy it.
    #[error(
        "the data folder {} is in use by another gangplank server; stop that one, or choose another folder with --data",
        folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// What is kept there belongs to a region, for good.
    #[error(
        "the data folder {} belongs to the region {found:?}, and server.region is {configured:?}; set it to {found:?}, \
         or choose another folder with --data",
        folder.display()
    )]
    OtherRegion {
        /// The data folder.
        folder: PathBuf,
        /// Its region.
        found: String,
        /// The configured one.
        configured: String,
    },
    /// A file of ours is not as we write it.
    #[error("{} cannot be read: {reason}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A data folder that is ours alone, as long as this lives.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    node: Id,
    /// Its lock ends when the file is closed, also by a kill.
    _lock: File,
}

/// What the file `node` says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    /// The node's id.
    node: Id,
    /// The region that all data here belongs to.
    region: String,
}

impl DataFolder {
    /// Makes the folder if there is none, takes it, and checks that it can be worked in. Blocks.
    pub(crate) fn open(folder: &Path, region: &Region) -> Result<DataFolder, DataError> {
        let unusable = |doing: &str, source| DataError::Unusable {
            folder: folder.to_owned(),
            doing: doing.to_owned(),
            source,
        };
        private_folder(folder).map_err(|error| unusable("create it", error))?;
        fs::read_dir(folder).map_err(|error| unusable("read it", error))?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join("lock"));
        let lock = lock.map_err(|error| unusable("write in it", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(unusable("lock it", error)),
        }
        for name in ["metadata", "blobs", "keys"] {
            owned_folder(&folder.join(name))
                .map_err(|error| unusable(&format!("use its folder {name}"), error))?;
        }
        let node = node(folder, region)?;
        Ok(DataFolder { path: folder.to_owned(), node, _lock: lock })
    }

    /// This node's id.
    pub(crate) fn node(&self) -> Id {
        self.node
    }

    pub(crate) fn metadata(&self) -> PathBuf {
        self.path.join("metadata")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }
}

/// Makes `folder`, for its owner alone, if there is none.
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The same for a folder of ours, which is closed to others even if somebody opened it, and probed for writing.
fn owned_folder(folder: &Path) -> io::Result<()> {
    private_folder(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    let probe = folder.join(".probe");
    File::create(&probe)?;
    fs::remove_file(&probe)
}

/// Which node this is: from its file, written at the first start.
fn node(folder: &Path, region: &Region) -> Result<Id, DataError> {
    let path = folder.join("node");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return first_node(folder, region),
        Err(error) => return Err(DataError::Damaged { path, reason: error.to_string() }),
    };
    let file: NodeFile = match toml::from_str(&text) {
        Ok(file) => file,
        Err(error) => return Err(DataError::Damaged { path, reason: error.message().to_owned() }),
    };
    if file.region != region.as_str() {
        return Err(DataError::OtherRegion {
            folder: folder.to_owned(),
            found: file.region,
            configured: region.as_str().to_owned(),
        });
    }
    Ok(file.node)
}

fn first_node(folder: &Path, region: &Region) -> Result<Id, DataError> {
    let file = NodeFile { node: Id::random(), region: region.as_str().to_owned() };
    let written = toml::to_string(&file)
        .map_err(io::Error::other)
        .and_then(|text| write_durably(folder, "node", text.as_bytes()));
    match written {
        Ok(()) => Ok(file.node),
        Err(source) => Err(DataError::Unusable {
            folder: folder.to_owned(),
            doing: "write the node's id in it".to_owned(),
            source,
        }),
    }
}

/// Writes a file for its owner alone, as a whole, so that a power cut leaves all of it or none.
fn write_durably(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!("{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, folder.join(name))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use kv::Region;

    use super::{DataError, DataFolder};

    fn region(name: &str) -> Region {
        Region::parse(name).unwrap()
    }

    #[test]
    fn is_made_for_its_owner_alone_and_keeps_its_node() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let first = DataFolder::open(&path, &region("local")).unwrap().node();
        assert_eq!(DataFolder::open(&path, &region("local")).unwrap().node(), first);
        for (name, mode) in
            [("", 0o700), ("keys", 0o700), ("metadata", 0o700), ("lock", 0o600), ("node", 0o600)]
        {
            let found = std::fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name:?}: {found:o}");
        }
    }

    #[test]
    fn a_second_server_is_refused_until_the_first_ends() {
        let data = tempfile::tempdir().unwrap();
        let first = DataFolder::open(data.path(), &region("local")).unwrap();
        let refused = DataFolder::open(data.path(), &region("local")).unwrap_err();
        assert!(matches!(refused, DataError::InUse { .. }), "{refused}");
        assert!(refused.to_string().contains(data.path().to_str().unwrap()), "{refused}");
        drop(first);
        DataFolder::open(data.path(), &region("local")).unwrap();
    }

    #[test]
    fn another_region_is_refused() {
        let data = tempfile::tempdir().unwrap();
        DataFolder::open(data.path(), &region("local")).unwrap();
        let refused = DataFolder::open(data.path(), &region("north")).unwrap_err();
        assert!(matches!(&refused, DataError::OtherRegion { found, .. } if found == "local"), "{refused}");
    }

    #[test]
    fn what_is_no_folder_is_refused_with_its_name() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [&file, &file.join("below")] {
            let refused = DataFolder::open(path, &region("local")).unwrap_err().to_string();
            assert!(refused.contains(path.to_str().unwrap()), "{refused}");
        }
    }

    #[test]
    fn a_damaged_node_file_is_not_replaced() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("node"), "node = \"x\"").unwrap();
        let refused = DataFolder::open(data.path(), &region("local")).unwrap_err();
        assert!(matches!(refused, DataError::Damaged { .. }), "{refused}");
        assert_eq!(std::fs::read_to_string(data.path().join("node")).unwrap(), "node = \"x\"");
    }
}
