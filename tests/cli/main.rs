//! The real binary where no engine is needed: one module a topic.

mod scenarios;
mod why;
