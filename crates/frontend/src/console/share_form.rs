//! The dialog in which images are shared: with whom, until when, what of them. Asked twice: first what it shall be, and
//! then, with the account's own display name, whether that is meant.

use std::time::Duration;

use auth::{AccountName, Description, NewShare, Share, ShareEnd, ShareTags};
use jiff::civil::Date;
use maud::{Markup, html};
use oci::RepositoryName;

use super::image::description_field;
use super::page::{Answer, Field, Place, end_of, form_token, go, page, time};
use super::problem::{Problem, Wrong, wrong};
use super::text::fill;
use super::visitor::{Form, Visitor};
use crate::counting::{Uncounted, counted};

/// The most images that are shared at once from a list: what one page selects, many times over.
const IMAGES_AT_ONCE_MAX: usize = 500;

const DAY_SECONDS: u64 = 24 * 60 * 60;

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
        Typed {
            account: form.get("account").trim().to_owned(),
            deadline: form.get("deadline").trim().to_owned(),
            permanent: form.has("permanent"),
            description: form.text("description"),
            tags: form.get("tags").trim().to_owned(),
            notice: form.get("notice").trim().to_owned(),
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
                let end = date.and_then(|date| end_of(date, &visitor.zone));
                let end = end.ok_or_else(|| Wrong::of("deadline", t.deadline_unreadable))?;
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
        parsed.map(ShareTags::Matching).map_err(|_| Wrong::of("tags", visitor.t.tags_wrong))
    }

    /// How long before the deadline it is told; `None`: as the registry is set.
    pub(super) fn notice_before(&self, visitor: &Visitor) -> Result<Option<Duration>, Wrong> {
        if self.notice.is_empty() {
            return Ok(None);
        }
        let days: Option<u64> = self.notice.parse().ok();
        let seconds = days.and_then(|days| days.checked_mul(DAY_SECONDS));
        seconds
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .ok_or_else(|| Wrong::of("notice", visitor.t.notice_wrong))
    }

    pub(super) fn description(&self, visitor: &Visitor) -> Result<Description, Wrong> {
        Description::parse(&self.description)
            .map_err(|_| Wrong::of("description", visitor.t.description_wrong))
    }

    pub(super) fn meant(&self, visitor: &Visitor) -> Result<Meant, Wrong> {
        let t = visitor.t;
        if self.account.is_empty() {
            return Err(Wrong::of("account", t.required));
        }
        let account = AccountName::parse(&self.account).map_err(|_| Wrong::of("account", t.account_wrong))?;
        let (end, description) = (self.end(visitor)?, self.description(visitor)?);
        let (tags, notice_before) = (self.tags(visitor)?, self.notice_before(visitor)?);
        Ok(Meant { account, end, description, tags, notice_before })
    }

    /// The fields, as they were typed, in a form that nobody types in.
    fn hidden(&self) -> Markup {
        html! {
            input type="hidden" name="account" value=(self.account);
            input type="hidden" name="deadline" value=(self.deadline);
            @if self.permanent { input type="hidden" name="permanent" value="on"; }
            input type="hidden" name="description" value=(self.description);
            input type="hidden" name="tags" value=(self.tags);
            input type="hidden" name="notice" value=(self.notice);
        }
    }
}

impl Meant {
    fn share(&self) -> NewShare {
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

/// Where a dialog is, and of what.
pub(super) struct Dialog<'a> {
    /// Where its forms go.
    pub(super) address: &'a str,
    pub(super) images: &'a [RepositoryName],
    /// Where it leads when it is cancelled, and when it is done.
    pub(super) back: &'a str,
}

impl Dialog<'_> {
    /// What it shall be.
    pub(super) fn asks(&self, visitor: &Visitor, typed: &Typed, wrong: Option<&Wrong>) -> Markup {
        let t = visitor.t;
        html! {
            (whole_error(wrong))
            form.panel method="post" action=(self.address) {
                (form_token(&visitor.form_token))
                (self.images())
                (account_field(visitor, typed, wrong))
                (fields(visitor, typed, wrong))
                div.bar {
                    button type="submit" name="action" value="check-share" { (t.check_share) }
                    a.button.plain href=(self.back) { (t.cancel) }
                }
            }
        }
    }

    fn images(&self) -> Markup {
        html! { @for image in self.images { input type="hidden" name="image" value=(image); } }
    }

    /// Whether it is meant.
    fn asks_again(&self, visitor: &Visitor, typed: &Typed, meant: &Meant, display_name: &str) -> Markup {
        let t = visitor.t;
        html! {
            h2 { (fill(t.check_share_title, &[("account", &meant.account)])) }
            dl.facts {
                dt { (t.account) } dd { (meant.account) }
                dt { (t.display_name) } dd { @if display_name.is_empty() { (t.no_display_name) } @else { strong { (display_name) } } }
                dt { (t.share_images) } dd { @for image in self.images { div { (image) } } }
                dt { (t.deadline) } dd { @match meant.end { ShareEnd::Permanent => (t.permanent), ShareEnd::Until(end) => (time(end, &visitor.zone)) } }
                dt { (t.tags_pattern) } dd { @if typed.tags.is_empty() { (t.all_tags) } @else { code { (typed.tags) } } }
                dt { (t.description) } dd { (meant.description) }
                @if !typed.notice.is_empty() { dt { (t.notice) } dd { (typed.notice) } }
                dt { (t.permission) } dd { (t.download) }
            }
            p { (t.check_share_text) }
            form method="post" action=(self.address) {
                (form_token(&visitor.form_token))
                (self.images())
                (typed.hidden())
                div.bar {
                    button type="submit" name="action" value="share" { (t.confirm) }
                    button.plain type="submit" name="action" value="edit-share" { (t.back) }
                    a.button.plain href=(self.back) { (t.cancel) }
                }
            }
        }
    }

    /// Goes on from the button that was pressed: content to show, or, when it is done, nothing.
    pub(super) async fn goes_on(&self, visitor: &Visitor, form: &Form) -> Result<Option<Markup>, Problem> {
        let typed = Typed::of(form);
        if form.get("action") == "edit-share" {
            return Ok(Some(self.asks(visitor, &typed, None)));
        }
        let meant = match typed.meant(visitor) {
            Ok(meant) => meant,
            Err(wrong) => return Ok(Some(self.asks(visitor, &typed, Some(&wrong)))),
        };
        let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
        let outcome = if form.get("action") == "share" {
            let new: Vec<_> = self.images.iter().map(|image| (image.clone(), meant.share())).collect();
            counted(&visitor.app, || auth.create_shares(p, &new, now)).await.map(|_| None)
        } else {
            let Some(first) = self.images.first() else { return Err(Problem::NotFound) };
            let found = auth.grantee_profile(p, first, &meant.account, now).await;
            found.map(Some).map_err(Uncounted::Refused)
        };
        match outcome {
            Ok(None) => Ok(None),
            Ok(Some(profile)) => Ok(Some(self.asks_again(visitor, &typed, &meant, &profile.display_name))),
            Err(error) => {
                let wrong = refused(error, visitor)?;
                Ok(Some(self.asks(visitor, &typed, Some(&wrong))))
            }
        }
    }
}

/// What is wrong with a form that was refused.
pub(super) fn refused(error: Uncounted, visitor: &Visitor) -> Result<Wrong, Problem> {
    match error {
        // The only image that there is need not be named.
        Uncounted::Refused(auth::Error::OneOfShares { error, index: 0, .. }) => wrong(*error, visitor.t),
        Uncounted::Refused(error) => wrong(error, visitor.t),
        Uncounted::Failed(error) => Err(error.into()),
    }
}

/// What is wrong with the form as a whole.
pub(super) fn whole_error(wrong: Option<&Wrong>) -> Markup {
    html! { @if let Some(wrong) = wrong.filter(|wrong| wrong.field.is_none()) { p.wrong role="alert" { (wrong.text) } } }
}

pub(super) fn error_of<'w>(wrong: Option<&'w Wrong>, field: &str) -> Option<&'w str> {
    wrong.filter(|wrong| wrong.field == Some(field)).map(|wrong| wrong.text.as_str())
}

fn account_field(visitor: &Visitor, typed: &Typed, wrong: Option<&Wrong>) -> Markup {
    let t = visitor.t;
    let hint = Some(t.share_with_hint.to_owned());
    Field { name: "account", label: t.share_with, hint, error: error_of(wrong, "account") }.line(
        "text",
        &typed.account,
        "off",
    )
}

/// The fields that a share has whoever it is with.
pub(super) fn fields(visitor: &Visitor, typed: &Typed, wrong: Option<&Wrong>) -> Markup {
    let t = visitor.t;
    let zone = visitor.zone.iana_name().unwrap_or("UTC").to_owned();
    let hint = Some(fill(t.deadline_hint, &[("zone", &zone)]));
    let deadline = Field { name: "deadline", label: t.deadline, hint, error: error_of(wrong, "deadline") };
    let tags = Field {
        name: "tags",
        label: t.tags_pattern,
        hint: Some(t.tags_hint.to_owned()),
        error: error_of(wrong, "tags"),
    };
    let rule = days(visitor.app.auth.settings().share_notice_before.as_secs());
    let notice = Field {
        name: "notice",
        label: t.notice,
        hint: Some(fill(t.notice_hint, &[("days", &rule)])),
        error: error_of(wrong, "notice"),
    };
    html! {
        (deadline.around(|ties| html! {
            input id="deadline" name="deadline" type="date" value=(typed.deadline) aria-describedby=[ties.described]
                aria-invalid=[ties.invalid];
            " "
            label.check {
                input type="checkbox" name="permanent" checked[typed.permanent] data-excludes="deadline";
                (t.permanent)
            }
        }))
        (description_field(visitor, &typed.description, error_of(wrong, "description")))
        (tags.line("text", &typed.tags, "off"))
        (notice.line("text", &typed.notice, "off"))
        div.field {
            span { strong { (t.permission) } ": " (t.download) }
        }
    }
}

/// Seconds as days, the last of which has begun.
fn days(seconds: u64) -> String {
    seconds.div_ceil(DAY_SECONDS).to_string()
}

const SEVERAL: &str = "/console/share";

/// `GET /console/share?image=…`: of the images that were selected in a list.
pub(super) async fn of_several(visitor: Visitor) -> Answer {
    let images = images(visitor.query.all("image"));
    if images.is_empty() {
        let content = html! { p.wrong { (visitor.t.select_first) } p { a href="/console/images" { (visitor.t.back) } } };
        return page(&visitor, Place::OwnImages, visitor.t.share_image, &content);
    }
    let dialog = Dialog { address: SEVERAL, images: &images, back: "/console/images" };
    several(&visitor, &images, &dialog.asks(&visitor, &Typed::default(), None))
}

/// `POST /console/share`.
pub(super) async fn share_several(visitor: Visitor, form: Form) -> Answer {
    let images = images(form.all("image"));
    let dialog = Dialog { address: SEVERAL, images: &images, back: "/console/images" };
    match dialog.goes_on(&visitor, &form).await {
        Ok(Some(content)) => several(&visitor, &images, &content),
        Ok(None) => go("/console/images?shared=on&done=shared"),
        Err(problem) => problem.answer(visitor.language),
    }
}

fn several(visitor: &Visitor, images: &[RepositoryName], content: &Markup) -> Answer {
    let content = html! {
        ul { @for image in images { li { (image) } } }
        (content)
    };
    page(visitor, Place::OwnImages, visitor.t.share_image, &content)
}

fn images<'a>(names: impl Iterator<Item = &'a str>) -> Vec<RepositoryName> {
    names.filter_map(|name| RepositoryName::parse(name).ok()).take(IMAGES_AT_ONCE_MAX).collect()
}
