//! The real binary against a real engine: one module a topic.
//!
//! `RCOMPOSE_TEST_ENGINE` chooses the engine, `RCOMPOSE_TEST_COMPOSE` names a docker-compose binary to compare with.

#![cfg(target_os = "linux")]

mod examples;
mod support;
