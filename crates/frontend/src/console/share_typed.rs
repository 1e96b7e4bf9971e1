//! What is typed in the dialog in which images are shared, and what is meant by it.

use std::time::Duration;

use auth::{AccountName, Description, NewShare, Share, ShareEnd, ShareTags};
use jiff::civil::Date;
use maud::{Markup, html};

use super::page::end_of;
use super::problem::Wrong;
use super::text::fill;
use super::visitor::{Form, Query, Visitor, parameter};

const DAY_SECONDS: u64 = 24 * 60 * 60;
/// How the names of fields begin that say what a form showed.
const SHOWN: &str = "shown_";
/// The last day that ends in every time zone before instants do.
const LAST_DAY: Date = Date::constant(9999, 12, 29);

/// What was typed, kept as it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) account: String,
    pub(super) deadline: String,
    pub(super) permanent: bool,
    pub(super) description: String,
    pub(super) tags: String,
    /// Days.
    pub(super) notice: String,
}

/// What was meant.
pub(super) struct Meant {
    pub(super) account: AccountName,
    pub(super) end: ShareEnd,
    pub(super) description: Description,
    pub(super) tags: ShareTags,
    notice_before: Option<Duration>,
}

impl Typed {
    pub(super) fn of(form: &Form) -> Typed {
        Typed::read(&form.0)
    }

    /// The same of an address.
    pub(super) fn read(sent: &Query) -> Typed {
        Typed::named(sent, "")
    }

    /// What the fields held when the form was shown first, as it says.
    pub(super) fn as_shown(sent: &Query) -> Typed {
        Typed::named(sent, SHOWN)
    }

    /// Of fields whose names begin so.
    fn named(sent: &Query, prefix: &str) -> Typed {
        let text = |name| sent.get(&format!("{prefix}{name}")).unwrap_or_default();
        Typed {
            account: text("account").trim().to_owned(),
            deadline: text("deadline").trim().to_owned(),
            permanent: !text("permanent").is_empty(),
            description: text("description").replace("\r\n", "\n"),
            tags: text("tags").trim().to_owned(),
            notice: text("notice").trim().to_owned(),
        }
    }

    /// What a share is now, to be changed.
    pub(super) fn of_share(visitor: &Visitor, share: &Share) -> Typed {
        // The day whose end is the deadline, or in which it lies.
        let day = |at: jiff::Timestamp| {
            let before = at.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(at);
            before.to_zoned_datetime(visitor.zone.clone()).date().to_string()
        };
        let patterns = share
            .tags
            .patterns()
            .map(|patterns| patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        Typed {
            account: share.grantee.to_string(),
            deadline: share.deadline.map(day).unwrap_or_default(),
            permanent: share.deadline.is_none(),
            description: share.description.to_string(),
            tags: patterns.unwrap_or_default(),
            notice: if share.deadline.is_some() { days(share.notice_before_seconds) } else { String::new() },
        }
    }

    pub(super) fn end(&self, visitor: &Visitor) -> Result<ShareEnd, Wrong> {
        let t = visitor.t;
        match (self.permanent, self.deadline.as_str()) {
            (true, "") => Ok(ShareEnd::Permanent),
            (true, _) => Err(Wrong::of("deadline", t.deadline_both)),
            (false, "") => Err(Wrong::of("deadline", t.deadline_none)),
            (false, date) => {
                let date: Option<Date> = date.parse().ok().filter(|_| date.len() == 10);
                let date = date.ok_or_else(|| Wrong::of("deadline", t.deadline_unreadable))?;
                let late = || Wrong::of("deadline", fill(t.deadline_late, &[("max", &LAST_DAY)]));
                let end = end_of(date, &visitor.zone).filter(|_| date <= LAST_DAY).ok_or_else(late)?;
                if end <= visitor.now {
                    return Err(Wrong::of("deadline", t.deadline_past));
                }
                Ok(ShareEnd::Until(end))
            }
        }
    }

    pub(super) fn tags(&self, visitor: &Visitor) -> Result<ShareTags, Wrong> {
        let patterns: Vec<_> = self
            .tags
            .split([',', ' ', '\n', '\t', '，', '、'])
            .map(str::trim)
            .filter(|pattern| !pattern.is_empty())
            .collect();
        if patterns.is_empty() {
            return Ok(ShareTags::All);
        }
        let parsed = auth::TagPatterns::parse(&patterns);
        parsed.map(ShareTags::Matching).map_err(|error| match error {
            auth::Error::Limit { max, .. } => Wrong::of("tags", fill(visitor.t.tags_many, &[("max", &max)])),
            _ => Wrong::of("tags", visitor.t.tags_wrong),
        })
    }

    /// How long before the deadline it is told; `None`: as the registry is set.
    pub(super) fn notice_before(&self, visitor: &Visitor) -> Result<Option<Duration>, Wrong> {
        if self.notice.is_empty() {
            return Ok(None);
        }
        let days: Option<u64> = self.notice.parse().ok().filter(|days| *days == 0 || !self.permanent);
        let seconds = days.and_then(|days| days.checked_mul(DAY_SECONDS));
        seconds
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .ok_or_else(|| Wrong::of("notice", visitor.t.notice_wrong))
    }

    pub(super) fn description(&self, visitor: &Visitor) -> Result<Description, Wrong> {
        Description::parse(&self.description)
            .map_err(|_| Wrong::of("description", visitor.t.description_wrong))
    }

    fn account(&self, visitor: &Visitor) -> Result<AccountName, Wrong> {
        let t = visitor.t;
        if self.account.is_empty() {
            return Err(Wrong::of("account", t.required));
        }
        AccountName::parse(&self.account).map_err(|_| Wrong::of("account", t.account_wrong))
    }

    /// # Errors
    /// All that is wrong with what was typed.
    pub(super) fn meant(&self, visitor: &Visitor) -> Result<Meant, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let account = kept(self.account(visitor), &mut wrong);
        let end = kept(self.end(visitor), &mut wrong);
        let description = kept(self.description(visitor), &mut wrong);
        let tags = kept(self.tags(visitor), &mut wrong);
        let notice_before = kept(self.notice_before(visitor), &mut wrong);
        match (account, end, description, tags, notice_before) {
            (Some(account), Some(end), Some(description), Some(tags), Some(notice_before)) => {
                Ok(Meant { account, end, description, tags, notice_before })
            }
            _ => Err(wrong),
        }
    }

    /// The fields that hold something.
    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("account", self.account.as_str()),
            ("deadline", &self.deadline),
            ("permanent", if self.permanent { "on" } else { "" }),
            ("description", &self.description),
            ("tags", &self.tags),
            ("notice", &self.notice),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty())
    }

    /// The same as parameters of an address, each with its joint.
    pub(super) fn parameters(&self) -> String {
        self.fields().map(|(name, value)| format!("&{name}={}", parameter(value))).collect()
    }

    /// The fields, as they were typed, in a form that nobody types in.
    pub(super) fn hidden(&self) -> Markup {
        self.named_hidden("")
    }

    /// The fields, as they are shown, beside those that are typed into.
    pub(super) fn hidden_as_shown(&self) -> Markup {
        self.named_hidden(SHOWN)
    }

    fn named_hidden(&self, prefix: &str) -> Markup {
        html! {
            @for (name, value) in self.fields() { input type="hidden" name={ (prefix) (name) } value=(value); }
        }
    }
}

impl Meant {
    pub(super) fn share(&self) -> NewShare {
        NewShare {
            grantee: self.account.clone(),
            end: self.end,
            tags: self.tags.clone(),
            description: self.description.clone(),
            notice_before: self.notice_before,
            region: None,
        }
    }
}

/// What a field says; what is wrong with it goes to the rest of that.
pub(super) fn kept<T>(read: Result<T, Wrong>, wrong: &mut Vec<Wrong>) -> Option<T> {
    read.map_err(|error| wrong.push(error)).ok()
}

/// Seconds as days, the last of which has begun.
pub(super) fn days(seconds: u64) -> String {
    seconds.div_ceil(DAY_SECONDS).to_string()
}
