//! How many replicates a study has of each width.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// One number for all widths, or a number for each of them, in the order of the widths: a variance needs many
/// replicates, and wide networks cost more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Replicates {
    /// Of every width.
    Same(u64),
    /// Of each width.
    Each(Vec<u64>),
}

impl Replicates {
    /// Those of the width at this place among the widths; 0 beyond the last.
    pub fn of(&self, index: usize) -> u64 {
        match self {
            Self::Same(number) => *number,
            Self::Each(numbers) => numbers.get(index).copied().unwrap_or(0),
        }
    }

    /// The most of any width.
    pub fn most(&self) -> u64 {
        match self {
            Self::Same(number) => *number,
            Self::Each(numbers) => numbers.iter().copied().max().unwrap_or(0),
        }
    }

    /// Checks that every width has at least one.
    pub(super) fn check(&self, widths: &[usize]) -> Result<(), String> {
        match self {
            Self::Same(0) => Err("replicates = 0: must be at least 1".into()),
            Self::Each(numbers) if numbers.len() != widths.len() => {
                Err(format!("replicates has {} numbers for {} widths: give one for each", numbers.len(), widths.len()))
            }
            Self::Each(numbers) if numbers.contains(&0) => {
                Err(format!("replicates = {numbers:?}: each must be at least 1"))
            }
            _ => Ok(()),
        }
    }
}

/// Written by hand: an untagged enum says of a wrong value only that it matches no variant.
impl<'de> Deserialize<'de> for Replicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;

        impl<'de> Visitor<'de> for Numbers {
            type Value = Replicates;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of replicates, or a list with one number a width")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Replicates, E> {
                Ok(Replicates::Same(number))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Replicates, E> {
                let wrong = |_| E::invalid_value(serde::de::Unexpected::Signed(number), &self);
                u64::try_from(number).map(Replicates::Same).map_err(wrong)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Replicates, A::Error> {
                let mut each = Vec::new();
                while let Some(number) = numbers.next_element()? {
                    each.push(number);
                }
                Ok(Replicates::Each(each))
            }
        }

        deserializer.deserialize_any(Numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_or_one_a_width() {
        let same: Replicates = serde_json::from_str("3").unwrap();
        assert_eq!((same.of(0), same.of(7), same.most()), (3, 3, 3));
        let each: Replicates = serde_json::from_str("[30, 5]").unwrap();
        assert_eq!((each.of(0), each.of(1), each.of(2), each.most()), (30, 5, 0, 30));
        for replicates in [same, each] {
            let text = serde_json::to_string(&replicates).unwrap();
            assert_eq!(serde_json::from_str::<Replicates>(&text).unwrap(), replicates);
        }
    }

    #[test]
    fn wrong_numbers_are_refused() {
        assert!(serde_json::from_str::<Replicates>("-1").is_err());
        assert!(serde_json::from_str::<Replicates>("\"three\"").is_err());
        assert!(Replicates::Same(0).check(&[4]).is_err());
        assert!(Replicates::Each(vec![2]).check(&[4, 8]).is_err());
        assert!(Replicates::Each(vec![2, 0]).check(&[4, 8]).is_err());
        assert!(Replicates::Each(vec![2, 1]).check(&[4, 8]).is_ok());
    }
}
