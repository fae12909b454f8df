//! libFuzzer over the target `capture`.
#![no_main]

overheard_libfuzzer::target!("capture");
