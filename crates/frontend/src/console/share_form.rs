//! The dialog in which images are shared: with whom, until when, what of them. Asked twice: first what it shall be, and
//! then, with the account's own display name, whether that is meant.

use auth::{NewShare, ShareEnd};
use maud::{Markup, html};
use oci::RepositoryName;

use super::image::description_field;
use super::page::{Answer, Field, Place, form_token, go, page, until};
use super::problem::{Problem, Refused, Wrong, wrong};
use super::selection::FIELD;
use super::share_typed::{Meant, Typed, days};
use super::text::fill;
use super::visitor::{ADDRESS_BYTES_MAX, Form, Visitor, parameter};
use crate::counting::{Uncounted, counted};

/// The most images that are shared at once from a list: what one page selects, many times over.
const IMAGES_AT_ONCE_MAX: usize = 500;
/// How many images are named that cannot be shared.
const IMAGES_NAMED_MAX: usize = 10;
/// The step in which it is asked whether it is meant.
const CHECK: &str = "check";

/// Where a dialog is, and of what.
pub(super) struct Dialog<'a> {
    /// Where its forms go.
    pub(super) address: &'a str,
    /// Where it is shown, with parameters already.
    pub(super) shown_at: &'a str,
    pub(super) images: &'a [RepositoryName],
    /// Where it leads when it is cancelled, and when it is done.
    pub(super) back: &'a str,
}

/// What follows a form of a dialog.
pub(super) enum Next {
    /// The images are shared.
    Done,
    /// It goes on there, where nothing changes when it is looked at again.
    At(String),
    /// It goes on so, and has no address: what was typed is too long for one, or something was refused. Whether that was
    /// for a right that the visitor lacks, the trail is to know.
    With(Markup, bool),
}

impl Dialog<'_> {
    /// What the address asks for: the first step, or the second.
    pub(super) async fn shown(&self, visitor: &Visitor) -> Result<Markup, Problem> {
        let typed = Typed::read(&visitor.query);
        // A link of another site does not try names of accounts in the visitor's.
        if visitor.query.get("step") == Some(CHECK) && visitor.is_ours {
            self.checked(visitor, &typed).await
        } else {
            Ok(self.asks(visitor, &typed, &[]))
        }
    }

    /// Goes on from the button that was pressed.
    pub(super) async fn goes_on(&self, visitor: &Visitor, form: &Form) -> Result<Next, Problem> {
        let typed = Typed::of(form);
        let step = if form.get("action") == "edit-share" { "" } else { CHECK };
        if form.get("action") == "share" {
            return self.shares(visitor, &typed).await;
        }
        let at = format!("{}{}&step={step}", self.shown_at, typed.parameters());
        if at.len() <= ADDRESS_BYTES_MAX {
            return Ok(Next::At(at));
        }
        let content = match step {
            CHECK => self.checked(visitor, &typed).await?,
            _ => self.asks(visitor, &typed, &[]),
        };
        Ok(Next::With(content, false))
    }

    async fn shares(&self, visitor: &Visitor, typed: &Typed) -> Result<Next, Problem> {
        let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
        let meant = match typed.meant(visitor) {
            Ok(meant) => meant,
            Err(wrong) => return Ok(Next::With(self.asks(visitor, typed, &wrong), false)),
        };
        let new = self.new_shares(&meant);
        let Err(error) = counted(&visitor.app, || auth.create_shares(p, &new, now)).await else {
            return Ok(Next::Done);
        };
        let forbidden = is_forbidden(&error);
        let wrong = self.refused(error, visitor)?;
        Ok(Next::With(self.asks(visitor, typed, &[wrong]), forbidden))
    }

    fn new_shares(&self, meant: &Meant) -> Vec<(RepositoryName, NewShare)> {
        self.images.iter().map(|image| (image.clone(), meant.share())).collect()
    }

    /// The question whether it is meant, unless something is wrong with any of the images, or all.
    async fn checked(&self, visitor: &Visitor, typed: &Typed) -> Result<Markup, Problem> {
        let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
        let first = self.images.first().ok_or(Problem::NotFound)?;
        let meant = match typed.meant(visitor) {
            Ok(meant) => meant,
            Err(wrong) => return Ok(self.asks(visitor, typed, &wrong)),
        };
        let found = match auth.refused_shares(p, &self.new_shares(&meant), now).await {
            Ok(refused) if !refused.is_empty() => {
                let wrong = self.refused_images(refused, visitor)?;
                return Ok(self.asks(visitor, typed, &[wrong]));
            }
            Ok(_) => auth.grantee_profile(p, first, &meant.account, now).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(profile) => Ok(self.asks_again(visitor, typed, &meant, &profile.display_name)),
            Err(error) => Ok(self.asks(visitor, typed, &[wrong(error, visitor.t)?])),
        }
    }

    /// What is wrong with these images; beside a field, if all of it is about that one.
    fn refused_images(
        &self,
        refused: Vec<(RepositoryName, auth::Error)>,
        visitor: &Visitor,
    ) -> Result<Wrong, Problem> {
        let (t, count) = (visitor.t, refused.len());
        let mut all = Vec::new();
        for (image, error) in refused.into_iter().take(IMAGES_NAMED_MAX) {
            all.push(self.refused_image(&image, error, visitor)?);
        }
        let field = all.first().and_then(|first| first.field);
        let field = field.filter(|field| all.iter().all(|wrong| wrong.field == Some(field)));
        let mut texts: Vec<_> = all.into_iter().map(|wrong| wrong.text).collect();
        if count > texts.len() {
            texts.push(fill(t.and_more, &[("count", &(count - texts.len()))]));
        }
        Ok(Wrong { field, text: texts.join(" ") })
    }

    /// The only image that there is need not be named.
    fn refused_image(
        &self,
        image: &RepositoryName,
        error: auth::Error,
        visitor: &Visitor,
    ) -> Result<Wrong, Problem> {
        let t = visitor.t;
        let wrong = match error {
            auth::Error::Forbidden | auth::Error::NotFound { .. } => {
                Wrong { field: None, text: t.image_not_shareable.to_owned() }
            }
            error => wrong(error, t)?,
        };
        if self.images.len() == 1 {
            return Ok(wrong);
        }
        let text = fill(t.one_of_many, &[("image", image), ("reason", &wrong.text)]);
        Ok(Wrong { text, ..wrong })
    }

    fn refused(&self, error: Uncounted, visitor: &Visitor) -> Result<Wrong, Problem> {
        match error {
            Uncounted::Refused(auth::Error::OneOfShares { repository, error, .. }) => {
                self.refused_image(&repository, *error, visitor)
            }
            error => refused(error, visitor),
        }
    }

    /// What it shall be.
    fn asks(&self, visitor: &Visitor, typed: &Typed, wrong: &[Wrong]) -> Markup {
        let t = visitor.t;
        html! {
            (self.named())
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

    /// The images, where they are not the page's own.
    fn named(&self) -> Markup {
        html! { @if self.address == SEVERAL { ul { @for image in self.images { li { (image) } } } } }
    }

    fn images(&self) -> Markup {
        html! { @for image in self.images { input type="hidden" name=(FIELD) value=(image); } }
    }

    /// What it comes to.
    fn consequence(&self, visitor: &Visitor, meant: &Meant) -> &'static str {
        let t = visitor.t;
        match (self.images.len(), meant.end) {
            (..=1, ShareEnd::Until(_)) => t.check_share_text,
            (..=1, ShareEnd::Permanent) => t.check_share_text_permanent,
            (_, ShareEnd::Until(_)) => t.check_shares_text,
            (_, ShareEnd::Permanent) => t.check_shares_text_permanent,
        }
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
                dt { (t.deadline) } dd { @match meant.end { ShareEnd::Permanent => (t.permanent), ShareEnd::Until(end) => (until(t, end, &visitor.zone)) } }
                dt { (t.tags_pattern) } dd { @if typed.tags.is_empty() { (t.all_tags) } @else { code { (typed.tags) } } }
                dt { (t.description) } dd.text { (meant.description) }
                @if !typed.notice.is_empty() { dt { (t.notice) } dd { (typed.notice) } }
                dt { (t.permission) } dd { (t.download) }
            }
            p { (self.consequence(visitor, meant)) }
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
}

/// Whether one of the images is not the visitor's to share.
fn is_forbidden(error: &Uncounted) -> bool {
    let Uncounted::Refused(auth::Error::OneOfShares { error, .. }) = error else { return false };
    matches!(**error, auth::Error::Forbidden)
}

/// What is wrong with a change that was refused.
pub(super) fn refused(error: Uncounted, visitor: &Visitor) -> Result<Wrong, Problem> {
    match error {
        Uncounted::Refused(error) => wrong(error, visitor.t),
        Uncounted::Failed(error) => Err(error.into()),
    }
}

/// What is wrong with the form as a whole.
pub(super) fn whole_error<'w>(wrong: impl IntoIterator<Item = &'w Wrong>) -> Markup {
    let whole = wrong.into_iter().filter(|wrong| wrong.field.is_none());
    html! { @for wrong in whole { p.wrong role="alert" { (wrong.text) } } }
}

/// What is wrong with that field of it.
pub(super) fn error_of<'w>(wrong: impl IntoIterator<Item = &'w Wrong>, field: &str) -> Option<&'w str> {
    wrong.into_iter().find(|wrong| wrong.field == Some(field)).map(|wrong| wrong.text.as_str())
}

fn account_field(visitor: &Visitor, typed: &Typed, wrong: &[Wrong]) -> Markup {
    let t = visitor.t;
    let hint = Some(t.share_with_hint.to_owned());
    Field { name: "account", label: t.share_with, hint, error: error_of(wrong, "account") }.line(
        "text",
        &typed.account,
        "off",
    )
}

/// The fields that a share has whoever it is with.
pub(super) fn fields(visitor: &Visitor, typed: &Typed, wrong: &[Wrong]) -> Markup {
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
            span { strong { (t.permission) } (t.colon) (t.download) }
        }
    }
}

const SEVERAL: &str = "/console/share";

/// `GET /console/share?image=…`: of the images that were selected in a list.
pub(super) async fn of_several(visitor: Visitor) -> Answer {
    let images = images(visitor.query.all(FIELD));
    if images.is_empty() {
        let content = html! { p.wrong { (visitor.t.select_first) } p { a href="/console/images" { (visitor.t.back) } } };
        return page(&visitor, Place::OwnImages, visitor.t.share_image, &content);
    }
    let shown_at = several_at(&images);
    match of_all(&images, &shown_at).shown(&visitor).await {
        Ok(content) => several(&visitor, &content),
        Err(problem) => problem.answer(visitor.language),
    }
}

/// `POST /console/share`.
pub(super) async fn share_several(visitor: Visitor, form: Form) -> Answer {
    let images = images(form.all(FIELD));
    let shown_at = several_at(&images);
    match of_all(&images, &shown_at).goes_on(&visitor, &form).await {
        Ok(Next::Done) => go("/console/images?shared=on&done=shared"),
        Ok(Next::At(address)) => go(&address),
        Ok(Next::With(content, forbidden)) => {
            let mut answer = several(&visitor, &content);
            if forbidden {
                answer.extensions_mut().insert(Refused);
            }
            answer
        }
        Err(problem) => problem.answer(visitor.language),
    }
}

fn several_at(images: &[RepositoryName]) -> String {
    let named: Vec<_> = images.iter().map(|image| format!("{FIELD}={}", parameter(image.as_str()))).collect();
    format!("{SEVERAL}?{}", named.join("&"))
}

fn of_all<'a>(images: &'a [RepositoryName], shown_at: &'a str) -> Dialog<'a> {
    Dialog { address: SEVERAL, shown_at, images, back: "/console/images" }
}

fn several(visitor: &Visitor, content: &Markup) -> Answer {
    page(visitor, Place::OwnImages, visitor.t.share_image, content)
}

fn images<'a>(names: impl Iterator<Item = &'a str>) -> Vec<RepositoryName> {
    names.filter_map(|name| RepositoryName::parse(name).ok()).take(IMAGES_AT_ONCE_MAX).collect()
}
