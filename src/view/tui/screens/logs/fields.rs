//! Structured lines made readable: the level, the message, then the other fields as `key=value`.
//!
//! JSON objects (RFC 8259) and logfmt are read. Nested values stay as they are written. A line that
//! is neither stays untouched.

use std::borrow::Cow;

use crate::event::live::Level;

/// The fields of a structured line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields<'t> {
    /// The level as written: a word, or a number.
    pub(super) level: Option<Cow<'t, str>>,
    /// The message.
    pub(super) message: Option<Cow<'t, str>>,
    /// The other fields in their order, without the time: the engine's own stands before each line.
    pub(super) rest: Vec<(Cow<'t, str>, Cow<'t, str>)>,
}

/// What a piece of a readable line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The level.
    Level,
    /// The message.
    Message,
    /// A key and its `=`.
    Key,
    /// A value.
    Value,
    /// A space between them.
    Space,
}

impl<'t> Fields<'t> {
    /// Reads a line; `None` where it is not structured.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let trimmed = text.trim();
        let pairs = if trimmed.starts_with('{') {
            json(trimmed)?
        } else {
            logfmt(trimmed)?
        };
        let mut fields = Self::default();
        for (key, value) in pairs {
            match &*key {
                "level" | "severity" | "lvl" | "levelname" | "log.level" if fields.level.is_none() => {
                    fields.level = Some(value);
                }
                "msg" | "message" | "event" if fields.message.is_none() => fields.message = Some(value),
                "time" | "ts" | "timestamp" | "@timestamp" | "t" | "asctime" => {}
                _ => fields.rest.push((key, value)),
            }
        }
        Some(fields)
    }

    /// Its pieces in order.
    pub(super) fn parts(&self, mut push: impl FnMut(Part, &str)) {
        let mut first = true;
        let mut space = |push: &mut dyn FnMut(Part, &str)| {
            if !std::mem::take(&mut first) {
                push(Part::Space, " ");
            }
        };
        if let Some(level) = &self.level {
            space(&mut push);
            push(Part::Level, &level_word(level));
        }
        if let Some(message) = &self.message {
            space(&mut push);
            push(Part::Message, message);
        }
        for (key, value) in &self.rest {
            space(&mut push);
            push(Part::Key, key);
            push(Part::Key, "=");
            push(Part::Value, &quoted(value));
        }
    }

    /// As one text.
    pub(super) fn compose(&self, out: &mut String) {
        self.parts(|_, text| out.push_str(text));
    }
}

/// The level that a level's word or number (pino, bunyan: 30 is info) means.
pub(super) fn level_of(word: &str) -> Option<Level> {
    match word.parse::<u32>() {
        Ok(10..20) => Some(Level::Trace),
        Ok(20..30) => Some(Level::Debug),
        Ok(30..40) => Some(Level::Info),
        Ok(40..50) => Some(Level::Warn),
        Ok(50..60) => Some(Level::Error),
        Ok(60..=100) => Some(Level::Fatal),
        _ => Level::of_word(word),
    }
}

/// In five columns, so that messages stand below each other.
fn level_word(word: &str) -> String {
    let known = level_of(word).map(Level::as_str);
    format!("{:<5}", known.unwrap_or(word).to_uppercase())
}

/// A value, in quotes where it could not be told from what stands around it.
fn quoted(value: &str) -> Cow<'_, str> {
    let nested = value.starts_with(['{', '[']);
    if value.is_empty() || (!nested && value.contains([' ', '\t', '\n', '"', '='])) {
        return Cow::Owned(format!("{value:?}"));
    }
    Cow::Borrowed(value)
}

type Pairs<'t> = Vec<(Cow<'t, str>, Cow<'t, str>)>;

/// The members of a JSON object, nested values as they are written.
fn json(text: &str) -> Option<Pairs<'_>> {
    let mut rest = text.strip_prefix('{')?.trim_start();
    let mut pairs = Vec::new();
    if let Some(behind) = rest.strip_prefix('}') {
        return behind.trim().is_empty().then_some(pairs);
    }
    loop {
        let (key, behind) = string(rest)?;
        rest = behind.trim_start().strip_prefix(':')?.trim_start();
        let (value, behind) = value(rest)?;
        pairs.push((key, value));
        rest = behind.trim_start();
        if let Some(behind) = rest.strip_prefix(',') {
            rest = behind.trim_start();
            continue;
        }
        let behind = rest.strip_prefix('}')?;
        return behind.trim().is_empty().then_some(pairs);
    }
}

/// The JSON string that a text begins with, and what stands behind it.
fn string(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = string_end(text)?;
    let (whole, behind) = text.split_at_checked(end)?;
    let inner = whole.get(1..end - 1)?;
    if !inner.contains('\\') {
        return Some((Cow::Borrowed(inner), behind));
    }
    let text: String = serde_json::from_str(whole).ok()?;
    Some((Cow::Owned(text), behind))
}

/// Where the JSON string that a text begins with ends, its quotes included.
fn string_end(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    if bytes.next()?.1 != b'"' {
        return None;
    }
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next()?;
            }
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The JSON value that a text begins with, a string without its quotes, and what stands behind it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = match text.bytes().next()? {
        b'"' => return string(text),
        b'{' | b'[' => nested_end(text)?,
        _ => {
            let end = text.find([',', '}', ' ', '\t']).unwrap_or(text.len());
            let word = text.get(..end)?;
            if !matches!(word, "true" | "false" | "null") && word.parse::<f64>().is_err() {
                return None;
            }
            end
        }
    };
    let (whole, behind) = text.split_at_checked(end)?;
    Some((Cow::Borrowed(whole), behind))
}

/// Where the object or array that a text begins with ends.
fn nested_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // The open brackets, the innermost in the lowest bit: whether it is a `{`.
    let (mut open, mut depth) = (0_u128, 0_u32);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += string_end(text.get(at..)?)?;
                continue;
            }
            b'{' | b'[' if depth < u128::BITS => {
                open = open << 1 | u128::from(*byte == b'{');
                depth += 1;
            }
            b'{' | b'[' => return None,
            b'}' | b']' => {
                if (open & 1 == 1) != (*byte == b'}') {
                    return None;
                }
                open >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The pairs of a logfmt line: two at least, a level or message among them, and nothing else.
fn logfmt(text: &str) -> Option<Pairs<'_>> {
    // Most lines are none: they are told by their first word.
    let first = text.split([' ', '=']).next()?;
    let is_key = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-./@".contains(&b))
    };
    if !is_key(first) || text.as_bytes().get(first.len()) != Some(&b'=') {
        return None;
    }
    let mut pairs: Pairs<'_> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, behind) = rest.split_once('=')?;
        if !is_key(key) {
            return None;
        }
        let (value, behind) = if behind.starts_with('"') {
            string(behind)?
        } else {
            let end = behind.find(' ').unwrap_or(behind.len());
            let (value, behind) = behind.split_at_checked(end)?;
            (Cow::Borrowed(value), behind)
        };
        pairs.push((Cow::Borrowed(key), value));
        rest = behind.trim_start();
    }
    let told = |key: &str| matches!(key, "level" | "lvl" | "severity" | "msg" | "message");
    (pairs.len() > 1 && pairs.iter().any(|(key, _)| told(key))).then_some(pairs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn readable(text: &str) -> String {
        let mut out = String::new();
        match Fields::read(text) {
            Some(fields) => fields.compose(&mut out),
            None => out.push_str("untouched"),
        }
        out
    }

    #[test]
    fn json_lines() {
        let cases = [
            r#"{"time":"2026-11-21T12:00:00Z","level":"warning","msg":"slow query","ms":1200,"db":"main db"}"#,
            r#"{"level":30,"msg":"pino","req":{"url":"/a b","headers":["x","}"]},"ok":true,"none":null}"#,
            r#"{"message":"quo\"te and é \u00e9","severity":"ERROR","empty":""}"#,
            r#"{"a":1}"#,
            "{}",
            r#" {"level":"custom","msg":"x"} "#,
        ];
        assert_eq!(
            cases.map(readable),
            [
                r#"WARN  slow query ms=1200 db="main db""#,
                r#"INFO  pino req={"url":"/a b","headers":["x","}"]} ok=true none=null"#,
                r#"ERROR quo"te and é é empty="""#,
                "a=1",
                "",
                "CUSTOM x",
            ]
        );
    }

    #[test]
    fn logfmt_lines() {
        let cases = [
            r#"ts=2026-11-21T12:00:00Z caller=main.go:1 level=info msg="Server is ready" addr=:9090"#,
            "level=error msg=x",
            "msg=alone",
            "a=1 b=2",
            "GET /?level=info msg=x",
            r#"level=info msg="open"#,
        ];
        assert_eq!(
            cases.map(readable),
            [
                "INFO  Server is ready caller=main.go:1 addr=:9090",
                "ERROR x",
                "untouched",
                "untouched",
                "untouched",
                "untouched",
            ]
        );
    }

    #[test]
    fn what_is_no_json_stays_untouched() {
        for text in [
            "{not json}",
            r#"{"a":1"#,
            r#"{"a":1} trailing"#,
            r#"{"a":}"#,
            r#"{"a":tru}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":[1,2}"#,
            r#"{"a":[1,2}}"#,
            r#"{"a":1,}"#,
            "",
            "{",
            "[1]",
        ] {
            assert_eq!(readable(text), "untouched", "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[{}\\[\\]\":,= a-z0-9\\\\é\n]{0,60}") {
            let _ = Fields::read(&text);
        }

        #[test]
        fn whatever_serde_writes_is_read(value in proptest::collection::vec(("[a-z]{1,5}", ".{0,12}"), 0..5)) {
            let object: serde_json::Map<String, serde_json::Value> =
                value.into_iter().map(|(k, v)| (k, v.into())).collect();
            let text = serde_json::Value::Object(object).to_string();
            prop_assert!(Fields::read(&text).is_some(), "{}", text);
        }
    }
}
