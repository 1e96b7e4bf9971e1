//! Users' permissions on an organization or an image. A user is named by its number and its name, which must belong
//! together; several are changed in one call, all or none.

use auth::{Level, PermissionTarget, UserLevel, UserName};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Caller;
use super::answers::{self, Answer};
use super::errors::{Code, SwrError};
use super::organizations::number;
use super::router::{self, Permissions};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserAuth {
    user_id: String,
    user_name: String,
    auth: i64,
}

#[derive(Serialize)]
struct Access {
    id: u64,
    name: String,
    creator_name: String,
    self_auth: UserAuth,
    others_auths: Vec<UserAuth>,
}

/// `…/access`, of an organization or an image.
pub(super) async fn answer(caller: &Caller<'_>, on: &PermissionTarget, what: Permissions) -> Answer {
    let (auth, p, now) = (&caller.app.auth, &caller.principal, caller.now);
    match what {
        Permissions::Show => show(caller, on).await,
        Permissions::Create => {
            auth.add_permissions(p, on, &levels(caller)?, now).await?;
            answers::created()
        }
        Permissions::Update => {
            auth.change_permissions(p, on, &levels(caller)?, now).await?;
            answers::created()
        }
        Permissions::Delete => {
            let ids: Vec<String> = caller.array()?;
            let users = ids.iter().map(|id| router::id(id, "user_id"));
            auth.remove_permissions(p, on, &users.collect::<Result<Vec<_>, SwrError>>()?, now).await?;
            Ok(answers::no_content())
        }
    }
}

/// The users of the body, with their levels.
fn levels(caller: &Caller<'_>) -> Result<Vec<UserLevel>, SwrError> {
    let users: Vec<UserAuth> = caller.array()?;
    users.iter().map(level).collect()
}

fn level(user: &UserAuth) -> Result<UserLevel, SwrError> {
    let name = UserName::parse(&user.user_name)
        .map_err(|error| SwrError::new(Code::User, error.to_string()).about("user_name"))?;
    let level = match user.auth {
        1 => Level::Read,
        3 => Level::Edit,
        7 => Level::Manage,
        _ => {
            let message = "auth is 7 to manage, 3 to edit, or 1 to read";
            return Err(SwrError::new(Code::Level, message).about("auth"));
        }
    };
    Ok(UserLevel { id: router::id(&user.user_id, "user_id")?, name, level })
}

async fn show(caller: &Caller<'_>, on: &PermissionTarget) -> Answer {
    let (auth, p, now) = (&caller.app.auth, &caller.principal, caller.now);
    let found = auth.list_permissions(p, on, None, usize::MAX, now).await?;
    let (id, name, account) = match on {
        PermissionTarget::Namespace(name) => {
            let namespace = auth.show_namespace(p, name, now).await?;
            (namespace.id.get(), name.to_string(), namespace.account)
        }
        PermissionTarget::Repository(name) => {
            let repository = auth.show_repository(p, name, now).await?;
            (repository.id.get(), name.path().to_owned(), repository.account)
        }
    };
    let others = found.into_iter().filter(|permission| p.user() != Some(permission.user_id));
    let others = others.map(|permission| UserAuth {
        user_id: permission.user_id.to_string(),
        user_name: permission.user.to_string(),
        auth: number(Some(permission.level)).into(),
    });
    answers::json(
        StatusCode::OK,
        &Access {
            id,
            name,
            creator_name: account.to_string(),
            // Nobody else than who manages is shown them.
            self_auth: UserAuth {
                user_id: caller.id(),
                user_name: p.user_name().map_or_else(|| account.to_string(), ToString::to_string),
                auth: number(Some(Level::Manage)).into(),
            },
            others_auths: others.collect(),
        },
    )
}
