//! How a delivery failed: the one place that writes it, in English, and the one that reads it again. What the system or a
//! library says of a cause is passed on as it is.

use std::fmt;

/// Why a receiver did not take a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryFailure {
    /// It answered with a status that is no success.
    Answered {
        /// The status and its phrase.
        status: String,
        /// It leads elsewhere, where nobody follows.
        redirect: bool,
    },
    /// Its name leads nowhere, or to no permitted address: one text for both, or an account learned by its webhooks which
    /// names there are in the operator's network.
    NotPermitted,
    /// It did not answer in time.
    TimedOut,
    /// It was not reached.
    Unreached {
        /// Why, as who tried has it.
        cause: String,
    },
}

const NOT_PERMITTED: &str = "it leads to no address, or to one that this registry does not send to";
const TIMED_OUT: &str = "no answer in time";
const REDIRECT: &str = "; redirects are not followed";

impl DeliveryFailure {
    /// What a record, or an attempt, says.
    #[must_use]
    pub fn read(text: &str) -> DeliveryFailure {
        let (status, redirect) = match text.strip_suffix(REDIRECT) {
            Some(status) => (status, true),
            None => (text, false),
        };
        let code = status.split(' ').next().unwrap_or_default();
        match text {
            NOT_PERMITTED => DeliveryFailure::NotPermitted,
            TIMED_OUT => DeliveryFailure::TimedOut,
            _ if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
                DeliveryFailure::Answered { status: status.to_owned(), redirect }
            }
            _ => DeliveryFailure::Unreached { cause: text.to_owned() },
        }
    }
}

impl fmt::Display for DeliveryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeliveryFailure::Answered { status, redirect: true } => write!(f, "{status}{REDIRECT}"),
            DeliveryFailure::Answered { status, redirect: false } => f.write_str(status),
            DeliveryFailure::NotPermitted => f.write_str(NOT_PERMITTED),
            DeliveryFailure::TimedOut => f.write_str(TIMED_OUT),
            DeliveryFailure::Unreached { cause } => f.write_str(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DeliveryFailure;

    #[test]
    fn a_failure_that_is_written_is_read_again_those_of_before_too() {
        let answered =
            |status: &str, redirect| DeliveryFailure::Answered { status: status.to_owned(), redirect };
        for (text, failure) in [
            ("410 Gone", answered("410 Gone", false)),
            ("302 Found; redirects are not followed", answered("302 Found", true)),
            ("599", answered("599", false)),
            ("no answer in time", DeliveryFailure::TimedOut),
            (
                "it leads to no address, or to one that this registry does not send to",
                DeliveryFailure::NotPermitted,
            ),
            (
                "Connection refused (os error 111)",
                DeliveryFailure::Unreached { cause: "Connection refused (os error 111)".to_owned() },
            ),
        ] {
            assert_eq!(DeliveryFailure::read(text), failure);
            assert_eq!(failure.to_string(), text);
        }
    }
}
