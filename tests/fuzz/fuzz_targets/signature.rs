#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| frontend::fuzzing::signature(input));
