//! `--format` as docker's tools have it: a table, JSON, or a template of fields; and their columns.

use std::collections::BTreeMap;

use super::text::{one_line, width};

/// What can be written of a row.
pub trait Fields: Copy + PartialEq + 'static {
    /// All fields: their names in templates and JSON, and their titles.
    const ALL: &'static [(Self, &'static str, &'static str)];
    /// What `table` alone means.
    const TABLE: &'static str;
}

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format<F> {
    /// One JSON object a line.
    Json,
    /// Fields between texts, a line a row.
    Template {
        /// Texts and fields in turn.
        parts: Vec<Part<F>>,
        /// Whether as columns below their titles.
        table: bool,
    },
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<F> {
    /// Written as it is; a tab ends a column.
    Text(String),
    /// A value.
    Field(F),
}

impl<F: Fields> Format<F> {
    /// Reads `table`, `json`, `TEMPLATE` or `table TEMPLATE`.
    ///
    /// # Errors
    /// What is no field, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (table, template) = match text.trim() {
            "json" | "{{json .}}" | "{{ json . }}" => return Ok(Self::Json),
            "" | "table" => (true, F::TABLE),
            other => match other.strip_prefix("table ") {
                Some(template) => (true, template),
                None => (false, text),
            },
        };
        let template = template.replace("\\t", "\t").replace("\\n", "\n");
        let mut parts = Vec::new();
        let mut rest = template.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            parts.push(Part::Text(before.to_owned()));
            let (name, behind) = after
                .split_once("}}")
                .ok_or_else(|| format!("`{{{{{after}` is not closed"))?;
            let name = name.trim();
            let field = F::ALL
                .iter()
                .find(|(_, known, _)| name.strip_prefix('.') == Some(known));
            let (field, _, _) = field.ok_or_else(|| {
                let names: Vec<String> = F::ALL.iter().map(|(_, name, _)| format!(".{name}")).collect();
                format!("`{name}` is no field; there is {}", names.join(", "))
            })?;
            parts.push(Part::Field(*field));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self::Template { parts, table })
    }

    /// The rows, each line ended.
    pub fn write<R>(&self, rows: &[R], value: impl Fn(&R, F) -> String) -> String {
        let (parts, table) = match self {
            Self::Json => {
                let object = |row: &R| -> String {
                    let values: BTreeMap<&str, String> = F::ALL
                        .iter()
                        .map(|(field, name, _)| (*name, value(row, *field)))
                        .collect();
                    format!("{}\n", serde_json::json!(values))
                };
                return rows.iter().map(object).collect();
            }
            Self::Template { parts, table } => (parts, *table),
        };
        let line = |value: &dyn Fn(F) -> String| -> String {
            let parts = parts.iter().map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Field(field) => one_line(&value(*field)).into_owned(),
            });
            parts.collect()
        };
        let rows = rows.iter().map(|row| line(&|field| value(row, field)));
        if !table {
            return rows.map(|row| format!("{row}\n")).collect();
        }
        let lines: Vec<Vec<String>> = std::iter::once(line(&|field| title(field).to_owned()))
            .chain(rows)
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect();
        columns(&lines, 10, 3)
    }
}

fn title<F: Fields>(field: F) -> &'static str {
    F::ALL
        .iter()
        .find(|(known, _, _)| *known == field)
        .map_or("", |(_, _, title)| title)
}

/// Lines with their cells in columns of at least `least`, `gap` apart; the last cell is not filled up.
pub fn columns(lines: &[Vec<String>], least: usize, gap: usize) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        for (at, cell) in line.iter().take(line.len().saturating_sub(1)).enumerate() {
            let wide = (width(cell) + gap).max(least);
            match widths.get_mut(at) {
                Some(widest) => *widest = (*widest).max(wide),
                None => widths.push(wide),
            }
        }
    }
    let mut out = String::new();
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if at + 1 < line.len() {
                let wide = widths.get(at).copied().unwrap_or(0);
                out.extend(std::iter::repeat_n(' ', wide.saturating_sub(width(cell))));
            }
        }
        out.push('\n');
    }
    out
}
