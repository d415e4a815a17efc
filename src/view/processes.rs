//! `top`: the processes of containers, as docker compose writes them.

use super::template::columns;
use super::text::one_line;
use crate::engine::Processes;
use crate::model::Container;

/// The processes of all containers in one table: columns as `ps` named them, `CMD` last. Nothing where
/// there are none.
pub fn table(containers: &[(&Container, Processes)]) -> String {
    let mut titles: Vec<String> = vec!["SERVICE".into(), "#".into()];
    for title in containers.iter().flat_map(|(_, processes)| &processes.titles) {
        if !titles.contains(title) {
            titles.push(title.clone());
        }
    }
    if let Some(at) = titles.iter().position(|title| title == "CMD") {
        let command = titles.remove(at);
        titles.push(command);
    }
    let mut lines = vec![titles.clone()];
    for (container, processes) in containers {
        for row in &processes.rows {
            let cell = |title: &String| match title.as_str() {
                "SERVICE" => container.service.to_string(),
                "#" => container.number.to_string(),
                _ => {
                    let at = processes.titles.iter().position(|own| own == title);
                    at.and_then(|at| row.get(at))
                        .map_or_else(|| "-".to_owned(), |cell| one_line(cell).into_owned())
                }
            };
            lines.push(titles.iter().map(cell).collect());
        }
    }
    if lines.len() == 1 {
        return String::new();
    }
    columns(&lines, 4, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::live::testing::container;

    #[test]
    fn columns_of_all_containers() {
        let of = |titles: &[&str], row: &[&str]| Processes {
            titles: titles.iter().map(|t| (*t).to_owned()).collect(),
            rows: vec![row.iter().map(|c| (*c).to_owned()).collect()],
        };
        let (a, b) = (container("app", 1), container("db", 2));
        let both = [
            (&a, of(&["UID", "CMD", "PID"], &["root", "sleep 600", "7"])),
            (&b, of(&["PID", "CMD", "TTY"], &["1234567", "postgres", "?"])),
        ];
        insta::assert_snapshot!(table(&both));
        assert_eq!(table(&[]), "");
    }
}
