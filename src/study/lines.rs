//! Lines and nearest names for the errors of a study file.

/// The line, from 1 on, of the key that a message like `[section] key = ...` or `[section] key ...` names, or
/// `key ...` of one above all sections; that of the section where the key is not there, `None` where neither is.
pub(super) fn line_of(text: &str, message: &str) -> Option<usize> {
    let (section, rest) =
        message.strip_prefix('[').and_then(|message| message.split_once(']')).unwrap_or(("", message));
    let key = rest.split_whitespace().next().unwrap_or_default().trim_matches(|c: char| c == '`' || c == ':');
    let header = |line: &str| {
        let line = line.trim();
        line.strip_prefix('[').and_then(|line| line.split_once(']')).map(|(name, _)| name.trim().to_owned())
    };
    let mut current = String::new();
    let mut of_section = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(name) = header(line) {
            current = name;
            if current == section {
                of_section = Some(index + 1);
            }
        } else if current == section && line.split('=').next().is_some_and(|name| name.trim() == key) {
            return Some(index + 1);
        }
    }
    of_section
}

/// The number of letters to insert, delete, change or swap with their neighbour to come from one word to
/// another (Damerau's distance, with each part changed once). O(lengths' product).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

/// A parser's message with the nearest right name, where it names an unknown field or variant and the right
/// ones: "unknown field `batsch`, expected one of `batch`, ...".
pub(super) fn with_nearest(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let Some(found) = words.next().filter(|_| message.starts_with("unknown ")) else { return message.to_owned() };
    nearest(found, words).map_or_else(|| message.to_owned(), |word| format!("{message}; did you mean `{word}`?"))
}

/// The word nearest to the one found, where one is near.
pub(super) fn nearest<'a>(found: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (far, word) = words.map(|word| (distance(found, word), word)).min()?;
    (far <= 2.max(found.chars().count() / 3)).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_keys_and_sections() {
        let text = "name = \"a\"\nseed = 1\n\n[data]\nname = \"b\"\n[pruning] # why\n  ratio = 2\n";
        assert_eq!(line_of(text, "[pruning] ratio = 2: must be less"), Some(7));
        assert_eq!(line_of(text, "[pruning] needs either `epochs` or `steps`"), Some(6));
        assert_eq!(line_of(text, "[data] name: no"), Some(5));
        assert_eq!(line_of(text, "[fit] width"), None);
        assert_eq!(line_of(text, "seed = 1: too small"), Some(2));
        assert_eq!(line_of(text, "no section"), None);
    }

    #[test]
    fn distances_of_words() {
        for (a, b, expected) in
            [("", "", 0), ("abc", "", 3), ("batsch", "batch", 1), ("btach", "batch", 1), ("cat", "dog", 3)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected));
        }
    }

    #[test]
    fn the_nearest_name_is_told_where_one_is_near() {
        let message = "unknown field `batsch`, expected one of `epochs`, `batch`";
        assert_eq!(with_nearest(message), format!("{message}; did you mean `batch`?"));
        let far = "unknown field `colour`, expected one of `epochs`, `batch`";
        assert_eq!(with_nearest(far), far);
        assert_eq!(with_nearest("missing field `name`"), "missing field `name`");
    }
}
