//! `stats`: the columns, fields and numbers of `docker stats`, which docker compose shows.

use serde_json::json;

use super::text::one_line;
use crate::model::{Container, Usage};

/// How readings are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatsFormat {
    /// One JSON object a line.
    Json,
    /// Fields between texts, a line a container.
    Template {
        /// Texts and fields in turn.
        parts: Vec<Part>,
        /// Whether as columns below their titles.
        table: bool,
    },
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Written as it is; a tab ends a column.
    Text(String),
    /// A value.
    Field(Field),
}

/// A field, in docker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "docker's own names, told by their titles")]
pub enum Field {
    Container,
    Id,
    Name,
    CpuPerc,
    MemUsage,
    MemPerc,
    NetIo,
    BlockIo,
    Pids,
}

/// A field, its name in templates and its title.
const FIELDS: [(Field, &str, &str); 9] = [
    (Field::Container, "Container", "CONTAINER"),
    (Field::Id, "ID", "CONTAINER ID"),
    (Field::Name, "Name", "NAME"),
    (Field::CpuPerc, "CPUPerc", "CPU %"),
    (Field::MemUsage, "MemUsage", "MEM USAGE / LIMIT"),
    (Field::MemPerc, "MemPerc", "MEM %"),
    (Field::NetIo, "NetIO", "NET I/O"),
    (Field::BlockIo, "BlockIO", "BLOCK I/O"),
    (Field::Pids, "PIDs", "PIDS"),
];

/// What `table` alone means.
const DEFAULT: &str =
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

impl StatsFormat {
    /// Reads `table`, `json`, `TEMPLATE` or `table TEMPLATE`.
    ///
    /// # Errors
    /// What is no field, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (table, template) = match text.trim() {
            "json" | "{{json .}}" | "{{ json . }}" => return Ok(Self::Json),
            "" | "table" => (true, DEFAULT),
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
            let field = FIELDS
                .iter()
                .find(|(_, known, _)| name.strip_prefix('.') == Some(known));
            let (field, _, _) = field.ok_or_else(|| {
                let names: Vec<String> = FIELDS.iter().map(|(_, name, _)| format!(".{name}")).collect();
                format!("`{name}` is no field; there is {}", names.join(", "))
            })?;
            parts.push(Part::Field(*field));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self::Template { parts, table })
    }
}

/// A container and what it uses; nothing where it is not known yet.
#[derive(Debug, Clone, Copy)]
pub struct StatsRow<'a> {
    /// The container.
    pub container: &'a Container,
    /// Its use.
    pub used: Option<Usage>,
}

/// The readings, each line ended; ids short unless `full`.
pub fn stats(rows: &[StatsRow<'_>], format: &StatsFormat, full: bool) -> String {
    match format {
        StatsFormat::Json => rows.iter().map(|row| format!("{}\n", row.json(full))).collect(),
        StatsFormat::Template { parts, table } => {
            let line = |value: &dyn Fn(Field) -> String| -> String {
                let parts = parts.iter().map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Field(field) => one_line(&value(*field)).into_owned(),
                });
                parts.collect()
            };
            let rows = rows.iter().map(|row| line(&|field| row.value(field, full)));
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
}

fn title(field: Field) -> &'static str {
    FIELDS
        .iter()
        .find(|(known, _, _)| *known == field)
        .map_or("", |(_, _, title)| title)
}

/// Lines with their cells in columns of at least `least`, `gap` apart; the last cell is not filled up.
pub fn columns(lines: &[Vec<String>], least: usize, gap: usize) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        for (at, cell) in line.iter().take(line.len().saturating_sub(1)).enumerate() {
            let width = (super::text::width(cell) + gap).max(least);
            match widths.get_mut(at) {
                Some(widest) => *widest = (*widest).max(width),
                None => widths.push(width),
            }
        }
    }
    let mut out = String::new();
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if at + 1 < line.len() {
                let width = widths.get(at).copied().unwrap_or(0);
                out.extend(std::iter::repeat_n(
                    ' ',
                    width.saturating_sub(super::text::width(cell)),
                ));
            }
        }
        out.push('\n');
    }
    out
}

impl StatsRow<'_> {
    fn value(&self, field: Field, full: bool) -> String {
        let known = |text: &dyn Fn(Usage) -> String| self.used.map_or_else(|| "--".to_owned(), text);
        match field {
            Field::Container => self.container.id.to_string(),
            Field::Id if full => self.container.id.to_string(),
            Field::Id => self.container.id.short().to_owned(),
            Field::Name => self.container.name.clone(),
            Field::CpuPerc => known(&|used| format!("{:.2}%", used.cpu_percent)),
            Field::MemUsage => match self.used {
                Some(used) => format!("{} / {}", binary(used.memory), binary(used.memory_limit)),
                None => "-- / --".to_owned(),
            },
            Field::MemPerc => known(&|used| format!("{:.2}%", used.memory_percent())),
            Field::NetIo => known(&|used| format!("{} / {}", decimal(used.received), decimal(used.sent))),
            Field::BlockIo => known(&|used| format!("{} / {}", decimal(used.read), decimal(used.written))),
            Field::Pids => known(&|used| used.pids.to_string()),
        }
    }

    fn json(&self, full: bool) -> serde_json::Value {
        let of = |field| self.value(field, full);
        json!({
            "BlockIO": of(Field::BlockIo),
            "CPUPerc": of(Field::CpuPerc),
            "Container": of(Field::Container),
            "ID": of(Field::Id),
            "MemPerc": of(Field::MemPerc),
            "MemUsage": of(Field::MemUsage),
            "Name": of(Field::Name),
            "NetIO": of(Field::NetIo),
            "PIDs": of(Field::Pids),
        })
    }
}

/// Bytes in powers of 1024 with four digits, as docker writes memory: `23.54GiB`.
fn binary(bytes: u64) -> String {
    scaled(bytes, 1024.0, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 4)
}

/// Bytes in powers of 1000 with three digits, as docker writes traffic: `1.04kB`.
fn decimal(bytes: u64) -> String {
    scaled(bytes, 1000.0, ["B", "kB", "MB", "GB", "TB", "PB", "EB"], 3)
}

#[expect(clippy::cast_precision_loss, reason = "a number for people")]
fn scaled(bytes: u64, base: f64, units: [&'static str; 7], digits: usize) -> String {
    let (mut size, mut unit, mut left) = (bytes as f64, units[0], units.iter().skip(1));
    while size >= base
        && let Some(next) = left.next()
    {
        (size, unit) = (size / base, next);
    }
    format!("{}{unit}", significant(size, digits))
}

/// A number with so many significant digits and no trailing zeros, as C's `%g` writes one.
fn significant(number: f64, digits: usize) -> String {
    let whole = if number < 10.0 {
        1
    } else if number < 100.0 {
        2
    } else if number < 1000.0 {
        3
    } else {
        4
    };
    let text = format!("{number:.*}", digits.saturating_sub(whole));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::live::testing::container;

    fn shown(format: &str, used: Option<Usage>) -> String {
        let containers = [container("app", 1), container("database", 1)];
        let rows: Vec<StatsRow<'_>> = containers
            .iter()
            .map(|container| StatsRow { container, used })
            .collect();
        stats(&rows, &StatsFormat::parse(format).unwrap(), false)
    }

    const USED: Usage = Usage {
        cpu_percent: 12.345,
        memory: 450_560,
        memory_limit: 25_275_871_232,
        received: 1_040,
        sent: 0,
        read: 12_345_678,
        written: 842,
        pids: 7,
    };

    #[test]
    fn as_docker_writes_them() {
        insta::assert_snapshot!(shown("table", Some(USED)));
        insta::assert_snapshot!(shown("table", None));
        insta::assert_snapshot!(shown("json", Some(USED)));
        insta::assert_snapshot!(shown("{{.Name}}: {{ .CPUPerc }}", Some(USED)));
        insta::assert_snapshot!(shown("table {{.Name}}\\t{{.PIDs}}", Some(USED)));
        assert!(StatsFormat::parse("{{.Nome}}").unwrap_err().contains(".Name"));
        assert!(StatsFormat::parse("{{.Name").is_err());
    }

    #[test]
    fn sizes() {
        let binary = [0, 1023, 1024, 1_536, 450_560, 104_857_600, 25_275_871_232].map(super::binary);
        assert_eq!(
            binary,
            ["0B", "1023B", "1KiB", "1.5KiB", "440KiB", "100MiB", "23.54GiB"]
        );
        let decimal = [0, 842, 1_040, 999_999, 12_345_678].map(super::decimal);
        assert_eq!(decimal, ["0B", "842B", "1.04kB", "1000kB", "12.3MB"]);
    }
}
