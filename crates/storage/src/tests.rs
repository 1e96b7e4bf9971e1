//! The crate's tests, over the store in memory and files in a temporary folder, with permits from a real `Auth`.

mod blobs;
mod capacity;
mod collection;
mod doubles;
mod faults;
mod manifests;
mod races;
mod referrers;
mod sessions;
mod shared;
mod shared_model;
mod uploads;
mod world;
