//! One curve: rival laws.
