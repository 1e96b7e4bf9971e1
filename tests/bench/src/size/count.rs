//! What is in a data folder, as the server lists it.

use serde_json::Value;

use crate::connection::Connection;
use crate::door::{Door, expect};
use crate::systems::{Running, basic};

/// Accounts that own images, as the loader makes them.
pub(crate) const OWNERS: u64 = 100;
/// The repository with many tags; its owner is the first one.
pub(crate) const MANY_TAGS: &str = "owner-00/tags";
/// What comes before all of its tags, and behind those that works push there.
const BEFORE_TAGS: &str = "u";
/// The most entries of a page.
const PAGE: u64 = 1000;

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Images of each owner, beside the one with many tags.
    images: Vec<u64>,
    /// Tags of that one.
    pub(crate) tags: u64,
    /// The ids of the shares that the first owner made, in their order.
    pub(crate) shares_by: Vec<u64>,
    /// Of those that were made with it.
    pub(crate) shares_with: Vec<u64>,
}

impl Counted {
    /// Counts.
    pub(crate) async fn of(running: &Running) -> Result<Counted, String> {
        let mut connection = Connection::open(running.address).await?;
        let mut images = Vec::new();
        for number in 0..OWNERS {
            let count = images_of(running, &mut connection, number).await?;
            if count == 0 {
                return Err(format!(
                    "{} has no images: the folder is not as the loader fills it",
                    owner(number)
                ));
            }
            images.push(count);
        }
        let tags = tags(running, &mut connection).await?;
        let shares_by = shares(running, &mut connection, "by_me").await?;
        let shares_with = shares(running, &mut connection, "with_me").await?;
        if tags == 0 || shares_by.is_empty() || shares_with.is_empty() {
            return Err(
                "there are no tags, or no shares: the folder is not as the loader fills it".to_owned()
            );
        }
        Ok(Counted { images, tags, shares_by, shares_with })
    }

    /// Images of all.
    pub(crate) fn images(&self) -> u64 {
        self.images.iter().sum()
    }

    /// Images of an owner.
    pub(crate) fn images_of(&self, owner: u64) -> u64 {
        self.images[usize::try_from(owner % OWNERS).unwrap_or(0)]
    }

    /// `count` images of all, far from each other: of each, the number of its owner, and which of its images it is. As many
    /// of each owner, as far as they have them.
    pub(crate) fn spread(&self, count: u64) -> Vec<(u64, u64)> {
        let each = count.div_ceil(OWNERS);
        let of = |owner: u64| {
            let all = self.images_of(owner);
            let wanted = each.min(all);
            (0..wanted).map(move |number| (owner, number * all / wanted))
        };
        (0..OWNERS).flat_map(of).collect()
    }

    /// A name among others.
    pub(crate) fn name(&self) -> String {
        format!("with {} repositories", grouped(self.images()))
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        let (images, tags) = (grouped(self.images()), grouped(self.tags));
        format!("{images} repositories, and one with {tags} tags")
    }
}

/// The name of an owner, and of its namespace.
pub(crate) fn owner(number: u64) -> String {
    format!("owner-{:02}", number % OWNERS)
}

/// An account's password.
pub(crate) fn password(account: &str) -> String {
    format!("the password of {account}")
}

/// The name of one of an owner's images.
pub(crate) fn image(owner: u64, number: u64) -> String {
    format!("{}/image-{number:05}", self::owner(owner))
}

/// A tag, by its number.
pub(crate) fn tag(number: u64) -> String {
    format!("v{number:07}")
}

/// What a page begins after whose first tag has this number.
pub(crate) fn before_tag(number: u64) -> String {
    number.checked_sub(1).map_or(BEFORE_TAGS.to_owned(), tag)
}

/// How an account signs in with each request.
pub(crate) fn signed_in(running: &Running, account: &str, repository: &str) -> Door {
    Door::new(running.address, repository, Some(basic(account, &password(account))))
}

/// `1,000,000`
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

async fn images_of(running: &Running, connection: &mut Connection, number: u64) -> Result<u64, String> {
    let owner = owner(number);
    let door = signed_in(running, &owner, "");
    let begins = format!("\"{owner}/image-");
    // Behind this its images follow upon each other.
    let (mut count, mut after) = (0, format!("{owner}/image-"));
    // Ends: each page begins behind the one before, and the last one is not full of images of the owner.
    loop {
        let request = door.request("GET", &format!("/v2/_catalog?n={PAGE}&last={after}"), None);
        let answer = expect(connection.ask_for(&request).await?, &request, 200)?;
        let found = String::from_utf8_lossy(&answer.body).matches(&begins).count() as u64;
        count += found;
        if found < PAGE {
            return Ok(count);
        }
        after = image(number, count - 1);
    }
}

async fn tags(running: &Running, connection: &mut Connection) -> Result<u64, String> {
    let door = signed_in(running, &owner(0), MANY_TAGS);
    let mut count = 0;
    // Ends as well: behind the first of these tags there are no others.
    loop {
        let request = door.tags_after(PAGE, &before_tag(count));
        let answer = expect(connection.ask_for(&request).await?, &request, 200)?;
        let found = String::from_utf8_lossy(&answer.body).matches("\"v").count() as u64;
        count += found;
        if found < PAGE {
            return Ok(count);
        }
    }
}

async fn shares(running: &Running, connection: &mut Connection, direction: &str) -> Result<Vec<u64>, String> {
    let door = signed_in(running, &owner(0), "");
    let mut ids = Vec::new();
    // Ends with the list, which only grows by what others make.
    loop {
        let after = ids.last().map_or(String::new(), |id| format!("&after={id}"));
        let target = format!("/api/v1/shares?direction={direction}&limit={PAGE}{after}");
        let request = door.request("GET", &target, None);
        let answer = expect(connection.ask_for(&request).await?, &request, 200)?;
        let page: Value =
            serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
        let items = page.get("items").and_then(Value::as_array).ok_or("a list without items")?;
        ids.extend(items.iter().filter_map(|item| item.get("id").and_then(Value::as_u64)));
        if page.get("next").is_none_or(Value::is_null) {
            return Ok(ids);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, OWNERS, before_tag, grouped};

    #[test]
    fn a_number_is_grouped_by_thousands() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn before_the_first_tag_is_what_comes_before_all() {
        assert_eq!((before_tag(0).as_str(), before_tag(8).as_str()), ("u", "v0000007"));
    }

    #[test]
    fn images_are_taken_from_all_over() {
        let counted = |each| Counted {
            images: vec![each; OWNERS as usize],
            tags: 0,
            shares_by: Vec::new(),
            shares_with: Vec::new(),
        };
        let spread = counted(10_000).spread(1000);
        assert_eq!((spread.len(), spread[0], spread[9], spread[999]), (1000, (0, 0), (0, 9000), (99, 9000)));
        assert_eq!(counted(10).spread(1000).len(), 1000);
        assert_eq!(counted(5).spread(1000).len(), 500, "no more than there are");
    }
}
