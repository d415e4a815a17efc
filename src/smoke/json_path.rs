//! The JSON paths of expectations: `$`, `.key`, `['any key']`, `[0]` (RFC 9535, the part that
//! names exactly one place).

use serde_json::Value;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum At<'v> {
    /// This.
    Value(&'v Value),
    /// Nothing; how far the path leads, and what is there instead.
    Missing(String),
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Looks a path up.
///
/// # Errors
/// What was expected, where `path` is not a path.
pub fn find<'v>(root: &'v Value, path: &str) -> Result<At<'v>, &'static str> {
    let mut at = root;
    let mut walked = String::from("$");
    for step in steps(path)? {
        let next = match &step {
            Step::Key(key) => at.get(key.as_str()),
            Step::Index(index) => at.get(index),
        };
        let Some(next) = next else {
            return Ok(At::Missing(format!("nothing ({walked} is {})", describe(at))));
        };
        walked.push_str(&match step {
            Step::Key(key) if is_plain(&key) => format!(".{key}"),
            Step::Key(key) => format!("['{key}']"),
            Step::Index(index) => format!("[{index}]"),
        });
        at = next;
    }
    Ok(At::Value(at))
}

/// Whether two values are the same; numbers by their value, so that `1` is `1.0`.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn steps(path: &str) -> Result<Vec<Step>, &'static str> {
    const EXPECTED: &str = "a path such as $.a.b[0]['c d']";
    let mut rest = path.trim().strip_prefix('$').ok_or(EXPECTED)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, next) = after.split_at(end);
            if key.is_empty() || key == "*" {
                return Err(EXPECTED);
            }
            steps.push(Step::Key(key.to_owned()));
            rest = next;
            continue;
        }
        let after = rest.strip_prefix('[').ok_or(EXPECTED)?;
        let quote = after.chars().next().filter(|c| *c == '\'' || *c == '"');
        if let Some(quote) = quote {
            let (key, next) = after.get(1..).and_then(|a| a.split_once(quote)).ok_or(EXPECTED)?;
            steps.push(Step::Key(key.to_owned()));
            rest = next.strip_prefix(']').ok_or(EXPECTED)?;
        } else {
            let (index, next) = after.split_once(']').ok_or(EXPECTED)?;
            steps.push(Step::Index(index.trim().parse().map_err(|_| EXPECTED)?));
            rest = next;
        }
    }
    Ok(steps)
}

/// A value's shape, for people.
fn describe(value: &Value) -> String {
    const MOST: usize = 8;
    match value {
        Value::Object(fields) if fields.is_empty() => "an empty object".to_owned(),
        Value::Object(fields) => {
            let keys: Vec<&str> = fields.keys().take(MOST).map(String::as_str).collect();
            let more = if fields.len() > MOST { ", …" } else { "" };
            format!("an object with {}{more}", keys.join(", "))
        }
        Value::Array(items) => match items.len() {
            0 => "an empty list".to_owned(),
            1 => "a list of 1".to_owned(),
            n => format!("a list of {n}"),
        },
        other => shown(other),
    }
}

/// A value as JSON, cut where it is long.
pub fn shown(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_and_says_what_is_missing() {
        let root = json!({"a": {"b": [1, {"c d": true}], "": 0, "e.f": null}, "n": 1});
        let of = |path: &str| match find(&root, path) {
            Ok(At::Value(value)) => value.to_string(),
            Ok(At::Missing(why)) => why,
            Err(expected) => format!("expected {expected}"),
        };
        let lines = [
            "$",
            "$.n",
            "$.a.b[0]",
            "$.a.b[1]['c d']",
            "$[\"a\"]['e.f']",
            "$.a.x",
            "$.a.b[2]",
            "$.a.b.c",
            "$.n.x",
            "$.a.b[1].x.y",
            "a.b",
            "",
            "$a",
            "$.",
            "$..a",
            "$.a[",
            "$.a[*]",
            "$.a[-1]",
            "$['a",
            "$['a'",
            "$['ä']",
        ]
        .map(|path| format!("{path} → {}", of(path)));
        insta::assert_snapshot!(lines.join("\n"), @r#"
        $ → {"a":{"b":[1,{"c d":true}],"":0,"e.f":null},"n":1}
        $.n → 1
        $.a.b[0] → 1
        $.a.b[1]['c d'] → true
        $["a"]['e.f'] → null
        $.a.x → nothing ($.a is an object with b, , e.f)
        $.a.b[2] → nothing ($.a.b is a list of 2)
        $.a.b.c → nothing ($.a.b is a list of 2)
        $.n.x → nothing ($.n is 1)
        $.a.b[1].x.y → nothing ($.a.b[1] is an object with c d)
        a.b → expected a path such as $.a.b[0]['c d']
         → expected a path such as $.a.b[0]['c d']
        $a → expected a path such as $.a.b[0]['c d']
        $. → expected a path such as $.a.b[0]['c d']
        $..a → expected a path such as $.a.b[0]['c d']
        $.a[ → expected a path such as $.a.b[0]['c d']
        $.a[*] → expected a path such as $.a.b[0]['c d']
        $.a[-1] → expected a path such as $.a.b[0]['c d']
        $['a → expected a path such as $.a.b[0]['c d']
        $['a' → expected a path such as $.a.b[0]['c d']
        $['ä'] → nothing ($ is an object with a, n)
        "#);
    }

    #[test]
    fn numbers_are_the_same_by_value() {
        assert!(same(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})));
        for (left, right) in [
            (json!(1), json!("1")),
            (json!([1]), json!([1, 2])),
            (json!({"a": 1}), json!({"b": 1})),
            (json!({"a": null}), json!({})),
            (json!(true), json!(1)),
        ] {
            assert!(!same(&left, &right), "{left} {right}");
        }
    }
}
