//! What an account says of itself: the name that others are shown before they share with it, and the time zone in which
//! its people read dates and mean them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kv::Key;
use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use crate::accounts::account_event;
use crate::{AccountId, AccountName, Action, Auth, Error, EventKind, Principal, turns_direction};

/// The longest display name, in characters.
pub const DISPLAY_NAME_CHARACTERS_MAX: usize = 100;
/// The longest name of a time zone, in bytes: longer than any there is.
const TIME_ZONE_BYTES_MAX: usize = 64;

/// `Key::AccountProfile`: what an account says of itself; as good as [`Profile::default`] where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What its people call it; may be empty.
    #[serde(default)]
    pub display_name: String,
    /// Its time zone, as the IANA database has it: `Asia/Shanghai`.
    #[serde(default = "utc")]
    pub time_zone: String,
}

/// A change of it; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// What its people call it.
    pub display_name: Option<String>,
    /// Its time zone.
    pub time_zone: Option<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Default for Profile {
    fn default() -> Profile {
        Profile { display_name: String::new(), time_zone: utc() }
    }
}

/// Whether a character leaves nothing to be seen (Unicode's default ignorables and blanks, as far as they are printable).
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

impl Profile {
    fn checked(&self) -> Result<(), Error> {
        let name = &self.display_name;
        if name.chars().count() > DISPLAY_NAME_CHARACTERS_MAX
            || name.chars().any(|c| c.is_control() || turns_direction(c))
            || name.trim() != name
            || (!name.is_empty() && name.chars().all(is_unseen))
        {
            let reason = format!(
                "a display name has at most {DISPLAY_NAME_CHARACTERS_MAX} characters, none that steer, some that are seen, and no blanks at its ends"
            );
            return Err(Error::Invalid { field: "display_name", reason });
        }
        if self.zone().is_none() {
            let reason =
                "there is no such time zone; name one of the IANA database, such as Asia/Shanghai".to_owned();
            return Err(Error::Invalid { field: "time_zone", reason });
        }
        Ok(())
    }

    fn zone(&self) -> Option<TimeZone> {
        let name = self.time_zone.as_str();
        if name.len() > TIME_ZONE_BYTES_MAX || is_no_place(name) {
            return None;
        }
        TimeZone::get(name).ok()
    }
}

/// Whether a name that the system's files have is no zone of the IANA database: the machine's own, or a placeholder.
fn is_no_place(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    let is_of = |names: &[&str], name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    is_of(&["localtime", "posixrules", "Factory", "Etc/Unknown"], name)
        || is_of(&["posix", "right", "SystemV"], first)
}

impl Auth {
    /// What an account says of itself, to itself, its users and administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`], for one that the caller may not see too.
    pub async fn show_profile(&self, p: &Principal, name: &AccountName) -> Result<Profile, Error> {
        let (id, _) = self.visible_account(p, name).await?;
        self.profile(id).await
    }

    /// Changes it: the account itself does, and administrators. Also where its home is another region.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn change_profile(
        &self,
        p: &Principal,
        name: &AccountName,
        change: &ProfileChange,
        now: Timestamp,
    ) -> Result<Profile, Error> {
        self.until_done(async || {
            let (id, record) = self.managed_account(p, name).await?;
            let key = Key::AccountProfile { account: id.raw() };
            let before = self.store().get::<Profile>(key).await?;
            let (version, before) =
                before.map_or((None, Profile::default()), |before| (Some(before.version), before.value));
            let ProfileChange { display_name, time_zone } = change.clone();
            let profile = Profile {
                display_name: display_name.unwrap_or(before.display_name),
                time_zone: time_zone.unwrap_or(before.time_zone),
            };
            profile.checked()?;
            let mut tx = self.store().transaction();
            // It is gone with the account.
            tx.expect(Key::Account { account: id.raw() }, Some(record.version));
            tx.expect(key, version).put(key, &profile)?;
            account_event(&mut tx, id, EventKind::AccountProfileChanged, p, name, now)?;
            self.finish(tx, profile).await
        })
        .await
    }

    /// What an account to share `image` with says of itself, to who manages the image: asked before it is shared, so that
    /// nobody shares with another of a similar name. A name that nobody has counts as one that was shared with.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for the image; [`Error::ShareWithSelf`], [`Error::UnknownAccount`],
    /// [`Error::TooManyUnknownNames`], [`Error::Blocked`].
    pub async fn grantee_profile(
        &self,
        p: &Principal,
        image: &RepositoryName,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<Profile, Error> {
        self.until_done(async || {
            let permit = self.authorize(p, image, Action::Manage, now).await?;
            if p.account_name() == Some(name) {
                return Err(Error::ShareWithSelf);
            }
            let mut tx = self.store().transaction();
            let guesses = self.guesses(&mut tx, permit.owner(), now).await?;
            let Some(id) = self.grantee(&mut tx, guesses, &permit, name, now).await? else { return Ok(None) };
            Ok(Some(self.profile(id).await?))
        })
        .await
    }

    /// The time zone of the caller's account.
    ///
    /// # Errors
    /// As the store.
    pub async fn time_zone(&self, p: &Principal) -> Result<TimeZone, Error> {
        let profile = self.profile(p.account().ok_or(Error::Unauthenticated)?).await?;
        Ok(profile.zone().unwrap_or(TimeZone::UTC))
    }

    async fn profile(&self, id: AccountId) -> Result<Profile, Error> {
        let profile = self.store().get::<Profile>(Key::AccountProfile { account: id.raw() }).await?;
        Ok(profile.map(|profile| profile.value).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn a_time_zone_is_one_of_the_iana_database_and_no_name_of_the_machine() {
        let knows =
            |name: &str| Profile { time_zone: name.to_owned(), ..Profile::default() }.checked().is_ok();
        for name in ["UTC", "Asia/Shanghai", "America/Argentina/Ushuaia", "Etc/GMT+5", "Japan"] {
            assert!(knows(name), "{name}");
        }
        for name in [
            "",
            "localtime",
            "LocalTime",
            "posixrules",
            "Factory",
            "Etc/Unknown",
            "posix/Europe/Berlin",
            "right/Europe/Berlin",
            "Europe",
            "Nowhere/Else",
            "../localtime",
            "+08:00",
        ] {
            assert!(!knows(name), "{name}");
        }
    }
}
