#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| frontend::fuzzing::tag_patterns(input));
