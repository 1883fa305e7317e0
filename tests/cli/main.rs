//! The real binary where no engine is needed: one module a topic.

mod why;
