//! The query of a request: the parameters that its operation has, each at most once, and no others.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use utoipa::IntoParams;

use super::problem::{Code, Problem, of_field};
use super::types::Page;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// The parameters given.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Those of `parts`, when `known` lists them all.
    pub(super) fn of(parts: &Parts, known: &[&str]) -> Result<Self, Problem> {
        let mut given: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let detail = format!("There is no parameter `{name}` here; there are: {}.", known.join(", "));
                return Err(Problem::new(Code::FieldUnknown, detail).field(name.into_owned()));
            }
            if given.iter().any(|(other, _)| *other == name) {
                let detail = format!("The parameter `{name}` is given twice.");
                return Err(Problem::new(Code::Invalid, detail).field(name.into_owned()));
            }
            given.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(given))
    }

    /// One of them.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Which part of a list is wanted.
    pub(super) fn paging(&self) -> Result<Paging, Problem> {
        let limit = match self.get("limit") {
            None => LIMIT_DEFAULT,
            Some(text) => parse_limit(text).ok_or_else(|| {
                let detail = format!("The parameter `limit` must be a number from 1 to {LIMIT_MAX}.");
                Problem::new(Code::Invalid, detail).field("limit")
            })?,
        };
        Ok(Paging { after: self.get("after").filter(|after| !after.is_empty()).map(str::to_owned), limit })
    }
}

fn parse_limit(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|limit| digits && (1..=LIMIT_MAX).contains(limit))
}

/// Which part of a list is wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Where to go on: the `next` of the page before.
    pub(super) after: Option<String>,
    /// The largest number of entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: usize,
}

impl Paging {
    /// Where to go on in a list that is in the order of ids.
    pub(super) fn after_id<T: FromStr<Err = auth::Error>>(&self) -> Result<Option<T>, Problem> {
        of_field("after", self.after.as_deref().map(str::parse).transpose())
    }

    /// What to ask of a list to learn whether there is more: one beyond the page.
    pub(super) fn limit_and_one(&self) -> usize {
        self.limit + 1
    }

    /// The page of `found`, which were asked for with [`Paging::limit_and_one`]; `key` is what `after` takes.
    pub(super) fn page<T>(&self, mut found: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        let next = found.last().filter(|_| more).map(key);
        Page { items: found, next }
    }
}

impl<S: Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Parameters::of(parts, &["after", "limit"])?.paging()
    }
}
