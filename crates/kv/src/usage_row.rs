//! What was used under a share: the fields of [`crate::Key::ShareUsage`] after the share, and what is counted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Id;

/// What is counted under a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Manifests asked for with GET.
    Pulls,
    /// Bytes of manifests and blobs that were sent.
    Bytes,
}

/// Where a share was used from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsedFrom {
    /// It is not known: a proxy did not tell.
    Unknown,
    /// This address.
    Address(IpAddr),
    /// Further addresses of the day, beyond those that are counted apart.
    Others,
}

/// A counter of a share: what was used on one day by one user from one address, as one node counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsageRow {
    /// The day in UTC, counted from 1970-01-01.
    pub day: u32,
    /// The user; [`Id::MIN`]: the account itself.
    pub user: Id,
    /// Where from.
    pub from: UsedFrom,
    /// The node that counted.
    pub node: Id,
    /// What is counted.
    pub which: Use,
}

const DAY: usize = 4;
const ID: usize = 8;
const FROM: usize = 17;

/// A row's length in a key, in bytes.
pub(crate) const USAGE_ROW_BYTES: usize = DAY + ID + FROM + ID + 1;

impl Use {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Use::Pulls => 1,
            Use::Bytes => 2,
        }
    }

    fn of_byte(byte: u8) -> Option<Use> {
        match byte {
            1 => Some(Use::Pulls),
            2 => Some(Use::Bytes),
            _ => None,
        }
    }
}

impl UsedFrom {
    /// The address that a request came from, if it is known; an IPv4 one in IPv6's clothes as what it is.
    #[must_use]
    pub fn address(address: Option<IpAddr>) -> UsedFrom {
        address.map_or(UsedFrom::Unknown, |address| UsedFrom::Address(address.to_canonical()))
    }

    /// A byte for the kind, then the address, padded to the longest.
    fn bytes(self) -> [u8; FROM] {
        let mut bytes = [0; FROM];
        match self {
            UsedFrom::Unknown => {}
            UsedFrom::Address(IpAddr::V4(address)) => {
                bytes[0] = 4;
                bytes[1..5].copy_from_slice(&address.octets());
            }
            UsedFrom::Address(IpAddr::V6(address)) => {
                bytes[0] = 6;
                bytes[1..].copy_from_slice(&address.octets());
            }
            UsedFrom::Others => bytes[0] = u8::MAX,
        }
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Option<UsedFrom> {
        let (kind, address) = bytes.split_first()?;
        let address: [u8; FROM - 1] = address.try_into().ok()?;
        let [a, b, c, d, ..] = address;
        match kind {
            0 => Some(UsedFrom::Unknown),
            4 => Some(UsedFrom::Address(Ipv4Addr::new(a, b, c, d).into())),
            6 => Some(UsedFrom::Address(Ipv6Addr::from(address).into())),
            &u8::MAX => Some(UsedFrom::Others),
            _ => None,
        }
    }
}

impl UsageRow {
    /// The least row of a day: where its rows begin.
    #[must_use]
    pub fn first_of(day: u32) -> UsageRow {
        UsageRow { day, user: Id::MIN, from: UsedFrom::Unknown, node: Id::MIN, which: Use::Pulls }
    }

    /// As text, for a caller to give back.
    #[must_use]
    pub fn to_text(self) -> String {
        self.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The row that a text stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<UsageRow> {
        let mut bytes = [0; USAGE_ROW_BYTES];
        if text.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let [high, low] = digits else { return None };
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
        }
        UsageRow::from_tail(&bytes)
    }

    pub(crate) fn to_bytes(self) -> [u8; USAGE_ROW_BYTES] {
        let mut bytes = [0; USAGE_ROW_BYTES];
        let (day, rest) = bytes.split_at_mut(DAY);
        let (user, rest) = rest.split_at_mut(ID);
        let (from, rest) = rest.split_at_mut(FROM);
        let (node, which) = rest.split_at_mut(ID);
        day.copy_from_slice(&self.day.to_be_bytes());
        user.copy_from_slice(&self.user.get().to_be_bytes());
        from.copy_from_slice(&self.from.bytes());
        node.copy_from_slice(&self.node.get().to_be_bytes());
        which[0] = self.which.byte();
        bytes
    }

    /// The row in the tail of a [`crate::Key::ShareUsage`].
    #[must_use]
    pub fn from_tail(tail: &[u8]) -> Option<UsageRow> {
        let (day, rest) = tail.split_at_checked(DAY)?;
        let (user, rest) = rest.split_at_checked(ID)?;
        let (from, rest) = rest.split_at_checked(FROM)?;
        let (node, which) = rest.split_at_checked(ID)?;
        let [which] = which else { return None };
        Some(UsageRow {
            day: u32::from_be_bytes(day.try_into().ok()?),
            user: Id::from_tail(user)?,
            from: UsedFrom::of_bytes(from)?,
            node: Id::from_tail(node)?,
            which: Use::of_byte(*which)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{UsageRow, Use, UsedFrom};
    use crate::Id;

    #[test]
    fn a_row_comes_back_from_its_bytes() {
        let id = |raw| Id::new(raw).unwrap();
        let addresses = ["192.0.2.1", "255.255.255.255", "2001:db8::1", "::1"];
        let known = addresses.map(|address| UsedFrom::Address(address.parse().unwrap()));
        for from in [UsedFrom::Unknown, UsedFrom::Others].into_iter().chain(known) {
            for which in [Use::Pulls, Use::Bytes] {
                let row = UsageRow { day: 20_000, user: id(7), from, node: id(9), which };
                assert_eq!(UsageRow::from_tail(&row.to_bytes()), Some(row));
                assert_eq!(UsageRow::parse(&row.to_text()), Some(row));
                assert!(row.to_bytes() >= UsageRow::first_of(20_000).to_bytes());
                assert!(row.to_bytes() < UsageRow::first_of(20_001).to_bytes());
            }
        }
        for bad in ["", "0", &"é".repeat(38), &"f".repeat(76), &"+1".repeat(38)] {
            assert_eq!(UsageRow::parse(bad), None, "{bad}");
        }
        let row = UsageRow::first_of(1).to_bytes();
        assert_eq!(UsageRow::from_tail(&row[1..]), None);
        assert_eq!(UsageRow::from_tail(&[row.as_slice(), &[0]].concat()), None);
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        let plain = UsedFrom::address(Some("192.0.2.1".parse().unwrap()));
        assert_eq!(UsedFrom::address(Some("::ffff:192.0.2.1".parse().unwrap())), plain);
        assert_eq!(UsedFrom::address(None), UsedFrom::Unknown);
    }
}
