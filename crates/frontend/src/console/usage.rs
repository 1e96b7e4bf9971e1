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
use super::text::fill;
use super::visitor::Visitor;

/// The most rows of a share that are counted.
const ROWS_MAX: usize = 10_000;
/// How many days are shown, as a visitor chooses; the first stands for no choice.
const DAYS: [i64; 3] = [30, 7, 90];
const CHART_WIDTH: usize = 720;
const CHART_HEIGHT: u64 = 140;
const CHART_FOOT: u64 = 20;

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
        None => shares.items.first().cloned(),
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
    Ok(html! {
        div.scroll tabindex="0" role="group" aria-label=(t.list) {
            table {
                thead {
                    tr {
                        th scope="col" { (t.shared_with) }
                        th scope="col" { (t.status) }
                        th.number scope="col" { (t.pulls) }
                        th.number scope="col" { (t.bytes) }
                        th scope="col" { (t.last_use) }
                    }
                }
                tbody { @for share in &shares.items { (line(visitor, seen, share, share.id == chosen.id)) } }
            }
        }
        (pager(visitor, &format!("{}?tab=usage", seen.address()), shares.next.as_deref()))
        (of_share(visitor, seen, &chosen).await?)
    })
}

fn line(visitor: &Visitor, seen: &Seen, share: &Share, chosen: bool) -> Markup {
    let t = visitor.t;
    let used = share.used.unwrap_or_default();
    let to = format!("{}?tab=usage&share={}", seen.address(), share.grantee);
    html! {
        tr {
            th scope="row" { a href=(to) aria-current=[chosen.then_some("true")] { (share.grantee) } }
            td { (status(visitor, share)) }
            td.number { (used.pulls) }
            td.number { (size(used.bytes)) }
            td { @match used.last_used_at { Some(at) => (time(at, &visitor.zone)), None => (t.never) } }
        }
    }
}

async fn of_share(visitor: &Visitor, seen: &Seen, share: &Share) -> Result<Markup, Problem> {
    let t = visitor.t;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let days: Option<i64> = visitor.query.get("days").and_then(|days| days.parse().ok());
    let days = days.filter(|days| DAYS.contains(days)).unwrap_or(DAYS[0]);
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
        h2 { (title) }
        ul.tabs {
            @for choice in DAYS {
                li {
                    a href=(format!("{}?tab=usage&share={}&days={choice}", seen.address(), share.grantee))
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
    let foot = CHART_HEIGHT + CHART_FOOT;
    html! {
        figure {
            svg.chart viewBox=(format!("0 0 {CHART_WIDTH} {}", foot + 4)) role="img" aria-labelledby="usage-chart-title" {
                title id="usage-chart-title" { (title) }
                @for (at, day) in days.iter().enumerate() {
                    @let pulls = by_day.get(day).map_or(0, |used| used.pulls);
                    @if pulls > 0 {
                        rect x=(at * step) y=(u128::from(CHART_HEIGHT) - height(pulls)) width=(step.saturating_sub(1).max(1))
                            height=(height(pulls)) { title { (day) ": " (pulls) } }
                    }
                }
                text x="0" y=(foot) { (from) }
                text x=(CHART_WIDTH) y=(foot) text-anchor="end" { (to) }
            }
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
    let numbers = |used: &Used| html! { td.number { (used.pulls) } td.number { (size(used.bytes)) } };
    let heads = html! { th.number scope="col" { (t.pulls) } th.number scope="col" { (t.bytes) } };
    html! {
        h3 { (t.by_day) }
        div.scroll tabindex="0" role="group" aria-label=(t.list) {
            table {
                thead { tr { th scope="col" { (t.day) } (heads) } }
                tbody { @for (day, used) in by_day.iter().rev() { tr { th scope="row" { (day) } (numbers(used)) } } }
            }
        }
        h3 { (t.by_user) }
        div.scroll tabindex="0" role="group" aria-label=(t.list) {
            table {
                thead { tr { th scope="col" { (t.user) } th scope="col" { (t.address) } (heads) } }
                tbody {
                    @for ((login, from), used) in by_user {
                        tr { th scope="row" { (login) } td { (from) } (numbers(used)) }
                    }
                }
            }
        }
    }
}
