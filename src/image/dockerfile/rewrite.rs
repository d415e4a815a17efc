//! Other images in the place of the ones a Dockerfile names, and secrets for marked steps.

use std::collections::BTreeMap;

use super::{Base, Dockerfile, Stage};

/// What to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// Image as named (variables replaced) to the one to use.
    pub images: BTreeMap<String, String>,
    /// Whether `# syntax=…` is left out, so that the builder's own frontend reads the file.
    pub drop_syntax: bool,
    /// Ids that `# platform:secrets` may mount; only BuildKit can.
    pub mounts: Vec<String>,
    /// Folders of the context that are to be stages before all others: stage, folder.
    pub folders: Vec<(String, String)>,
}

impl Dockerfile {
    /// The text with the stages that have one of these names renamed, so that the name is free for
    /// something that stands in their place.
    pub fn without_stages(&self, names: &[&str]) -> String {
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        let hidden = |stage: &&Stage| {
            let own = stage.name.as_deref();
            names.iter().any(|name| own == Some(&name.to_lowercase()))
        };
        for stage in self.stages.iter().filter(hidden) {
            let mut words = stage.words.clone();
            if let Some(name) = words.get_mut(stage.image_word + 2) {
                name.push_str(".replaced");
            }
            for (index, line) in stage.lines.clone().enumerate() {
                if let Some(slot) = lines.get_mut(line) {
                    *slot = if index == 0 {
                        format!("FROM {}", words.join(" "))
                    } else {
                        String::new()
                    };
                }
            }
        }
        lines.join("\n")
    }

    /// The text with the changes made. Every other line stays where it is, unless there are folders.
    pub fn rewrite(&self, change: &Rewrite) -> String {
        let ending = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        let mut put = |at: usize, line: String| {
            if let Some(slot) = lines.get_mut(at) {
                *slot = line;
            }
        };
        for stage in &self.stages {
            let Base::Image(image) = &stage.base else { continue };
            let Some(other) = change.images.get(image) else {
                continue;
            };
            let mut words = stage.words.clone();
            if let Some(word) = words.get_mut(stage.image_word) {
                word.clone_from(other);
            }
            put(*stage.lines.start(), format!("FROM {}", words.join(" ")));
            for line in stage.lines.clone().skip(1) {
                put(line, String::new());
            }
        }
        if let Some((line, _)) = self.syntax.as_ref().filter(|_| change.drop_syntax) {
            put(*line, "#".to_owned());
        }
        for stage in &self.stages {
            for (image, range) in &stage.copies {
                let Some(other) = change.images.get(image) else {
                    continue;
                };
                for line in range.clone() {
                    if let Some(slot) = lines.get_mut(line) {
                        *slot = slot.replacen(&format!("from={image}"), &format!("from={other}"), 1);
                    }
                }
            }
        }
        for (line, ids) in &self.marked_runs {
            let mounts: String = ids
                .iter()
                .filter(|id| change.mounts.contains(id))
                .map(|id| format!(" --mount=type=secret,id={id}"))
                .collect();
            if let Some(slot) = lines.get_mut(*line) {
                let keyword = slot.len() - slot.trim_start().len() + "RUN".len();
                slot.insert_str(keyword.min(slot.len()), &mounts);
            }
        }
        let more = change.folders.len();
        if more > 0 {
            for (stage, range) in self.stages.iter().flat_map(|stage| &stage.numbered) {
                for line in range.clone() {
                    if let Some(slot) = lines.get_mut(line) {
                        *slot = slot.replacen(&format!("from={stage}"), &format!("from={}", stage + more), 1);
                    }
                }
            }
            // Arguments before the first stage stay before it.
            let first = self.stages.first().map_or(0, |stage| *stage.lines.start());
            let stages = change.folders.iter().flat_map(|(stage, folder)| {
                [format!("FROM scratch AS {stage}"), format!("COPY {folder}/ /")]
            });
            lines.splice(first..first, stages);
        }
        let mut text = lines.join(ending);
        text.push_str(ending);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_stages_before_the_first() {
        let text = "ARG V=1\nFROM a:$V AS one\nFROM b AS docs\nFROM c\nCOPY --from=0 /x /x\nCOPY --from=docs . /docs\n";
        let parse = |text: &str| Dockerfile::parse(text, &BTreeMap::new(), &BTreeMap::new()).unwrap();
        let file = parse(&parse(text).without_stages(&["docs"]));
        assert_eq!(file.images(None, false).unwrap(), ["a:1", "c", "docs"]);
        let change = Rewrite {
            images: [("docs".to_owned(), "platform.context.0".to_owned())].into(),
            folders: vec![("platform.context.0".to_owned(), ".platform.context.0".to_owned())],
            ..Rewrite::default()
        };
        insta::assert_snapshot!(file.rewrite(&change), @r"
        ARG V=1
        FROM scratch AS platform.context.0
        COPY .platform.context.0/ /
        FROM a:$V AS one
        FROM b AS docs.replaced
        FROM c
        COPY --from=1 /x /x
        COPY --from=platform.context.0 . /docs
        ");
    }

    #[test]
    fn only_the_words_in_question_change() {
        let text = "# syntax=x/y:1\nARG V=12\nFROM --platform=linux/amd64 debian:$V \\\n  AS base\n\
                    # platform:secrets platform_ca other\nRUN set -eu; \\\n  true\n\
                    FROM base\nCOPY --from=tools:1 /a /b\nFROM debian:12\nFROM untouched:1\n";
        let file = Dockerfile::parse(text, &BTreeMap::new(), &BTreeMap::new()).unwrap();
        let change = Rewrite {
            images: [
                ("debian:12", "platform.local/debian:12"),
                ("tools:1", "platform.local/tools:1"),
            ]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into(),
            drop_syntax: true,
            mounts: vec!["platform_ca".to_owned()],
            ..Rewrite::default()
        };
        insta::assert_snapshot!(file.rewrite(&change), @r"
        #
        ARG V=12
        FROM --platform=linux/amd64 platform.local/debian:12 AS base

        # platform:secrets platform_ca other
        RUN --mount=type=secret,id=platform_ca set -eu; \
          true
        FROM base
        COPY --from=platform.local/tools:1 /a /b
        FROM platform.local/debian:12
        FROM untouched:1
        ");
        assert_eq!(file.rewrite(&Rewrite::default()), text);
    }
}
