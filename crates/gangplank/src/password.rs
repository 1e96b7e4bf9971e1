//! The administrator's first password, when nobody gives one.

use auth::Secret;
use rand::RngExt;

/// Letters and digits that no one mistakes for another when they read or type them.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS: usize = 5;
const GROUP_CHARACTERS: usize = 5;

/// A random password of about 123 bits: five groups of five characters.
#[must_use]
pub fn first_password() -> Secret {
    let mut random = rand::rng();
    let mut group = || -> String {
        (0..GROUP_CHARACTERS).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
    };
    let groups: Vec<String> = (0..GROUPS).map(|_| group()).collect();
    Secret::new(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::first_password;

    #[test]
    fn is_long_typable_and_never_the_same() {
        let passwords: HashSet<String> = (0..1000).map(|_| first_password().reveal().to_owned()).collect();
        assert_eq!(passwords.len(), 1000);
        for password in passwords {
            assert_eq!(password.len(), 29, "{password}");
            assert!(
                password.chars().all(|c| c == '-' || "abcdefghjkmnpqrstuvwxyz23456789".contains(c)),
                "{password}"
            );
        }
    }
}
