//! Durations and sizes: what is printed reads as the same number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rcompose_fuzz::compose::model::{ByteSize, Duration};

fuzz_target!(|data: &[u8]| {
    if let Some((number, _)) = data.split_first_chunk() {
        let number = i64::from_le_bytes(*number);
        check_duration(Duration { nanos: number });
        check_size(ByteSize(number));
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(duration) = text.parse() {
        check_duration(duration);
    }
    if let Ok(size) = text.parse() {
        check_size(size);
    }
});

fn check_duration(duration: Duration) {
    // As in Go, what is printed for the smallest number is out of range.
    if duration.nanos == i64::MIN {
        return;
    }
    let text = duration.to_string();
    assert_eq!(text.parse(), Ok(duration), "{text}");
    let _ = (duration.to_std(), duration.as_secs());
}

fn check_size(size: ByteSize) {
    let text = size.to_string();
    assert_eq!(text.parse(), Ok(size), "{text}");
}
