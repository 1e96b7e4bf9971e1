//! Every call there is, in one table ([`registry`], [`management`], [`swr`]), and what is asked of all of it:
//!
//! - who may do what ([`permissions`]); `conformance/permissions.md` is that as a page ([`page`]);
//! - what may be wrong with a request ([`bad_input`]);
//! - that no sign-in tells whether a name is somebody's ([`sign_ins`]);
//! - that nothing is left out ([`completeness`]): the program itself says which calls there are.

mod bad_input;
mod completeness;
mod management;
mod page;
mod permissions;
mod question;
mod registry;
mod role;
mod sign_ins;
mod signer;
mod swr;
mod table;
mod wire;
mod world;

use table::{Row, Table};

/// All of it.
fn tables() -> impl Iterator<Item = &'static Table> {
    registry::TABLES.iter().chain(management::TABLES).chain(swr::TABLES)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    tables().flat_map(|table| table.rows)
}
