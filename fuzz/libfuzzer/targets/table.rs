//! libFuzzer over the target `table`.
#![no_main]

overheard_libfuzzer::target!("table");
