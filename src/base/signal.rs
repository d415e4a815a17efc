//! Signals by number and name.

use std::fmt;

/// Names of Linux on all machines that containers commonly run on; the number is the place, from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
/// Other names of some.
const ALIASES: [(&str, u8); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];
/// The first and the last real-time signal that programs may use.
const RTMIN: u8 = 34;
const RTMAX: u8 = 64;

/// A signal for a process, by its number on Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

impl Signal {
    /// Ends a process at once.
    pub const KILL: Self = Self(9);

    /// Reads `SIGTERM`, `term`, `15` or `RTMIN+3`; `None` for what is no signal.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        if let Ok(number) = upper.parse::<u8>() {
            return (1..=RTMAX).contains(&number).then_some(Self(number));
        }
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let by_name = NAMES
            .iter()
            .zip(1..)
            .chain(ALIASES.iter().map(|(alias, number)| (alias, *number)));
        if let Some((_, number)) = by_name.into_iter().find(|(known, _)| **known == name) {
            return Some(Self(number));
        }
        let offset = |rest: &str, sign: char| -> Option<u8> {
            if rest.is_empty() {
                return Some(0);
            }
            rest.strip_prefix(sign)?.parse().ok()
        };
        let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
            (Some(rest), _) => RTMIN.checked_add(offset(rest, '+')?)?,
            (_, Some(rest)) => RTMAX.checked_sub(offset(rest, '-')?)?,
            (None, None) => return None,
        };
        (RTMIN..=RTMAX).contains(&number).then_some(Self(number))
    }

    /// The signal that ended a process with this exit code (128 + n, as shells and engines have it), where it
    /// has a name.
    pub fn of_exit_code(code: i64) -> Option<Self> {
        let number = u8::try_from(code.checked_sub(128)?).ok()?;
        (1..=NAMES.len())
            .contains(&usize::from(number))
            .then_some(Self(number))
    }

    /// The usual names, without `SIG`.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0).wrapping_sub(1)) {
            Some(name) => write!(f, "SIG{name}"),
            None if self.0 >= RTMIN => write!(f, "SIGRTMIN+{}", self.0 - RTMIN),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_signals() {
        let said = |text: &str| Signal::parse(text).map(|signal| signal.to_string());
        for (typed, meant) in [
            ("SIGTERM", "SIGTERM"),
            ("hup", "SIGHUP"),
            ("9", "SIGKILL"),
            ("Sigusr1", "SIGUSR1"),
            ("IOT", "SIGABRT"),
            ("RTMIN+3", "SIGRTMIN+3"),
            ("SIGRTMAX", "SIGRTMIN+30"),
            ("RTMAX-30", "SIGRTMIN+0"),
        ] {
            assert_eq!(said(typed).as_deref(), Some(meant), "{typed}");
        }
        for typed in [
            "", "FOO", "0", "65", "RTMIN+31", "RTMIN-1", "RTMAX+1", "SIG", "-9",
        ] {
            assert_eq!(said(typed), None, "{typed}");
        }
        assert_eq!(Signal::of_exit_code(137), Some(Signal::KILL));
        assert_eq!(Signal::of_exit_code(1), None);
        assert_eq!(Signal::of_exit_code(i64::MIN), None);
    }
}
