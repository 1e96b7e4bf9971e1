//! The files that keys lie in: for their owner alone, outside the database, there as a whole or not at all. What a file
//! holds is its kind's business: [`crate::SigningKeys`], [`crate::SealingKeys`].

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// How many keys of a kind are held; an older one is to be removed first.
const KEYS_MAX: usize = 32;
/// The longest file that is read as a key.
const KEY_FILE_BYTES_MAX: u64 = 16 << 10;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than the owner may read the key.
    #[error("{}: others may read this key (mode {mode:o}); make it 0600, and replace the key", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds something else.
    #[error("{}: not {expected}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The folder holds more keys than are used.
    #[error("{}: more than {KEYS_MAX} keys of a kind; remove the oldest", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// The system made no key.
    #[error("no key could be made")]
    Unmade,
}

/// A kind of key: how its files are named. The time of the making stands between beginning and end, so that the order of
/// names is that of age.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyFiles {
    pub(crate) name_begins: &'static str,
    pub(crate) name_ends: &'static str,
}

impl KeyFiles {
    /// The text of each key in `folder`, oldest first, with its file. The folder is made when there is none.
    pub(crate) fn read(self, folder: &Path) -> Result<Vec<(PathBuf, String)>, KeysError> {
        make_folder(folder)?;
        let io = |source| KeysError::Io { path: folder.to_owned(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            if name.to_str().is_some_and(|name| name.ends_with(self.name_ends)) {
                paths.push(folder.join(name));
            }
        }
        if paths.len() > KEYS_MAX {
            return Err(KeysError::TooMany { path: folder.to_owned() });
        }
        paths.sort();
        paths.into_iter().map(|path| read_key(&path).map(|text| (path, text))).collect()
    }

    /// Writes a key made at `now` into `folder`, which is there. It is on the disk when this returns, and one that is
    /// there already is never overwritten.
    pub(crate) fn write(self, folder: &Path, now: Timestamp, text: &str) -> Result<(), KeysError> {
        let KeyFiles { name_begins, name_ends } = self;
        let path = folder.join(format!("{name_begins}{:014}{name_ends}", now.as_millisecond().max(0)));
        write_new(folder, &path, text.as_bytes()).map_err(|source| KeysError::Io { path, source })
    }
}

/// Makes `folder`, open to its owner alone, in a way that survives a power cut.
fn make_folder(folder: &Path) -> Result<(), KeysError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let synced = made.and_then(|()| match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    });
    synced.map_err(|source| KeysError::Io { path: folder.to_owned(), source })
}

fn read_key(path: &Path) -> Result<String, KeysError> {
    let io = |source| KeysError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

/// Writes a file that is there as a whole or not at all, also after a power cut, and that only its owner ever could
/// read. A file of that name is an error.
fn write_new(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A name that nobody reads as a key; left over from a crash, it is written anew.
    let unfinished = path.with_extension("unfinished");
    remove_if_there(&unfinished)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // A link, where a rename would replace what is there.
    fs::hard_link(&unfinished, path)?;
    remove_if_there(&unfinished)?;
    File::open(folder)?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
