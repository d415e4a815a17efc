//! The settings as they are where nothing is said, as a file to begin with.

use std::fmt::Write as _;

use ratatui::style::Color;

use crate::view::tui::command::{self, Spec};
use crate::view::tui::screens::REGISTRY;
use crate::view::tui::theme::{Palette, Role, Theme};

/// The settings file with everything that can be set, each line as it is where it is left out. Made
/// from the tables of commands, colours and columns themselves.
pub fn default_settings() -> String {
    let mut out = String::from(HEAD);
    out.push_str(
        "\n[keys]\n# A key or a list of keys for each command; [] for none. Digits choose screens.\n",
    );
    out.push_str("# Keys: a character, or space, enter, esc, tab, shift-tab, backspace, delete, up, down, left, right,\n");
    out.push_str("# home, end, pageup, pagedown, f1 to f24, with ctrl- or alt- before it.\n");
    keys(&mut out, "everywhere", command::GLOBAL);
    for entry in REGISTRY {
        keys(
            &mut out,
            &format!("on the screen `{}`", entry.name),
            entry.commands,
        );
    }
    out.push_str("\n[colors]\n# Over the theme's: \"#rrggbb\", a number from 0 to 255, or a name:\n");
    out.push_str(
        "# reset, black, red, green, yellow, blue, magenta, cyan, gray, darkgray, lightred, lightgreen,\n",
    );
    out.push_str(
        "# lightyellow, lightblue, lightmagenta, lightcyan, white. As they are in the theme `dark`:\n",
    );
    let theme = Theme::new(Palette::Dark, Vec::new(), true);
    for (name, role) in Role::ALL {
        let style = theme.style(role);
        let color = if role == Role::Selected {
            style.bg
        } else {
            style.fg
        };
        let color = color.unwrap_or(Color::Reset).to_string().to_lowercase();
        line(&mut out, format_args!("#{name} = \"{color}\""));
    }
    out.push_str("\n[columns]\n");
    for entry in REGISTRY.iter().filter(|entry| !entry.columns.is_empty()) {
        for column in entry.columns {
            line(
                &mut out,
                format_args!("# {:<9} {:<8} {}", column.name, column.title, column.help),
            );
        }
        let names: Vec<String> = entry.columns.iter().map(|c| format!("\"{}\"", c.name)).collect();
        line(&mut out, format_args!("#{} = [{}]", entry.name, names.join(", ")));
    }
    out
}

const HEAD: &str = "\
# Settings of `platform dashboard`: $XDG_CONFIG_HOME/platform/dashboard.toml
# Each line is as it is where it is left out; take the # away to set it.

# Colours: dark, light or plain. Without it: as chosen last with the command `theme`.
#theme = \"dark\"
# Whether clicks and the wheel act on the dashboard; the terminal then selects text with Shift only.
#mouse = false
";

fn keys(out: &mut String, heading: &str, specs: &[Spec]) {
    if specs.is_empty() {
        return;
    }
    line(out, format_args!("\n# {heading}"));
    for spec in specs {
        let keys: Vec<String> = spec.keys.iter().map(|key| format!("{key:?}")).collect();
        let name = if spec.id.0.contains('.') {
            format!("\"{}\"", spec.id.0)
        } else {
            spec.id.0.to_owned()
        };
        line(
            out,
            format_args!("#{name} = [{}]  # {}", keys.join(", "), spec.help),
        );
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let written = writeln!(out, "{text}");
    debug_assert!(written.is_ok());
}
