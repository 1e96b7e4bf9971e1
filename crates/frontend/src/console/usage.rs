//! What was used under the shares of an image: in all, and of one share by day, by user and by address.

use std::collections::BTreeMap;

use auth::{AccountName, Share, UsageOfDay, UsageWanted, Visibility};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kv::UsedFrom;
use maud::{Markup, html};

use super::image::Seen;
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{size, time};
use super::problem::Problem;
use super::shared::status;
use super::table::{column, heading, number, table, titled, words};
use super::text::fill;
use super::visitor::Visitor;

/// The most rows of a share that are counted.
const ROWS_MAX: usize = 10_000;
/// How many days are shown, as a visitor chooses.
const DAYS: [i64; 3] = [7, 30, 90];
/// Where nothing was chosen.
const DAYS_USUAL: i64 = 30;
const CHART_WIDTH: usize = 720;
const CHART_HEIGHT: u64 = 140;

/// Pulls and bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    pulls: u64,
    bytes: u64,
}

impl Used {
    fn add(&mut self, day: &UsageOfDay) {
        self.pulls = self.pulls.saturating_add(day.pulls);
        self.bytes = self.bytes.saturating_add(day.bytes);
    }
}

/// The tab.
pub(super) async fn show(visitor: &Visitor, seen: &Seen) -> Result<Markup, Problem> {
    let t = visitor.t;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let after = visitor.query.get("after").and_then(|name| AccountName::parse(name).ok());
    let found = async |after| {
        let found = (|_: &AccountName| true, after);
        auth.find_repository_shares(p, &seen.repository.name, found, ROWS_AND_ONE, now).await
    };
    let mut shares = found(after.as_ref()).await?;
    if shares.is_empty() && after.is_some() {
        // What stood there is gone; what stands before is not.
        shares = found(None).await?;
    }
    let shares = Rows::of(shares, |share| share.grantee.to_string());
    let chosen = match visitor.query.get("share") {
        Some(account) => {
            let account = AccountName::parse(account).map_err(|_| Problem::NotFound)?;
            Some(auth.show_share(p, &seen.repository.name, &account, now).await?)
        }
        // The one that was used last, as far as the page shows.
        None => {
            let last_use = |share: &&Share| share.used.and_then(|used| used.last_used_at);
            shares.items.iter().rev().max_by_key(last_use).cloned()
        }
    };
    let Some(chosen) = chosen else {
        let sharing = format!("{}?tab=sharing", seen.address());
        return Ok(html! {
            div.empty {
                @if seen.repository.visibility == Visibility::Public { p { (t.usage_public) } } @else {
                    p { (t.not_shared) }
                    p { (t.no_usage) }
                    p { a href=(sharing) { (t.sharing) } }
                }
            }
        });
    };
    let columns =
        [heading(t.shared_with), column(t.status), number(t.pulls), number(t.bytes), column(t.last_use)];
    let most = shares.items.iter().map(|share| share.used.unwrap_or_default().pulls).max().unwrap_or(0);
    Ok(html! {
        (table(t, &columns, shares.items.iter().map(|share| line(visitor, seen, share, (share.id == chosen.id, most)))))
        (pager(visitor, &format!("{}?tab=usage", seen.address()), shares.next.as_deref()))
        (of_share(visitor, seen, &chosen).await?)
    })
}

/// A share; whether it is the chosen one, and the most pulls of any, which its bar is a part of.
fn line(visitor: &Visitor, seen: &Seen, share: &Share, (chosen, most): (bool, u64)) -> Vec<Markup> {
    let t = visitor.t;
    let used = share.used.unwrap_or_default();
    let to = format!("{}?tab=usage&share={}#usage", seen.address(), share.grantee);
    vec![
        html! { a href=(to) aria-current=[chosen.then_some("true")] { (share.grantee) } },
        status(visitor, share),
        html! { (used.pulls) @if used.pulls > 0 { (bar(used.pulls, most)) } },
        html! { (size(used.bytes)) },
        html! { @match used.last_used_at { Some(at) => (time(at, &visitor.zone)), None => (t.never) } },
    ]
}

/// What part `pulls` are of the most; the number beside it says the same.
fn bar(pulls: u64, most: u64) -> Markup {
    let width = (u128::from(pulls) * 100).div_ceil(u128::from(most.max(1)));
    html! { svg.part viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" { rect width=(width) height="6" {} } }
}

async fn of_share(visitor: &Visitor, seen: &Seen, share: &Share) -> Result<Markup, Problem> {
    let t = visitor.t;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let days: Option<i64> = visitor.query.get("days").and_then(|days| days.parse().ok());
    let days = days.filter(|days| DAYS.contains(days)).unwrap_or(DAYS_USUAL);
    // Usage is counted by days in UTC.
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let from = today.saturating_sub((days - 1).days());
    let wanted = UsageWanted { from: Some(from), to: None, after: None, limit: ROWS_MAX };
    let (_, rows) = auth.share_usage(p, &seen.repository.name, &share.grantee, wanted, now).await?;
    let (mut by_day, mut by_user) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        by_day.entry(row.day).or_insert_with(Used::default).add(row);
        let login = row.login.clone().unwrap_or_else(|| t.deleted_user.to_owned());
        by_user.entry((login, from_text(visitor, row.from))).or_insert_with(Used::default).add(row);
    }
    let title = fill(t.usage_of, &[("account", &share.grantee), ("count", &days)]);
    Ok(html! {
        h2 id="usage" { (title) }
        ul.tabs {
            @for choice in DAYS {
                li {
                    a href=(format!("{}?tab=usage&share={}&days={choice}#usage", seen.address(), share.grantee))
                        aria-current=[(choice == days).then_some("true")] {
                        (fill(t.last_days, &[("count", &choice)]))
                    }
                }
            }
        }
        @if rows.is_empty() { div.empty { p { (t.nothing_used) } } } @else {
            @if rows.len() == ROWS_MAX { p.wrong { (fill(t.usage_cut, &[("max", &ROWS_MAX)])) } }
            (chart(visitor, &by_day, from, today, &title))
            (tables(visitor, &by_day, &by_user))
        }
    })
}

fn from_text(visitor: &Visitor, from: UsedFrom) -> String {
    match from {
        UsedFrom::Address(address) => address.to_string(),
        UsedFrom::Unknown => visitor.t.address_unknown.to_owned(),
        UsedFrom::Others => visitor.t.address_others.to_owned(),
    }
}

/// Pulls by day as bars; the table below says the same.
fn chart(visitor: &Visitor, by_day: &BTreeMap<Date, Used>, from: Date, to: Date, title: &str) -> Markup {
    let days: Vec<Date> = from.series(1.day()).take_while(|day| *day <= to).collect();
    let most = by_day.values().map(|used| used.pulls).max().unwrap_or(0).max(1);
    let step = CHART_WIDTH / days.len().max(1);
    let height = |pulls: u64| (u128::from(pulls) * u128::from(CHART_HEIGHT)).div_ceil(u128::from(most));
    html! {
        figure {
            svg.chart viewBox=(format!("0 0 {CHART_WIDTH} {CHART_HEIGHT}")) preserveAspectRatio="none" role="img" aria-labelledby="usage-chart-title" {
                title id="usage-chart-title" { (title) }
                @for (at, day) in days.iter().enumerate() {
                    @let pulls = by_day.get(day).map_or(0, |used| used.pulls);
                    @if pulls > 0 {
                        rect x=(at * step) y=(u128::from(CHART_HEIGHT) - height(pulls)) width=(step.saturating_sub(1).max(1))
                            height=(height(pulls)) { title { (day) ": " (pulls) } }
                    }
                }
            }
            // Beside the picture, so that they are as large as other texts, whatever its width.
            div.ends { span { (from) } span { (to) } }
            figcaption.hint { (fill(visitor.t.chart_caption, &[("max", &most)])) }
        }
    }
}

fn tables(
    visitor: &Visitor,
    by_day: &BTreeMap<Date, Used>,
    by_user: &BTreeMap<(String, String), Used>,
) -> Markup {
    let t = visitor.t;
    let (pulls, bytes) = (|used: &Used| html! { (used.pulls) }, |used: &Used| html! { (size(used.bytes)) });
    let of_day = [heading(t.day), number(t.pulls), number(t.bytes)];
    let days = by_day.iter().rev().map(|(day, used)| vec![html! { (day) }, pulls(used), bytes(used)]);
    let of_user = [heading(t.user), words(t.address), number(t.pulls), number(t.bytes)];
    let users = by_user
        .iter()
        .map(|((login, from), used)| vec![html! { (login) }, html! { (from) }, pulls(used), bytes(used)]);
    html! {
        h3 { (t.by_day) }
        (titled(t.by_day, &of_day, days))
        h3 { (t.by_user) }
        (titled(t.by_user, &of_user, users))
    }
}
