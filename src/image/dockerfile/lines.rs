//! Lines into instructions: parser directives, comments, continuations and heredocs.

use std::ops::RangeInclusive;

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Its lines, from 0.
    pub(super) lines: RangeInclusive<usize>,
    /// The keyword in capitals.
    pub(super) keyword: String,
    /// What follows, continuation lines joined and comments between them removed.
    pub(super) rest: String,
}

/// A Dockerfile in instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) instructions: Vec<Instruction>,
    /// The escape character.
    pub(super) escape: char,
    /// `# syntax=…`: its line and the image that it names.
    pub(super) syntax: Option<(usize, String)>,
    /// `# platform:secrets …`: the comment's line and its ids.
    pub(super) secrets: Vec<(usize, Vec<String>)>,
}

/// The comment by which a Dockerfile asks for what the host knows (CA bundle, pip and apt
/// settings) in the `RUN` that follows, readable by every builder because it is a comment.
const SECRETS_MARK: &str = "platform:secrets";

pub(super) fn split(text: &str) -> Split {
    let mut out = Split {
        instructions: Vec::new(),
        escape: '\\',
        syntax: None,
        secrets: Vec::new(),
    };
    let mut directives = true;
    let mut open: Option<(usize, String)> = None;
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
    let mut last = 0;
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            if directives {
                directives = directive(comment, number, &mut out);
            }
            if let Some(ids) = comment.trim().strip_prefix(SECRETS_MARK) {
                out.secrets
                    .push((number, ids.split_whitespace().map(str::to_owned).collect()));
            }
            continue;
        }
        directives = false;
        if trimmed.is_empty() {
            continue;
        }
        last = number;
        let (start, mut joined) = open.take().unwrap_or_else(|| (number, String::new()));
        let end = line.trim_end();
        match end.strip_suffix(out.escape) {
            Some(before) => {
                joined.push_str(before);
                open = Some((start, joined));
            }
            None => {
                joined.push_str(end);
                if let Some(mut instruction) = instruction(start, number, &joined) {
                    for (name, strip_tabs) in heredocs(&instruction) {
                        // The text of a heredoc belongs to the instruction and is not looked at.
                        for (number, line) in lines.by_ref() {
                            instruction.lines = start..=number;
                            let line = if strip_tabs {
                                line.trim_start_matches('\t')
                            } else {
                                line
                            };
                            if line == name {
                                break;
                            }
                        }
                    }
                    out.instructions.push(instruction);
                }
            }
        }
    }
    if let Some((start, joined)) = open {
        out.instructions.extend(instruction(start, last, &joined));
    }
    out
}

/// Reads a parser directive; whether further ones may follow.
fn directive(comment: &str, number: usize, out: &mut Split) -> bool {
    let Some((key, value)) = comment.split_once('=') else {
        return false;
    };
    let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
    match key.as_str() {
        "syntax" if out.syntax.is_none() => {
            let image = value.split_whitespace().next().unwrap_or_default();
            out.syntax = Some((number, image.to_owned()));
            true
        }
        "escape" => {
            if let (Some(c @ ('\\' | '`')), 1) = (value.chars().next(), value.chars().count()) {
                out.escape = c;
            }
            true
        }
        "check" => true,
        _ => false,
    }
}

fn instruction(first: usize, last: usize, joined: &str) -> Option<Instruction> {
    let joined = joined.trim();
    if joined.is_empty() {
        return None;
    }
    let (keyword, rest) = joined.split_once(char::is_whitespace).unwrap_or((joined, ""));
    Some(Instruction {
        lines: first..=last,
        keyword: keyword.to_ascii_uppercase(),
        rest: rest.trim().to_owned(),
    })
}

/// The heredocs that an instruction opens: terminator, and whether leading tabs are removed.
fn heredocs(instruction: &Instruction) -> Vec<(String, bool)> {
    if !matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    instruction
        .rest
        .split_whitespace()
        .filter_map(|word| {
            let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
            let rest = word.strip_prefix("<<")?;
            let (rest, strip_tabs) = match rest.strip_prefix('-') {
                Some(rest) => (rest, true),
                None => (rest, false),
            };
            let name = rest.trim_matches(['"', '\'']);
            let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
            plain.then(|| (name.to_owned(), strip_tabs))
        })
        .collect()
}
