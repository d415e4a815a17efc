//! `stats`: the columns, fields and numbers of `docker stats`, which docker compose shows.

use super::template::{Fields, Format};
use crate::model::{Container, Usage};

/// How readings are written.
pub type StatsFormat = Format<Field>;

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

impl Fields for Field {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Container, "Container", "CONTAINER"),
        (Self::Id, "ID", "CONTAINER ID"),
        (Self::Name, "Name", "NAME"),
        (Self::CpuPerc, "CPUPerc", "CPU %"),
        (Self::MemUsage, "MemUsage", "MEM USAGE / LIMIT"),
        (Self::MemPerc, "MemPerc", "MEM %"),
        (Self::NetIo, "NetIO", "NET I/O"),
        (Self::BlockIo, "BlockIO", "BLOCK I/O"),
        (Self::Pids, "PIDs", "PIDS"),
    ];
    const TABLE: &'static str =
        "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";
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
    format.write(rows, |row, field| row.value(field, full))
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
}

/// Bytes in powers of 1024 with four digits, as docker writes memory: `23.54GiB`.
fn binary(bytes: u64) -> String {
    scaled(bytes, 1024.0, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 4)
}

/// Bytes in powers of 1000 with three digits, as docker writes traffic: `1.04kB`.
pub fn decimal(bytes: u64) -> String {
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
