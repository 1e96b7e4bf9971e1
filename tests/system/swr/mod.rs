//! The SWR management API, driven by its own Python SDK as it comes from the index of packages.

mod sdk;
mod story;
mod table;
