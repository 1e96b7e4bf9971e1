//! Who may do what: every call, asked by each of nine roles, of a registry that is made anew for each question. What must
//! be answered is written by hand, from the rules (levels, shares, what is public; 401, 403 and 404 after the live right),
//! never recorded.
//!
//! Beyond the status it is checked that a refusal has its code, changes nothing, and, where it hides something, is the
//! same to the byte as for what is not there; that what is done has changed something; and that a password and what it
//! buys (a token of the registry, a personal token) are answered alike.

use super::question::Asked;
use super::table::Table;
use super::world::World;
use super::{management, registry, swr};

/// Every wrong cell is told, not only the first.
async fn ask(tables: &[Table]) {
    let world = World::new().await;
    let (mut faults, mut cells) = (Vec::new(), 0);
    for row in tables.iter().flat_map(|table| table.rows) {
        for (state, role, cell) in row.cells() {
            cells += 1;
            let asked = Asked { world: &world, row, state, role };
            for fault in asked.faults(cell).await {
                let (state, role) = (state.title(), role.title());
                faults.push(format!("{} [{state}, {role}] {}: {fault}", row.name(), cell.shown()));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults in {cells} cells:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
async fn the_registrys_protocol_answers_each_role_as_the_table_says() {
    ask(registry::TABLES).await;
}

#[tokio::test]
async fn the_management_interface_answers_each_role_as_the_table_says() {
    ask(management::TABLES).await;
}

#[tokio::test]
async fn the_swr_management_api_answers_each_role_as_the_table_says() {
    ask(swr::TABLES).await;
}
