//! The log of calls: every one as it was made, and the table of them in `conformance/swr.md`, which is compared with what
//! was called.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- calls: written by the test -->\n";
const END: &str = "<!-- calls: end -->\n";

/// A call that the SDK made.
pub(super) struct Call {
    /// The SDK's method; `call_api` for a call that it has no method for.
    method: String,
    verb: String,
    /// The path with its parameters as names.
    template: String,
    path: String,
    status: u16,
}

impl Call {
    pub(super) fn read(line: &str) -> Option<Call> {
        let (method, verb, template, path, status) = serde_json::from_str(line).ok()?;
        Some(Call { method, verb, template, path, status })
    }
}

/// Writes the log, and holds the table in `conformance/swr.md` against it.
pub(super) fn holds_against(calls: &[Call]) {
    let folder = target().join("swr");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut lines = String::new();
    for call in calls {
        let _ = writeln!(lines, "{} {} {}", call.verb, call.path, call.status);
    }
    std::fs::write(folder.join("calls.txt"), lines).expect("a file");
    let found = table(calls);
    std::fs::write(folder.join("calls.md"), &found).expect("a file");
    let document = std::fs::read_to_string(workspace().join("conformance/swr.md")).expect("the document");
    let (_, rest) = document.split_once(BEGIN).expect("the table's beginning");
    let (kept, _) = rest.split_once(END).expect("the table's end");
    assert_eq!(kept, found, "the table in conformance/swr.md; target/swr/calls.md is what was called");
}

fn table(calls: &[Call]) -> String {
    let mut rows: BTreeMap<(&str, &str, &str), BTreeSet<u16>> = BTreeMap::new();
    for call in calls {
        rows.entry((&call.method, &call.template, &call.verb)).or_default().insert(call.status);
    }
    let mut table = "| the SDK's method | call | answered |\n|---|---|---|\n".to_owned();
    for ((method, template, verb), statuses) in rows {
        let statuses: Vec<_> = statuses.iter().map(u16::to_string).collect();
        let _ = writeln!(table, "| `{method}` | `{verb} {template}` | {} |", statuses.join(", "));
    }
    table
}

fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}
