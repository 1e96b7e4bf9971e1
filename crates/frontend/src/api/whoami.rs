//! Who the credentials stand for.

use axum::Json;

use super::extract::Caller;
use super::types::WhoAmI;

/// Tells who you are.
#[utoipa::path(
    get,
    path = "/whoami",
    tag = "about",
    operation_id = "whoAmI",
    responses((status = 200, description = "Who the credentials stand for.", body = WhoAmI))
)]
pub(super) async fn show(caller: Caller) -> Json<WhoAmI> {
    let principal = &caller.principal;
    Json(WhoAmI {
        name: principal.name(),
        account: principal.account_name().map(ToString::to_string).unwrap_or_default(),
        user: principal.user_name().map(ToString::to_string),
        administrator: principal.is_administrator(),
        region: caller.app.auth.region().to_string(),
    })
}
