//! The frame around every page, and what pages are made of.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, VARY};
use http::{HeaderValue, Response, StatusCode};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::text::{Language, Texts, fill};
use super::visitor::Visitor;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// An answer of the console.
pub(super) type Answer = Response<axum::body::Body>;

/// Where a page stands in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    OwnImages,
    SharedByOthers,
    Organizations,
    Users,
    Credentials,
    Audit,
    Webhooks,
    Settings,
    Accounts,
    System,
}

impl Place {
    /// Below the images, in this order.
    const OF_ACCOUNT: [Place; 8] = [
        Place::Organizations,
        Place::Users,
        Place::Credentials,
        Place::Audit,
        Place::Webhooks,
        Place::Settings,
        Place::Accounts,
        Place::System,
    ];

    /// Whether the menu of `visitor` leads there.
    fn is_for(self, visitor: &Visitor) -> bool {
        match self {
            Place::Users | Place::Audit | Place::Webhooks => visitor.principal.user().is_none(),
            Place::Accounts | Place::System => visitor.principal.is_administrator(),
            _ => true,
        }
    }

    fn address(self) -> &'static str {
        match self {
            Place::OwnImages => "/console/images",
            Place::SharedByOthers => "/console/shared",
            Place::Organizations => "/console/organizations",
            Place::Users => "/console/users",
            Place::Credentials => "/console/credentials",
            Place::Audit => "/console/audit",
            Place::Webhooks => "/console/webhooks",
            Place::Settings => "/console/settings",
            Place::Accounts => "/console/accounts",
            Place::System => "/console/system",
        }
    }

    fn text(self, t: &'static Texts) -> &'static str {
        match self {
            Place::OwnImages => t.own_images,
            Place::SharedByOthers => t.shared_by_others,
            Place::Organizations => t.organizations,
            Place::Users => t.users,
            Place::Credentials => t.credentials,
            Place::Audit => t.audit,
            Place::Webhooks => t.webhooks,
            Place::Settings => t.settings,
            Place::Accounts => t.accounts,
            Place::System => t.system,
        }
    }
}

/// A page of who is signed in.
pub(super) fn page(visitor: &Visitor, place: Place, title: &str, content: &Markup) -> Answer {
    part(visitor, place, title, title, content)
}

/// The same of a part of what `heading` names, which windows and bookmarks call `title`.
pub(super) fn part(visitor: &Visitor, place: Place, heading: &str, title: &str, content: &Markup) -> Answer {
    let t = visitor.t;
    let name = visitor.principal.name();
    let entry = |entry: Place| {
        html! {
            li { a href=(entry.address()) aria-current=[(entry == place).then_some("page")] { (entry.text(t)) } }
        }
    };
    let head = html! {
        nav.menu aria-label=(t.menu) {
            p { (t.my_images) }
            ul { (entry(Place::OwnImages)) (entry(Place::SharedByOthers)) }
            ul { @for place in Place::OF_ACCOUNT { @if place.is_for(visitor) { (entry(place)) } } }
        }
    };
    let user = html! {
        span.who title=(fill(t.signed_in_as, &[("name", &name)])) { (name) }
        form.inline method="post" action="/console/sign-out" {
            (form_token(&visitor.form_token))
            button.link type="submit" { (t.sign_out) }
        }
    };
    let told = visitor.told.as_ref().map(|told| html! { p.told role="status" { (told) } });
    let main = html! { (head) main id="content" { (told.unwrap_or_default()) h1 { (heading) } (content) } };
    let switch = visitor.has_address.then(|| language_switch(visitor.language));
    let aside = html! { (switch.unwrap_or_default()) (user) };
    frame(visitor.language, StatusCode::OK, title, &aside, &main)
}

/// A page of nobody in particular.
pub(super) fn plain_page(language: Language, status: StatusCode, title: &str, content: &Markup) -> Answer {
    frame(
        language,
        status,
        title,
        &language_switch(language),
        &html! { main.narrow id="content" { h1 { (title) } (content) } },
    )
}

/// Leads to the same page in another language.
fn language_switch(language: Language) -> Markup {
    html! {
        form.inline method="get" action="/console/language" {
            @for other in Language::ALL.into_iter().filter(|other| *other != language) {
                button.link type="submit" name="to" value=(other.tag()) lang=(other.tag()) { (other.own_name()) }
            }
        }
    }
}

fn frame(language: Language, status: StatusCode, title: &str, aside: &Markup, main: &Markup) -> Answer {
    let t = language.texts();
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (t.product) }
                link rel="icon" href=(assets::LOGO.address()) type="image/svg+xml";
                link rel="stylesheet" href=(assets::STYLE.address());
                script src=(assets::SCRIPT.address()) defer {}
            }
            body {
                a.skip href="#content" { (t.skip) }
                header.top {
                    a.brand href="/console/" {
                        img src=(assets::LOGO.address()) alt="" width="28" height="28";
                        (t.product)
                    }
                    div.user { (aside) }
                }
                div.body { (main) }
                footer { (t.footer) }
            }
        }
    };
    let mut answer = Response::new(axum::body::Body::from(markup.into_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    answer
}

/// Sends the browser to a page of the console, with GET.
pub(super) fn go(to: &str) -> Answer {
    let mut answer = Response::new(axum::body::Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/console/"));
    answer.headers_mut().insert(LOCATION, to);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What every form that changes something carries.
pub(super) fn form_token(token: &str) -> Markup {
    html! { input type="hidden" name="form_token" value=(token); }
}

/// A field of a form: its label, its control, what helps, and what is wrong with it.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) hint: Option<String>,
    pub(super) error: Option<&'a str>,
}

impl Field<'_> {
    /// The control gets what ties it to its hint and its error.
    pub(super) fn around(&self, control: impl FnOnce(Ties) -> Markup) -> Markup {
        let (hint, error) = (format!("{}-hint", self.name), format!("{}-error", self.name));
        let ids = [self.hint.as_ref().map(|_| hint.as_str()), self.error.map(|_| error.as_str())];
        let described: Vec<_> = ids.into_iter().flatten().collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        html! {
            div.field {
                label for=(self.name) { (self.label) }
                (control(Ties { described, invalid: self.error.map(|_| "true") }))
                @if let Some(text) = &self.hint { p.hint id=(hint) { (text) } }
                @if let Some(text) = self.error { p.error id=(error) { (text) } }
            }
        }
    }

    /// A choice of one.
    pub(super) fn select(&self, all: &[(&str, &str)], chosen: &str) -> Markup {
        self.around(|ties| {
            html! {
                select id=(self.name) name=(self.name) aria-describedby=[ties.described] aria-invalid=[ties.invalid] {
                    (options(all, chosen))
                }
            }
        })
    }

    /// Lines of text.
    pub(super) fn lines(&self, value: &str) -> Markup {
        self.around(|ties| {
            html! {
                textarea id=(self.name) name=(self.name) rows="3" autocomplete="off" spellcheck="false"
                    aria-describedby=[ties.described] aria-invalid=[ties.invalid] { (value) }
            }
        })
    }

    /// A line of text.
    pub(super) fn line(&self, kind: &str, value: &str, autocomplete: &str) -> Markup {
        self.around(|ties| {
            html! {
                input id=(self.name) name=(self.name) type=(kind) value=(value) autocomplete=(autocomplete)
                    aria-describedby=[ties.described] aria-invalid=[ties.invalid];
            }
        })
    }
}

/// A choice of one, each with its value and its name.
pub(super) fn options(all: &[(&str, &str)], chosen: &str) -> Markup {
    html! { @for (value, name) in all { option value=(value) selected[*value == chosen] { (name) } } }
}

/// The question before something is destroyed.
pub(super) struct Question<'a> {
    pub(super) text: &'a str,
    pub(super) warning: &'a str,
    /// Where the form goes, and what it says.
    pub(super) address: &'a str,
    pub(super) action: &'a str,
    pub(super) of: &'a str,
    pub(super) button: &'a str,
    /// Where it leads when it is cancelled.
    pub(super) back: &'a str,
}

impl Question<'_> {
    pub(super) fn asks(&self, visitor: &Visitor) -> Markup {
        html! {
            p { (self.text) }
            p { (self.warning) }
            form.bar method="post" action=(self.address) {
                (form_token(&visitor.form_token))
                input type="hidden" name="of" value=(self.of);
                button.danger type="submit" name="action" value=(self.action) { (self.button) }
                a.button.plain href=(self.back) { (visitor.t.cancel) }
            }
        }
    }
}

/// What ties a control to the texts about it.
pub(super) struct Ties {
    pub(super) described: Option<String>,
    pub(super) invalid: Option<&'static str>,
}

/// A command, with a button that copies it.
pub(super) fn command(t: &'static Texts, command: &str) -> Markup {
    copied(t, command, command)
}

/// A line, with a button that copies it, and is called by the line's name.
fn copied(t: &'static Texts, name: &str, line: &str) -> Markup {
    html! {
        div.command {
            code { (line) }
            button.copy type="button" aria-live="polite" aria-label=(fill(t.copy_named, &[("name", &name)]))
                data-copy=(line) data-copied=(t.copied) { (t.copy) }
        }
    }
}

/// What is shown this once: lines to copy, each under its name, and what else there is to know.
pub(super) fn once(
    visitor: &Visitor,
    place: Place,
    title: &str,
    lines: &[(&str, &str)],
    facts: &Markup,
) -> Answer {
    let t = visitor.t;
    let content = html! {
        p.told role="status" { (t.shown_once) }
        @for (name, line) in lines { h2 { (name) } (copied(t, name, line)) }
        (facts)
        p { a.button href=(place.address()) { (place.text(t)) } }
    };
    page(visitor, place, title, &content)
}

/// An instant, as its reader's clock shows it, with the offset.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> Markup {
    html! { time datetime=(format!("{at:.0}")) { (instant(at, zone)) } }
}

/// The same, as text.
pub(super) fn instant(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string()
}

/// A deadline: what ends with a day is called by that day, as it was chosen.
pub(super) fn until(t: &'static Texts, at: Timestamp, zone: &TimeZone) -> Markup {
    let last = at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at).to_zoned_datetime(zone.clone());
    if end_of(last.date(), zone) != Some(at) {
        return time(at, zone);
    }
    let (date, offset) = (last.date(), last.strftime("%:z"));
    html! {
        time datetime=(format!("{at:.0}")) { (fill(t.end_of_day, &[("date", &date), ("offset", &offset)])) }
    }
}

/// How long it is until a deadline.
pub(super) fn time_left(t: &'static Texts, deadline: Timestamp, now: Timestamp) -> String {
    let left = deadline.duration_since(now);
    match (left.as_hours(), left.as_hours() / 24) {
        (0, _) => t.left_minutes.to_owned(),
        (hours, days) if days < 2 => fill(t.left_hours, &[("count", &hours)]),
        (_, days) => fill(t.left_days, &[("count", &days)]),
    }
}

/// Bytes, for people.
pub(super) fn size(bytes: u64) -> String {
    let mut unit = "B";
    let mut value = bytes as f64;
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// The end of the day `date` in `zone`: from that instant on what ends with that day is closed.
pub(super) fn end_of(date: jiff::civil::Date, zone: &TimeZone) -> Option<Timestamp> {
    // The first instant of the next one, also where the clocks are set at midnight.
    zone.to_timestamp(date.tomorrow().ok()?.at(0, 0, 0, 0)).ok()
}
