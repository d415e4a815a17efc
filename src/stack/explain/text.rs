//! An explanation for people.

use std::fmt::Write;

use super::origin::{Explanation, Origin};

/// The lines of an explanation.
pub fn to_text(explanation: &Explanation) -> String {
    let mut out = String::new();
    write(&mut out, explanation);
    out
}

fn write(out: &mut String, explanation: &Explanation) {
    let Explanation {
        name,
        value,
        from,
        lost,
        used,
        variables,
        parts,
    } = explanation;
    if !parts.is_empty() {
        parts.iter().for_each(|part| write(out, part));
        return;
    }
    let _ = match value {
        Some(value) => writeln!(out, "{name} = {}", one_line(value)),
        None => writeln!(out, "{name} is not set"),
    };
    if let Some(origin) = from {
        let _ = writeln!(out, "  from  {}", place(origin));
    }
    for origin in lost {
        let _ = writeln!(out, "  over  {}", place(origin));
    }
    for variable in variables {
        let value = variable
            .value
            .as_deref()
            .map_or("not set".to_owned(), |value| format!("= {}", one_line(value)));
        let _ = write!(out, "  with  {} {value}", variable.name);
        let _ = match &variable.from {
            Some(origin) => writeln!(out, ", from {}", place(origin)),
            None => writeln!(out),
        };
        for origin in &variable.lost {
            let _ = writeln!(out, "          over {}", place(origin));
        }
    }
    for origin in used {
        let _ = writeln!(out, "  used  {}", place(origin));
    }
}

fn place(origin: &Origin) -> String {
    match (&origin.file, origin.line, origin.column) {
        (Some(file), Some(line), Some(column)) => {
            format!("{file}:{line}:{column}  {}", one_line(&origin.written))
        }
        _ => "the environment".to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.escape_debug()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'")
}
