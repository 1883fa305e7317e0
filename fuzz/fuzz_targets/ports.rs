//! The short form of `ports`: read or refused, and its long form stays as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// Tens of thousands of ports take their time under instrumentation.
const MOST: u32 = 200;

fuzz_target!(|text: &str| {
    if widest_range(text) > MOST {
        return;
    }
    let file = rcompose_fuzz::service_with("ports", text);
    if let Ok(loaded) = rcompose_fuzz::load_text(&file) {
        rcompose_fuzz::assert_fixed_point(&loaded);
    }
});

/// How far apart two numbers of a text with a hyphen between them are.
fn widest_range(text: &str) -> u32 {
    let numbers = |text: &str| -> Vec<u32> {
        let digits = text.split(|char: char| !char.is_ascii_digit());
        digits.filter_map(|digits| digits.parse().ok()).collect()
    };
    let pairs = text.split('-').zip(text.split('-').skip(1));
    let widths = pairs.filter_map(|(before, after)| {
        let first = numbers(before).last().copied()?;
        Some(numbers(after).first()?.abs_diff(first))
    });
    widths.max().unwrap_or(0)
}
