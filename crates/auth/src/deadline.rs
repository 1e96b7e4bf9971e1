//! A deadline as people and programs write it: an instant of RFC 3339, with its offset.

use jiff::Timestamp;

/// Why a text is no deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// It is no instant of RFC 3339 with an offset: without one it would be another instant in another place.
    #[error(
        "not an instant with its offset from UTC, such as 2027-01-31T23:59:59Z or 2027-01-31T23:59:59+01:00"
    )]
    Malformed,
    /// There is no such instant in the calendar, or it is later than can be kept.
    #[error("there is no such instant in the calendar, or it is later than 9999-12-30T22:00:00Z")]
    NoSuchInstant,
}

/// Reads an instant. Whether it lies in the future is another question.
///
/// # Errors
/// [`DeadlineError`].
pub fn parse_deadline(text: &str) -> Result<Timestamp, DeadlineError> {
    if !is_rfc3339(text.as_bytes()) {
        return Err(DeadlineError::Malformed);
    }
    text.parse().map_err(|_| DeadlineError::NoSuchInstant)
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
    use super::{DeadlineError, parse_deadline};

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
            assert_eq!(parse_deadline(text), Ok(utc.parse().unwrap()), "{text}");
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
            assert!(parse_deadline(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_has_the_shape_and_is_no_instant_is_told_apart() {
        for (text, error) in [
            ("2027-02-29T00:00:00Z", DeadlineError::NoSuchInstant),
            ("9999-12-31T23:59:59-23:59", DeadlineError::NoSuchInstant),
            ("2027-01-31T23:59:59", DeadlineError::Malformed),
        ] {
            assert_eq!(parse_deadline(text), Err(error), "{text}");
        }
    }
}
