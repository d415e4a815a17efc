//! Field-by-field comparison of two definitions in their Compose form.

use serde_json::Value;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `healthcheck.interval`, `ports[0].published`, `environment.LOG_LEVEL`.
    pub path: String,
    /// What it was; `None` where it was not there.
    pub from: Option<String>,
    /// What it is to be; `None` where it goes.
    pub to: Option<String>,
}

/// Values are shown up to this many characters.
const SHOWN: usize = 80;

/// What differs between two definitions, in the order of the fields. Values of `environment`
/// are fingerprints already ([`crate::model::render::comparable`]) and shown as changed only.
pub fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut out = Vec::new();
    compare("", from, to, &mut out);
    out
}

fn compare(path: &str, from: &Value, to: &Value, out: &mut Vec<Difference>) {
    match (from, to) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, old) in a {
                let path = join(path, key);
                match b.get(key) {
                    Some(new) => compare(&path, old, new, out),
                    None => push(path, Some(old), None, out),
                }
            }
            for (key, new) in b {
                if !a.contains_key(key) {
                    push(join(path, key), None, Some(new), out);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (old, new)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), old, new, out);
            }
        }
        _ if from == to => {}
        _ => push(path.to_owned(), Some(from), Some(to), out),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn push(path: String, from: Option<&Value>, to: Option<&Value>, out: &mut Vec<Difference>) {
    let hidden = path.starts_with("environment.") || path.starts_with("content.");
    let show = |value: Option<&Value>| {
        value.map(|v| match v {
            _ if hidden => "…".to_owned(),
            Value::String(text) => shorten(text),
            other => shorten(&other.to_string()),
        })
    };
    out.push(Difference {
        from: show(from),
        to: show(to),
        path,
    });
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN - 1).chain(['…']).collect()
    }
}

impl Difference {
    /// In one line: `image: nginx:1.25 → nginx:1.26`.
    pub fn to_text(&self) -> String {
        if self.path.starts_with("content.") {
            return format!("{} has other content", self.path.trim_start_matches("content."));
        }
        match (&self.from, &self.to) {
            (Some(_), Some(_)) if self.path.starts_with("environment.") => {
                format!("{} changed", self.path)
            }
            (Some(from), Some(to)) => format!("{}: {from} → {to}", self.path),
            (None, Some(_)) if self.path.starts_with("environment.") => format!("{} added", self.path),
            (None, Some(to)) => format!("{}: added {to}", self.path),
            (_, None) => format!("{} removed", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(from: Value, to: Value) -> Vec<String> {
        differences(&from, &to).iter().map(Difference::to_text).collect()
    }

    #[test]
    fn names_each_field() {
        assert_eq!(
            text(
                json!({"image": "a:1", "ports": [{"target": 80}], "tty": true, "environment": {"A": "sha256:1", "B": "sha256:2"}}),
                json!({"image": "a:2", "ports": [{"target": 81}], "user": "1", "environment": {"A": "sha256:3", "C": "sha256:4"}}),
            ),
            [
                "image: a:1 → a:2",
                "ports[0].target: 80 → 81",
                "tty removed",
                "environment.A changed",
                "environment.B removed",
                "environment.C added",
                "user: added 1",
            ]
        );
        assert!(text(json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 2}]})).is_empty());
    }

    #[test]
    fn changed_content_is_not_shown() {
        assert_eq!(
            text(
                json!({"content": {"/etc/x": "aa"}}),
                json!({"content": {"/etc/x": "bb"}})
            ),
            ["/etc/x has other content"]
        );
    }
}
