//! The real binary against a real engine: one module a topic.
//!
//! `RCOMPOSE_TEST_ENGINE` chooses the engine, `RCOMPOSE_TEST_COMPOSE` names a docker-compose binary to compare with,
//! `RCOMPOSE_TEST_BINARY` another program to test instead of ours, `RCOMPOSE_TEST_DOCKER` another docker command than
//! the installed one.

#![cfg(target_os = "linux")]

mod attach;
mod attributes;
mod bad_input;
mod beside;
mod better;
mod bridge;
mod build;
mod build_attributes;
mod build_errors;
mod build_interrupted;
mod bundled;
mod contexts;
mod copy;
mod details;
mod docker_cli;
mod dockerfiles;
mod examples;
mod exit_codes;
mod files;
mod hooks;
mod idle;
mod images;
mod interop;
mod lifecycle;
mod lint;
mod logs;
mod networks;
mod oneoff;
mod order;
mod parallel;
mod plugin;
mod profiles;
mod recovery;
mod recreate;
mod scenarios;
mod scope;
mod secrets;
mod signals;
mod stats;
mod support;
mod terminal;
mod volumes;
mod wait;
mod watch;
