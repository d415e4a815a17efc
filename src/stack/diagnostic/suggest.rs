//! "Did you mean": the known word nearest to an unknown one.

/// Longer words are not compared: nobody mistypes a page.
const LONGEST: usize = 64;

/// More candidates than this are not looked at.
const MOST: usize = 2_000;

/// The candidate nearest to `word`, where one is near enough to be a likely typing error.
pub fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase().replace('-', "_");
    let mut best: Option<(usize, &'c str)> = None;
    for candidate in candidates.into_iter().take(MOST).filter(|c| c.len() <= LONGEST) {
        let near = candidate.to_lowercase().replace('-', "_");
        let distance = strsim::damerau_levenshtein(&lower, &near);
        let (length, other) = (lower.chars().count(), near.chars().count());
        // One letter of two is no likeness.
        let allowed = if length.min(other) < 3 {
            0
        } else {
            (length.max(other) / 3).min(4)
        };
        let prefix = length >= 3 && near.starts_with(&lower);
        if (distance <= allowed || prefix) && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The help line for an unknown word: `did you mean "x"?`.
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    suggest(word, candidates).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["image", "environment", "ports", "depends_on", "volumes"];
        assert_eq!(suggest("imgae", known), Some("image"));
        assert_eq!(suggest("enviroment", known), Some("environment"));
        assert_eq!(suggest("depends-on", known), Some("depends_on"));
        assert_eq!(suggest("Port", known), Some("ports"));
        assert_eq!(suggest("env", known), Some("environment"));
        assert_eq!(suggest("zzzzzz", known), None);
        assert_eq!(suggest("b", ["a", "c"]), None);
        assert_eq!(suggest(&"i".repeat(10_000), known), None);
    }
}
