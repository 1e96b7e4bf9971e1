//! What the details of events and the failures of deliveries say, in the visitor's language. Their English is that of the
//! records, which `auth` writes; here is the Chinese, and instants are in the account's time zone in both.

use auth::{DeliveryFailure, Event, EventDetail, ShareField, SignInRefusal};
use jiff::Timestamp;
use maud::{Markup, html};

use super::page::instant;
use super::permissions::level_text;
use super::text::{Language, Texts};
use super::visitor::Visitor;

/// An event's detail.
pub(super) fn event_detail(visitor: &Visitor, event: &Event) -> Markup {
    let detail = EventDetail::read(event.kind, &event.detail);
    if let EventDetail::Other(text) = &detail {
        return html! { span lang=(Language::English.tag()) { (text) } };
    }
    html! { (detail_text(visitor.language, &detail, |at| instant(at, &visitor.zone))) }
}

fn detail_text(language: Language, detail: &EventDetail, at: impl Fn(Timestamp) -> String) -> String {
    match language {
        Language::English => detail.english(at),
        Language::Chinese => chinese(detail, at),
    }
}

/// How a delivery failed, if one did.
pub(super) fn failure(visitor: &Visitor, text: Option<&str>) -> Markup {
    let Some(failure) = text.map(DeliveryFailure::read) else { return html! {} };
    let (words, cause) = match visitor.language {
        Language::English => (String::new(), failure.to_string()),
        Language::Chinese => chinese_failure(failure),
    };
    html! { (words) @if !cause.is_empty() { span lang=(Language::English.tag()) { (cause) } } }
}

/// What we say, and what others said that it is about.
fn chinese_failure(failure: DeliveryFailure) -> (String, String) {
    match failure {
        DeliveryFailure::Answered { status, redirect: false } => ("接收方返回：".to_owned(), status),
        DeliveryFailure::Answered { status, redirect: true } => {
            ("接收方返回重定向，系统不会跟随：".to_owned(), status)
        }
        DeliveryFailure::NotPermitted => {
            ("该地址无法解析，或不在本仓库允许发送的范围内".to_owned(), String::new())
        }
        DeliveryFailure::TimedOut => ("等待响应超时".to_owned(), String::new()),
        DeliveryFailure::Unreached { cause } => ("未能送达：".to_owned(), cause),
    }
}

fn chinese(detail: &EventDetail, at: impl Fn(Timestamp) -> String) -> String {
    let t = Language::Chinese.texts();
    match detail {
        EventDetail::Share { grantee, deadline, tags, changed } => {
            let end = deadline.map_or_else(|| t.permanent.to_owned(), |end| format!("{} 截止", at(end)));
            let tags = if tags.is_empty() { String::new() } else { format!("，版本 {}", tags.join(" ")) };
            let changed: Vec<_> = changed.iter().map(|field| field_text(t, *field)).collect();
            let changed = if changed.is_empty() {
                String::new()
            } else {
                format!("；已修改：{}", changed.join("、"))
            };
            format!("共享给 {grantee}，{end}{tags}{changed}")
        }
        EventDetail::ShareGone { grantee } => format!("共享给 {grantee}"),
        EventDetail::ToShare { repository } => format!("尝试共享 {repository}"),
        EventDetail::Permission { user, level } => format!("{user}：{}", level_text(t, *level)),
        EventDetail::FromRegion(region) => format!("来自区域 {region}"),
        EventDetail::Token(id) => format!("令牌 {id}"),
        EventDetail::AccessKey(id) => format!("访问密钥 {id}"),
        EventDetail::Pushed { index, digest, tags } => {
            let what = if *index { "多平台镜像" } else { "镜像" };
            let tags =
                if tags.is_empty() { "无版本".to_owned() } else { format!("版本 {}", tags.join("、")) };
            format!("{what} {digest}，{tags}")
        }
        EventDetail::Tagged { digest, tag, source } => format!("{digest}，版本 {tag}（与 {source} 相同）"),
        EventDetail::PulledAsPublic => "公开镜像".to_owned(),
        EventDetail::Password => "密码".to_owned(),
        EventDetail::PersonalToken(id) => format!("个人令牌 {id}"),
        EventDetail::SignInRefused(reason) => chinese_refusal(reason),
        EventDetail::AccessToken(scopes) => format!("访问令牌 {scopes}").trim_end().to_owned(),
        EventDetail::RefreshToken => "刷新令牌".to_owned(),
        EventDetail::Names(text) | EventDetail::Other(text) => text.clone(),
    }
}

fn chinese_refusal(reason: &SignInRefusal) -> String {
    match reason {
        SignInRefusal::Disabled => "已停用".to_owned(),
        SignInRefusal::WrongPassword => "密码错误".to_owned(),
        SignInRefusal::UnknownUser => "用户不存在".to_owned(),
        SignInRefusal::TokenUnderAnotherName(id) => format!("个人令牌 {id} 与登录名不符"),
        SignInRefusal::TokenEnded(id) => format!("个人令牌 {id} 已失效"),
        SignInRefusal::RefreshTokenEnded => "刷新令牌所属的凭证已失效".to_owned(),
        SignInRefusal::AccessKeyUnproven(id) => format!("访问密钥 {id} 校验失败"),
        SignInRefusal::AccessKeyClosed(id) => format!("访问密钥 {id} 已停用或失效"),
    }
}

fn field_text(t: &'static Texts, field: ShareField) -> &'static str {
    match field {
        ShareField::Deadline => t.deadline,
        ShareField::Description => t.description,
        ShareField::Tags => t.tags_pattern,
        ShareField::Notice => t.notice,
    }
}

#[cfg(test)]
mod tests {
    use auth::{DeliveryFailure, EventDetail};
    use jiff::tz::TimeZone;

    use super::{chinese_failure, detail_text};
    use crate::console::page::instant;
    use crate::console::text::Language;

    /// Words of Latin letters that are no parameters.
    fn latin<'t>(text: &'t str, names: &[&str]) -> Vec<&'t str> {
        let words = text.split(|c: char| !c.is_ascii_graphic() || c == ',');
        words.filter(|word| word.bytes().any(|b| b.is_ascii_alphabetic()) && !names.contains(word)).collect()
    }

    #[test]
    fn every_detail_is_said_in_each_language() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let names = [
            "globex",
            "v1.*",
            "latest",
            "team-a/web",
            "dev",
            "main",
            "AKIDEXAMPLE",
            "sha256:9f86",
            "a",
            "b",
            "v1",
            "repository:team-a/web:pull",
            "DELETE",
            "/api/v1/repositories/team-a/web",
        ];
        for (kind, text) in EventDetail::EXAMPLES {
            let detail = EventDetail::read(*kind, text);
            let said = |language| detail_text(language, &detail, |at| instant(at, &shanghai));
            let (english, chinese) = (said(Language::English), said(Language::Chinese));
            assert!(latin(&chinese, &names).is_empty(), "{chinese}");
            match text.split_once("2027-01-31T16:00:00Z") {
                None => assert_eq!(english, *text),
                Some((before, _)) => {
                    assert_eq!(english, format!("{before}2027-02-01 00:00 +08:00"));
                    assert!(chinese.contains("2027-02-01 00:00 +08:00"), "{chinese}");
                }
            }
        }
    }

    #[test]
    fn every_failure_is_said_in_chinese_and_leaves_what_others_said() {
        for (text, cause) in [
            ("503 Service Unavailable", "503 Service Unavailable"),
            ("302 Found; redirects are not followed", "302 Found"),
            ("no answer in time", ""),
            ("it leads to no address, or to one that this registry does not send to", ""),
            ("Connection refused (os error 111)", "Connection refused (os error 111)"),
        ] {
            let (words, left) = chinese_failure(DeliveryFailure::read(text));
            assert_eq!((latin(&words, &[]), left.as_str()), (Vec::new(), cause), "{words}");
        }
    }
}
