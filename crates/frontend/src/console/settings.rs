//! What a visitor sets: the account's display name and time zone, and the own password.

use auth::{Profile, ProfileChange, Secret};
use maud::{Markup, html};

use super::page::{Answer, Field, Place, form_token, go, page};
use super::problem::{Problem, Wrong, wrong};
use super::share_form::{error_of, whole_error};
use super::visitor::{Form, Visitor};

/// `GET /console/settings`.
pub(super) async fn show(visitor: Visitor) -> Answer {
    answered(&visitor, None, None).await
}

async fn answered(visitor: &Visitor, typed: Option<&Form>, wrong: Option<&Wrong>) -> Answer {
    let Some(account) = visitor.principal.account_name() else {
        return Problem::Forbidden.answer(visitor.language);
    };
    match visitor.app.auth.show_profile(&visitor.principal, account).await {
        Ok(profile) => {
            let content = shown(visitor, &profile, typed, wrong);
            page(visitor, Place::Settings, visitor.t.settings, &content)
        }
        Err(error) => Problem::from(error).answer(visitor.language),
    }
}

fn shown(visitor: &Visitor, profile: &Profile, typed: Option<&Form>, wrong: Option<&Wrong>) -> Markup {
    let t = visitor.t;
    let typed = |name: &str, now: &str| match typed.filter(|form| form.has(name)) {
        Some(form) => form.get(name).to_owned(),
        None => now.to_owned(),
    };
    let field = |name: &'static str, label: &'static str, hint: Option<&'static str>| Field {
        name,
        label,
        hint: hint.map(str::to_owned),
        error: error_of(wrong, name),
    };
    html! {
        (whole_error(wrong))
        @if visitor.principal.user().is_none() {
            section.panel {
                h2 { (t.profile) }
                form method="post" action="/console/settings" {
                    (form_token(&visitor.form_token))
                    (field("display_name", t.display_name, Some(t.display_name_hint))
                        .line("text", &typed("display_name", &profile.display_name), "organization"))
                    (field("time_zone", t.time_zone, Some(t.time_zone_hint))
                        .line("text", &typed("time_zone", &profile.time_zone), "off"))
                    button type="submit" name="action" value="profile" { (t.save) }
                }
            }
        }
        section.panel {
            h2 { (t.change_password) }
            form method="post" action="/console/settings" {
                (form_token(&visitor.form_token))
                (field("current_password", t.current_password, None).line("password", "", "current-password"))
                (field("password", t.new_password, Some(t.new_password_hint)).line("password", "", "new-password"))
                (field("repeated", t.repeat_password, None).line("password", "", "new-password"))
                button type="submit" name="action" value="password" { (t.change_password) }
            }
        }
    }
}

/// `POST /console/settings`.
pub(super) async fn change(visitor: Visitor, form: Form) -> Answer {
    let changed = match form.get("action") {
        "profile" => profile(&visitor, &form).await,
        "password" => password(&visitor, &form).await,
        _ => return Problem::NotFound.answer(visitor.language),
    };
    let error = match changed {
        Ok(to) => return go(to),
        Err(Ok(wrong)) => wrong,
        Err(Err(problem)) => return problem.answer(visitor.language),
    };
    answered(&visitor, Some(&form), Some(&error)).await
}

/// Where to go, or what is wrong with the form, or why there is no page.
type Changed = Result<&'static str, Result<Wrong, Problem>>;

async fn profile(visitor: &Visitor, form: &Form) -> Changed {
    let t = visitor.t;
    let typed = |name: &str| Some(form.get(name).trim().to_owned());
    let change = ProfileChange { display_name: typed("display_name"), time_zone: typed("time_zone") };
    let account = visitor.principal.account_name().ok_or(Err(Problem::Forbidden))?;
    match visitor.app.auth.change_profile(&visitor.principal, account, &change, visitor.now).await {
        Ok(_) => Ok("/console/settings?done=saved"),
        Err(auth::Error::Invalid { field: "display_name", .. }) => {
            Err(Ok(Wrong::of("display_name", t.display_name_wrong)))
        }
        Err(auth::Error::Invalid { field: "time_zone", .. }) => {
            Err(Ok(Wrong::of("time_zone", t.time_zone_wrong)))
        }
        Err(error) => Err(wrong(error, t)),
    }
}

async fn password(visitor: &Visitor, form: &Form) -> Changed {
    let t = visitor.t;
    if form.get("password") != form.get("repeated") {
        return Err(Ok(Wrong::of("repeated", t.passwords_differ)));
    }
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let (current, new) = (Secret::new(form.get("current_password")), Secret::new(form.get("password")));
    let account = p.account_name().ok_or(Err(Problem::Forbidden))?;
    let changed = match p.user_name() {
        None => auth.set_account_password(p, account, Some(&current), &new, now).await.map(|_| ()),
        Some(user) => auth.set_user_password(p, account, user, Some(&current), &new, now).await.map(|_| ()),
    };
    // This session has ended with the old password, as all the others have.
    changed.map(|()| "/console/sign-in?done=password").map_err(|error| match error {
        auth::Error::Busy => Ok(Wrong::of("current_password", t.sign_in_throttled)),
        error => wrong(error, t),
    })
}
