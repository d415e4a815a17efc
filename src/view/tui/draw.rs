//! The frame around the screens: header, tabs, trouble, status line. Changes nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::App;
use super::command;
use super::screens::REGISTRY;
use super::theme::Role;
use super::widgets::{Painter, age};
use crate::event::live::{Link, Shade};

/// Where everything stands.
struct Layout {
    header: Option<Rect>,
    tabs: Option<Rect>,
    trouble: Option<Rect>,
    body: Rect,
    status: Option<Rect>,
}

/// On a small terminal, the body is worth more than what stands around it.
fn layout(app: &App) -> Layout {
    let area = app.area;
    let mut rest = area;
    let mut take_top = |wanted: bool| {
        if !wanted || rest.height < 2 {
            return None;
        }
        let row = Rect::new(rest.x, rest.y, rest.width, 1);
        rest = Rect::new(rest.x, rest.y + 1, rest.width, rest.height - 1);
        Some(row)
    };
    let header = take_top(true);
    let tabs = take_top(area.height >= 10);
    let trouble =
        take_top(matches!(app.shared.live.link, Link::Lost { .. }) || app.shared.live.unreadable.is_some());
    let status = (area.height >= 8 || app.notice.is_some()) && rest.height >= 2;
    let status = status.then(|| {
        rest.height -= 1;
        Rect::new(rest.x, rest.bottom(), rest.width, 1)
    });
    Layout {
        header,
        tabs,
        trouble,
        body: rest,
        status,
    }
}

/// The part that the screen has.
pub(super) fn body(app: &App) -> Rect {
    layout(app).body
}

/// Draws everything; returns where the cursor stands, where something is typed.
pub fn draw(app: &App, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let layout = layout(app);
    if let Some(row) = layout.header {
        header(app, row, buffer);
    }
    if let Some(row) = layout.tabs {
        tabs(app, row, buffer);
    }
    if let Some(row) = layout.trouble {
        trouble(app, row, buffer);
    }
    if let Some(screen) = app.screens.get(app.at) {
        screen.draw(&app.shared, layout.body, buffer);
    }
    if let Some(row) = layout.status {
        status(app, row, buffer);
    }
    let overlay = app.overlay.as_ref()?;
    overlay.draw(app.area, app.screen(), &app.keymap, &app.shared, buffer)
}

fn header(app: &App, row: Rect, buffer: &mut Buffer) {
    let shared = &app.shared;
    let live = &shared.live;
    let theme = &shared.theme;
    let mut painter = Painter::new(buffer, row, theme);
    let name = live.name.as_ref().map_or("", |name| name.as_str());
    let mut at = painter.put(0, 0, Role::Accent, name);
    // Without tabs, the header says which screen it is.
    if app.area.height < 10 {
        at = painter.put(
            at + 1,
            0,
            Role::Title,
            REGISTRY.get(app.at).map_or("", |entry| entry.title),
        );
        let chosen = app.screens.get(app.at).map(|screen| screen.chosen());
        if let Some(chosen) = chosen.filter(|text| !text.is_empty()) {
            at = painter.put(at + 1, 0, Role::Attention, &chosen);
        }
    }
    let dot = theme.pick(" · ", " | ");
    let rows = live.rows();
    if live.listed.is_some() {
        let count = |shade: Shade| rows.iter().filter(|row| row.condition.shade == shade).count();
        let (good, bad) = (count(Shade::Good), count(Shade::Bad));
        at = painter.put(at, 0, Role::Dim, dot);
        let role = if good == rows.len() {
            Role::Good
        } else {
            Role::Text
        };
        at = painter.put(at, 0, role, &format!("{good}/{} good", rows.len()));
        for (number, shade, word) in [
            (bad, Shade::Bad, "bad"),
            (count(Shade::Attention), Shade::Attention, "to look at"),
        ] {
            if number > 0 {
                at = painter.put(at, 0, Role::Dim, dot);
                at = painter.put(
                    at,
                    0,
                    shade.into(),
                    &format!("{} {number} {word}", theme.mark(shade)),
                );
            }
        }
    }
    let firing = live.firing(None).count();
    if firing > 0 {
        at = painter.put(at, 0, Role::Dim, dot);
        let plural = if firing == 1 { "" } else { "s" };
        at = painter.put(at, 0, Role::Bad, &format!("{firing} alert{plural}"));
    }
    if live.is_changing() {
        at = painter.put(at, 0, Role::Dim, dot);
        let run = live.run.as_deref();
        let command = run.map_or("", |run| run.command);
        at = match run.and_then(|run| run.waiting_for_lock.as_ref()) {
            Some(holder) => painter.put(at, 0, Role::Attention, &format!("{command} waits for {holder}")),
            None => painter.put(at, 0, Role::Busy, &format!("{command} is under way")),
        };
    }
    if shared.read_only {
        at = painter.put(at, 0, Role::Dim, dot);
        at = painter.put(at, 0, Role::Attention, "read-only");
    }
    let engine = match &live.link {
        Link::Connecting => "asking the engine".to_owned(),
        Link::Up { description, .. } => description.clone(),
        Link::Lost { .. } => "engine lost".to_owned(),
    };
    let room = row.width.saturating_sub(at + 2);
    if usize::from(room) >= engine.len() {
        painter.put_right(row.width, 0, room, theme.style(Role::Dim), &engine);
    }
}

/// Columns of the tabs: start and end of each.
fn tab_columns(width: u16) -> Vec<(u16, u16, String)> {
    let long: usize = REGISTRY.iter().map(|entry| entry.title.len() + 3).sum();
    let mut at = 0;
    (1..)
        .zip(REGISTRY)
        .map(|(digit, entry)| {
            // Where they do not all fit, the digit and three letters tell them apart.
            let title = if long <= usize::from(width) {
                entry.title
            } else {
                entry.title.get(..3).unwrap_or(entry.title)
            };
            let text = format!("{digit} {title}");
            let end = at + u16::try_from(text.len()).unwrap_or(0);
            let columns = (at, end, text);
            at = end + 1;
            columns
        })
        .collect()
}

fn tabs(app: &App, row: Rect, buffer: &mut Buffer) {
    let theme = &app.shared.theme;
    let mut painter = Painter::new(buffer, row, theme);
    for (n, (start, _, text)) in tab_columns(row.width).into_iter().enumerate() {
        if n == app.at {
            painter.put_styled(
                start,
                0,
                theme.style(Role::Accent).patch(theme.style(Role::Selected)),
                &text,
            );
        } else {
            painter.put(start, 0, Role::Dim, &text);
        }
    }
}

/// The screen whose tab is at a place.
pub(super) fn tab_at(app: &App, column: u16, row: u16) -> Option<usize> {
    let tabs = layout(app).tabs?;
    if row != tabs.y {
        return None;
    }
    tab_columns(tabs.width)
        .iter()
        .position(|(start, end, _)| (*start..*end).contains(&column))
}

fn trouble(app: &App, row: Rect, buffer: &mut Buffer) {
    let live = &app.shared.live;
    let mut painter = Painter::new(buffer, row, &app.shared.theme);
    match &live.link {
        Link::Lost { since, reason } => {
            let away = age(live.at.saturating_sub(*since));
            let text =
                format!("the engine has not answered for {away}; what stands here is as old. {reason}");
            painter.put(0, 0, Role::Bad, &text);
        }
        _ => {
            let why = live.unreadable.as_deref().unwrap_or_default();
            painter.put(
                0,
                0,
                Role::Attention,
                &format!("the stack's files cannot be read now: {why}"),
            );
        }
    }
}

fn status(app: &App, row: Rect, buffer: &mut Buffer) {
    let theme = &app.shared.theme;
    let mut painter = Painter::new(buffer, row, theme);
    if let Some((_, role, text)) = &app.notice {
        painter.put(0, 0, *role, text);
        return;
    }
    let said = app
        .screens
        .get(app.at)
        .map(|screen| screen.status(&app.shared))
        .unwrap_or_default();
    let mut at = 0;
    let marked = app.shared.marked.len();
    if marked > 0 {
        at = painter.put(at, 0, Role::Marked, &format!("{marked} marked ")) + 1;
    }
    if !said.is_empty() {
        at = painter.put(at, 0, Role::Text, &said) + 2;
    }
    let own = REGISTRY.get(app.at).map_or(&[][..], |entry| entry.commands);
    let hints = own
        .iter()
        .chain(command::GLOBAL)
        .filter(|spec| !spec.hint.is_empty())
        .filter(|spec| !(spec.changes && app.shared.read_only));
    for spec in hints {
        let Some(key) = app.keymap.keys(spec.id).into_iter().next() else {
            continue;
        };
        let text = format!("{key} {}", spec.hint);
        if usize::from(at) + text.len() > usize::from(row.width) {
            break;
        }
        let end = painter.put(at, 0, Role::Accent, &key.to_string());
        at = painter.put(end + 1, 0, Role::Dim, spec.hint) + 2;
    }
}
