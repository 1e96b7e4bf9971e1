//! The logins that are kept between commands: one personal token for each server and user, never a password.
//!
//! They lie in one file that only its owner may read, replaced as a whole by a rename, under a lock, so that two
//! commands at once lose nothing. The last entry is the current one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use auth::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::ServerUrl;
use crate::failure::Failure;

/// A token that was made by `gangplank login`.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) server: ServerUrl,
    /// The file (PEM) of the authorities to trust there besides the system's.
    pub(crate) ca_certificate: Option<PathBuf>,
    pub(crate) username: String,
    pub(crate) token_id: u64,
    pub(crate) token: Secret,
    /// From when on it opens nothing.
    pub(crate) expires_at: Timestamp,
}

/// A login as it is written: the one place where its secret is in the clear.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    server: ServerUrl,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_certificate: Option<PathBuf>,
    username: String,
    token_id: u64,
    token: String,
    expires_at: Timestamp,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    login: Vec<Written>,
}

/// The file of logins.
#[derive(Debug)]
pub(crate) struct Logins {
    path: PathBuf,
}

impl Logins {
    /// The file of the person who runs this command: in `$XDG_CONFIG_HOME`, else in `~/.config`.
    pub(crate) fn of_this_person() -> Result<Logins, Failure> {
        let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        Ok(Logins::at(folder.ok_or(Failure::NoHome)?.join("gangplank").join("logins.toml")))
    }

    pub(crate) fn at(path: PathBuf) -> Logins {
        Logins { path }
    }

    /// The current login; with `server`, the last one there.
    pub(crate) fn current(&self, server: Option<&ServerUrl>) -> Result<Login, Failure> {
        let found =
            self.read()?.into_iter().rev().find(|login| server.is_none_or(|server| login.server == *server));
        found.ok_or_else(|| match server {
            Some(server) => Failure::NotSignedInTo { server: server.clone() },
            None => Failure::NotSignedIn,
        })
    }

    /// Keeps `login` as the current one, and answers the one it replaces: same server, same user.
    pub(crate) fn keep(&self, login: Login) -> Result<Option<Login>, Failure> {
        self.change(|logins| {
            let old = take(logins, |old| old.server == login.server && old.username == login.username);
            logins.push(login);
            old
        })
    }

    /// Removes the login that holds this token, if it is still there.
    pub(crate) fn remove(&self, login: &Login) -> Result<(), Failure> {
        self.change(|logins| {
            take(logins, |old| old.server == login.server && old.token_id == login.token_id)
        })?;
        Ok(())
    }

    fn read(&self) -> Result<Vec<Login>, Failure> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failure("read", source)),
        };
        // The parser's message would quote the line, and with it the token.
        let document: Document = toml::from_str(&text).map_err(|error| Failure::Logins {
            path: self.path.clone(),
            reason: error.message().lines().next().unwrap_or("unreadable").to_owned(),
        })?;
        Ok(document.login.into_iter().map(Login::from).collect())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Login>) -> T) -> Result<T, Failure> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        created.map_err(|source| Failure::File { doing: "create", path: folder.to_owned(), source })?;
        let lock =
            private(OpenOptions::new().create(true).truncate(false), &self.path.with_extension("lock"));
        let lock = lock.map_err(|source| self.failure("lock", source))?;
        lock.lock().map_err(|source| self.failure("lock", source))?;

        let mut logins = self.read()?;
        let answer = change(&mut logins);
        let document = Document { login: logins.into_iter().map(Written::from).collect() };
        let text = toml::to_string(&document)
            .map_err(|error| self.failure("write", std::io::Error::new(ErrorKind::InvalidData, error)))?;
        self.replace(folder, &text).map_err(|source| self.failure("write", source))?;
        Ok(answer)
    }

    /// Replaces the file as a whole; whoever reads meanwhile sees the old or the new one. The lock is held, so the name
    /// beside it is ours: what lies there was left by a command that was killed.
    fn replace(&self, folder: &Path, text: &str) -> std::io::Result<()> {
        let beside = self.path.with_extension("new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private(OpenOptions::new().create_new(true), &beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        File::open(folder)?.sync_all()
    }

    fn failure(&self, doing: &'static str, source: std::io::Error) -> Failure {
        Failure::File { doing, path: self.path.clone(), source }
    }
}

fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    options.write(true).mode(0o600).open(path)
}

fn take(logins: &mut Vec<Login>, is_it: impl FnMut(&Login) -> bool) -> Option<Login> {
    logins.iter().position(is_it).map(|at| logins.remove(at))
}

impl From<Written> for Login {
    fn from(written: Written) -> Login {
        let Written { server, ca_certificate, username, token_id, token, expires_at } = written;
        Login { server, ca_certificate, username, token_id, token: Secret::new(token), expires_at }
    }
}

impl From<Login> for Written {
    fn from(login: Login) -> Written {
        let Login { server, ca_certificate, username, token_id, token, expires_at } = login;
        Written { server, ca_certificate, username, token_id, token: token.reveal().to_owned(), expires_at }
    }
}

#[cfg(test)]
mod tests;
