//! What the lists of users and of accounts have in common: who is there, made, closed, opened, given another password and
//! deleted.

use jiff::Timestamp;
use maud::{Markup, html};

use super::forms::Asked;
use super::page::{Question, form_token, time};
use super::table::{column, heading, table};
use super::text::fill;
use super::visitor::{Visitor, parameter};

/// One of a list.
pub(super) struct Holder {
    /// What forms call it.
    pub(super) name: String,
    /// The name that it signs in with.
    pub(super) login: String,
    pub(super) disabled: bool,
    pub(super) created_at: Timestamp,
    /// What else there is to show, as the heads say.
    pub(super) more: Vec<String>,
    /// Whether it is the visitor's own, which the settings are for.
    pub(super) is_own: bool,
}

/// A list, and the words of it.
pub(super) struct Holders<'a> {
    pub(super) address: &'a str,
    pub(super) new: &'a str,
    pub(super) none_yet: &'a str,
    pub(super) heads: &'a [&'a str],
    pub(super) name_hint: String,
    pub(super) password_hint: &'a str,
    pub(super) delete_warning: &'a str,
}

impl Holders<'_> {
    fn to(&self, what: &str, of: &str) -> String {
        format!("{}?do={what}&of={}", self.address, parameter(of))
    }

    pub(super) fn list(&self, visitor: &Visitor, asked: Asked<'_>, holders: &[Holder]) -> Markup {
        let t = visitor.t;
        let heads = self.heads.iter().map(|head| column(head));
        let columns: Vec<_> = [heading(t.name), column(t.status)]
            .into_iter()
            .chain(heads)
            .chain([column(t.created), column(t.actions)])
            .collect();
        html! {
            (asked.whole_error())
            p { a.button href=(format!("{}?do=create", self.address)) { (self.new) } }
            @if holders.is_empty() && visitor.query.get("after").is_none() { div.empty { p { (self.none_yet) } } } @else {
                (table(t, &columns, holders.iter().map(|holder| self.line(visitor, holder))))
            }
        }
    }

    fn line(&self, visitor: &Visitor, holder: &Holder) -> Vec<Markup> {
        let mut cells = vec![html! { (holder.login) }, state(visitor, !holder.disabled)];
        cells.extend(holder.more.iter().map(|text| html! { (text) }));
        cells.extend([time(holder.created_at, &visitor.zone), self.actions(visitor, holder)]);
        cells
    }

    fn actions(&self, visitor: &Visitor, holder: &Holder) -> Markup {
        let t = visitor.t;
        let named = |text: &str| fill(text, &[("name", &holder.login)]);
        if holder.is_own {
            return html! { a href="/console/settings" { (t.change_password) } };
        }
        html! {
            div.actions {
                (switch(visitor, self.address, &holder.name, &holder.login, holder.disabled))
                a href=(self.to("password", &holder.name)) aria-label=(named(t.password_for)) { (t.new_password) }
                a href=(self.to("delete", &holder.name)) aria-label=(named(t.delete_named)) { (t.delete) }
            }
        }
    }

    /// The form that makes one.
    pub(super) fn form(&self, visitor: &Visitor, asked: Asked<'_>) -> Markup {
        let t = visitor.t;
        html! {
            (asked.whole_error())
            form.panel method="post" action=(self.address) {
                (form_token(&visitor.form_token))
                (asked.field("name", t.name, Some(self.name_hint.clone())).line("text", asked.typed("name"), "off"))
                (asked.field("password", t.password, Some(self.password_hint.to_owned()))
                    .line("password", "", "new-password"))
                (asked.field("repeated", t.repeat_password, None).line("password", "", "new-password"))
                div.bar {
                    button type="submit" name="action" value="create" { (self.new) }
                    a.button.plain href=(self.address) { (t.cancel) }
                }
            }
        }
    }

    /// The form that gives one another password.
    pub(super) fn password_form(&self, visitor: &Visitor, asked: Asked<'_>) -> Markup {
        let t = visitor.t;
        html! {
            (asked.whole_error())
            p { (t.password_for_warning) }
            form.panel method="post" action=(self.address) {
                (form_token(&visitor.form_token))
                input type="hidden" name="of" value=(asked.of());
                (asked.field("password", t.new_password, Some(t.new_password_hint.to_owned()))
                    .line("password", "", "new-password"))
                (asked.field("repeated", t.repeat_password, None).line("password", "", "new-password"))
                div.bar {
                    button type="submit" name="action" value="password" { (t.save) }
                    a.button.plain href=(self.address) { (t.cancel) }
                }
            }
        }
    }

    /// The question before one is deleted.
    pub(super) fn question(&self, visitor: &Visitor, asked: Asked<'_>, login: &str) -> Markup {
        let t = visitor.t;
        let question = Question {
            text: &fill(t.delete_question, &[("name", &login)]),
            warning: self.delete_warning,
            address: self.address,
            action: "delete",
            of: asked.of(),
            button: t.delete,
            back: self.address,
        };
        html! { (asked.whole_error()) (question.asks(visitor)) }
    }
}

/// Whether something opens anything.
pub(super) fn state(visitor: &Visitor, enabled: bool) -> Markup {
    let t = visitor.t;
    if enabled {
        html! { span.state.open { (t.enabled) } }
    } else {
        html! { span.state.ended { (t.disabled) } }
    }
}

/// The button that closes `of`, or opens it again.
pub(super) fn switch(visitor: &Visitor, address: &str, of: &str, called: &str, disabled: bool) -> Markup {
    let t = visitor.t;
    let (action, text, named) =
        if disabled { ("enable", t.enable, t.enable_named) } else { ("disable", t.disable, t.disable_named) };
    html! {
        form.inline method="post" action=(address) {
            (form_token(&visitor.form_token))
            input type="hidden" name="of" value=(of);
            button.plain type="submit" name="action" value=(action) aria-label=(fill(named, &[("name", &called)])) { (text) }
        }
    }
}
