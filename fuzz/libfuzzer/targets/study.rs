//! libFuzzer over the target `study`.
#![no_main]

overheard_libfuzzer::target!("study");
