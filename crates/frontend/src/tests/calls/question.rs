//! One cell asked, and what is wrong with the answer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::role::{Role, State};
use super::signer::signed;
use super::table::{Cell, Row};
use super::wire::{Answer, Question};
use super::world::{Copy, World, password_of};

/// What a name in a path of the management API is written with.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const MISSING: &str = "missing";

/// What proves who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// A name and a password; nothing, for nobody.
    Password,
    /// What a password buys: a token of the registry, a personal token.
    Token,
    /// A signature with an access key.
    Signature,
}

/// A cell to be asked.
pub(super) struct Asked<'a> {
    pub(super) world: &'a World,
    pub(super) row: &'a Row,
    pub(super) state: State,
    pub(super) role: Role,
}

impl Asked<'_> {
    /// Whatever is wrong with the answers to it.
    pub(super) async fn faults(&self, cell: Cell) -> Vec<String> {
        let mut faults = Vec::new();
        for proof in self.proofs() {
            let copy = self.world.copy().await;
            let question = self.question(&copy, proof, None).await;
            let (answer, reads) = copy.ask(&question).await;
            let changed = copy.differs_from(self.world).await;
            let mut check = |fault: Result<(), String>| {
                faults.extend(fault.err().map(|fault| format!("with a {proof:?}, {fault}")));
            };
            check(self.judge(cell, &answer));
            check(self.judge_effect(&answer, changed));
            for name in self.row.named().into_iter().filter(|name| self.hides(cell, name)) {
                // A copy of its own: what was asked before must not have been remembered.
                let copy = self.world.copy().await;
                let other = self.question(&copy, proof, Some(name)).await;
                let (others_answer, others) = copy.ask(&other).await;
                let (asked, missing) = (self.value(name), unknown(name));
                // A number may stand in any answer by chance.
                let named = if matches!(name, "id" | "webhook") {
                    ("", "")
                } else {
                    (asked.as_str(), missing.as_str())
                };
                let told = same(&answer, &others_answer, named);
                check(told.map_err(|fault| format!("of another {name}: {fault}")));
                let is_of_account = matches!(name, "account" | "grantee" | "user");
                if is_of_account && reads != others {
                    check(Err(format!("{reads} reads, and {others} for a {name} that is not there")));
                }
            }
        }
        faults
    }

    /// Whether an answer of `cell` must not tell whether the `name` in the question is somebody's.
    fn hides(&self, cell: Cell, name: &str) -> bool {
        match cell {
            // Of its own account everybody knows.
            _ if name == "account" && self.role.account() == Some(self.value(name).as_str()) => false,
            Cell::Hidden | Cell::SignIn => true,
            // The repository is seen; with whom it is shared is not.
            Cell::Forbidden => matches!(name, "account" | "grantee" | "user") && self.row.names_repository(),
            // Whoever manages is told whether there is an account by sharing alone, where it is counted.
            Cell::Missing => name == "account",
            _ => false,
        }
    }

    /// The question, with a password, or with a signature where that is the way.
    pub(super) async fn plain(&self, copy: &Copy) -> Question {
        self.question(copy, self.proofs()[0], None).await
    }

    /// The question as it is before that, to be touched and then sealed.
    pub(super) async fn unsealed(&self, copy: &Copy) -> Question {
        self.unsealed_question(copy, self.proofs()[0], None).await
    }

    /// `question` as it is sent: with a signature, where that is the way.
    pub(super) fn sealed(&self, question: Question) -> Question {
        if !self.row.is_swr() || self.role == Role::Nobody {
            return question;
        }
        signed(question, &self.value("access-key"), &self.value("access-secret"))
    }

    /// The ways to ask. A token that anybody gets opens what is public, and is no way to ask for the rest: see
    /// `tests/system/protocol/authentication.rs`.
    fn proofs(&self) -> Vec<Proof> {
        if self.row.is_swr() {
            return vec![Proof::Signature];
        }
        let tokens = self.row.is_registry() || self.row.is_management();
        let nobodys = self.role == Role::Nobody
            && !(self.row.is_registry() && self.row.target.contains("{repository}"));
        if tokens && !nobodys { vec![Proof::Password, Proof::Token] } else { vec![Proof::Password] }
    }

    /// The question, with another name in the place of `missing`.
    async fn question(&self, copy: &Copy, proof: Proof, missing: Option<&str>) -> Question {
        self.sealed(self.unsealed_question(copy, proof, missing).await)
    }

    async fn unsealed_question(&self, copy: &Copy, proof: Proof, missing: Option<&str>) -> Question {
        let mut headers: Vec<_> =
            self.row.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        if self.row.body.is_some() {
            headers.push(("content-type", self.row.media_type.to_owned()));
        }
        headers.extend(self.authorization(copy, proof).await.map(|value| ("authorization", value)));
        let target = self.filled(self.row.target, missing, self.row.is_management());
        let body = self.filled(self.row.body.unwrap_or_default(), missing, false).into_bytes();
        Question { method: self.row.method, target, headers, body }
    }

    async fn authorization(&self, copy: &Copy, proof: Proof) -> Option<String> {
        // The form carries them itself.
        if self.row.method == "POST" && self.row.path() == "/auth/token" {
            return None;
        }
        match (proof, self.role.login()) {
            (Proof::Password, None) | (Proof::Signature, _) => None,
            (Proof::Password, Some(login)) => Some(basic(login)),
            (Proof::Token, _) if self.row.is_registry() => Some(self.registry_token(copy).await),
            (Proof::Token, _) => Some(format!("Bearer {}", self.value("secret"))),
        }
    }

    /// A token for all that the row names.
    async fn registry_token(&self, copy: &Copy) -> String {
        let names = [
            self.filled("{repository}", None, false),
            self.filled("{own-namespace}/target", None, false),
            "team-a/new".to_owned(),
        ];
        let scopes = names.map(|name| format!("&scope=repository:{name}:pull,push,delete")).concat();
        let question = Question {
            method: "GET",
            target: format!("/auth/token?service=gangplank&scope=registry:catalog:*{scopes}"),
            headers: self.role.login().map(|login| ("authorization", basic(login))).into_iter().collect(),
            body: Vec::new(),
        };
        let answer = copy.wire.ask(&question).await.json();
        format!("Bearer {}", answer["token"].as_str().unwrap())
    }

    fn value(&self, name: &str) -> String {
        match (name, self.role.login()) {
            ("login", login) => login.unwrap_or("nobody").to_owned(),
            ("password", None) => "no password".to_owned(),
            (name, _) => {
                let bound = self.row.bound.iter().find(|(bound, _)| *bound == name);
                let known = bound.map(|(_, value)| self.filled(value, None, false));
                let known = known.or_else(|| self.world.value(self.role, self.state, name));
                known.unwrap_or_else(|| panic!("{}: what is {{{name}}}?", self.row.name()))
            }
        }
    }

    /// `text` with what its `{…}` stand for. A brace that no word follows is JSON's.
    fn filled(&self, text: &str, missing: Option<&str>, encode: bool) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            rest = after;
            let word = after.split_once('}').map(|(word, _)| word);
            let of_word =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
            let Some(word) = word.filter(|word| !word.is_empty() && word.bytes().all(of_word)) else {
                filled.push('{');
                continue;
            };
            let value = match missing {
                Some(missing) if missing == word => unknown(word),
                _ => self.value(word),
            };
            let value = if encode { utf8_percent_encode(&value, SEGMENT).to_string() } else { value };
            filled.push_str(&value);
            rest = &after[word.len() + 1..];
        }
        filled + rest
    }

    fn judge(&self, cell: Cell, answer: &Answer) -> Result<(), String> {
        let status = answer.status.as_u16();
        let (expected, code) = match cell {
            Cell::Done | Cell::Absent | Cell::Granted(_) => (self.row.done, None),
            Cell::Otherwise(status) => (status, None),
            Cell::SignIn => {
                (401, Some(self.row.code(["UNAUTHORIZED", "unauthenticated", "SVCSTG.SWR.4010000"])))
            }
            Cell::Forbidden => (403, Some(self.row.code(["DENIED", "forbidden", "SVCSTG.SWR.4039002"]))),
            Cell::Hidden if self.row.names_repository() => {
                (404, Some(self.row.code(["NAME_UNKNOWN", "not_found", "SVCSTG.SWR.4040113"])))
            }
            Cell::Hidden => (404, Some(self.row.code(["NAME_UNKNOWN", "not_found", "SVCSTG.SWR.4040058"]))),
            Cell::Missing => (404, Some(self.row.code(["NAME_UNKNOWN", "not_found", "SVCSTG.SWR.4040091"]))),
            Cell::Refused(status, code) => (status, Some(code)),
        };
        if status != expected {
            return Err(format!("{status} instead of {expected}: {}", answer.text()));
        }
        let codes = answer.codes();
        // What answers HEAD has no body to tell a code in.
        if let Some(code) = code.filter(|_| self.row.method != "HEAD")
            && !codes.iter().any(|told| told == code)
        {
            return Err(format!("{codes:?} instead of {code}"));
        }
        match cell {
            Cell::Done | Cell::Absent if self.row.is_token() => grants(answer, ""),
            Cell::Granted(verbs) => grants(answer, verbs),
            Cell::Done | Cell::Absent if !self.row.shows.is_empty() => {
                let wanted = self.filled(self.row.shows, None, false);
                let shown = answer.text().contains(&wanted);
                if shown == (cell == Cell::Done) {
                    Ok(())
                } else {
                    Err(format!("{wanted} in {}", answer.text()))
                }
            }
            _ => Ok(()),
        }
    }

    /// A refusal changes nothing; what is done does, unless it only reads.
    fn judge_effect(&self, answer: &Answer, changed: bool) -> Result<(), String> {
        let reads = matches!(self.row.method, "GET" | "HEAD") || self.row.keeps;
        match (answer.status.is_success(), changed) {
            (true, false) if !reads => Err("it is done, and nothing has changed".to_owned()),
            (true, true) if reads && !self.row.audited => Err("something has changed".to_owned()),
            (false, true) => Err("it is refused, and something has changed".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Row {
    pub(super) fn is_registry(&self) -> bool {
        self.target.starts_with("/v2/") && !self.is_swr()
    }

    pub(super) fn is_management(&self) -> bool {
        self.target.starts_with("/api/v1/")
    }

    pub(super) fn is_swr(&self) -> bool {
        self.target.starts_with("/v2/manage/") || self.target.starts_with("/v3/manage/")
    }

    fn is_token(&self) -> bool {
        self.path() == "/auth/token"
    }

    fn names_repository(&self) -> bool {
        self.target.contains("{repository}") || self.target.contains("{name}")
    }

    /// The code of this row's interface: of the registry and the token service, the management interface, SWR's.
    fn code(&self, [registry, management, swr]: [&'static str; 3]) -> &'static str {
        match (self.is_management(), self.is_swr()) {
            (true, _) => management,
            (_, true) => swr,
            _ => registry,
        }
    }

    /// What a call names that may be there or not.
    fn named(&self) -> Vec<&'static str> {
        let text = [self.target, self.body.unwrap_or_default()].concat();
        let names = [
            "repository",
            "namespace",
            "account",
            "user",
            "grantee",
            "id",
            "access_key",
            "webhook",
            "organization",
            "name",
        ];
        names.into_iter().filter(|name| text.contains(&format!("{{{name}}}"))).collect::<Vec<_>>()
    }
}

fn unknown(word: &str) -> String {
    match word {
        "repository" => format!("team-a/{MISSING}"),
        "id" | "webhook" => "7".to_owned(),
        "access_key" => "NOSUCHACCESSKEYATALL".to_owned(),
        _ => MISSING.to_owned(),
    }
}

/// Whether two refusals cannot be told apart, but for what the questions themselves say: `named`, what the one and the other
/// asked for.
pub(super) fn same(one: &Answer, other: &Answer, named: (&str, &str)) -> Result<(), String> {
    let plain = |answer: &Answer, name: &str| {
        let mut answer = answer.clone();
        answer.headers.remove("x-request-id");
        // Some answers say what was asked for, and are as long as that.
        if !name.is_empty() && answer.text().contains(name) {
            answer.body = answer.text().replace(name, "what was asked for").into();
            answer.headers.remove("content-length");
        }
        // So does the scope.
        let challenge = answer.headers.remove("www-authenticate");
        let text = challenge.map(|value| value.to_str().unwrap_or_default().to_owned());
        (answer, text.map(|text| text.split(",scope=").next().unwrap_or_default().to_owned()))
    };
    let (one, other) = (plain(one, named.0), plain(other, named.1));
    if one == other { Ok(()) } else { Err(format!("told apart: {one:?}, {other:?}")) }
}

/// Whether the token in the answer carries exactly `verbs` for the one repository that it was asked for.
fn grants(answer: &Answer, verbs: &str) -> Result<(), String> {
    let body = answer.json();
    let token = body["token"].as_str().ok_or("no token")?;
    let claims =
        token.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok()).ok_or("no claims")?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|error| error.to_string())?;
    let access = claims["access"].as_array().ok_or("no access")?;
    let mut carried: Vec<_> = access
        .iter()
        .flat_map(|grant| grant["actions"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let mut wanted: Vec<_> = verbs.split(',').filter(|verb| !verb.is_empty()).collect();
    carried.sort_unstable();
    wanted.sort_unstable();
    if carried == wanted { Ok(()) } else { Err(format!("the token carries {access:?}")) }
}

fn basic(login: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{}", password_of(login))))
}
