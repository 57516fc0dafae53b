//! The order of the layers of a chain, from their names and shapes.

use std::cmp::Ordering;

/// The name and the shape of a layer's weights, [out, in] or [out, in, kh, kw].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub name: &'a str,
    pub shape: &'a [usize],
}

impl Link<'_> {
    fn is_convolution(&self) -> bool {
        self.shape.len() == 4
    }
}

/// Compares names with the numbers in them by value: fc2 before fc10.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    /// The leading run of digits or of other characters, and the rest.
    fn split(text: &str) -> (&str, &str, bool) {
        let digits = text.starts_with(|c: char| c.is_ascii_digit());
        let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
        (&text[..end], &text[end..], digits)
    }
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let ((x, rest_x, number_x), (y, rest_y, number_y)) = (split(left), split(right));
        let order = if number_x && number_y {
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            x.len().cmp(&y.len()).then(x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (rest_x, rest_y);
    }
    left.len().cmp(&right.len()).then(a.cmp(b))
}

/// Whether `b` takes what `a` gives: as many channels, or a flattened map of whole channels.
fn joins(a: &Link<'_>, b: &Link<'_>) -> bool {
    match (a.is_convolution(), b.is_convolution()) {
        (true, false) => b.shape[1].is_multiple_of(a.shape[0]),
        (false, true) => false,
        _ => b.shape[1] == a.shape[0],
    }
}

fn is_chain(links: &[Link<'_>]) -> bool {
    links.windows(2).all(|pair| joins(&pair[0], &pair[1]))
}

/// Looks for orders that join, at most two, in a bounded number of steps.
struct Search<'a, 'b> {
    links: &'b [Link<'a>],
    steps: usize,
    found: Vec<Vec<usize>>,
}

impl Search<'_, '_> {
    fn extend(&mut self, order: &mut Vec<usize>, used: &mut [bool]) {
        if self.steps == 0 || self.found.len() > 1 {
            return;
        }
        self.steps -= 1;
        if order.len() == self.links.len() {
            self.found.push(order.clone());
            return;
        }
        for next in 0..self.links.len() {
            if !used[next] && order.last().is_none_or(|&last| joins(&self.links[last], &self.links[next])) {
                used[next] = true;
                order.push(next);
                self.extend(order, used);
                order.pop();
                used[next] = false;
            }
        }
    }
}

/// No larger chain is searched for an order; the search is as deep.
const MOST: usize = 64;

const SETTLE: &str = "name them in their order (fc1, fc2, ...), or describe the network in a file (--network FILE)";

fn names(links: &[Link<'_>]) -> String {
    let mut names: Vec<&str> = links.iter().take(10).map(|link| link.name).collect();
    if links.len() > 10 {
        names.push("...");
    }
    names.join(", ")
}

/// The layers in the order of their names, with numbers by value, where they then join; else
/// convolutions before linear layers, each by name; else the only order that the shapes allow.
///
/// One line with the candidates where there are several, or none.
pub(super) fn ordered<'a>(mut links: Vec<Link<'a>>) -> Result<Vec<Link<'a>>, String> {
    links.sort_by(|a, b| natural(a.name, b.name));
    if is_chain(&links) {
        return Ok(links);
    }
    let broken = links.windows(2).find(|pair| !joins(&pair[0], &pair[1])).map_or_else(String::new, |pair| {
        let [a, b] = [&pair[0], &pair[1]];
        format!("layer `{}` gives {} outputs and `{}` takes {} inputs", a.name, a.shape[0], b.name, b.shape[1])
    });
    let mut by_kind = links.clone();
    by_kind.sort_by_key(|link| !link.is_convolution());
    if is_chain(&by_kind) {
        return Ok(by_kind);
    }
    let mut search = Search { links: &links, steps: if links.len() <= MOST { 20_000 } else { 0 }, found: Vec::new() };
    search.extend(&mut Vec::new(), &mut vec![false; links.len()]);
    let order = |order: &[usize]| order.iter().map(|&place| links[place]).collect::<Vec<_>>();
    match &search.found[..] {
        [only] if search.steps > 0 => Ok(order(only)),
        [first, second] => Err(format!(
            "{broken} in the order of their names, and by their shapes both `{}` and `{}` are possible; {SETTLE}",
            names(&order(first)),
            names(&order(second))
        )),
        _ => Err(format!(
            "{broken}: neither the names nor the shapes put the layers in one chain ({}); {SETTLE}",
            names(&links)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_by_value() {
        let mut names = ["fc10", "fc9", "fc1", "fc", "10", "2", "a.2.b", "a.10.b", "fc01"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["2", "10", "a.2.b", "a.10.b", "fc", "fc01", "fc1", "fc9", "fc10"]);
        assert_eq!(natural("x99999999999999999999999", "x100000000000000000000000"), Ordering::Less);
    }

    fn order(links: &[(&str, &[usize])]) -> Result<Vec<String>, String> {
        let links = links.iter().map(|&(name, shape)| Link { name, shape }).collect();
        ordered(links).map(|links| links.iter().map(|link| link.name.to_owned()).collect())
    }

    #[test]
    fn convolutions_come_before_linear_layers() {
        let vgg: [(&str, &[usize]); 4] = [
            ("classifier.1", &[20, 8 * 49]),
            ("classifier.4", &[10, 20]),
            ("features.0", &[4, 3, 3, 3]),
            ("features.10", &[8, 4, 3, 3]),
        ];
        assert_eq!(order(&vgg).unwrap(), ["features.0", "features.10", "classifier.1", "classifier.4"]);
    }

    #[test]
    fn two_orders_are_both_told() {
        let message = order(&[("a", &[4, 5]), ("b", &[4, 4]), ("c", &[4, 4]), ("d", &[5, 3])]).unwrap_err();
        assert!(message.contains("both `d, a, b, c` and `d, a, c, b` are possible"), "{message}");
        assert!(message.contains("--network FILE"), "{message}");
    }

    #[test]
    fn many_layers_end_in_a_bounded_search() {
        let names: Vec<String> = (0..40).map(|n| format!("l{n}")).collect();
        let mut links: Vec<(&str, &[usize])> = names.iter().map(|name| (name.as_str(), &[4, 4][..])).collect();
        links.push(("m", &[9, 7]));
        assert!(order(&links).unwrap_err().contains("neither the names nor the shapes"));
    }
}
