//! What the whole-system tests are written with: servers, people who talk to them, images, and the real clients.
//!
//! Everything here panics with the whole exchange when something is not as the test says: it is a test's other half,
//! no library.

mod answer;
mod background;
mod browser;
mod cli;
mod clock;
mod containerd;
mod containers;
mod daemon;
mod disk;
mod docker;
mod image;
mod installation;
mod layout;
mod nginx;
mod packages;
mod person;
mod process;
mod program;
mod receiver;
mod registry;
mod relay;
mod server;
mod skopeo;
mod tls;
mod tools;
mod transcript;
mod wire;

pub use answer::Answer;
pub use browser::{Browser, Look};
pub use cli::Cli;
pub use clock::{TestClock, in_seconds};
pub use containerd::Containerd;
pub use containers::ContainersHome;
pub use daemon::Daemon;
pub use disk::SmallDisk;
pub use docker::Docker;
pub use image::{Blob, INDEX, Image, MANIFEST, digest_of, index_of, sha512_of};
pub use installation::Installation;
pub use layout::{archive_layout, lay_out};
pub use nginx::Nginx;
pub use packages::packages_of_at_least;
pub use person::{Person, Request, with_digest};
pub use process::ServerProcess;
pub use program::{Ran, run};
pub use receiver::{Received, Receiver};
pub use registry::{ADMIN_PASSWORD, NAME, Registry};
pub use relay::{Direction, Exchange, Relay};
pub use server::TestServer;
pub use skopeo::Skopeo;
pub use tls::{CertificateFiles, TestCa};
pub use tools::{GoTool, PythonPackage, find_program, version_of};
pub use transcript::Transcript;
pub use wire::Wire;
