//! The short form of `ports`: read or refused, and its long form stays as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let file = rcompose_fuzz::service_with("ports", text);
    if let Ok(loaded) = rcompose_fuzz::load_text(&file)
        // Tens of thousands of ports take their time under instrumentation.
        && loaded.project.services.values().all(|service| service.ports.len() < 1000)
    {
        rcompose_fuzz::assert_fixed_point(&loaded);
    }
});
