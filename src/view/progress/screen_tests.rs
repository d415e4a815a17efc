use insta::assert_snapshot;

use super::*;
use crate::event::{Body, Snapshot};
use crate::view::style::Style;
use crate::view::testing::{self, ms};

/// A terminal in memory.
struct Terminal {
    parser: vt100::Parser,
}

impl Terminal {
    fn new(rows: u16, columns: u16) -> Self {
        Self {
            parser: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 1000),
        }
    }

    fn resize(&mut self, rows: u16, columns: u16) {
        self.parser
            .screen_mut()
            .set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
    }

    fn text(&self) -> String {
        self.parser.screen().contents()
    }
}

fn draw(screen: &mut Screen, terminal: &mut Terminal, snapshot: &Snapshot, at: u64, above: &str) {
    let (rows, columns) = terminal.parser.screen().size();
    let (rows, columns) = (usize::from(rows.get()), usize::from(columns.get()));
    let view = Frame {
        now: ms(at),
        columns,
        rows: Some(rows),
        tick: 0,
        style: Style::COLOUR,
    };
    let lines = frame(snapshot, &view);
    let bytes = screen.draw(above, &lines, columns, &Style::COLOUR);
    terminal.parser.process(bytes.as_bytes());
}

#[test]
fn the_terminal_shows_one_frame_and_all_that_stays() {
    let events = testing::up();
    let mut terminal = Terminal::new(12, 60);
    terminal.parser.process(b"$ platform up\r\n");
    let mut screen = Screen::new();
    let mut snapshot = Snapshot::default();
    for event in &events {
        snapshot.apply(event);
        let above = match &event.body {
            Body::Warning { text, .. } => format!("{text}\n"),
            _ => String::new(),
        };
        draw(
            &mut screen,
            &mut terminal,
            &snapshot,
            event.at.as_millis() as u64,
            &above,
        );
        let text = terminal.text();
        assert_eq!(text.matches("devops up").count(), 1, "{text}");
        assert!(terminal.parser.screen().hide_cursor());
    }
    assert_snapshot!(terminal.text(), @r#"
    devops up  10.9s
    images 2/2
    ✔ nginx:1.26.3        obtained        built from images/ngi…
    – grafana/grafana:12  unavailable     no registry answers; …
    services 4/4
    ✔ app         ready     0.4s
    ✔ nginx       ready     0.1s
    ✔ prometheus  ready           as it was
    – grafana     unavailable     no image
    smoke 1/2
    ✘ version     failed          expected "1.2" at $.version, …
    "#);
    let last = screen.finish("the end\n", 60);
    terminal.parser.process(last.as_bytes());
    assert_snapshot!(terminal.text(), @r"the end");
    assert!(!terminal.parser.screen().hide_cursor());
}

#[test]
fn nothing_is_written_where_nothing_changed() {
    let snapshot = testing::snapshot_at(&testing::up(), 9500);
    let view = Frame {
        now: ms(9500),
        columns: 80,
        rows: Some(24),
        tick: 0,
        style: Style::PLAIN,
    };
    let lines = frame(&snapshot, &view);
    let mut screen = Screen::new();
    assert!(!screen.draw("", &lines, 80, &Style::PLAIN).is_empty());
    assert_eq!(screen.draw("", &lines, 80, &Style::PLAIN), "");
}

/// Draws, and returns the lines that must stand on the terminal.
fn draw_again(screen: &mut Screen, terminal: &mut Terminal, snapshot: &Snapshot, at: u64) -> Vec<String> {
    draw(screen, terminal, snapshot, at, "");
    let (rows, columns) = terminal.parser.screen().size();
    let view = Frame {
        now: ms(at),
        columns: usize::from(columns.get()),
        rows: Some(usize::from(rows.get())),
        tick: 0,
        style: Style::PLAIN,
    };
    frame(snapshot, &view)
        .iter()
        .map(|line| line.render(view.columns, &Style::PLAIN))
        .collect()
}

const SIZES: [(u16, u16); 9] = [
    (24, 100),
    (24, 60),
    (12, 60),
    (12, 120),
    (12, 20),
    (30, 100),
    (20, 40),
    (20, 21),
    (24, 80),
];

#[test]
fn resizing_a_terminal_that_breaks_lines_anew_leaves_one_frame() {
    let snapshot = testing::snapshot_at(&testing::up(), 9500);
    let mut terminal = Terminal::new(24, 100);
    terminal.parser.process(b"$ platform up\r\n");
    let mut screen = Screen::new();
    for (step, (rows, columns)) in SIZES.into_iter().enumerate() {
        let logical = terminal.text().replace('\n', "\r\n");
        terminal = Terminal::new(rows, columns);
        if step > 0 {
            terminal.parser.process(format!("{logical}\r\n").as_bytes());
        } else {
            terminal.parser.process(b"$ platform up\r\n");
        }
        let expected = draw_again(&mut screen, &mut terminal, &snapshot, 9500 + step as u64 * 1000);
        let text = terminal.text();
        assert!(
            text.ends_with(&expected.join("\n")),
            "after {rows}x{columns}:\n{text}"
        );
        assert_eq!(
            text.matches("devops up").count(),
            1,
            "after {rows}x{columns}:\n{text}"
        );
        assert_eq!(
            text.matches("nginx").count(),
            expected.join("\n").matches("nginx").count()
        );
    }
}

#[test]
fn resizing_a_terminal_that_cuts_lines_leaves_one_frame() {
    let snapshot = testing::snapshot_at(&testing::up(), 9500);
    let mut terminal = Terminal::new(24, 100);
    terminal.parser.process(b"$ platform up\r\n");
    let mut screen = Screen::new();
    for (step, (rows, columns)) in SIZES.into_iter().enumerate() {
        terminal.resize(rows, columns);
        let expected = draw_again(&mut screen, &mut terminal, &snapshot, 9500 + step as u64 * 1000);
        let text = terminal.text();
        assert!(
            text.trim_end().ends_with(&expected.join("\n")),
            "after {rows}x{columns}:\n{text}"
        );
        assert_eq!(
            text.matches("devops up").count(),
            1,
            "after {rows}x{columns}:\n{text}"
        );
    }
}

#[test]
fn the_smallest_terminals_show_the_end_of_the_frame() {
    let snapshot = testing::snapshot_at(&testing::up(), 9500);
    let mut terminal = Terminal::new(24, 100);
    let mut screen = Screen::new();
    for (step, (rows, columns)) in [(24, 100), (5, 20), (2, 1), (3, 7), (1, 1), (30, 100)]
        .into_iter()
        .enumerate()
    {
        terminal.resize(rows, columns);
        let expected = draw_again(&mut screen, &mut terminal, &snapshot, 9500 + step as u64 * 1000);
        let text = terminal.text();
        let last = expected.last().map(String::as_str).unwrap_or_default();
        assert!(
            text.trim_end().ends_with(last.trim_end()),
            "after {rows}x{columns}:\n{text}"
        );
        let (row, column) = terminal.parser.screen().cursor_position();
        assert_eq!(column, 0);
        assert!(row < rows);
    }
}
