//! The keys that leave an attached process running (`ctrl-p,ctrl-q`), found in what is typed.

/// The sequence where nobody says otherwise, as in docker.
pub const DEFAULT: &str = "ctrl-p,ctrl-q";

/// A sequence of keys, and how much of it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys {
    text: String,
    keys: Vec<u8>,
    typed: usize,
}

impl Default for DetachKeys {
    fn default() -> Self {
        Self {
            text: DEFAULT.to_owned(),
            keys: vec![0x10, 0x11],
            typed: 0,
        }
    }
}

impl DetachKeys {
    /// Reads a sequence as docker spells it: single characters and `ctrl-X`, separated by commas.
    ///
    /// # Errors
    /// The key that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let keys = text.split(',').map(key).collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            keys,
            typed: 0,
        })
    }

    /// The sequence as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Takes in what was typed: what of it is to be passed on, and whether the sequence is complete. Its
    /// beginning is held back until the next key tells whether it goes on.
    pub fn take(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.keys.get(self.typed) != Some(byte) {
                passed.extend_from_slice(self.keys.get(..self.typed).unwrap_or_default());
                self.typed = 0;
            }
            if self.keys.get(self.typed) == Some(byte) {
                self.typed += 1;
                if self.typed == self.keys.len() {
                    self.typed = 0;
                    return (passed, true);
                }
            } else {
                passed.push(*byte);
            }
        }
        (passed, false)
    }
}

fn key(text: &str) -> Result<u8, String> {
    let bad = || format!("{text:?} is no key; expected a character, or ctrl- and one of a-z @ [ \\ ] ^ _");
    let control = match text.as_bytes() {
        [one] => return Ok(*one),
        [b'c', b't', b'r', b'l', b'-', one] => one.to_ascii_lowercase(),
        _ => return Err(bad()),
    };
    match control {
        b'a'..=b'z' => Ok(control - b'a' + 1),
        b'@' => Ok(0),
        b'[' | b'\\' | b']' | b'^' | b'_' => Ok(control - b'[' + 0x1b),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_read_as_docker_spells_them() {
        assert_eq!(DetachKeys::parse(DEFAULT), Ok(DetachKeys::default()));
        assert_eq!(
            DetachKeys::parse("ctrl-@,ctrl-[,a,ctrl-_").unwrap().keys,
            [0, 0x1b, b'a', 0x1f]
        );
        for bad in ["", "ctrl-", "ctrl-1", "a,,b", "alt-x"] {
            assert!(DetachKeys::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_sequence_is_found_wherever_it_is_cut_and_all_else_is_passed_on() {
        let mut keys = DetachKeys::default();
        assert_eq!(keys.take(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(keys.take(b"c"), (b"\x10c".to_vec(), false));
        assert_eq!(keys.take(b"\x10\x10x\x10"), (b"\x10\x10x".to_vec(), false));
        assert_eq!(keys.take(b"\x11after"), (Vec::new(), true));
        assert_eq!(keys.take(b"\x11"), (b"\x11".to_vec(), false));
    }
}
