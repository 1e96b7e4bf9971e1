//! Pages of lists, from the middle of each: how long one client waits for the first byte.

use serde_json::json;

use crate::connection::{Connection, Request};
use crate::crowd::{Crowd, Expected, Until};
use crate::door::{MANIFEST, expect};
use crate::gauge::Gauge;
use crate::random::{Body, digest_of};
use crate::result::Sample;
use crate::scale::Scale;
use crate::stock::INDEX;
use crate::systems::Running;
use crate::works::{Measured, Trouble, sample};

use super::count::{Counted, MANY_TAGS, before_tag, image, owner, signed_in, tag};
use super::loaded::Loaded;

/// Who lists images: not the first owner, so that what is shared with it comes before what it owns.
const WHO_LISTS: u64 = 1;

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tags,
    /// What an account may pull: what is shared with it, and its own.
    Catalog,
    /// Its own, of the management API.
    Repositories,
    SharesBy,
    SharesWith,
}

/// How many of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// As many as are there in any case, so that answers are of one length.
    Common,
    /// As many as a page may have, of who has so many.
    Most,
}

impl Length {
    pub(crate) const ALL: [Length; 2] = [Length::Common, Length::Most];
}

impl List {
    pub(crate) const ALL: [List; 5] =
        [List::Tags, List::Catalog, List::Repositories, List::SharesBy, List::SharesWith];

    pub(crate) fn id(self) -> &'static str {
        match self {
            List::Tags => "tags",
            List::Catalog => "catalog",
            List::Repositories => "repositories",
            List::SharesBy => "shares-by",
            List::SharesWith => "shares-with",
        }
    }

    /// What a page of so many entries is called.
    pub(crate) fn page(self, entries: &str) -> String {
        let list = match self {
            List::Tags => "tags",
            List::Catalog => "catalog",
            List::Repositories => "repositories (API)",
            List::SharesBy => "shares made (API)",
            List::SharesWith => "shares received (API)",
        };
        format!("{list}, {entries}, first byte")
    }

    /// How many entries there are.
    pub(crate) fn entries(self, counted: &Counted) -> u64 {
        match self {
            List::Tags => counted.tags,
            List::Catalog => counted.images_of(WHO_LISTS - 1) + counted.images_of(WHO_LISTS),
            List::Repositories => counted.images_of(WHO_LISTS),
            List::SharesBy => counted.shares_by.len() as u64,
            List::SharesWith => counted.shares_with.len() as u64,
        }
    }

    /// What each entry has once, and nothing else.
    fn entry(self) -> &'static str {
        match self {
            List::Tags => "\"v",
            List::Catalog => "\"owner-",
            List::Repositories => "\"visibility\"",
            List::SharesBy | List::SharesWith => "\"owner_sees_pulls\"",
        }
    }

    /// The request for `length` entries from this one on.
    fn request(self, running: &Running, counted: &Counted, from: u64, length: u64) -> Request {
        let images = |name: &str| format!("{name}={}", image_before(counted, from));
        let (who, repository, target) = match self {
            List::Tags => (0, MANY_TAGS, String::new()),
            List::Catalog => (WHO_LISTS, "", format!("/v2/_catalog?n={length}&{}", images("last"))),
            List::Repositories => {
                let own = before(from).map_or(String::new(), |last| image(WHO_LISTS, last));
                (WHO_LISTS, "", format!("/api/v1/repositories?limit={length}&after={own}"))
            }
            List::SharesBy => (0, "", shares("by_me", &counted.shares_by, from, length)),
            List::SharesWith => (0, "", shares("with_me", &counted.shares_with, from, length)),
        };
        let door = signed_in(running, &owner(who), repository);
        match self {
            List::Tags => door.tags_after(length, &before_tag(from)),
            _ => door.request("GET", &target, None),
        }
    }
}

/// Where a page of `length` entries of a list of `all` begins, to be in the middle, or as far there as can be.
fn middle(all: u64, length: u64) -> u64 {
    (all / 2).min(all.saturating_sub(length))
}

fn before(entry: u64) -> Option<u64> {
    entry.checked_sub(1)
}

/// The image before an entry of the catalog.
fn image_before(counted: &Counted, entry: u64) -> String {
    let shared = counted.images_of(WHO_LISTS - 1);
    match before(entry) {
        None => String::new(),
        Some(last) if last < shared => image(WHO_LISTS - 1, last),
        Some(last) => image(WHO_LISTS, last - shared),
    }
}

fn shares(direction: &str, ids: &[u64], from: u64, length: u64) -> String {
    let last = before(from).and_then(|last| ids.get(usize::try_from(last).ok()?));
    let after = last.map_or(String::new(), |id| format!("&after={id}"));
    format!("/api/v1/shares?direction={direction}&limit={length}{after}")
}

/// A page of this many entries.
pub(crate) async fn list(loaded: &mut Loaded, scale: &Scale, list: List, length: u64) -> Measured {
    let all = list.entries(&loaded.counted);
    if all < length {
        return Err(Trouble::Absent(format!("it has {all}")));
    }
    let counted = loaded.counted.clone();
    let running = loaded.running().await?;
    let request = list.request(running, &counted, middle(all, length), length);
    first_byte(running, scale, request, (list.entry(), length)).await
}

/// Referrers of a manifest of the image with many tags. They are pushed the first time, and are the same ones each time.
pub(crate) async fn referrers(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let subject = match loaded.subject.clone() {
        Some(subject) => subject,
        None => {
            let subject = push_referrers(loaded.running().await?, scale.referrers).await?;
            loaded.subject.insert(subject).clone()
        }
    };
    let running = loaded.running().await?;
    let request = signed_in(running, &owner(0), MANY_TAGS).referrers(&subject);
    first_byte(running, scale, request, ("\"digest\"", scale.referrers)).await
}

async fn push_referrers(running: &Running, count: u64) -> Result<String, String> {
    let door = signed_in(running, &owner(0), MANY_TAGS);
    let mut connection = Connection::open(running.address).await?;
    let request = door.manifest("GET", &tag(0));
    let answer = expect(connection.ask_for(&request).await?, &request, 200)?;
    let (digest, bytes) = (digest_of(&answer.body), answer.body.len());
    for number in 0..count {
        let referrer = json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "artifactType": "application/vnd.example.note",
            "subject": { "mediaType": MANIFEST, "digest": digest, "size": bytes },
            "annotations": { "number": number.to_string() },
        });
        let referrer = Body::of(referrer.to_string());
        let put = door.put_manifest(&referrer.digest.clone(), INDEX, referrer);
        expect(connection.ask(&put).await?, &put, 201)?;
    }
    Ok(digest)
}

/// Asks once, sees whether the answer has as many entries as it should, and then asks for a while.
async fn first_byte(
    running: &Running,
    scale: &Scale,
    request: Request,
    (entry, wanted): (&str, u64),
) -> Measured {
    let answer = Connection::open(running.address).await?.ask_for(&request).await?;
    let found = String::from_utf8_lossy(&answer.body).matches(entry).count() as u64;
    if answer.status != 200 || found != wanted {
        let line = &request.line;
        return Err(format!("{line}: answered {} with {found} of {wanted} entries", answer.status).into());
    }
    // How often a share was used is told with it, and grows: answers differ in length.
    let expected = Expected { status: 200, bytes: None };
    let mut crowd = Crowd::open(running.address, 1, request, expected).await?;
    let gauge = Gauge::begin(running.pid());
    let mut tally = crowd.run(Until::Passed(scale.counting)).await?;
    let used = gauge.end()?;
    let pair = tally.first_byte_millis().ok_or("no answers")?;
    let sample = sample(pair[0], tally.seconds, tally.requests as f64 / 1000.0, used);
    Ok(Sample { first_byte_millis: Some(pair), ..sample })
}

#[cfg(test)]
mod tests {
    use super::{middle, shares};

    #[test]
    fn a_page_is_in_the_middle_or_as_far_there_as_it_can_be() {
        for (all, length, from) in [(1_000_000, 1000, 500_000), (1000, 1000, 0), (20, 15, 5), (20, 10, 10)] {
            assert_eq!(middle(all, length), from, "{length} of {all}");
        }
    }

    #[test]
    fn a_page_of_shares_begins_behind_the_one_before() {
        let ids = [7, 8, 9];
        assert_eq!(shares("by_me", &ids, 0, 3), "/api/v1/shares?direction=by_me&limit=3");
        assert_eq!(shares("by_me", &ids, 2, 1), "/api/v1/shares?direction=by_me&limit=1&after=8");
    }
}
