//! What a command may fail with, and the exit code that tells a script.

use std::path::PathBuf;

use gangplank::{StartError, config::ConfigError};

use crate::address::ServerUrl;

/// How a command ended, for scripts. The numbers are promised in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    NotAllowed = 3,
    NotFound = 4,
    Conflict = 5,
    Unreachable = 6,
}

/// Why a command did not do what it was asked, as one sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was typed, or given on standard input, cannot be meant.
    #[error("{reason}")]
    Usage { reason: String },
    #[error("not signed in; sign in with: gangplank login URL --username NAME")]
    NotSignedIn,
    #[error("not signed in to {server}; sign in with: gangplank login {server} --username NAME")]
    NotSignedInTo { server: ServerUrl },
    /// The kept token opens nothing any more.
    #[error(
        "{server} does not accept the login of {username} any more; sign in again with: gangplank login {server} \
         --username {username}"
    )]
    LoginEnded { server: ServerUrl, username: String },
    #[error("{server} does not accept this name and password")]
    WrongPassword { server: ServerUrl },
    #[error(
        "the present password is wrong or missing; give it on standard input, see --current-password-stdin"
    )]
    WrongPresentPassword,
    #[error("there is no account {} to share with; check its spelling", name.as_deref().unwrap_or("of that name"))]
    UnknownAccount { name: Option<String> },
    /// The server's own words.
    #[error("{}", detail.trim_end_matches('.'))]
    Refused { status: u16, detail: String },
    #[error("cannot reach {server}: {cause}")]
    Unreachable { server: ServerUrl, cause: String },
    /// Something else than a Gangplank answers there.
    #[error("{server} does not answer as a Gangplank server ({what}); check the address")]
    Foreign { server: ServerUrl, what: String },
    /// Credentials are for one host only, so redirects are not followed.
    #[error("{server} redirects to {to}, and credentials are not sent on; if you trust it, sign in there")]
    Redirected { server: ServerUrl, to: String },
    #[error("cannot {doing} {}: {source}", path.display())]
    File { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{} is not a file of logins: {reason}; remove it and sign in again", path.display())]
    Logins { path: PathBuf, reason: String },
    #[error("neither XDG_CONFIG_HOME nor HOME says where logins are kept; set one of them")]
    NoHome,
    /// Signed out here; the token could not be revoked there.
    #[error("the login is removed here, but its token stays valid until {until}: {cause}")]
    NotRevoked { until: jiff::Timestamp, cause: Box<Failure> },
    /// A login failed while another one is current.
    #[error("{cause}\nnothing has changed: commands go on to {server} as {username}")]
    StillElsewhere { cause: Box<Failure>, server: ServerUrl, username: String },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot {doing}: {source}")]
    System { doing: &'static str, source: std::io::Error },
    #[error("stopped by a second signal before everything in flight had ended")]
    Hurried,
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Usage { .. } => Exit::Usage,
            Failure::NotSignedIn
            | Failure::NotSignedInTo { .. }
            | Failure::LoginEnded { .. }
            | Failure::WrongPassword { .. }
            | Failure::WrongPresentPassword => Exit::NotAllowed,
            Failure::UnknownAccount { .. } => Exit::NotFound,
            Failure::Refused { status, .. } => match status {
                401 | 403 => Exit::NotAllowed,
                404 => Exit::NotFound,
                409 | 412 => Exit::Conflict,
                429 | 502..=504 => Exit::Unreachable,
                _ => Exit::Failed,
            },
            Failure::Unreachable { .. } => Exit::Unreachable,
            Failure::NotRevoked { cause, .. } | Failure::StillElsewhere { cause, .. } => cause.exit(),
            Failure::Foreign { .. }
            | Failure::Redirected { .. }
            | Failure::File { .. }
            | Failure::Logins { .. }
            | Failure::NoHome
            | Failure::Config(_)
            | Failure::Start(_)
            | Failure::System { .. }
            | Failure::Hurried => Exit::Failed,
        }
    }
}
