//! Floating point numbers as Go prints them.

/// As Go's `%v`: the shortest digits that read back, with an exponent below 1e-4 and from 1e6.
pub(in crate::compose) fn general(number: f64) -> String {
    special(number, ["NaN", "+Inf", "-Inf"]).unwrap_or_else(|| exponent_outside(-4..6, number))
}

/// As go-yaml prints a 64-bit number.
pub(super) fn yaml(number: f64) -> String {
    yaml_special(number).unwrap_or_else(|| exponent_outside(-4..6, number))
}

/// As go-yaml prints a 32-bit number.
pub(super) fn yaml32(number: f32) -> String {
    yaml_special(f64::from(number)).unwrap_or_else(|| exponent_outside(-4..6, number))
}

/// go-yaml prints negative zero as `-0`, which reads as the whole number 0: `config` of `config` would differ.
fn yaml_special(number: f64) -> Option<String> {
    if number == 0.0 && number.is_sign_negative() {
        return Some("-0.0".to_owned());
    }
    special(number, [".nan", ".inf", "-.inf"])
}

/// As Go's JSON encoder prints a 64-bit number; `null` for what JSON cannot say.
pub(super) fn json(number: f64) -> String {
    special(number, ["null"; 3]).unwrap_or_else(|| json_exponent(exponent_outside(-6..21, number)))
}

/// As Go's JSON encoder prints a 32-bit number; `null` for what JSON cannot say.
pub(super) fn json32(number: f32) -> String {
    special(f64::from(number), ["null"; 3])
        .unwrap_or_else(|| json_exponent(exponent_outside(-6..21, number)))
}

fn special(number: f64, [nan, plus, minus]: [&str; 3]) -> Option<String> {
    let text = match number {
        _ if number.is_nan() => nan,
        f64::INFINITY => plus,
        f64::NEG_INFINITY => minus,
        _ => return None,
    };
    Some(text.to_owned())
}

fn exponent_outside<T>(plain: std::ops::Range<i32>, number: T) -> String
where
    T: std::fmt::Display + std::fmt::LowerExp,
{
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if plain.contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// JSON writes `e-9` where `%g` writes `e-09`.
fn json_exponent(text: String) -> String {
    match text.split_once("e-0") {
        Some((mantissa, exponent)) => format!("{mantissa}e-{exponent}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go() {
        for (number, text) in [
            (1.1, "1.1"),
            (1000.0, "1000"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (1e20, "1e+20"),
            (1_234_567.5, "1.2345675e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.5, "-0.5"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(general(number), text);
        }
    }

    #[test]
    fn prints_as_go_yaml_and_json() {
        assert_eq!(yaml(f64::NEG_INFINITY), "-.inf");
        assert_eq!(yaml32(0.1), "0.1");
        assert_eq!(
            yaml(-0.0),
            "-0.0",
            "as -0 it would be read as a whole number"
        );
        assert_eq!(json32(0.1), "0.1");
        assert_eq!(json(1e20), "100000000000000000000");
        assert_eq!(json(1e21), "1e+21");
        assert_eq!(json(0.000_001), "0.000001");
        assert_eq!(json(0.000_000_1), "1e-7");
    }
}
