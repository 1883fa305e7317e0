//! What is a secret: names that promise one, values that are one.

use std::ops::Range;

use crate::compose::template;

/// Words that end the name of a secret, whatever stands before them.
const ENDINGS: [&str; 7] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "SECRETKEY",
];
/// Words that end the name of a secret behind another word.
const SECOND: [&str; 2] = ["PASS", "PWD"];
/// Words before `KEY` that make it a secret one.
const KEYS: [&str; 14] = [
    "API",
    "SECRET",
    "PRIVATE",
    "ACCESS",
    "ENCRYPTION",
    "ENCRYPT",
    "MASTER",
    "SIGNING",
    "APP",
    "AUTH",
    "JWT",
    "SESSION",
    "COOKIE",
    "ROLE",
];
/// Values that switch something or stand for nothing.
const NO_VALUES: [&str; 16] = [
    "",
    "0",
    "1",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "undefined",
    "enabled",
    "disabled",
    "default",
];

/// A prefix of tokens, and how many letters, digits, `-` and `_` must follow it.
const TOKENS: [(&str, usize); 20] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 35),
    ("dckr_pat_", 20),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("hf_", 30),
    ("npm_", 36),
    ("pypi-AgE", 40),
    ("rk_live_", 16),
    ("sk_live_", 16),
    ("sk-ant-", 30),
    ("sk-proj-", 30),
    ("xapp-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
];

/// Whether a variable of this name usually holds a secret.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.rsplit(['.', '/']).next().unwrap_or(name);
    let upper = split_camel(name).to_uppercase();
    let words: Vec<&str> = upper
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
        .filter(|word| !word.is_empty())
        .collect();
    match words.as_slice() {
        [.., "SECRET", "KEY", "BASE"] => true,
        ["PUBLIC", ..] | [.., "PUBLIC", _] => false,
        [.., before, "KEY"] => KEYS.contains(before),
        [.., last] => {
            ENDINGS.iter().any(|ending| last.ends_with(ending))
                || (words.len() > 1 && SECOND.contains(last))
        }
        [] => false,
    }
}

/// `dbPassword` as `db_Password`.
fn split_camel(name: &str) -> String {
    let mut result = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for c in name.chars() {
        if lower && c.is_uppercase() {
            result.push('_');
        }
        lower = c.is_lowercase();
        result.push(c);
    }
    result
}

/// Whether a literal value of a variable with a secret's name is the secret itself, not a switch,
/// a path, a duration or a gap to fill.
pub(super) fn is_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_lowercase();
    let is_path = ["/", "./", "../", "~/", "file:"]
        .iter()
        .any(|start| value.starts_with(start))
        || value.starts_with(|c: char| c.is_ascii_alphabetic()) && value[1..].starts_with(":\\");
    let is_gap = value.starts_with(['<', '{', '[']) || value.contains("...") || is_filler(&lower);
    !NO_VALUES.contains(&lower.as_str()) && !is_path && !is_gap && !is_amount(value)
}

/// `xxx`, `***`, `your-token-here`.
fn is_filler(lower: &str) -> bool {
    lower.chars().all(|c| matches!(c, 'x' | '*' | '-' | '_'))
        || lower.starts_with("your")
        || lower.starts_with("insert")
        || lower.starts_with("replace")
}

/// A short number, or a number with a unit: a length or a lifetime.
fn is_amount(value: &str) -> bool {
    let digits = value.chars().take_while(char::is_ascii_digit).count();
    let unit = &value[digits..];
    digits > 0 && unit.len() <= 2 && digits < 5 && unit.chars().all(|c| c.is_ascii_alphabetic())
}

/// Where the literal passwords of URLs stand in a text, in bytes. What a variable gives, or its
/// default, is none.
pub(super) fn passwords_in_urls(text: &str) -> Vec<Range<usize>> {
    let variables = template::variables(text);
    let is_supplied = |at: usize| variables.iter().any(|used| used.range.contains(&at));
    text.match_indices("://")
        .filter_map(|(at, mark)| {
            let start = at + mark.len();
            let password = password(&text[start..])?;
            Some(start + password.start..start + password.end)
        })
        .filter(|range| !is_supplied(range.start))
        .collect()
}

/// The literal password in what follows `scheme://`.
fn password(rest: &str) -> Option<Range<usize>> {
    let ends = |c: char| matches!(c, '/' | '?' | '#' | ',' | '"' | '\'') || c.is_whitespace();
    let authority = rest.split(ends).next().unwrap_or_default();
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let is_literal = !password.contains('$') && is_value(password);
    is_literal.then(|| name.len() + 1..user.len())
}

/// What a text gives away whatever its name: `a private key` or `an access token`.
pub(super) fn in_text(text: &str) -> Option<&'static str> {
    let key = text.split("-----BEGIN ").skip(1).any(|rest| {
        rest.lines()
            .next()
            .is_some_and(|line| line.contains("PRIVATE KEY-----"))
    });
    if key {
        return Some("a private key");
    }
    TOKENS
        .iter()
        .any(|(prefix, length)| has_token(text, prefix, *length))
        .then_some("an access token")
        .or_else(|| has_web_token(text).then_some("a JSON web token"))
}

/// Three parts of Base64 apart by points, of which the first two are JSON objects.
fn has_web_token(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let words = text.split(|c: char| !is_letter(c));
    words.into_iter().any(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        matches!(parts.as_slice(), [head, claims, signature]
            if head.starts_with("eyJ") && claims.starts_with("eyJ") && signature.len() >= 20)
    })
}

fn has_token(text: &str, prefix: &str, length: usize) -> bool {
    text.match_indices(prefix).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let body: String = text[at + prefix.len()..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        before.is_none_or(|c| !c.is_alphanumeric())
            && body.len() >= length
            && !body.to_uppercase().contains("EXAMPLE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "PASSWORD",
            "POSTGRES_PASSWORD",
            "DB_PASS",
            "MYSQL_PWD",
            "dbPassword",
            "apiKey",
            "AWS_SECRET_ACCESS_KEY",
            "JWT_SECRET",
            "SECRET_KEY_BASE",
            "GITHUB_TOKEN",
            "PASSWORD_2",
            "com.example.token",
        ] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "PWD",
            "POSTGRES_PASSWORD_FILE",
            "TOKEN_TTL",
            "PUBLIC_KEY",
            "KEY",
            "AWS_ACCESS_KEY_ID",
            "COMPASS",
            "PARTITION_KEY",
            "SECRETS",
            "PASSWORD_MIN_LENGTH",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn values_that_are_no_secrets() {
        for value in [
            "",
            "yes",
            "true",
            "/run/secrets/x",
            "<token>",
            "3600",
            "15m",
            "xxxx",
            "C:\\k",
        ] {
            assert!(!is_value(value), "{value}");
        }
        for value in ["hunter2", "postgres", "changeme", "123456", "é"] {
            assert!(is_value(value), "{value}");
        }
    }

    #[test]
    fn literal_passwords_in_urls() {
        let text = "postgres://app:hunter2@db:5432/app";
        let found = passwords_in_urls(text).pop().map(|range| &text[range]);
        assert_eq!(found, Some("hunter2"));
        for text in [
            "http://db:80/a:b@c",
            "amqp://guest@q",
            "redis://:$P@r",
            "redis://:${P}@r",
            "${URL:-redis://:hunter2@r}",
        ] {
            assert!(passwords_in_urls(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn texts_that_give_themselves_away() {
        let token = format!("curl -H ghp_{}", "a1".repeat(18));
        assert_eq!(in_text(&token), Some("an access token"));
        let key = "x\n-----BEGIN RSA PRIVATE KEY-----\nabc\n";
        assert_eq!(in_text(key), Some("a private key"));
        assert_eq!(in_text("AKIAIOSFODNN7EXAMPLE"), None);
        let web = format!(
            "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}",
            "a_-9".repeat(8)
        );
        assert_eq!(in_text(&web), Some("a JSON web token"));
        assert_eq!(in_text("eyJ.eyJ.x host.eyJ.example"), None);
        assert_eq!(
            in_text("-----BEGIN CERTIFICATE-----\nPRIVATE KEY-----"),
            None
        );
    }
}
