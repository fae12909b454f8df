//! libFuzzer over the target `mmdb`.
#![no_main]

overheard_libfuzzer::target!("mmdb");
