//! What is shown once is made once: a form that was sent, and is sent again, makes nothing more.

use std::time::Duration;

use super::app::TestApp;
use super::browser::{Browser, Page};

const SHOWN: &str = "This is shown once.";

/// A form that makes something whose secret is shown once.
struct Once {
    page: &'static str,
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
    /// What it says in vain, before that is mended.
    wrong: (&'static str, &'static str),
    /// What stands in the list once for each.
    row: &'static str,
}

const PASSWORD: (&str, &str) = ("current_password", "the password of acme");

const FORMS: &[Once] = &[
    Once {
        page: "/console/credentials?do=docker-login",
        path: "/console/credentials",
        fields: &[("action", "docker-login"), ("hours", "1"), PASSWORD],
        wrong: ("hours", "25"),
        row: "do=revoke&amp;",
    },
    Once {
        page: "/console/credentials?do=token",
        path: "/console/credentials",
        fields: &[("action", "token"), ("days", "1"), PASSWORD],
        wrong: ("days", "0"),
        row: "do=revoke&amp;",
    },
    Once {
        page: "/console/credentials?do=access-key",
        path: "/console/credentials",
        fields: &[("action", "access-key"), PASSWORD],
        wrong: ("current_password", "wrong"),
        row: "do=delete&amp;",
    },
    Once {
        page: "/console/webhooks?do=create",
        path: "/console/webhooks",
        fields: &[("action", "create"), ("url", "https://hooks.example/x")],
        wrong: ("url", "hook"),
        row: "href=\"/console/webhooks/",
    },
];

async fn rows(browser: &Browser<'_>, form: &Once) -> usize {
    browser.opens(form.path).await.text.matches(form.row).count()
}

/// That the second answer is the list, which says what became of the first.
fn tells(page: &Page, form: &Once, text: &str) {
    page.is(200).says(&[text]).says_nothing_of(&["data-copy="]);
    assert_eq!(page.address, format!("{}?done=made-before", form.path));
}

const MADE_BEFORE: &str =
    "That was made already, and is shown once. Revoke or delete it if you did not keep it, and make another.";

#[tokio::test]
async fn a_form_that_made_something_makes_nothing_more_and_says_so() {
    let app = TestApp::start().await;
    let mut acme = Browser::of(&app, "acme").await;
    for form in FORMS {
        let before = rows(&acme, form).await;
        let page = acme.opens(form.page).await;
        acme.answers(&page, form.path, form.fields).await.is(200).says(&[SHOWN]);
        for (language, told) in [("en", MADE_BEFORE), ("zh-CN", "此前已创建，其内容仅显示一次。")]
        {
            acme.language = language;
            tells(&acme.answers(&page, form.path, form.fields).await, form, told);
        }
        acme.language = "en";
        // What is typed into it meanwhile makes no difference.
        let other = [form.fields, &[form.wrong, ("description", "another")]].concat();
        tells(&acme.answers(&page, form.path, &other).await, form, MADE_BEFORE);
        assert_eq!(rows(&acme, form).await, before + 1, "{}", form.page);
        acme.sends(form.page, form.path, form.fields).await.says(&[SHOWN]);
        assert_eq!(rows(&acme, form).await, before + 2, "{}", form.page);
    }
}

#[tokio::test]
async fn what_is_wrong_uses_no_form_up() {
    let app = TestApp::start().await;
    let acme = Browser::of(&app, "acme").await;
    for form in FORMS {
        let page = acme.opens(form.page).await;
        let right = form.fields.iter().copied().filter(|(name, _)| *name != form.wrong.0);
        let wrong: Vec<_> = right.chain([form.wrong]).collect();
        let again = acme.answers(&page, form.path, &wrong).await;
        again.says(&[&format!("id=\"{}-error\"", form.wrong.0)]);
        acme.answers(&page, form.path, &wrong).await.says(&["-error\""]);
        for page in [&page, &again] {
            acme.answers(page, form.path, form.fields).await.says(&[SHOWN]);
            tells(&acme.answers(page, form.path, form.fields).await, form, MADE_BEFORE);
        }
    }
}

#[tokio::test]
async fn a_form_that_is_sent_twice_at_once_makes_one_thing() {
    // Each looks at the password anew, and lets the others get ahead while it does.
    let rules = auth::Settings { password_cache_ttl: Duration::ZERO, ..auth::Settings::default() };
    let app = TestApp::start_by_rules(rules).await;
    let acme = Browser::of(&app, "acme").await;
    for form in FORMS {
        let before = rows(&acme, form).await;
        let page = acme.opens(form.page).await;
        let sends = (0..4).map(|_| acme.answers(&page, form.path, form.fields));
        let answers = futures::future::join_all(sends).await;
        let (shown, told): (Vec<_>, Vec<_>) = answers.iter().partition(|page| page.text.contains(SHOWN));
        assert_eq!((shown.len(), told.len()), (1, 3), "{}", form.page);
        told.iter().for_each(|page| tells(page, form, MADE_BEFORE));
        assert_eq!(rows(&acme, form).await, before + 1, "{}", form.page);
    }
}

#[tokio::test]
async fn each_session_has_forms_of_its_own_and_one_without_its_number_has_expired() {
    let app = TestApp::start().await;
    let (one, other) = (Browser::of(&app, "acme").await, Browser::of(&app, "acme").await);
    for form in FORMS {
        let before = rows(&one, form).await;
        let fields = [form.fields, &[("once", form.page)]].concat();
        for browser in [&one, &other] {
            browser.sends(form.page, form.path, &fields).await.says(&[SHOWN]);
        }
        let token = one.opens(form.page).await.form_token();
        for fields in [form.fields, &[form.fields, &[("once", "")]].concat()] {
            one.posts(form.path, &token, fields).await.is(403).says(&["This page was open for too long"]);
        }
        assert_eq!(rows(&one, form).await, before + 2, "{}", form.page);
    }
}
