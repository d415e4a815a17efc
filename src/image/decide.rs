//! Which sources are tried for an image, in which order, and why others are not.

use std::time::Duration;

use crate::base::parse_duration;
use crate::model::PullPolicy;

/// What is known about an image before anything is tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// What the engine has.
    pub local: Local,
    /// When to pull, where the stack or the command line says.
    pub pull_policy: Option<PullPolicy>,
    /// Whether the stack names the image. One that is only built is never pulled.
    pub named: bool,
    /// Whether the stack says how to build it.
    pub buildable: bool,
    /// Whether a build was asked for (`--build`).
    pub build_wanted: bool,
    /// Whether a recipe of `base_images` makes it.
    pub has_recipe: bool,
    /// Whether it is pinned to a digest, which nothing but a registry can give.
    pub pinned: bool,
}

/// What the engine has of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Local {
    /// Nothing.
    #[default]
    Absent,
    /// An image of that name whose digest is not the pinned one.
    WrongDigest,
    /// The image; `age` since it was last pulled or tagged, where known.
    Present {
        /// On the engine's clock.
        age: Option<Duration>,
    },
}

/// A source of an image, in the order in which sources are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attempt {
    /// The engine has it.
    Local,
    /// From its registry.
    Pull,
    /// As the stack's `build` says.
    Build,
    /// From distribution packages, by a recipe of `base_images`.
    Recipe,
}

impl Attempt {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pull => "pull",
            Self::Build => "build",
            Self::Recipe => "recipe",
        }
    }
}

/// Sources in the order in which they are tried, and the ones that are not, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// To try, stopping at the first that works.
    pub attempts: Vec<Attempt>,
    /// Not tried, and why.
    pub left_out: Vec<(Attempt, String)>,
}

impl Decision {
    /// The sources in words: `pull, else build`; empty where there is none.
    pub fn words(&self) -> String {
        let words: Vec<_> = self.attempts.iter().map(|a| a.as_str()).collect();
        words.join(", else ")
    }

    /// Whether the engine's own copy is used with nothing else asked.
    pub fn is_local(&self) -> bool {
        self.attempts.first() == Some(&Attempt::Local)
    }
}

/// Decides as the Compose Specification does (`pull_policy`; `image` with `build` means pull, then build).
pub fn decide(facts: &Facts) -> Decision {
    let mut decision = Decision::default();
    let policy = facts.pull_policy.as_ref();
    let forced_build = facts.buildable && (facts.build_wanted || policy == Some(&PullPolicy::Build));

    let present = match facts.local {
        Local::Present { age } => {
            let due = match policy {
                Some(PullPolicy::Always) => Some("pull_policy is always".to_owned()),
                Some(PullPolicy::Every(period)) => due(period, age),
                _ => None,
            };
            match (forced_build, due) {
                (true, _) => decision.leave_out(Attempt::Local, "a build was asked for"),
                (false, None) => decision.attempts.push(Attempt::Local),
                (false, Some(reason)) => decision.leave_out(Attempt::Local, reason),
            }
            true
        }
        Local::Absent => {
            decision.leave_out(Attempt::Local, "the engine does not have it");
            false
        }
        Local::WrongDigest => {
            decision.leave_out(
                Attempt::Local,
                "the engine's copy does not have the pinned digest",
            );
            false
        }
    };
    if decision.is_local() {
        return decision;
    }

    match policy {
        _ if !facts.named => decision.leave_out(Attempt::Pull, "the stack file names no image to pull"),
        Some(PullPolicy::Build) => decision.leave_out(Attempt::Pull, "pull_policy is build"),
        Some(PullPolicy::Never) => decision.leave_out(Attempt::Pull, "pull_policy is never"),
        _ if forced_build => decision.leave_out(Attempt::Pull, "a build was asked for"),
        _ => decision.attempts.push(Attempt::Pull),
    }
    // As Compose does: a service that can be built outlives a failed pull, with the copy it has.
    if present && facts.buildable && !forced_build {
        decision.attempts.push(Attempt::Local);
    }
    match (facts.buildable, facts.pinned) {
        (true, false) => decision.attempts.push(Attempt::Build),
        (true, true) => decision.leave_out(Attempt::Build, "a build cannot give the pinned digest"),
        (false, _) => decision.leave_out(Attempt::Build, "the stack file has no `build` for it"),
    }
    if facts.has_recipe && !present {
        if facts.pinned {
            decision.leave_out(Attempt::Recipe, "a recipe cannot give the pinned digest");
        } else {
            decision.attempts.push(Attempt::Recipe);
        }
    }
    decision
}

impl Decision {
    fn leave_out(&mut self, attempt: Attempt, reason: impl Into<String>) {
        self.left_out.push((attempt, reason.into()));
    }
}

/// Why an image of that age is to be pulled again under `daily`, `weekly` or `every_<duration>`.
fn due(period: &str, age: Option<Duration>) -> Option<String> {
    let Some(limit) = refresh_period(period) else {
        return Some(format!(
            "pull_policy {period} has no period that can be understood"
        ));
    };
    match age {
        None => Some(format!("pull_policy is {period} and its age is not known")),
        Some(age) if age >= limit => Some(format!("pull_policy is {period} and it is older")),
        Some(_) => None,
    }
}

/// The period of `daily`, `weekly` and `every_<duration>` (which also knows `w` for weeks).
pub fn refresh_period(policy: &str) -> Option<Duration> {
    const DAY: u64 = 24 * 3600;
    match policy {
        "daily" => Some(Duration::from_secs(DAY)),
        "weekly" => Some(Duration::from_secs(7 * DAY)),
        _ => {
            let text = policy.strip_prefix("every_")?;
            match text.split_once('w') {
                Some((weeks, rest)) => {
                    let weeks: u64 = weeks.parse().ok()?;
                    let rest = if rest.is_empty() {
                        Duration::ZERO
                    } else {
                        parse_duration(rest).ok()?
                    };
                    Duration::from_secs(weeks.checked_mul(7 * DAY)?).checked_add(rest)
                }
                None => parse_duration(text).ok(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `attempts` of a case, in words.
    fn of(change: impl FnOnce(&mut Facts)) -> String {
        let mut facts = Facts {
            named: true,
            ..Facts::default()
        };
        change(&mut facts);
        let words: Vec<_> = decide(&facts).attempts.iter().map(|a| a.as_str()).collect();
        words.join(" ")
    }

    const HERE: Local = Local::Present { age: None };

    #[test]
    fn order_of_sources() {
        // (policy, what is there, buildable, --build) → attempts
        use PullPolicy::{Always, Build, Missing, Never};
        let table: &[(Option<PullPolicy>, Local, bool, bool, &str)] = &[
            (None, HERE, false, false, "local"),
            (None, HERE, true, false, "local"),
            (None, HERE, true, true, "build"),
            (None, Local::Absent, false, false, "pull"),
            (None, Local::Absent, true, false, "pull build"),
            (None, Local::Absent, true, true, "build"),
            (None, Local::Absent, false, true, "pull"),
            (Some(Missing), HERE, false, false, "local"),
            (Some(Missing), Local::Absent, true, false, "pull build"),
            (Some(Never), HERE, false, false, "local"),
            (Some(Never), Local::Absent, false, false, ""),
            (Some(Never), Local::Absent, true, false, "build"),
            (Some(Always), HERE, false, false, "pull"),
            (Some(Always), Local::Absent, false, false, "pull"),
            (Some(Always), HERE, true, false, "pull local build"),
            (Some(Always), Local::Absent, true, false, "pull build"),
            (Some(Always), HERE, true, true, "build"),
            (Some(Build), HERE, true, false, "build"),
            (Some(Build), Local::Absent, true, false, "build"),
            (Some(Build), HERE, false, false, "local"),
            (Some(Build), Local::Absent, false, false, ""),
        ];
        for (policy, local, buildable, build_wanted, expected) in table {
            let attempts = of(|f| {
                f.pull_policy = policy.clone();
                f.local = *local;
                f.buildable = *buildable;
                f.build_wanted = *build_wanted;
            });
            assert_eq!(
                attempts, *expected,
                "{policy:?} {local:?} {buildable} {build_wanted}"
            );
        }
    }

    #[test]
    fn an_image_without_a_name_is_never_pulled() {
        let attempts = of(|f| {
            f.named = false;
            f.buildable = true;
        });
        assert_eq!(attempts, "build");
    }

    #[test]
    fn a_recipe_comes_last_and_never_in_the_place_of_a_pinned_digest() {
        assert_eq!(of(|f| f.has_recipe = true), "pull recipe");
        let mut facts = Facts {
            named: true,
            has_recipe: true,
            buildable: true,
            pinned: true,
            local: Local::WrongDigest,
            ..Facts::default()
        };
        let decision = decide(&facts);
        assert_eq!(decision.attempts, [Attempt::Pull]);
        assert_eq!(decision.left_out.len(), 3, "{decision:?}");
        facts.local = HERE;
        assert!(decide(&facts).is_local());
    }

    #[test]
    fn old_images_are_pulled_again() {
        let hours = |h: u64| Local::Present {
            age: Some(Duration::from_secs(h * 3600)),
        };
        for (period, local, expected) in [
            ("daily", hours(23), "local"),
            ("daily", hours(24), "pull"),
            ("weekly", hours(25), "local"),
            ("every_12h", hours(13), "pull"),
            ("every_1w2d", hours(200), "local"),
            ("every_1w", HERE, "pull"),
            ("every_nonsense", hours(0), "pull"),
        ] {
            let attempts = of(|f| {
                f.pull_policy = Some(PullPolicy::Every(period.into()));
                f.local = local;
            });
            assert_eq!(attempts, expected, "{period} {local:?}");
        }
    }
}
