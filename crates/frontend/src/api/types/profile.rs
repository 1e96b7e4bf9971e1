//! What an account says of itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an account says of itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"display_name": "Acme Inc.", "time_zone": "Europe/Berlin"}))]
pub struct Profile {
    /// What its people call it; may be empty.
    pub display_name: String,
    /// Its time zone, as the IANA database has it.
    pub time_zone: String,
}

/// A change of it; what is missing stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"time_zone": "Asia/Shanghai"}))]
pub struct ProfileChange {
    /// 0 to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A name of the IANA database: `Asia/Shanghai`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}
