//! A duration in a setting: text with its unit, `"30s"`, `"24h"`, `"90 days"`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

/// The duration in the largest unit that holds it whole: `90d`, where humantime would count months.
fn text(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(24 * 60 * 60, "d"), (60 * 60, "h"), (60, "m"), (1, "s")];
    let seconds = duration.as_secs();
    if duration.subsec_nanos() != 0 || seconds == 0 {
        return humantime::format_duration(duration).to_string();
    }
    match UNITS.iter().find(|(unit, _)| seconds.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        D::Error::custom(format!("{text:?} is no duration such as \"30s\" or \"24h\": {error}"))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::text;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for (milliseconds, written) in [
            (0, "0s"),
            (1, "1ms"),
            (1_500, "1s 500ms"),
            (30_000, "30s"),
            (90_000, "90s"),
            (300_000, "5m"),
            (86_400_000, "1d"),
            (90 * 86_400_000, "90d"),
            (25 * 3_600_000, "25h"),
        ] {
            let duration = Duration::from_millis(milliseconds);
            assert_eq!(text(duration), written);
            assert_eq!(humantime::parse_duration(written), Ok(duration));
        }
    }
}
