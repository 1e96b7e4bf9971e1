//! Why a sign-in was refused, as the trail of the account tells it: never to whoever tried.

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInRefusal {
    /// The account or user is disabled.
    Disabled,
    /// The password is another one.
    WrongPassword,
    /// The account has no such user.
    UnknownUser,
    /// That personal token is somebody else's.
    TokenUnderAnotherName(String),
    /// That personal token has ended.
    TokenEnded(String),
    /// What a refresh token was issued for has ended.
    RefreshTokenEnded,
    /// What was signed with that access key does not prove it.
    AccessKeyUnproven(String),
    /// That access key is closed, or its holder is.
    AccessKeyClosed(String),
}

impl SignInRefusal {
    /// In English.
    pub(crate) fn english(&self) -> String {
        match self {
            SignInRefusal::Disabled => "disabled".to_owned(),
            SignInRefusal::WrongPassword => "wrong password".to_owned(),
            SignInRefusal::UnknownUser => "unknown user".to_owned(),
            SignInRefusal::TokenUnderAnotherName(id) => format!("personal token {id} under another name"),
            SignInRefusal::TokenEnded(id) => format!("personal token {id} has ended"),
            SignInRefusal::RefreshTokenEnded => "refresh token of a credential that has ended".to_owned(),
            SignInRefusal::AccessKeyUnproven(id) => format!("access key {id}, not proven"),
            SignInRefusal::AccessKeyClosed(id) => format!("access key {id}, closed"),
        }
    }

    /// What that says in English.
    pub(crate) fn parse(text: &str) -> Option<SignInRefusal> {
        let of_token = text.strip_prefix("personal token ").and_then(|rest| rest.split_once(' '));
        let of_key = text.strip_prefix("access key ").and_then(|rest| rest.split_once(", "));
        Some(match (text, of_token, of_key) {
            ("disabled", ..) => SignInRefusal::Disabled,
            ("wrong password", ..) => SignInRefusal::WrongPassword,
            ("unknown user", ..) => SignInRefusal::UnknownUser,
            ("refresh token of a credential that has ended", ..) => SignInRefusal::RefreshTokenEnded,
            (_, Some((id, "under another name")), _) => SignInRefusal::TokenUnderAnotherName(id.to_owned()),
            (_, Some((id, "has ended")), _) => SignInRefusal::TokenEnded(id.to_owned()),
            (.., Some((id, "not proven"))) => SignInRefusal::AccessKeyUnproven(id.to_owned()),
            (.., Some((id, "closed"))) => SignInRefusal::AccessKeyClosed(id.to_owned()),
            _ => return None,
        })
    }
}
