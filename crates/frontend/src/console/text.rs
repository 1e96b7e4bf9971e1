//! Every string of the console, in each of its languages: one that lacks a language does not compile.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// How much of a text a row of a list shows.
const CLIPPED_CHARACTERS: usize = 160;
/// How much of one that is a page's subject.
const SHORTENED_CHARACTERS: usize = 2_000;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
}

impl Language {
    pub(super) const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// As HTML and `Accept-Language` call it (BCP 47).
    pub(super) fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// As its speakers call it.
    pub(super) fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "简体中文",
        }
    }

    pub(super) fn parse(tag: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.tag() == tag)
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Language::English => &ENGLISH,
            Language::Chinese => &CHINESE,
        }
    }

    /// The one that `Accept-Language` (RFC 9110, section 12.5.4) prefers; English where it wants neither.
    pub(super) fn accepted(headers: &HeaderMap) -> Language {
        let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Language::English);
        for range in wanted.split(',') {
            let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let quality: f32 =
                quality.trim().strip_prefix("q=").and_then(|text| text.parse().ok()).unwrap_or(0.0);
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let language = match primary.as_str() {
                "en" => Language::English,
                "zh" => Language::Chinese,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }
}

macro_rules! texts {
    ($($name:ident: $english:literal, $chinese:literal;)+) => {
        /// What is said in one language.
        #[derive(Debug)]
        pub(super) struct Texts { $(pub(super) $name: &'static str,)+ }

        static ENGLISH: Texts = Texts { $($name: $english,)+ };
        static CHINESE: Texts = Texts { $($name: $chinese,)+ };

        /// Each with its name, in each language.
        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $chinese),)+];
    };
}

/// As much of a text as a row of a list shows.
pub(super) fn clipped(text: &str) -> String {
    beginning(text, CLIPPED_CHARACTERS)
}

/// As much of a text as a page shows that is about it.
pub(super) fn shortened(text: &str) -> String {
    beginning(text, SHORTENED_CHARACTERS)
}

fn beginning(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Puts `values` into the places of a text that are written `{name}`.
pub(super) fn fill(text: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            filled.push_str(&value.to_string());
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

include!("texts.rs");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::{HeaderMap, HeaderValue};

    use super::{ALL, Language, fill};

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
    }

    #[test]
    fn both_languages_say_the_same_things() {
        for (name, english, chinese) in ALL {
            assert!(!english.trim().is_empty() && !chinese.trim().is_empty(), "{name}");
            assert_eq!(places(english), places(chinese), "{name}");
            let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            assert!(!english.chars().any(is_han), "{name}: {english}");
            let filled = fill(chinese, &[]);
            let says = filled.chars().any(char::is_alphabetic);
            assert!(!says || filled.chars().any(is_han) || english == chinese, "{name}: {chinese}");
        }
    }

    #[test]
    fn the_seeds_terms_are_used() {
        let chinese: BTreeSet<_> = ALL.iter().map(|(_, _, chinese)| *chinese).collect();
        for term in [
            "我的镜像",
            "自有镜像",
            "他人共享",
            "我共享的镜像",
            "共享镜像",
            "截止日期",
            "永久有效",
            "共享给",
            "描述",
            "权限",
            "下载",
            "确定",
            "共享",
        ] {
            assert!(chinese.contains(term), "{term}");
        }
    }

    #[test]
    fn the_language_is_the_one_that_is_preferred() {
        for (accepted, language) in [
            ("", Language::English),
            ("de", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-US,en;q=0.9,zh;q=0.8", Language::English),
            ("de, zh;q=0.5", Language::Chinese),
            ("zh;q=0", Language::English),
            ("zh;q=x, en;q=0.1", Language::English),
            ("ZH-hans", Language::Chinese),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("accept-language", HeaderValue::from_static(accepted));
            assert_eq!(Language::accepted(&headers), language, "{accepted}");
        }
        assert_eq!(Language::accepted(&HeaderMap::new()), Language::English);
    }

    #[test]
    fn places_are_filled() {
        assert_eq!(fill("{a} of {b}, {a}", &[("a", &1), ("b", &"{a}")]), "1 of {a}, 1");
        assert_eq!(fill("{unknown}!", &[]), "!");
    }
}
