//! A clock that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use frontend::Clock;
use jiff::{SignedDuration, Timestamp};

/// Stands still until it is told otherwise. Clones show the same time.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// A clock that stands at `start`, to the millisecond.
    #[must_use]
    pub fn at(start: Timestamp) -> TestClock {
        TestClock(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// Moves it on by `seconds`.
    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Moves it to `instant`.
    pub fn set(&self, instant: Timestamp) {
        self.0.store(instant.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).expect("a test's time is a time")
    }
}

/// The real time in so many seconds, whole: a deadline for a server that runs by the real clock.
#[must_use]
pub fn in_seconds(seconds: i64) -> Timestamp {
    let then = gangplank::SystemClock.now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(then.as_second()).expect("a second is a time")
}
