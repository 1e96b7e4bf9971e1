//! When a share ends, as it is typed.

use jiff::Timestamp;

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

/// An instant, as it is typed.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    auth::parse_deadline(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn what_is_refused_says_how_it_is_written() {
        assert!(instant("2027-01-31T23:59:59+01:00").is_ok());
        for text in ["2027-01-31T23:59:59", "2027-01-31", "tomorrow", ""] {
            assert!(
                instant(text).is_err_and(|reason| reason.contains("such as 2027-01-31T23:59:59Z")),
                "{text}"
            );
        }
    }
}
