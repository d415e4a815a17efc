//! What a plain scalar means: Compose's YAML reader mixes the rules of YAML 1.1 and 1.2, and
//! file modes, versions and environment values depend on it (measured against docker compose 2.40).

use std::fmt;

/// A scalar with its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved<'t> {
    /// `~`, `null` or nothing.
    Null,
    /// `true`, `false`; not `yes` or `on`, which are texts.
    Bool(bool),
    /// A whole number of at most 64 bits.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// A date or time, which Compose refuses everywhere.
    Timestamp(&'t str),
    /// A text.
    Text(&'t str),
}

impl Resolved<'_> {
    /// What it is, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(b) => format!("the boolean {b}"),
            Self::Int(n) => format!("the number {n}"),
            Self::Float(n) => format!("the number {}", format_float(*n)),
            Self::Timestamp(text) => format!("the timestamp {text}"),
            Self::Text(text) if text.chars().count() > 40 => "a long string".to_owned(),
            Self::Text(text) => format!("the string {text:?}"),
        }
    }
}

/// As Compose writes a value of any type where it wants a text; null and timestamps are not written.
impl fmt::Display for Resolved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(n) => f.write_str(&format_float(*n)),
            Self::Timestamp(text) | Self::Text(text) => f.write_str(text),
        }
    }
}

/// The type and value of a plain scalar.
pub(super) fn resolve_plain(text: &str) -> Resolved<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        _ => {}
    }
    let Some(first) = text.bytes().next() else {
        return Resolved::Null;
    };
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) || text.len() > 400 {
        return Resolved::Text(text);
    }
    if is_timestamp(text) {
        return Resolved::Timestamp(text);
    }
    let digits = text.replace('_', "");
    if let Some(number) = integer(&digits) {
        return Resolved::Int(number);
    }
    if is_float(&digits)
        && let Ok(number) = digits.parse::<f64>()
    {
        return Resolved::Float(number);
    }
    Resolved::Text(text)
}

/// Whole numbers in the notations of Go's `ParseInt` with base 0, and `0o`.
fn integer(text: &str) -> Option<i128> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = rest.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, &rest[2..]),
        Some("0o") => (8, &rest[2..]),
        Some("0b") => (2, &rest[2..]),
        _ if rest.len() > 1 && rest.starts_with('0') => (8, &rest[1..]),
        _ => (10, rest),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let number = if negative { -magnitude } else { magnitude };
    // Beyond 64 bits it is read as a float instead.
    (number >= i128::from(i64::MIN)).then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    mantissa_ok
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['-', '+']).unwrap_or(e);
            !e.is_empty() && all_digits(e)
        })
}

/// Whether Go's YAML reader takes it for a time: a date of four, one to two and one to two
/// digits, alone or with a time of day after it.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let mut parts = text[5..].splitn(2, '-');
    let (Some(month), Some(rest)) = (parts.next(), parts.next()) else {
        return false;
    };
    let in_range = |part: &str, most: u32| {
        (1..=2).contains(&part.len()) && part.parse::<u32>().is_ok_and(|n| n >= 1 && n <= most)
    };
    let day_len = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (day, time) = rest.split_at(day_len);
    if !in_range(month, 12) || !in_range(day, 31) {
        return false;
    }
    if time.is_empty() {
        return true;
    }
    let Some(time) = time.strip_prefix(['T', 't', ' ']) else {
        return false;
    };
    let mut fields = time.trim_start().splitn(3, ':');
    let number = |part: Option<&str>| {
        part.is_some_and(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    number(fields.next())
        && number(fields.next())
        && fields
            .next()
            .is_some_and(|p| p.bytes().next().is_some_and(|b| b.is_ascii_digit()))
}

/// As Go's `%v` writes a float: `%g` with the shortest digits, an exponent below 1e-4 and from 1e6 on.
pub fn format_float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let shortest = format!("{number:e}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    let Ok(exponent) = exponent.parse::<i32>() else {
        return shortest;
    };
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match resolve_plain(text) {
            Resolved::Null => "null".into(),
            Resolved::Text(t) => format!("{t:?}"),
            Resolved::Timestamp(t) => format!("time {t}"),
            other => other.to_string(),
        }
    }

    /// Each line was run through docker compose 2.40.3 as a value of `environment`.
    #[test]
    fn plain_scalars_mean_what_they_mean_to_compose() {
        for (text, wanted) in [
            ("yes", "\"yes\""),
            ("on", "\"on\""),
            ("NO", "\"NO\""),
            ("y", "\"y\""),
            ("22:22", "\"22:22\""),
            ("190:20:30", "\"190:20:30\""),
            ("TRUE", "true"),
            ("~", "null"),
            ("", "null"),
            ("0o17", "15"),
            ("-0o17", "-15"),
            ("017", "15"),
            ("0440", "288"),
            ("08", "8"),
            ("0o8", "\"0o8\""),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("1_000", "1000"),
            ("1__0", "10"),
            ("+12", "12"),
            ("-0", "0"),
            ("3.10", "3.1"),
            ("1e3", "1000"),
            ("1.0", "1"),
            (".5", "0.5"),
            ("1.", "1"),
            ("12e03", "12000"),
            (".inf", "+Inf"),
            ("-.inf", "-Inf"),
            (".nan", "NaN"),
            ("123456789012345678901234", "1.2345678901234569e+23"),
            ("0.00000012345", "1.2345e-07"),
            ("1e21", "1e+21"),
            ("1000000.5", "1.0000005e+06"),
            ("123456.5", "123456.5"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e5", "100000"),
            ("0.1e10", "1e+09"),
            ("2001-01-01", "time 2001-01-01"),
            ("2001-1-1", "time 2001-1-1"),
            ("2001-01-01T10:00:00Z", "time 2001-01-01T10:00:00Z"),
            ("2001-13-01", "\"2001-13-01\""),
            ("2001-01-01-rc1", "\"2001-01-01-rc1\""),
            ("1.2.3", "\"1.2.3\""),
            ("-", "\"-\""),
            ("+", "\"+\""),
            (".", "\".\""),
            ("1-2", "\"1-2\""),
            ("0x", "\"0x\""),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }
}
