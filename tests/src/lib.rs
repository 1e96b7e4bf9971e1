//! What the whole-system tests are written with: servers, people who talk to them, images, and the real clients.
//!
//! Everything here panics with the whole exchange when something is not as the test says: it is a test's other half,
//! no library.

mod answer;
mod cli;
mod clock;
mod containerd;
mod daemon;
mod disk;
mod docker;
mod image;
mod nginx;
mod packages;
mod person;
mod process;
mod program;
mod registry;
mod server;
mod skopeo;
mod tls;

pub use answer::Answer;
pub use cli::Cli;
pub use clock::{TestClock, in_seconds};
pub use containerd::Containerd;
pub use disk::SmallDisk;
pub use docker::Docker;
pub use image::{Blob, Image, MANIFEST, digest_of, index_of};
pub use nginx::Nginx;
pub use packages::packages_of_at_least;
pub use person::{Person, Request};
pub use process::ServerProcess;
pub use program::Ran;
pub use registry::{ADMIN_PASSWORD, NAME, Registry};
pub use server::TestServer;
pub use skopeo::Skopeo;
pub use tls::{CertificateFiles, TestCa};
