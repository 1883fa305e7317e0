//! What a scalar means: go-yaml's rules, by tag and by look.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::diagnostic::similar::did_you_mean;
use super::super::diagnostic::{Diagnostic, code};
use super::super::node::{Directive, Value};
use super::super::source::Span;
use super::{number, timestamp};

const CORE_PREFIX: &str = "tag:yaml.org,2002:";

/// Go's standard decoder demands padding and does not look at the bits that it drops.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// The tag of a node as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag<'t> {
    /// No tag or `!`.
    None,
    /// A tag of YAML itself, by its name after `!!`.
    Core(&'t str),
    /// Any other tag: its scalars are text.
    Other,
}

impl<'t> Tag<'t> {
    /// Sorts a tag as the parser spells it.
    pub(super) fn new(tag: Option<&'t str>) -> Self {
        match tag {
            None | Some("" | "!") => Self::None,
            Some(tag) => tag
                .strip_prefix(CORE_PREFIX)
                .map_or(Self::Other, Self::Core),
        }
    }
}

/// The merge instruction that a tag stands for.
pub(super) fn directive(tag: Option<&str>) -> Option<Directive> {
    match tag {
        Some("!reset") => Some(Directive::Reset),
        Some("!override") => Some(Directive::Override),
        _ => None,
    }
}

/// The warning that a tag is neither one of YAML nor a merge instruction, if so.
pub(super) fn unknown_tag(tag: Option<&str>, span: Span) -> Option<Diagnostic> {
    let tag = tag?;
    let name = tag.strip_prefix('!').filter(|name| !name.is_empty())?;
    if directive(Some(tag)).is_some() {
        return None;
    }
    let help = did_you_mean(name, ["reset", "override"], || "remove the tag".to_owned());
    Some(
        Diagnostic::warning(format!("the tag `{tag}` has no meaning and is ignored"))
            .code(code::INVALID_TAG)
            .at(span)
            .help(help.replace("mean \"", "mean \"!")),
    )
}

/// The value of a scalar. `plain` is whether it was written without quotes or block style.
///
/// # Errors
/// What is wrong, when the text is no value of the tag's type.
pub(super) fn resolve(tag: Tag, text: String, plain: bool) -> Result<Value, String> {
    match tag {
        Tag::None if plain => Ok(look(&text, true).unwrap_or(Value::Str(text))),
        Tag::None | Tag::Other | Tag::Core("str") => Ok(Value::Str(text)),
        Tag::Core("binary") => binary(&text),
        Tag::Core(name) => typed(name, text),
    }
}

/// Whether an unquoted text is just that.
pub(super) fn is_text(text: &str) -> bool {
    look(text, true).is_none()
}

/// The value that an unquoted text looks like; `None` where it is just text.
fn look(text: &str, timestamps: bool) -> Option<Value> {
    let Some(first) = text.as_bytes().first() else {
        return Some(Value::Null);
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' => special_float(text)
            .or_else(|| timestamps.then(|| timestamp::parse(text).map(Value::Timestamp))?)
            .or_else(|| number::parse(text)),
        b'.' => special_float(text).or_else(|| number::parse_fraction(text)),
        _ => word(text),
    }
}

fn word(text: &str) -> Option<Value> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn special_float(text: &str) -> Option<Value> {
    let value = match text {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        _ => return None,
    };
    Some(Value::Float(value))
}

fn binary(text: &str) -> Result<Value, String> {
    let packed: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = BASE64
        .decode(packed)
        .map_err(|_| "value of `!!binary` is not valid base64".to_owned())?;
    Ok(Value::Str(String::from_utf8_lossy(&bytes).into_owned()))
}

fn typed(name: &str, text: String) -> Result<Value, String> {
    let value = look(&text, name == "timestamp");
    let fits = match (name, &value) {
        ("int", Some(Value::Int(_) | Value::Uint(_)))
        | ("float", Some(Value::Float(_)))
        | ("bool", Some(Value::Bool(_)))
        | ("null", Some(Value::Null))
        | ("timestamp", Some(Value::Timestamp(_))) => value,
        ("float", Some(Value::Int(number))) => Some(Value::Float(*number as f64)),
        ("float", Some(Value::Uint(number))) => Some(Value::Float(*number as f64)),
        ("int" | "float" | "bool" | "null" | "timestamp", _) => {
            return Err(format!("`{text}` is not a value of type `!!{name}`"));
        }
        _ => None,
    };
    Ok(fits.unwrap_or(Value::Str(text)))
}
