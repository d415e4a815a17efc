//! The one list of what differs between runs, for snapshots.

/// Patterns and what takes their place, in the order to apply them. For
/// `insta::with_settings!({ filters => redact::filters() }, { … })`.
pub fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"\x1b\[[0-9;?]*[A-Za-z]", ""),
        (r"\bt-\d+-[0-9a-f]+-\d+", "[project]"),
        (r"/tmp/\[project\][^\s:,'`]*", "[dir]"),
        (r"sha256:[0-9a-f]{64}", "sha256:[digest]"),
        (r"\b[0-9a-f]{64}\b", "[id]"),
        (r"\b[0-9a-f]{12}\b", "[id]"),
        (
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?",
            "[time]",
        ),
        (
            r"\b(127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|localhost):\d{2,5}\b",
            "$1:[port]",
        ),
        (r"\b(172|10|192|169)(\.\d{1,3}){3}(:\d{2,5})?\b", "[address]"),
        (r"\bpid \d+", "pid [pid]"),
        (r"\b\d+(\.\d+)? ?(ns|µs|us|ms|s)\b", "[duration]"),
    ]
}

/// `text` with the list applied.
pub fn redact(text: &str) -> String {
    filters().iter().fold(text.to_owned(), |text, (pattern, with)| {
        regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *with)
            .into_owned()
    })
}
