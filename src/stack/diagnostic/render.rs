//! Findings as text: `file:line:column`, the source line, carets, help.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, renderer::DecorStyle};

use super::{Finding, Severity};
use crate::stack::source::{Position, SourceMap, Span, floor_char_boundary};

/// How findings are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RenderStyle {
    /// With terminal colours.
    pub colour: bool,
    /// With box-drawing characters where `true`, ASCII otherwise.
    pub unicode: bool,
    /// Columns to fit into; 0 is 140.
    pub width: usize,
}

/// One finding as text, with a line break at its end.
pub fn render(finding: &Finding, sources: &SourceMap, style: RenderStyle) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let excerpts: Vec<Excerpt> = excerpts(finding, sources);
    let mut group: Group = Group::with_title(
        level
            .primary_title(finding.message.as_str())
            .id(finding.code.as_str()),
    );
    for excerpt in &excerpts {
        if let Some(position) = excerpt.cut {
            group = group.element(
                Origin::path(excerpt.name)
                    .line(position.line)
                    .char_column(position.column),
            );
        }
        group = group.element(excerpt.snippet());
    }
    for help in &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut renderer = if style.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer = renderer.decor_style(if style.unicode {
        DecorStyle::Unicode
    } else {
        DecorStyle::Ascii
    });
    if style.width > 0 {
        renderer = renderer.term_width(style.width);
    }
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// All findings, an empty line between two.
pub fn render_all(findings: &[Finding], sources: &SourceMap, style: RenderStyle) -> String {
    findings
        .iter()
        .map(|finding| render(finding, sources, style))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Lines of one file around labels that are near each other; the renderer gets no more than
/// that, so that a finding in a file of megabytes costs no more than in a small one.
struct Excerpt<'s> {
    name: &'s str,
    first_line: usize,
    /// Where the first label is, when the line had to be cut before it.
    cut: Option<Position>,
    text: String,
    marks: Vec<(std::ops::Range<usize>, String, bool)>,
}

/// Labels further apart than this get an excerpt each.
const FAR: usize = 2_000;
/// Longer lines are cut around the label.
const LONGEST_LINE: usize = 240;

fn excerpts<'s>(finding: &Finding, sources: &'s SourceMap) -> Vec<Excerpt<'s>> {
    let mut out: Vec<Excerpt<'s>> = Vec::new();
    let mut groups: Vec<Vec<(Span, &str, bool)>> = Vec::new();
    for (index, label) in finding.labels.iter().enumerate() {
        let entry = (label.span, label.text.as_str(), index == 0);
        let near = groups.iter_mut().find(|group| {
            group.iter().any(|(span, _, _)| {
                span.file == label.span.file && span.start.abs_diff(label.span.start) < FAR as u32
            })
        });
        match near {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    for group in groups {
        if let Some(excerpt) = excerpt(&group, sources) {
            out.push(excerpt);
        }
    }
    out
}

fn excerpt<'s>(labels: &[(Span, &str, bool)], sources: &'s SourceMap) -> Option<Excerpt<'s>> {
    let (first, _, _) = labels.first()?;
    let file = sources.file(first.file)?;
    let whole: &str = &file.text;
    let start = labels.iter().map(|(s, _, _)| s.start as usize).min()?;
    let last = labels.iter().map(|(s, _, _)| s.start as usize).max()?;
    let start = floor_char_boundary(whole, start);
    let last = floor_char_boundary(whole, last);
    let mut from = whole[..start].rfind('\n').map_or(0, |n| n + 1);
    let mut to = whole[last..].find('\n').map_or(whole.len(), |n| last + n);
    let is_cut = start - from > LONGEST_LINE;
    if is_cut {
        from = floor_char_boundary(whole, start - LONGEST_LINE / 4);
    }
    if to - last > LONGEST_LINE {
        to = floor_char_boundary(whole, last + LONGEST_LINE);
    }
    let text = &whole[from..to];
    let marks = labels
        .iter()
        .map(|(span, label, primary)| {
            let begin = floor_char_boundary(text, (span.start as usize).saturating_sub(from));
            // A span over several lines is marked on its first one only.
            let line_end = text[begin..].find('\n').map_or(text.len(), |n| begin + n);
            let mut end = floor_char_boundary(text, (span.end as usize).saturating_sub(from)).min(line_end);
            end = begin + text[begin..end.max(begin)].trim_end().len();
            if end == begin {
                end = text[begin..line_end]
                    .chars()
                    .next()
                    .map_or(begin, |c| begin + c.len_utf8());
            }
            (begin..end, (*label).to_owned(), *primary)
        })
        .collect();
    Some(Excerpt {
        name: &file.name,
        first_line: sources.position(Span::new(first.file, from..from)).line,
        cut: is_cut.then(|| sources.position(*first)),
        text: text.replace('\t', " ").replace(['\0', '\r', '\u{1b}'], " "),
        marks,
    })
}

impl Excerpt<'_> {
    fn snippet(&self) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        Snippet::source(self.text.as_str())
            .path(self.cut.is_none().then_some(self.name))
            .line_start(self.first_line)
            .annotations(self.marks.iter().map(|(range, label, primary)| {
                let kind = if *primary {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                let mark = kind.span(range.clone());
                if label.is_empty() {
                    mark
                } else {
                    mark.label(label.as_str())
                }
            }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::diagnostic::Code;

    #[test]
    fn a_finding_shows_place_caret_and_help() {
        let mut sources = SourceMap::default();
        let id = sources.add(
            "stack.yaml",
            "/stack.yaml",
            "services:\n  web:\n    imgae: nginx\n",
        );
        let finding = Finding::error(Code::UnknownKey, "unknown attribute `imgae` of a service")
            .at(Span::new(id, 21..26))
            .help("did you mean `image`?");
        insta::assert_snapshot!(render(&finding, &sources, RenderStyle::default()), @r#"
        error[unknown-attribute]: unknown attribute `imgae` of a service
         --> stack.yaml:3:5
          |
        3 |     imgae: nginx
          |     ^^^^^
          |
          = help: did you mean `image`?
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let mut sources = SourceMap::default();
        let text = format!("a: {}X{}\n", "é".repeat(100_000), "b".repeat(100_000));
        let at = text.find('X').unwrap();
        let id = sources.add("long.yaml", "/long.yaml", text);
        let finding = Finding::error(Code::Type, "here").at(Span::new(id, at..at + 1));
        let out = render(&finding, &sources, RenderStyle::default());
        assert!(out.len() < 2_000, "{}", out.len());
        assert!(out.contains('X'));
    }
}
