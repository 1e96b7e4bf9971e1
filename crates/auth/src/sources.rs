//! Where password checks come from. One address holds few places among those that are checked at a time, so that it
//! cannot keep others from signing in; and whoever fails too often at one name from one address waits, so that guessing
//! is slow. A name itself is never locked: its owner signs in from elsewhere meanwhile.
//!
//! It is kept in this process's memory alone, and is not a firewall: many addresses together can still fill the queue.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use moka::ops::compute::Op;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::{Error, Principal, Settings};

/// The failed checks of one name from one address after which further ones wait.
const FAILURES_MAX: u32 = 10;
/// For how long such failures count, from the first on.
const FAILURES_TTL: Duration = Duration::from_secs(60);
/// The most counts that are kept. Each failure costs a hash, so that a minute of them stays far below.
const FAILURES_ENTRIES_MAX: u64 = 100_000;

/// An address that asks, and when. Of IPv6 its /64, which is what one customer gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    network: IpAddr,
    now: Timestamp,
}

impl Source {
    pub(crate) fn new(address: IpAddr, now: Timestamp) -> Source {
        let network = match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        };
        Source { network, now }
    }

    /// Where whoever is signed in asks from, if that is known.
    pub(crate) fn of(p: &Principal, now: Timestamp) -> Option<Source> {
        p.address().map(|address| Source::new(address, now))
    }
}

/// How many checks of an address are in flight; no entry stands for none.
#[derive(Debug, Clone, Default)]
struct InFlight(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    first_at: Timestamp,
}

impl Failures {
    fn ended(&self, now: Timestamp) -> bool {
        now >= self.first_at + FAILURES_TTL
    }
}

/// The bounds for each address.
pub(crate) struct Sources {
    per_address_max: usize,
    in_flight: InFlight,
    /// An address and a name's hash → what failed there. The cache's own life only frees memory: `now` decides.
    failures: Cache<(IpAddr, [u8; 32]), Failures>,
}

impl Sources {
    pub(crate) fn new(settings: &Settings) -> Sources {
        let failures = Cache::builder().max_capacity(FAILURES_ENTRIES_MAX).time_to_live(FAILURES_TTL).build();
        let per_address_max = settings.password_hashes_per_address_max.max(1);
        Sources { per_address_max, in_flight: InFlight::default(), failures }
    }

    /// Whether `name` may be tried from there at all.
    ///
    /// # Errors
    /// [`Error::Busy`] when the address has failed too often at this name within the minute.
    pub(crate) fn check(&self, source: Source, name: &str) -> Result<(), Error> {
        let failures = self.failures.get(&key(source, name)).filter(|failures| !failures.ended(source.now));
        let barred = failures.is_some_and(|failures| failures.count >= FAILURES_MAX);
        if barred { Err(Error::Busy) } else { Ok(()) }
    }

    /// A place for one check.
    ///
    /// # Errors
    /// [`Error::Busy`] when the address has no place left.
    pub(crate) fn enter(&self, source: Source) -> Result<Place, Error> {
        let mut in_flight = self.in_flight.lock();
        let held = in_flight.entry(source.network).or_default();
        if *held >= self.per_address_max {
            return Err(Error::Busy);
        }
        *held += 1;
        Ok(Place { network: source.network, in_flight: self.in_flight.clone() })
    }

    /// Notes how a check of `name` ended. Those that were in flight together with the last failure still count.
    pub(crate) fn checked(&self, source: Source, name: &str, right: bool) {
        let key = key(source, name);
        if right {
            self.failures.invalidate(&key);
            return;
        }
        self.failures.entry(key).and_compute_with(|entry| {
            let earlier = entry.map(|entry| *entry.value()).filter(|failures| !failures.ended(source.now));
            Op::Put(match earlier {
                Some(Failures { count, first_at }) => Failures { count: count.saturating_add(1), first_at },
                None => Failures { count: 1, first_at: source.now },
            })
        });
    }

    /// How many addresses have checks in flight.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.in_flight.lock().len()
    }
}

/// One check in flight, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    network: IpAddr,
    in_flight: InFlight,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut in_flight = self.in_flight.lock();
        if let Some(held) = in_flight.get_mut(&self.network) {
            *held -= 1;
            if *held == 0 {
                in_flight.remove(&self.network);
            }
        }
    }
}

fn key(source: Source, name: &str) -> (IpAddr, [u8; 32]) {
    (source.network, Sha256::digest(name.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::{Source, Sources};
    use crate::tests::{START, cheap_settings};
    use crate::{Error, Settings};

    #[test]
    fn an_address_is_counted_by_its_network() {
        let settings = Settings { password_hashes_per_address_max: 1, ..cheap_settings() };
        let source = |address: &str| Source::new(address.parse().unwrap(), START);
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let sources = Sources::new(&settings);
            let place = sources.enter(source(one)).unwrap();
            let second = sources.enter(source(other));
            assert_eq!(matches!(second, Err(Error::Busy)), same, "{one} {other}");
            drop((place, second));
            assert_eq!(sources.len(), 0);
            assert!(sources.enter(source(other)).is_ok(), "{other}");
        }
    }
}
