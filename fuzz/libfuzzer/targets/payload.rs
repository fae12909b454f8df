//! libFuzzer over the target `payload`.
#![no_main]

overheard_libfuzzer::target!("payload");
