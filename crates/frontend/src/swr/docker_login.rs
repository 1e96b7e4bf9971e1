//! Temporary logins for docker. The ones for good need no call: their password is made of the access key's two halves.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, StatusCode};
use serde::Serialize;

use super::answers::{self, Answer};
use super::errors::{Code, SwrError};
use super::{Caller, query};

const DOCKER_LOGIN: HeaderName = HeaderName::from_static("x-swr-dockerlogin");
const EXPIRE_AT: HeaderName = HeaderName::from_static("x-swr-expireat");
/// For how long a login is good when the caller does not say.
const LIFE_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);

/// As docker's configuration has it.
#[derive(Serialize)]
struct Auths {
    auths: BTreeMap<String, AuthInfo>,
}

#[derive(Serialize)]
struct AuthInfo {
    auth: String,
}

/// `POST /v2/manage/utils/secret`. A project is a region's here; another one than the server's is refused.
pub(super) async fn create(caller: &Caller<'_>) -> Answer {
    let query = caller.parameters(&["projectname", "duration_seconds"])?;
    let region = caller.app.auth.region().as_str();
    if query.get("projectname").is_some_and(|project| project != region) {
        let message = format!("this server's region is {region}; ask that of the other project");
        return Err(SwrError::new(Code::Parameter, message).about("projectname"));
    }
    let life = match query.get("duration_seconds") {
        None => LIFE_DEFAULT,
        Some(seconds) => Duration::from_secs(query::number(seconds).ok_or_else(|| {
            let message = "the parameter duration_seconds must be a number of seconds";
            SwrError::new(Code::Parameter, message).about("duration_seconds")
        })? as u64),
    };
    let made = caller.app.auth.create_docker_login(&caller.principal, life, caller.now).await;
    let (token, secret) = made.map_err(|error| match error {
        auth::Error::Invalid { reason, .. } => {
            SwrError::new(Code::Parameter, reason).about("duration_seconds")
        }
        error => error.into(),
    })?;
    let (name, host) = (caller.principal.name(), &caller.host);
    let auth = STANDARD.encode(format!("{name}:{}", secret.reveal()));
    let auths = BTreeMap::from([(host.clone(), AuthInfo { auth })]);
    let mut answer = answers::json(StatusCode::OK, &Auths { auths })?;
    let command = format!("docker login -u {name} -p {} {host}", secret.reveal());
    answers::set(&mut answer, DOCKER_LOGIN, &command)?;
    answers::set(&mut answer, EXPIRE_AT, &token.expires_at.to_string())?;
    Ok(answer)
}
