//! Small tables: aligned columns that fit the terminal, as `ps`, `images`, `ls` and `doctor` print them.

use super::style::{Style, Tone};
use super::text::{self, Line, width};

/// Columns between two columns, as docker compose has them.
const GAP: usize = 3;

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Debug, Clone)]
struct Column {
    title: &'static str,
    right: bool,
    /// The columns it may be narrowed to; `None` where it is never cut.
    least: Option<usize>,
    /// Whether it is left out where there is no room for all, the last such column first.
    droppable: bool,
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// What it means.
    pub tone: Tone,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text,
            tone: Tone::Plain,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Cell {
    /// A cell in a tone.
    pub fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }
}

impl Table {
    /// A table with no columns yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column that is never cut.
    #[must_use]
    pub fn column(mut self, title: &'static str) -> Self {
        self.columns.push(Column {
            title,
            right: false,
            least: None,
            droppable: false,
        });
        self
    }

    /// Adds a column that is cut, not below `least`, where the table is wider than the terminal.
    #[must_use]
    pub fn flexible(mut self, title: &'static str, least: usize) -> Self {
        self.columns.push(Column {
            title,
            right: false,
            least: Some(least),
            droppable: false,
        });
        self
    }

    /// Makes the column added last one that is left out where narrowing is not enough. Where there
    /// are several, they go from right to left.
    #[must_use]
    pub fn droppable(mut self) -> Self {
        if let Some(column) = self.columns.last_mut() {
            column.droppable = true;
        }
        self
    }

    /// Adds a column that is aligned to the right.
    #[must_use]
    pub fn right(mut self, title: &'static str) -> Self {
        self.columns.push(Column {
            title,
            right: true,
            least: None,
            droppable: false,
        });
        self
    }

    /// Adds a row: a cell for each column; what is missing stays empty, what is too much is dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut cells: Vec<Cell> = cells
            .into_iter()
            .map(|cell| Cell {
                text: text::one_line(&cell.text).into_owned(),
                tone: cell.tone,
            })
            .collect();
        cells.resize(self.columns.len(), Cell::default());
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table with its titles. `columns` is the terminal's width; `None` where the output is no
    /// terminal, which cuts nothing.
    pub fn render(&self, columns: Option<usize>, style: &Style) -> String {
        let titles = self.columns.iter().map(|column| Cell {
            text: column.title.to_owned(),
            tone: Tone::Strong,
        });
        let rows: Vec<Vec<Cell>> = std::iter::once(titles.collect())
            .chain(self.rows.clone())
            .collect();
        self.write(&rows, columns, style)
    }

    /// The rows without titles.
    pub fn render_rows(&self, columns: Option<usize>, style: &Style) -> String {
        self.write(&self.rows, columns, style)
    }

    fn write(&self, rows: &[Vec<Cell>], columns: Option<usize>, style: &Style) -> String {
        let rows: Vec<Vec<Cell>> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| Cell {
                        text: text::in_charset(&cell.text, style).into_owned(),
                        tone: cell.tone,
                    })
                    .collect()
            })
            .collect();
        let mut shown: Vec<&Column> = self.columns.iter().collect();
        let mut rows: Vec<Vec<&Cell>> = rows.iter().map(|row| row.iter().collect()).collect();
        let widths = loop {
            let (widths, fits) = widths(&shown, &rows, columns);
            match shown.iter().rposition(|column| column.droppable) {
                Some(at) if !fits => {
                    shown.remove(at);
                    for row in &mut rows {
                        row.remove(at);
                    }
                }
                _ => break widths,
            }
        };
        let mut out = String::new();
        for row in &rows {
            let mut line = Line::new();
            let mut start = 0;
            for ((cell, column), wide) in row.iter().zip(&shown).zip(&widths) {
                let text = text::truncate(&cell.text, *wide, style);
                let indent = if column.right {
                    wide.saturating_sub(width(&text))
                } else {
                    0
                };
                if !text.is_empty() {
                    let missing = (start + indent).saturating_sub(line.width());
                    line.push(Tone::Plain, " ".repeat(missing));
                    line.push(cell.tone, text);
                }
                start += wide + GAP;
            }
            out.push_str(&line.render(columns.unwrap_or(usize::MAX), style));
            out.push('\n');
        }
        out
    }
}

/// The width of each column, and whether the table fits so; the widest flexible columns are narrowed.
fn widths(columns: &[&Column], rows: &[Vec<&Cell>], limit: Option<usize>) -> (Vec<usize>, bool) {
    let mut widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            rows.iter()
                .filter_map(|row| row.get(at))
                .map(|cell| width(&cell.text))
                .max()
                .unwrap_or_default()
        })
        .collect();
    let Some(limit) = limit else {
        return (widths, true);
    };
    let gaps = GAP * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > limit {
        let widest = columns
            .iter()
            .zip(&mut widths)
            .filter(|(column, wide)| column.least.is_some_and(|least| **wide > least))
            .max_by_key(|(_, wide)| **wide);
        match widest {
            Some((_, wide)) => *wide -= 1,
            None => return (widths, false),
        }
    }
    (widths, true)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn table() -> Table {
        let mut table = Table::new()
            .column("NAME")
            .flexible("COMMAND", 8)
            .right("SIZE")
            .column("STATUS");
        table.row([
            "devops-app-1".into(),
            "\"uvicorn main:app --host 0.0.0.0\"".into(),
            "1 B".into(),
            Cell::toned(Tone::Good, "Up 3 seconds"),
        ]);
        table.row(["日本".into(), "x\x1b[2J".into(), "100 MiB".into()]);
        table
    }

    #[test]
    fn columns_line_up() {
        assert_snapshot!(table().render(None, &Style::PLAIN), @r#"
        NAME           COMMAND                                SIZE   STATUS
        devops-app-1   "uvicorn main:app --host 0.0.0.0"       1 B   Up 3 seconds
        日本           x\x1b[2J                            100 MiB
        "#);
        assert_snapshot!(table().render(Some(60), &Style::PLAIN), @r#"
        NAME           COMMAND                   SIZE   STATUS
        devops-app-1   "uvicorn main:app -…       1 B   Up 3 seconds
        日本           x\x1b[2J               100 MiB
        "#);
        assert_snapshot!(table().render(Some(20), &Style::ASCII), @r#"
        NAME           COMM~
        devops-app-1   "uvi~
        ??             x\x1~
        "#);
    }

    #[test]
    fn colours_do_not_move_columns() {
        let coloured = table().render(Some(60), &Style::COLOUR);
        let plain: String = without_colours(&coloured);
        assert_eq!(plain, table().render(Some(60), &Style::PLAIN));
        assert!(coloured.contains("\x1b[32mUp 3 seconds\x1b[0m"));
    }

    /// The text without SGR sequences.
    fn without_colours(text: &str) -> String {
        regex::Regex::new("\x1b\\[[0-9]+m")
            .unwrap()
            .replace_all(text, "")
            .into_owned()
    }
}
