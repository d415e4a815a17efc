//! Other images in the place of the ones a Dockerfile names, and secrets for marked steps.

use std::collections::BTreeMap;

use super::{Base, Dockerfile};

/// What to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// Image as named (variables replaced) to the one to use.
    pub images: BTreeMap<String, String>,
    /// Whether `# syntax=…` is left out, so that the builder's own frontend reads the file.
    pub drop_syntax: bool,
    /// Ids that `# platform:secrets` may mount; only BuildKit can.
    pub mounts: Vec<String>,
}

impl Dockerfile {
    /// The text with the changes made. Every other line stays where it is.
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
        let mut text = lines.join(ending);
        text.push_str(ending);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
