//! Values that a request may give, by the kind of what it gives them for: those that are refused, and those that only look
//! as if they should be.

use serde_json::{Value, json};

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name of a grammar of its own.
    Name,
    /// A list of such names, each once.
    Names,
    /// 0 to 1000 characters of any script.
    Description,
    /// 0 to 100 characters of any script, in one line.
    DisplayName,
    /// 8 to 256 characters.
    Password,
    /// The password that is to be replaced: whatever it is, it is the right one or not.
    CurrentPassword,
    /// An instant with its offset, in the future.
    Deadline,
    /// Yes or no.
    Boolean,
    /// One of a few words.
    Word,
    /// A positive number of seconds.
    Seconds,
    /// A number of seconds, at most those of a year.
    SecondsBefore,
    /// 15 minutes to 24 hours, in seconds.
    LoginSeconds,
    /// Words of a token's scope.
    Scope,
    /// Patterns of tags.
    Tags,
    /// This server's region.
    Region,
    /// Where a webhook leads.
    Url,
    /// Words for what a webhook is told.
    Events,
    /// The number of something.
    Id,
}

/// What becomes of a request with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is done.
    Fine,
    /// It is refused, with this status and code, and the field's name.
    Refused(u16, &'static str),
}

use Verdict::{Fine, Refused};

const INVALID: Verdict = Refused(400, "invalid");

/// One more than a description may have, in characters.
const TOO_MANY: usize = 1001;

impl Kind {
    /// Values of it, with what becomes of them.
    pub(super) fn values(self) -> Vec<(Value, Verdict)> {
        let mut values: Vec<_> =
            self.texts().into_iter().map(|(text, verdict)| (Value::String(text), verdict)).collect();
        let accepted = self.json_type();
        for (kind, value) in [
            ("number", json!(0)),
            ("number", json!(-1)),
            ("number", json!(1.5)),
            ("number", json!(1_u64 << 53)),
            ("number", json!(u64::MAX)),
            ("boolean", json!(true)),
            ("string", json!("")),
            ("array", json!([])),
            ("array", json!(["a", 7, null])),
            ("array", json!([[[["deep"]]]])),
            ("object", json!({})),
            ("object", json!({"name": "acme"})),
        ] {
            if kind != accepted {
                values.push((value, INVALID));
            }
        }
        values.extend(self.others());
        values
    }

    fn json_type(self) -> &'static str {
        match self {
            Kind::Boolean => "boolean",
            Kind::Seconds | Kind::SecondsBefore | Kind::LoginSeconds | Kind::Id => "number",
            Kind::Scope | Kind::Events | Kind::Names | Kind::Tags => "array",
            _ => "string",
        }
    }

    /// Values of the right type.
    #[expect(clippy::too_many_lines, reason = "a table: what a kind of value can be")]
    fn others(self) -> Vec<(Value, Verdict)> {
        match self {
            Kind::Seconds => vec![
                (json!(0), INVALID),
                (json!(-1), INVALID),
                (json!(1.5), INVALID),
                (json!(1_u64 << 53), INVALID),
                (json!(u64::MAX), INVALID),
                (json!(365 * 86_400), Fine),
                (json!(365 * 86_400 + 1), INVALID),
            ],
            Kind::SecondsBefore => vec![
                (json!(0), Fine),
                (json!(-1), INVALID),
                (json!(1.5), INVALID),
                (json!(366 * 86_400), Fine),
                (json!(366 * 86_400 + 1), INVALID),
                (json!(1_u64 << 53), INVALID),
                (json!(u64::MAX), INVALID),
            ],
            Kind::Names => {
                let mut lists: Vec<_> =
                    names(INVALID).into_iter().map(|(name, verdict)| (json!([name]), verdict)).collect();
                lists.extend([
                    (json!([]), INVALID),
                    (json!([7]), INVALID),
                    (json!([null]), INVALID),
                    (json!([["acme"]]), INVALID),
                    (json!(["twice/twice", "twice/twice"]), INVALID),
                ]);
                lists
            }
            Kind::LoginSeconds => vec![
                (json!(0), INVALID),
                (json!(-900), INVALID),
                (json!(900.5), INVALID),
                (json!(u64::MAX), INVALID),
                (json!(899), INVALID),
                (json!(900), Fine),
                (json!(86_400), Fine),
                (json!(86_401), INVALID),
            ],
            Kind::Events => vec![
                (json!([]), Fine),
                (
                    json!(["share.created", "share.updated", "share.ending", "share.ended", "share.revoked"]),
                    Fine,
                ),
                (json!(["share.ended", "share.ended"]), Fine),
                (json!([""]), INVALID),
                (json!([7]), INVALID),
                (json!([null]), INVALID),
                (json!(["share.ended", "a", 7, null]), INVALID),
                (json!([[[["deep"]]]]), INVALID),
                (json!(["SHARE.ENDED"]), INVALID),
                (json!(["webhook.test"]), INVALID),
                (json!(["x".repeat(TOO_MANY)]), INVALID),
            ],
            Kind::Id => vec![
                (json!(0), Refused(404, "not_found")),
                (json!(7), Refused(404, "not_found")),
                (json!(-1), INVALID),
                (json!(1.5), INVALID),
                (json!(1_u64 << 53), INVALID),
                (json!(u64::MAX), INVALID),
            ],
            Kind::Tags => {
                let none = names(INVALID).into_iter().filter(|(text, _)| text != "A");
                let mut lists: Vec<_> = none.map(|(text, verdict)| (json!([text]), verdict)).collect();
                lists.extend([
                    (json!([]), INVALID),
                    (json!([7]), INVALID),
                    (json!([null]), INVALID),
                    (json!([["v1.*"]]), INVALID),
                    (json!(["v1.*", "v1/*"]), INVALID),
                    (json!(["x".repeat(129)]), INVALID),
                    (json!(["*".repeat(128)]), Fine),
                    (json!(vec!["v1.*"; 1001]), Fine),
                ]);
                lists
            }
            Kind::Scope => vec![
                (json!([]), INVALID),
                (json!([""]), INVALID),
                (json!([7]), INVALID),
                (json!([null]), INVALID),
                (json!(["a", 7, null]), INVALID),
                (json!(["repository:team-a/web"]), INVALID),
                (json!(["repository:team-a/web:push-as-well"]), INVALID),
                (json!(["repository:\u{0}:pull"]), INVALID),
                (json!(["repository:Ünï/web:pull"]), INVALID),
                (json!(["x".repeat(TOO_MANY)]), INVALID),
                (json!(vec!["repository:team-a/web:pull"; 1001]), INVALID),
                (json!(["repository:team-a/web:pull"]), Fine),
            ],
            _ => Vec::new(),
        }
    }

    fn texts(self) -> Vec<(String, Verdict)> {
        match self {
            Kind::Name | Kind::Word => names(INVALID),
            Kind::Region => names(Refused(422, "other_region")),
            Kind::Description => descriptions(),
            Kind::DisplayName => display_names(),
            Kind::Password => passwords(),
            Kind::CurrentPassword => names(Refused(422, "wrong_password")),
            Kind::Deadline => deadlines(),
            Kind::Url => urls(),
            Kind::Boolean
            | Kind::Seconds
            | Kind::SecondsBefore
            | Kind::LoginSeconds
            | Kind::Scope
            | Kind::Names
            | Kind::Events
            | Kind::Tags
            | Kind::Id => names(INVALID),
        }
    }
}

/// What is no name of anything.
pub(super) fn names(verdict: Verdict) -> Vec<(String, Verdict)> {
    let texts = [
        String::new(),
        " ".to_owned(),
        "two words".to_owned(),
        "Ünïcödé".to_owned(),
        "漢字".to_owned(),
        "كلمة".to_owned(),
        "🚢".to_owned(),
        "аcme".to_owned(), // a Cyrillic letter first
        "a\u{0}b".to_owned(),
        "\u{7}".to_owned(),
        "\u{1b}[31mred".to_owned(),
        "a\u{85}b".to_owned(),
        "a\r\nset-cookie: b".to_owned(),
        "\u{202e}emca".to_owned(),
        "../../etc/passwd".to_owned(),
        "' OR 1=1 --".to_owned(),
        "-".to_owned(),
        "A".to_owned(),
        "x".repeat(TOO_MANY),
        "🚢".repeat(TOO_MANY),
        "x".repeat(60_000),
    ];
    texts.into_iter().map(|text| (text, verdict)).collect()
}

fn descriptions() -> Vec<(String, Verdict)> {
    vec![
        (String::new(), Fine),
        ("漢字 كلمة Ünïcödé 🚢".to_owned(), Fine),
        ("two\nlines\tand a tab".to_owned(), Fine),
        ("x".repeat(TOO_MANY - 1), Fine),
        ("🚢".repeat(TOO_MANY - 1), Fine),
        ("漢".repeat(TOO_MANY - 1), Fine),
        ("x".repeat(TOO_MANY), INVALID),
        ("é".repeat(TOO_MANY), INVALID),
        ("🚢".repeat(TOO_MANY), INVALID),
        ("a\u{0}b".to_owned(), INVALID),
        ("\u{7}".to_owned(), INVALID),
        ("\u{1b}[31mred".to_owned(), INVALID),
        ("a\u{85}b".to_owned(), INVALID),
        ("a\r\nb".to_owned(), INVALID),
        ("\u{202e}emca".to_owned(), INVALID),
        ("x".repeat(60_000), INVALID),
    ]
}

fn display_names() -> Vec<(String, Verdict)> {
    vec![
        (String::new(), Fine),
        ("漢字 كلمة Ünïcödé 🚢".to_owned(), Fine),
        ("🚢".repeat(100), Fine),
        ("🚢".repeat(101), INVALID),
        (" acme".to_owned(), INVALID),
        ("acme ".to_owned(), INVALID),
        ("two\nlines".to_owned(), INVALID),
        ("a\u{0}b".to_owned(), INVALID),
        ("\u{1b}[31mred".to_owned(), INVALID),
        ("\u{202e}emca".to_owned(), INVALID),
        ("x".repeat(60_000), INVALID),
    ]
}

fn passwords() -> Vec<(String, Verdict)> {
    vec![
        (String::new(), INVALID),
        ("1234567".to_owned(), INVALID),
        ("🚢".repeat(7), INVALID),
        ("🚢".repeat(8), Fine),
        ("🚢".repeat(256), Fine),
        ("x".repeat(257), INVALID),
        ("é".repeat(257), INVALID),
        ("x".repeat(TOO_MANY), INVALID),
        ("x".repeat(60_000), INVALID),
        ("a password\u{0}".to_owned(), INVALID),
        ("gp_pat_like a token".to_owned(), INVALID),
    ]
}

fn deadlines() -> Vec<(String, Verdict)> {
    const MALFORMED: Verdict = Refused(400, "deadline_malformed");
    const PAST: Verdict = Refused(422, "deadline_past");
    let mut deadlines: Vec<_> = [
        ("1970-01-01T00:00:00Z", PAST),
        ("0001-01-01T00:00:00Z", PAST),
        ("2027-01-15T08:00:00Z", PAST), // now
        ("2027-01-15T09:00:00+01:00", PAST),
        ("2027-01-15T08:00:01Z", Fine),
        ("2027-01-15T08:00:00.000000001Z", Fine),
        ("9999-01-01T00:00:00Z", Fine),
        ("9999-12-31T23:59:59Z", MALFORMED), // later than can be kept
        ("10000-01-01T00:00:00Z", MALFORMED),
        ("+10000-01-01T00:00:00Z", MALFORMED),
        ("-0001-01-01T00:00:00Z", MALFORMED),
        ("2030-06-30T23:59:60Z", MALFORMED), // a leap second
        ("2030-02-29T00:00:00Z", MALFORMED),
        ("2030-13-01T00:00:00Z", MALFORMED),
        ("2030-01-01T24:00:00Z", MALFORMED),
        ("2030-01-01", MALFORMED),
        ("2030-01-01T00:00:00", MALFORMED),
        ("2030-01-01T00:00:00Z[Europe/Berlin]", MALFORMED),
        ("2030-01-01T00:00:00+24:00", MALFORMED),
        ("٢٠٣٠-٠١-٠١T٠٠:٠٠:٠٠Z", MALFORMED),
        ("forever", MALFORMED),
        ("1893456000", MALFORMED),
    ]
    .into_iter()
    .map(|(text, verdict)| (text.to_owned(), verdict))
    .collect();
    deadlines.extend(names(MALFORMED));
    deadlines
}

fn urls() -> Vec<(String, Verdict)> {
    let path =
        |bytes: usize| format!("https://example.com/{}", "x".repeat(bytes - "https://example.com/".len()));
    let mut urls: Vec<_> = [
        ("https://example.com", Fine),
        ("http://example.com:8080/hook?a=b", Fine),
        ("https://bücher.example/ﬁ/🚢", Fine),
        ("https://8.8.8.8/", Fine),
        ("example.com", INVALID),
        ("//example.com", INVALID),
        ("ftp://example.com", INVALID),
        ("https:///", INVALID),
        ("https://user:word@example.com", INVALID),
        ("https://example.com#part", INVALID),
        ("https://example.com:0", INVALID),
        ("https://example.com:65536", INVALID),
        ("https://exa mple.com", INVALID),
        ("https://example.com/\n", INVALID),
        ("https://example.com/\u{0}", INVALID),
        ("https://example.com\\@127.0.0.1/", INVALID),
        ("https://127.0.0.1/", INVALID),
        ("https://127.1/", INVALID),
        ("https://0x7f000001/", INVALID),
        ("https://localhost/", INVALID),
        ("https://[::ffff:10.0.0.1]/", INVALID),
        ("https://169.254.169.254/latest", INVALID),
    ]
    .into_iter()
    .map(|(text, verdict)| (text.to_owned(), verdict))
    .collect();
    urls.extend([(path(2_048), Fine), (path(2_049), INVALID)]);
    urls.extend(names(INVALID));
    urls
}
