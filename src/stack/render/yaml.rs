//! JSON values as YAML that any reader, of YAML 1.1 or 1.2, reads back as the same values.

use std::fmt::Write;

use serde_json::Value;

/// A value as a YAML document.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(table) if !table.is_empty() => write_table(&mut out, table, 0),
        Value::Array(items) if !items.is_empty() => write_list(&mut out, items, 0),
        other => {
            write_inline(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

fn indent(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n("  ", level));
}

fn write_table(out: &mut String, table: &serde_json::Map<String, Value>, level: usize) {
    for (index, (key, value)) in table.iter().enumerate() {
        // The first key of a table in a list stands beside the dash.
        if index > 0 || !out.ends_with("- ") {
            indent(out, level);
        }
        write_text(out, key, None);
        out.push(':');
        write_after_key(out, value, level);
    }
}

fn write_after_key(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Object(table) if !table.is_empty() => {
            out.push('\n');
            write_table(out, table, level + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            write_list(out, items, level + 1);
        }
        other => {
            out.push(' ');
            write_inline(out, other, level + 1);
            out.push('\n');
        }
    }
}

fn write_list(out: &mut String, items: &[Value], level: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !out.ends_with("- ") {
            indent(out, level);
        }
        out.push_str("- ");
        match item {
            Value::Object(table) if !table.is_empty() => write_table(out, table, level + 1),
            Value::Array(items) if !items.is_empty() => write_list(out, items, level + 1),
            other => {
                write_inline(out, other, level + 1);
                out.push('\n');
            }
        }
    }
}

/// What fits behind a key or a dash.
fn write_inline(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => write_text(out, text, Some(level)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// A text: plain where every reader takes it for one, a block where it has lines, else quoted.
fn write_text(out: &mut String, text: &str, block_level: Option<usize>) {
    if is_plain(text) {
        out.push_str(text);
    } else if let Some(level) = block_level.filter(|_| is_block(text)) {
        write_block(out, text, level);
    } else if text.chars().all(|c| !needs_escape(c)) && !text.contains('\'') {
        out.push('\'');
        out.push_str(text);
        out.push('\'');
    } else {
        write_quoted(out, text);
    }
}

fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Words that YAML 1.1 takes for booleans or null.
const OLD_WORDS: &[&str] = &[
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
];

fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    if first.is_ascii_digit() && text.len() > 64 {
        return false;
    }
    let safe_first = first.is_alphanumeric() || matches!(first, '/' | '_' | '.' | '$' | '(');
    let safe = text
        .chars()
        .all(|c| c.is_alphanumeric() || " /_.-+:=,$()@^;<>?!&*%|~\\\"'#[]{}".contains(c));
    if !safe_first || !safe || text.ends_with([' ', ':']) {
        return false;
    }
    if text.contains(": ") || text.contains(" #") {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    !OLD_WORDS.contains(&lower.as_str()) && !looks_like_number(text)
}

/// Whether some reader may take it for a number, a time or a sexagesimal: it begins as one and
/// has nothing that none of them has.
fn looks_like_number(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    begins
        && (text
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "_.:+-xXoObBeEtTzZ ,".contains(c))
            || matches!(text.to_ascii_lowercase().as_str(), ".inf" | ".nan"))
}

/// Whether a block can hold it: several lines, nothing to escape, no line that an indentation would confuse.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(|c| c == '\n' || c == '\t' || !needs_escape(c))
        && !text.lines().any(|line| line.ends_with([' ', '\t']))
        && !text.trim_end_matches('\n').is_empty()
}

fn write_block(out: &mut String, text: &str, level: usize) {
    let body = text.trim_end_matches('\n');
    let breaks = text.len() - body.len();
    out.push_str(match breaks {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(out, level);
            out.push_str(line);
        }
    }
    // The line break of the last line is written by the caller.
    for _ in 1..breaks {
        out.push('\n');
    }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if needs_escape(c) => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::stack::diagnostic::Findings;
    use crate::stack::source::SourceMap;
    use crate::stack::tree::{Node, Resolved, Value as Tree, compose};

    fn read(text: &str) -> Value {
        let id = SourceMap::default().add("t", "/t", text);
        let mut findings = Findings::default();
        let documents = compose(text, id, &mut findings).unwrap_or_default();
        assert!(!findings.has_errors(), "{text}\n{findings:?}");
        documents.first().map_or(Value::Null, to_json)
    }

    fn to_json(node: &Rc<Node>) -> Value {
        match &node.value {
            Tree::Sequence(items) => items.iter().map(to_json).collect(),
            Tree::Mapping(table) => Value::Object(
                table
                    .iter()
                    .map(|(k, e)| (k.to_string(), to_json(&e.node)))
                    .collect(),
            ),
            Tree::Scalar(_) => match node.resolved() {
                Some(Resolved::Text(text)) => Value::from(text),
                Some(Resolved::Bool(value)) => Value::from(value),
                Some(Resolved::Int(value)) => Value::from(i64::try_from(value).unwrap()),
                Some(Resolved::Float(value)) => Value::from(value),
                Some(Resolved::Null) => Value::Null,
                other => panic!("{other:?}"),
            },
        }
    }

    #[test]
    fn texts_that_look_like_something_else_are_quoted() {
        let texts = serde_json::json!({
            "plain": "nginx:1.27", "yes": "yes", "N": "n", "number": "080", "float": "1.5", "time": "22:22",
            "date": "2001-01-01", "empty": "", "space": " a ", "hash": "a #b", "colon": "a: b", "star": "*a",
            "quote": "it's", "both": "it's \"x\"", "lines": "a\n  b\nc", "kept": "a\n\n", "one": "a\n",
            "control": "a\u{1}b", "null": "null", "tilde": "~", "dash": "- a", "bool": true, "int": 5, "none": null,
            "list": [1, ["a", []], {"a": {}, "b": [{"c": "d"}]}], "url": "http://a/b?c=d&e#f", "multi: key": "x",
            "percent": "%a", "tab": "a\tb", "end": "a:", "hex": "0x1F", "e": "1e3", "inf": ".inf", "sp": "\n a"
        });
        let yaml = to_yaml(&texts);
        assert_eq!(read(&yaml), texts, "{yaml}");
        insta::assert_snapshot!(yaml, @r#"
        plain: nginx:1.27
        'yes': 'yes'
        'N': 'n'
        number: '080'
        float: '1.5'
        time: '22:22'
        date: '2001-01-01'
        empty: ''
        space: ' a '
        hash: 'a #b'
        colon: 'a: b'
        star: '*a'
        quote: it's
        both: it's "x"
        lines: |-
          a
            b
          c
        kept: |+
          a

        one: |
          a
        control: "a\x01b"
        'null': 'null'
        tilde: '~'
        dash: '- a'
        bool: true
        int: 5
        none: null
        list:
          - 1
          - - a
            - []
          - a: {}
            b:
              - c: d
        url: http://a/b?c=d&e#f
        'multi: key': x
        percent: '%a'
        tab: "a\tb"
        end: 'a:'
        hex: '0x1F'
        e: '1e3'
        'inf': '.inf'
        sp: "\n a"
        "#);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_back(text in "\\PC*|[ -~\\n\\t'\":#&*!|>%@`{}\\[\\],-]{0,20}", key in "[ -~]{1,8}") {
            proptest::prop_assume!(key != "<<");
            let value = serde_json::json!({"k": {"list": [text.clone(), [text.clone()]], key: text}});
            let yaml = to_yaml(&value);
            proptest::prop_assert_eq!(read(&yaml), value, "{}", yaml);
        }
    }
}
