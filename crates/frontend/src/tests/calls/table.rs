//! The form of the table: a row is a call, a cell what one role is answered.

use super::role::{Role, State};

/// Calls about one noun.
pub(super) struct Table {
    pub(super) noun: &'static str,
    /// What is to be known about all of its rows.
    pub(super) remark: &'static str,
    pub(super) rows: &'static [Row],
}

/// One call, with what each role is answered in each state of the repository.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) method: &'static str,
    /// As the documents write it: `{repository}`, `{account}`. Words in `{…}` are bound by [`Row::with`], or stand for
    /// what the world knows; in the management API they are percent-encoded.
    pub(super) target: &'static str,
    /// The status of what is done.
    pub(super) done: u16,
    pub(super) cells: Cells,
    pub(super) bound: &'static [(&'static str, &'static str)],
    pub(super) body: Option<&'static str>,
    pub(super) media_type: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// What is special about this call.
    pub(super) remark: &'static str,
    /// The text that tells whether a list shows what it is asked about.
    pub(super) shows: &'static str,
    /// Whether a success leaves the store as it was, though it does not only read.
    pub(super) keeps: bool,
    /// Whether a success is an event of its own, though it only reads.
    pub(super) audited: bool,
}

/// What each role is answered, state by state; the roles in the order of [`Role::ALL`].
pub(super) type Cells = &'static [(State, &'static str)];

/// The columns of all states are the same.
pub(super) const fn row(method: &'static str, target: &'static str, done: u16, cells: Cells) -> Row {
    Row {
        method,
        target,
        done,
        cells,
        bound: &[],
        body: None,
        media_type: "application/json",
        headers: &[],
        remark: "",
        shows: "",
        keeps: false,
        audited: false,
    }
}

impl Row {
    pub(super) const fn with(self, bound: &'static [(&'static str, &'static str)]) -> Row {
        Row { bound, ..self }
    }

    pub(super) const fn body(self, body: &'static str) -> Row {
        Row { body: Some(body), ..self }
    }

    pub(super) const fn media_type(self, media_type: &'static str) -> Row {
        Row { media_type, ..self }
    }

    pub(super) const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Row {
        Row { headers, ..self }
    }

    pub(super) const fn remark(self, remark: &'static str) -> Row {
        Row { remark, ..self }
    }

    pub(super) const fn shows(self, shows: &'static str) -> Row {
        Row { shows, ..self }
    }

    pub(super) const fn keeps(self) -> Row {
        Row { keeps: true, ..self }
    }

    pub(super) const fn audited(self) -> Row {
        Row { audited: true, ..self }
    }

    pub(super) fn name(&self) -> String {
        format!(
            "{} {}{}{}",
            self.method,
            self.target,
            if self.remark.is_empty() { "" } else { ": " },
            self.remark
        )
    }

    /// The path alone, as the OpenAPI document lists it.
    pub(super) fn path(&self) -> &'static str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Every cell of it.
    pub(super) fn cells(&self) -> impl Iterator<Item = (State, Role, Cell)> {
        let name = self.name();
        self.cells.iter().flat_map(move |(state, cells)| {
            let words: Vec<_> = cells.split_whitespace().collect();
            assert_eq!(words.len(), Role::ALL.len(), "{name}: a cell for each role, not {cells}");
            Role::ALL.into_iter().zip(words).map(|(role, word)| (*state, role, Cell::parse(word)))
        })
    }
}

/// What one role is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// It is done. In a list: it is shown.
    Done,
    /// It is done, but the list does not show it.
    Absent,
    /// It is done in another way, with this status.
    Otherwise(u16),
    /// 401: sign in.
    SignIn,
    /// 403: seen, but not allowed.
    Forbidden,
    /// 404: not to be told from what is not there.
    Hidden,
    /// 404: not there, for who would see it.
    Missing,
    /// It stands in its own way: a status with the refusal's code.
    Refused(u16, &'static str),
    /// A token, with these verbs.
    Granted(&'static str),
}

impl Cell {
    fn parse(word: &'static str) -> Cell {
        match word {
            "✓" => Cell::Done,
            "–" => Cell::Absent,
            "401" => Cell::SignIn,
            "403" => Cell::Forbidden,
            "404" => Cell::Hidden,
            "none" => Cell::Missing,
            word => match word.split_once('/') {
                Some(("grants", verbs)) => Cell::Granted(verbs),
                Some((status, code)) => Cell::Refused(status.parse().unwrap(), code),
                None => Cell::Otherwise(word.parse().unwrap_or_else(|_| panic!("{word} is no cell"))),
            },
        }
    }

    /// As the page shows it.
    pub(super) fn shown(self) -> String {
        match self {
            Cell::Done => "✓".to_owned(),
            Cell::Absent => "–".to_owned(),
            Cell::Otherwise(status) => format!("✓ {status}"),
            Cell::SignIn => "401".to_owned(),
            Cell::Forbidden => "403".to_owned(),
            Cell::Hidden => "404".to_owned(),
            Cell::Missing => "none".to_owned(),
            Cell::Refused(status, _) => status.to_string(),
            Cell::Granted(verbs) => verbs.to_owned(),
        }
    }
}
