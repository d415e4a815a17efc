//! Which lines are shown: the numbers of those that the filters let through, kept up to date by
//! looking at new lines only.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::base::ContainerId;
use crate::event::live::{LogBuffer, LogRecord};

/// How far the lines of a buffer were looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Follower {
    next: u64,
    shuffles: u64,
}

/// What came since the last look.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    /// Numbers given before may name any line now.
    pub(super) lost: bool,
    /// Where lines were put between others, in the order of their coming: what had this number or a
    /// later one has one more now.
    pub(super) shifts: Vec<u64>,
    /// The numbers, as they are now, of lines that were put between lines seen before.
    pub(super) late: Vec<u64>,
    /// Lines that were added behind those seen before.
    pub(super) new: Range<u64>,
}

impl Follower {
    /// What came since the last look.
    pub(super) fn news(&mut self, buffer: &LogBuffer) -> News {
        let mut news = News::default();
        match buffer.inserted_since(self.shuffles) {
            None => {
                news.lost = true;
                self.next = buffer.first();
            }
            Some(inserted) => {
                for at in inserted.filter(|at| *at < u64::MAX) {
                    if at >= self.next {
                        continue;
                    }
                    self.next += 1;
                    for late in &mut news.late {
                        *late += u64::from(*late >= at);
                    }
                    news.late.push(at);
                    news.shifts.push(at);
                }
            }
        }
        self.shuffles = buffer.shuffles();
        news.new = self.next.max(buffer.first())..buffer.end();
        self.next = buffer.end();
        news
    }
}

impl News {
    /// The number that the line with this number has now.
    pub(super) fn moved(&self, mut number: u64) -> u64 {
        for at in &self.shifts {
            number += u64::from(*at <= number);
        }
        number
    }
}

/// The numbers of the lines that are shown, ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    lines: VecDeque<u64>,
    /// The first shown line of each container.
    firsts: BTreeMap<ContainerId, u64>,
}

impl Index {
    /// Chooses anew among all lines.
    pub(super) fn rebuild(&mut self, buffer: &LogBuffer, mut wanted: impl FnMut(u64, &LogRecord) -> bool) {
        self.lines.clear();
        self.firsts.clear();
        for (number, record) in buffer.from(0) {
            if wanted(number, record) {
                self.lines.push_back(number);
                self.first_of(record, number);
            }
        }
    }

    /// Takes what came since the last look, where nothing was lost.
    pub(super) fn update(
        &mut self,
        buffer: &LogBuffer,
        news: &News,
        mut wanted: impl FnMut(u64, &LogRecord) -> bool,
    ) {
        for at in &news.shifts {
            let behind = self.lines.iter_mut().rev().take_while(|number| **number >= *at);
            behind.for_each(|number| *number += 1);
            for number in self.firsts.values_mut() {
                *number += u64::from(*number >= *at);
            }
        }
        for number in &news.late {
            if let Some(record) = buffer.get(*number)
                && wanted(*number, record)
            {
                let at = self.lines.partition_point(|other| other < number);
                self.lines.insert(at, *number);
                self.first_of(record, *number);
            }
        }
        for (number, record) in buffer.from(news.new.start) {
            if wanted(number, record) {
                self.lines.push_back(number);
                self.first_of(record, number);
            }
        }
        while self.lines.front().is_some_and(|number| *number < buffer.first()) {
            self.lines.pop_front();
        }
    }

    fn first_of(&mut self, record: &LogRecord, number: u64) {
        match self.firsts.get_mut(&record.container) {
            Some(first) => *first = number.min(*first),
            None => {
                self.firsts.insert(record.container.clone(), number);
            }
        }
    }

    /// How many lines are shown.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The number of the line at a place.
    pub(super) fn get(&self, place: usize) -> Option<u64> {
        self.lines.get(place).copied()
    }

    /// All numbers.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().copied()
    }

    /// The place of the first line with this number or a later one; the last place where there is none.
    pub(super) fn place(&self, number: u64) -> usize {
        let place = self.lines.partition_point(|other| *other < number);
        place.min(self.lines.len().saturating_sub(1))
    }

    /// Whether it is the first line shown of its container.
    pub(super) fn is_first_of(&self, container: &ContainerId, number: u64) -> bool {
        self.firsts.get(container) == Some(&number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::Instance;

    fn line(time: i64) -> LogRecord {
        LogRecord {
            instance: Instance {
                service: "app".into(),
                number: 1,
            },
            container: format!("c{}", time % 3).as_str().into(),
            stderr: false,
            time,
            text: time.to_string().as_str().into(),
            level: None,
        }
    }

    fn wanted(_: u64, record: &LogRecord) -> bool {
        record.time % 2 == 0
    }

    proptest! {
        /// However lines come and go, the index is what choosing anew would give.
        #[test]
        fn updating_is_the_same_as_choosing_anew(
            batches in proptest::collection::vec(proptest::collection::vec(0i64..200, 0..12), 1..20),
            most in 1_500usize..20_000,
        ) {
            let mut buffer = LogBuffer::new(most);
            let mut follower = Follower::default();
            let mut index = Index::default();
            for batch in batches {
                let cursor = buffer.end().saturating_sub(3).max(buffer.first());
                let text = buffer.get(cursor).map(|l| l.text.clone());
                for time in batch {
                    buffer.push(line(time));
                }
                let news = follower.news(&buffer);
                prop_assert!(!news.lost);
                index.update(&buffer, &news, wanted);
                let mut anew = Index::default();
                anew.rebuild(&buffer, wanted);
                prop_assert_eq!(&index.lines, &anew.lines);
                for (container, first) in &anew.firsts {
                    // One whose first line was dropped has none any more, until it is chosen anew.
                    let known = index.firsts.get(container).copied();
                    prop_assert!(known == Some(*first) || known.is_some_and(|k| k < buffer.first()));
                }
                let moved = news.moved(cursor);
                if let (Some(then), Some(now)) = (text, buffer.get(moved)) {
                    prop_assert_eq!(then, now.text.clone());
                }
            }
        }
    }

    #[test]
    fn a_long_absence_is_told() {
        let mut buffer = LogBuffer::default();
        buffer.push(line(1_000_000));
        let mut follower = Follower::default();
        follower.news(&buffer);
        for time in 0..9_000 {
            buffer.push(line(time));
        }
        let news = follower.news(&buffer);
        assert!(news.lost);
        assert_eq!(news.new, 0..9_001);
        assert!(!follower.news(&buffer).lost);
    }
}
