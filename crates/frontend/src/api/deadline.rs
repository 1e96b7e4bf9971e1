//! Reading a share's end from a request. What an end means, and that it lies in the future, is `auth`'s.

use auth::ShareEnd;
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
        (Some(until), None) => Ok(Some(ShareEnd::Until(instant(until)?))),
        (None, Some(true)) => Ok(Some(ShareEnd::Permanent)),
        (Some(_), Some(_)) => {
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
    let malformed = || Problem::new(Code::DeadlineMalformed, MALFORMED).field("until");
    if !is_rfc3339(text.as_bytes()) {
        return Err(malformed());
    }
    text.parse().map_err(|_| Problem::new(Code::DeadlineMalformed, NONE_SUCH).field("until"))
}

/// Whether `text` has exactly the shape of RFC 3339's `date-time`. jiff reads much more (a space for the `T`, no
/// minutes in the offset, a zone in brackets), and takes the second 60 for 59; what a deadline is must not be a guess.
fn is_rfc3339(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    if text.len() <= SHAPE.len() {
        return false;
    }
    let (clock, rest) = text.split_at(SHAPE.len());
    let fraction = match rest.strip_prefix(b".") {
        None => 0,
        Some(digits) => match digits.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            count @ 1..=9 => count + 1,
            _ => return false,
        },
    };
    let (_, offset) = rest.split_at(fraction);
    fits(clock, SHAPE) && &clock[17..] != b"60" && is_offset(offset)
}

fn is_offset(text: &[u8]) -> bool {
    match text {
        b"Z" | b"z" => true,
        [b'+' | b'-', hours_minutes @ ..] => {
            fits(hours_minutes, b"dd:dd") && hours_minutes < b"24".as_slice() && hours_minutes[3] < b'6'
        }
        _ => false,
    }
}

fn fits(text: &[u8], shape: &[u8]) -> bool {
    text.len() == shape.len()
        && text.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'T' => byte.eq_ignore_ascii_case(&b'T'),
            exact => byte == exact,
        })
}

#[cfg(test)]
mod tests {
    use auth::ShareEnd;

    use super::{end, end_required};
    use crate::api::problem::Code;

    #[test]
    fn instants_with_an_offset_are_read() {
        for (text, utc) in [
            ("2027-01-31T23:59:59Z", "2027-01-31T23:59:59Z"),
            ("2027-01-31t23:59:59z", "2027-01-31T23:59:59Z"),
            ("2027-01-31T23:59:59+01:00", "2027-01-31T22:59:59Z"),
            ("2027-01-31T23:59:59-11:30", "2027-02-01T11:29:59Z"),
            ("2027-01-31T23:59:59.250Z", "2027-01-31T23:59:59.25Z"),
            ("2027-01-31T23:59:59.123456789+00:00", "2027-01-31T23:59:59.123456789Z"),
            ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("9999-12-30T00:00:00Z", "9999-12-30T00:00:00Z"),
        ] {
            let read = end_required(Some(text), None).unwrap();
            assert!(matches!(read, ShareEnd::Until(at) if at == utc.parse().unwrap()), "{text}: {read:?}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            "",
            "tomorrow",
            "2027-01-31",
            "2027-01-31T23:59:59",
            "2027-01-31T23:59Z",
            "2027-01-31 23:59:59Z",
            "2027-01-31T23:59:59+01",
            "2027-01-31T23:59:59+0100",
            "2027-01-31T23:59:59+24:00",
            "2027-01-31T23:59:59+01:60",
            "2027-01-31T23:59:59Z[UTC]",
            "2027-01-31T23:59:59+01:00[Europe/Zurich]",
            "2027-01-31T23:59:59 Z",
            "2027-01-31T23:59:59Z ",
            " 2027-01-31T23:59:59Z",
            "2027-01-31T23:59:59.Z",
            "2027-01-31T23:59:59,5Z",
            "2027-01-31T23:59:59.1234567890Z",
            "2016-12-31T23:59:60Z",
            "2027-06-30T23:59:61Z",
            "2027-01-31T24:00:00Z",
            "2027-02-29T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-00-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "+012027-01-31T23:59:59Z",
            "-2027-01-31T23:59:59Z",
            "9999-12-31T23:59:59-23:59",
            "２０２７-01-31T23:59:59Z",
            "2027-01-31T23:59:5é",
            "1801353599",
        ] {
            let problem = end_required(Some(text), None).unwrap_err();
            assert_eq!(
                (problem.code(), problem.field_name()),
                (Code::DeadlineMalformed, Some("until")),
                "{text}"
            );
        }
    }

    #[test]
    fn exactly_one_end_is_stated() {
        let until = Some("2027-01-31T23:59:59Z");
        for permanent in [true, false] {
            assert_eq!(end(until, Some(permanent)).unwrap_err().code(), Code::DeadlineAmbiguous);
        }
        assert_eq!(end(None, Some(false)).unwrap_err().code(), Code::DeadlineMissing);
        assert_eq!(end_required(None, None).unwrap_err().code(), Code::DeadlineMissing);
        assert!(end(None, None).unwrap().is_none());
        assert!(matches!(end(None, Some(true)).unwrap(), Some(ShareEnd::Permanent)));
    }
}
