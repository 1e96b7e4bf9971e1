//! Reading a share's end from a request. What an end means, and that it lies in the future, is `auth`'s.

use auth::{DeadlineError, ShareEnd};
use jiff::Timestamp;

use super::problem::{Code, Problem};

const MALFORMED: &str = "The deadline must be an instant with its offset from UTC, such as 2027-01-31T23:59:59Z or \
                         2027-01-31T23:59:59+01:00.";

const NONE_SUCH: &str = "There is no such instant in the calendar, or it is later than 9999-12-30T22:00:00Z; for a share \
                         without an end, give `permanent`.";

/// The end that a request states, or none if it states none.
pub(super) fn end(until: Option<&str>, permanent: Option<bool>) -> Result<Option<ShareEnd>, Problem> {
    match (until, permanent) {
        (None, None) => Ok(None),
        // What is not permanent is nothing but `until`.
        (Some(until), None | Some(false)) => Ok(Some(ShareEnd::Until(instant(until)?))),
        (None, Some(true)) => Ok(Some(ShareEnd::Permanent)),
        (Some(_), Some(true)) => {
            Err(Problem::new(Code::DeadlineAmbiguous, "Give either `until` or `permanent`, not both.")
                .field("until"))
        }
        (None, Some(false)) => Err(Problem::new(
            Code::DeadlineMissing,
            "A share that is not permanent needs a deadline: give `until`.",
        )
        .field("until")),
    }
}

/// The end of a share to be made, which must be stated.
pub(super) fn end_required(until: Option<&str>, permanent: Option<bool>) -> Result<ShareEnd, Problem> {
    end(until, permanent)?.ok_or_else(|| {
        let detail = "Say when the share ends: give `until`, or `permanent` as true.";
        Problem::new(Code::DeadlineMissing, detail).field("until")
    })
}

fn instant(text: &str) -> Result<Timestamp, Problem> {
    auth::parse_deadline(text).map_err(|error| {
        let detail = match error {
            DeadlineError::Malformed => MALFORMED,
            DeadlineError::NoSuchInstant => NONE_SUCH,
        };
        Problem::new(Code::DeadlineMalformed, detail).field("until")
    })
}

#[cfg(test)]
mod tests {
    use auth::ShareEnd;

    use super::{end, end_required};
    use crate::api::problem::Code;

    #[test]
    fn a_malformed_one_is_a_problem_of_the_field() {
        for text in ["", "tomorrow", "2027-01-31", "2027-02-29T00:00:00Z"] {
            let problem = end_required(Some(text), None).unwrap_err();
            let told = (problem.code(), problem.field_name());
            assert_eq!(told, (Code::DeadlineMalformed, Some("until")), "{text}");
        }
    }

    #[test]
    fn exactly_one_end_is_stated() {
        let until = Some("2027-01-31T23:59:59Z");
        assert_eq!(end(until, Some(true)).unwrap_err().code(), Code::DeadlineAmbiguous);
        assert!(matches!(end(until, Some(false)).unwrap(), Some(ShareEnd::Until(_))), "the same twice");
        assert_eq!(end(None, Some(false)).unwrap_err().code(), Code::DeadlineMissing);
        assert_eq!(end_required(None, None).unwrap_err().code(), Code::DeadlineMissing);
        assert!(end(None, None).unwrap().is_none());
        assert!(matches!(end(None, Some(true)).unwrap(), Some(ShareEnd::Permanent)));
    }
}
