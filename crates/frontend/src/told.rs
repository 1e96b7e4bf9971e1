//! What a caller sent, told back to it in a refusal: nothing that would do something in a terminal or a log instead of
//! being read, and nothing long.

/// The longest sentence, in characters.
const SENTENCE_CHARACTERS_MAX: usize = 600;
/// The longest name of a field, in characters.
const FIELD_CHARACTERS_MAX: usize = 100;

/// A sentence as it may be told.
pub(crate) fn sentence(text: &str) -> String {
    harmless(text, SENTENCE_CHARACTERS_MAX)
}

/// A field's name as it may be told.
pub(crate) fn field(text: &str) -> String {
    harmless(text, FIELD_CHARACTERS_MAX)
}

fn harmless(text: &str, characters_max: usize) -> String {
    let shown =
        |c: char| if c.is_control() || auth::turns_direction(c) { char::REPLACEMENT_CHARACTER } else { c };
    let mut harmless: String = text.chars().take(characters_max).map(shown).collect();
    if text.chars().nth(characters_max).is_some() {
        harmless.push('…');
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::{FIELD_CHARACTERS_MAX, field, sentence};

    #[test]
    fn what_would_act_is_replaced_and_what_is_long_is_cut() {
        for (sent, told) in [
            ("There is no field `x`.", "There is no field `x`."),
            ("größer 漢字 🚢", "größer 漢字 🚢"),
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            ("a\r\nb\u{0}\u{85}", "a\u{fffd}\u{fffd}b\u{fffd}\u{fffd}"),
            ("\u{202e}emca", "\u{fffd}emca"),
        ] {
            assert_eq!(sentence(sent), told);
        }
        let most = "🚢".repeat(FIELD_CHARACTERS_MAX);
        assert_eq!(field(&most), most);
        assert_eq!(field(&format!("{most}x")), format!("{most}…"));
    }
}
