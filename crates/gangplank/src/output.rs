//! All that the command line writes: tables for people, JSON for scripts, both on standard output; warnings and errors
//! on standard error. Nothing else in the binary writes to either.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::failure::Failure;

/// Something that is shown: as a row of a list, or by itself.
pub(crate) trait Shown: Serialize {
    /// The columns of a list of it.
    const COLUMNS: &[&str];

    /// Its row, one cell for each of [`Self::COLUMNS`].
    fn row(&self) -> Vec<String>;

    /// What is shown of it alone; its row, unless there is more to say.
    fn details(&self) -> Vec<(&'static str, String)> {
        Self::COLUMNS.iter().copied().zip(self.row()).collect()
    }
}

/// Where a command's answer goes, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Whether a script reads it.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// A list: a table, or a JSON array.
    pub(crate) fn list<T: Shown>(self, items: &[T]) -> Result<(), Failure> {
        write_out(&if self.json { json(items)? } else { table(T::COLUMNS, items.iter().map(Shown::row)) })
    }

    /// One thing: its details below each other, or a JSON object.
    pub(crate) fn one<T: Shown>(self, item: &T) -> Result<(), Failure> {
        write_out(&if self.json { json(item)? } else { details(&item.details()) })
    }

    /// A list with a sentence about all of it: the sentence and a table, or `whole` as a JSON object.
    pub(crate) fn summed<T: Shown>(
        self,
        whole: &impl Serialize,
        sentence: &str,
        items: &[T],
    ) -> Result<(), Failure> {
        self.changed(whole, sentence)?;
        if self.json || items.is_empty() { Ok(()) } else { self.list(items) }
    }

    /// What was made or changed: `sentence`, or the thing as a JSON object.
    pub(crate) fn changed(self, item: &impl Serialize, sentence: &str) -> Result<(), Failure> {
        write_out(&if self.json { json(item)? } else { format!("{}\n", printable(sentence)) })
    }

    /// What was done and leaves nothing to show: `sentence`, or nothing.
    pub(crate) fn done(self, sentence: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { write_out(&format!("{}\n", printable(sentence))) }
    }
}

/// Text of our own for a person, as it stands.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    write_out(text)
}

/// A warning: the command goes on.
pub(crate) fn warn(sentence: &str) {
    write_err(&format!("warning: {}\n", printable(sentence)));
}

/// A question or an explanation for the person at the terminal, beside the command's answer.
pub(crate) fn tell(text: &str) {
    write_err(text);
}

/// The error that ended the command.
pub(crate) fn error(failure: &Failure) {
    // Our own errors may have several lines (the configuration's), so only the other control characters go.
    let sentence: Vec<_> = failure.to_string().lines().map(printable).collect();
    write_err(&format!("error: {}\n", sentence.join("\n")));
}

/// Whether a person reads standard output.
pub(crate) fn is_for_a_person() -> bool {
    stdout().is_terminal()
}

/// An instant in a table: UTC, to the second.
pub(crate) fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// A size in a table.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut tenths = bytes.saturating_mul(10) / 1024;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// `yes` or `no`, in a table.
pub(crate) fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// Text that others wrote, safe on a terminal and within one line: no control character takes effect.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\n' || c == '\t' {
                ' '
            } else if c.is_control() || is_bidi(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Characters that would show the rest of a line in another order than it is written.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    lines(&table)
}

fn details(details: &[(&str, String)]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in details {
        table.add_row([format!("{name}:"), printable(value)]);
    }
    lines(&table)
}

/// The table's lines, without the blanks that pad their ends.
fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::System { doing: "write the answer as JSON", source: error.into() })?;
    Ok(text + "\n")
}

fn write_out(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader has seen enough (`… | head`): what was asked is done all the same.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(Failure::System { doing: "write to standard output", source }),
        Ok(()) => Ok(()),
    }
}

fn write_err(text: &str) {
    let mut err = stderr().lock();
    // Where standard error is closed there is nobody left to tell.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::{details, json, printable, size, table};

    #[test]
    fn a_table_is_aligned_and_has_no_padding_at_its_ends() {
        let rows =
            vec![vec!["team-a/web".to_owned(), "open".to_owned()], vec!["b/c".to_owned(), String::new()]];
        assert_eq!(
            table(&["REPOSITORY", "STATUS"], rows.into_iter()),
            "REPOSITORY  STATUS\nteam-a/web  open\nb/c\n"
        );
        assert_eq!(table(&["NAME"], std::iter::empty()), "NAME\n");
    }

    #[test]
    fn details_stand_below_each_other() {
        let shown = details(&[("Name", "acme".to_owned()), ("Administrator", "no".to_owned())]);
        assert_eq!(shown, "Name:           acme\nAdministrator:  no\n");
    }

    #[test]
    fn what_others_wrote_cannot_steer_a_terminal() {
        assert_eq!(printable("for\nthe\tpilot"), "for the pilot");
        assert_eq!(printable("\u{1b}[2Jgone\u{7f}\u{9b}1m"), "\u{fffd}[2Jgone\u{fffd}\u{fffd}1m");
        assert_eq!(printable("a\u{202e}b"), "a\u{fffd}b");
        assert_eq!(printable("Grüße 🚢"), "Grüße 🚢");
        assert!(!table(&["D"], [vec!["x\u{1b}[31m\ny".to_owned()]].into_iter()).contains('\u{1b}'));
    }

    #[test]
    fn sizes() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (104_857_600, "100.0 MiB"),
            (u64::MAX, "1638.3 PiB"),
        ] {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
    }

    #[test]
    fn json_is_whole_lines() {
        assert_eq!(json(&Vec::<u8>::new()).ok().as_deref(), Some("[]\n"));
        assert_eq!(json(&serde_json::json!({"a": 1})).ok().as_deref(), Some("{\n  \"a\": 1\n}\n"));
    }
}
