//! What holds for every input, however bad: one function for each part of a request that a stranger writes. Each panics
//! when it does not hold, and does nothing else.
//!
//! The fuzz targets of `tests/fuzz` call these with whatever they come up with; the tests below call them with the inputs
//! that are kept there. They stand here because they look at what this crate shows nobody, and they are compiled for
//! nothing but these two.

mod authorization;
mod exchange;
mod judge;
mod manifest;
mod names;
mod ranges;
mod route;
mod signature;
mod tag_patterns;
mod world;

pub use authorization::authorization;
pub use exchange::exchange;
pub use manifest::manifest;
pub use names::names;
pub use ranges::ranges;
pub use route::route;
pub use signature::signature;
pub use tag_patterns::tag_patterns;

/// The first line, as text, and what follows it. None: it is not text.
fn line(input: &[u8]) -> Option<(&str, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let rest = input.get(end + 1..).unwrap_or_default();
    Some((std::str::from_utf8(&input[..end]).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Calls `target` with every input that is kept under its name.
    fn replay(name: &str, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            if std::panic::catch_unwind(|| target(&input)).is_err() {
                panic!("what shall hold for every input does not for {}", path.display());
            }
            inputs += 1;
        }
        assert!(inputs >= 10, "{inputs} inputs are kept for {name}");
    }

    #[test]
    fn no_kept_method_path_and_query_breaks_the_router() {
        replay("route", super::route);
    }

    #[test]
    fn no_kept_text_breaks_names_and_digests() {
        replay("names", super::names);
    }

    #[test]
    fn no_kept_body_breaks_manifests() {
        replay("manifest", super::manifest);
    }

    #[test]
    fn no_kept_text_breaks_credentials_and_scopes() {
        replay("authorization", super::authorization);
    }

    #[test]
    fn no_kept_text_breaks_ranges_and_pages() {
        replay("ranges", super::ranges);
    }

    #[test]
    fn no_kept_pattern_breaks_the_matching_of_tags() {
        replay("tag_patterns", super::tag_patterns);
    }

    #[test]
    fn no_kept_request_breaks_signatures() {
        replay("signature", super::signature);
    }

    #[test]
    fn no_kept_exchange_breaks_the_server() {
        replay("exchange", super::exchange);
    }
}
