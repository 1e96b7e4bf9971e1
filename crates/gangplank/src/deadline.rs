//! When a share ends, as it is typed.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// `--until TIME` or `--permanent`.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Deadline {
    /// When it ends: RFC 3339 with an offset, such as 2027-01-31T23:59:59Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<Timestamp>,
    /// Without an end
    #[arg(long, conflicts_with = "until")]
    pub(crate) permanent: bool,
}

/// An instant. What has no offset is refused here: it would be another instant in another place.
fn instant(text: &str) -> Result<Timestamp, String> {
    let example = "such as 2027-01-31T23:59:59Z";
    // The grammar also knows `[Europe/Berlin]`, which RFC 3339 does not.
    if !text.contains('[') {
        match text.parse::<Timestamp>() {
            Ok(instant) => return Ok(instant),
            Err(_) if text.parse::<DateTime>().is_ok() && text.contains([':', 'T', 't']) => {
                return Err(format!("{text} has no offset: add Z for UTC, or one such as +01:00"));
            }
            Err(_) if text.parse::<Date>().is_ok() => {
                return Err(format!(
                    "{text} is a day, and a deadline is an instant with an offset, {example}"
                ));
            }
            Err(_) => {}
        }
    }
    Err(format!(
        "{text:?} is no instant of RFC 3339 with an offset, or later than 9999-12-30T22:00:00Z; {example}"
    ))
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn an_offset_is_required() {
        for (text, utc) in [
            ("2027-01-31T23:59:59Z", "2027-01-31T23:59:59Z"),
            ("2027-01-31T23:59:59+01:00", "2027-01-31T22:59:59Z"),
            ("2027-01-31 23:59:59-05:30", "2027-02-01T05:29:59Z"),
            ("2027-01-31T23:59:59.5Z", "2027-01-31T23:59:59.5Z"),
        ] {
            assert_eq!(instant(text).map(|instant| instant.to_string()).as_deref(), Ok(utc), "{text}");
        }
        for (text, says) in [
            ("2027-01-31T23:59:59", "no offset"),
            ("2027-01-31", "is a day"),
            ("2027-02-30T00:00:00Z", "no instant"),
            ("2027-01-31T25:00:00Z", "no instant"),
            ("2027-01-31T23:59:59+01:00[Europe/Berlin]", "no instant"),
            ("tomorrow", "no instant"),
            ("1800000000", "no instant"),
            ("", "no instant"),
        ] {
            assert!(instant(text).is_err_and(|reason| reason.contains(says)), "{text}");
        }
    }
}
