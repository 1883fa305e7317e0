//! "Did you mean …?"

/// How alike two words must be where their letters differ too much: Jaro-Winkler, 0 to 1.
const ALIKE: f64 = 0.85;

/// The known name that `wanted` is probably a misspelling of.
pub(crate) fn similar<'k>(
    wanted: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let wanted = folded(wanted);
    let mut best: Option<(usize, &str)> = None;
    let mut containing: Vec<&str> = Vec::new();
    let mut alike: Option<(f64, &str)> = None;
    for name in known {
        let other = folded(name);
        let distance = strsim::damerau_levenshtein(&wanted, &other);
        if is_near(distance, &wanted, &other) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
        if other.split(['_', '.', '+']).any(|part| part == wanted) {
            containing.push(name);
        }
        let likeness = strsim::jaro_winkler(&wanted, &other);
        let lengths = (wanted.chars().count(), other.chars().count());
        let comparable = lengths.0.abs_diff(lengths.1) * 2 <= lengths.0.max(lengths.1);
        if comparable && likeness > ALIKE && alike.is_none_or(|(most, _)| likeness > most) {
            alike = Some((likeness, name));
        }
    }
    let part = || match containing[..] {
        [one] => Some(one),
        _ => None,
    };
    best.map(|(_, name)| name)
        .or_else(part)
        .or_else(|| alike.map(|(_, name)| name))
}

/// `did you mean "…"?`, or what else to do.
pub(crate) fn did_you_mean<'k>(
    wanted: &str,
    known: impl IntoIterator<Item = &'k str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    similar(wanted, known).map_or_else(otherwise, |name| format!("did you mean \"{name}\"?"))
}

/// Names that differ in case and hyphens only are the same.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// One letter in three may be wrong, but not all.
fn is_near(distance: usize, wanted: &str, name: &str) -> bool {
    let length = name.chars().count();
    let limit = (length.max(3) / 3).max(1);
    distance <= limit && distance < length.max(wanted.chars().count())
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn finds_what_was_meant() {
        for (wanted, known, meant) in [
            (
                "depend_on",
                &["depends_on", "deploy"][..],
                Some("depends_on"),
            ),
            ("depends-on", &["depends_on"], Some("depends_on")),
            ("wbe", &["api", "web"], Some("web")),
            (
                "healthy",
                &["service_started", "service_healthy"],
                Some("service_healthy"),
            ),
            ("retry", &["test", "retries"], Some("retries")),
            ("Image", &["image"], Some("image")),
            ("sync+rebuild", &["sync", "restart"], None),
            ("a", &["b"], None),
            ("zzz", &["front", "qqq"], None),
            ("", &["a"], None),
        ] {
            assert_eq!(similar(wanted, known.iter().copied()), meant, "{wanted}");
        }
    }
}
