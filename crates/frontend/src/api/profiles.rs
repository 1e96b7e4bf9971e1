//! What an account says of itself.

use auth::AccountName;
use axum::Json;

use super::document::{Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody};
use super::problem::Problem;
use super::types::{Profile, ProfileChange};

fn shown(profile: auth::Profile) -> Profile {
    Profile { display_name: profile.display_name, time_zone: profile.time_zone }
}

/// Shows what an account says of itself: your own, or to an administrator any.
#[utoipa::path(
    get,
    path = "/accounts/{account}/profile",
    tag = "accounts",
    operation_id = "showProfile",
    params(("account" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The profile.", body = Profile), (status = 404, response = NotFound))
)]
pub(super) async fn show(caller: Caller, At(name): At<AccountName>) -> Result<Json<Profile>, Problem> {
    Ok(Json(shown(caller.app.auth.show_profile(&caller.principal, &name).await?)))
}

/// Changes what an account says of itself.
///
/// The account itself does, and administrators. Its display name is shown to who is about to share an image with it; the
/// console shows dates in its time zone, and means them in it.
#[utoipa::path(
    patch,
    path = "/accounts/{account}/profile",
    tag = "accounts",
    operation_id = "changeProfile",
    params(("account" = String, Path, description = "Its name.")),
    request_body = ProfileChange,
    responses(
        (status = 200, description = "The profile as it is now.", body = Profile),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn change(
    caller: Caller,
    At(name): At<AccountName>,
    JsonBody(change): JsonBody<ProfileChange>,
) -> Result<Json<Profile>, Problem> {
    let ProfileChange { display_name, time_zone } = change;
    let change = auth::ProfileChange { display_name, time_zone };
    Ok(Json(shown(caller.app.auth.change_profile(&caller.principal, &name, &change, caller.now).await?)))
}
