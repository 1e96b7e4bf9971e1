//! The system's clock. Everything below the edge is told the time.

use frontend::Clock;
use jiff::Timestamp;

/// The clock of the machine: UTC, as the system keeps it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the edge: the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
