//! How far a container's log was handed on.

use crate::engine::LogLine;

/// The last line handed on, by which reading is taken up again without loss or doubles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// When it was written, and how many lines of that moment were handed on.
    last: Option<(String, usize)>,
}

/// Lines that come again after reading was taken up.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    moment: String,
    left: usize,
}

impl Position {
    /// From when on to read, where something was handed on.
    pub(super) fn since(&self) -> Option<&str> {
        self.last.as_ref().map(|(moment, _)| moment.as_str())
    }

    /// The lines that reading from there gives again.
    pub(super) fn repeats(&self) -> Repeats {
        let (moment, left) = self.last.clone().unwrap_or_default();
        Repeats { moment, left }
    }

    /// A line was handed on.
    pub(super) fn passed(&mut self, moment: String) {
        match &mut self.last {
            Some((last, count)) if *last == moment => *count += 1,
            _ => self.last = Some((moment, 1)),
        }
    }
}

impl Repeats {
    /// Whether a line was handed on before.
    pub(super) fn has(&mut self, line: &LogLine) -> bool {
        if self.left == 0 {
            return false;
        }
        if line.timestamp == self.moment {
            self.left -= 1;
            return true;
        }
        self.left = 0;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogStream;

    fn line(timestamp: &str) -> LogLine {
        LogLine {
            stream: LogStream::Stdout,
            timestamp: timestamp.into(),
            bytes: "x".into(),
            complete: true,
            cut: false,
        }
    }

    #[test]
    fn lines_of_one_moment_are_counted() {
        let mut position = Position::default();
        assert_eq!(position.since(), None);
        assert!(!position.repeats().has(&line("1")));
        for moment in ["1", "2", "2"] {
            position.passed(moment.into());
        }
        assert_eq!(position.since(), Some("2"));
        let mut repeats = position.repeats();
        let known: Vec<bool> = ["2", "2", "2", "3", "2"].map(|m| repeats.has(&line(m))).into();
        assert_eq!(known, [true, true, false, false, false]);
        // Where the engine has forgotten them, what comes is new.
        let mut rotated = position.repeats();
        assert!(!rotated.has(&line("3")));
        assert!(!rotated.has(&line("2")));
    }
}
