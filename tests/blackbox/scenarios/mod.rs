//! What docker compose's own end-to-end tests show and no other test of ours does: one module a group of theirs.
//! `tests/cli/scenarios-2.40.3.tsv` says which test shows which case.

mod build;
mod cancel;
mod cascade;
mod compose;
mod compose_environment;
mod compose_exec;
mod compose_run;
mod compose_run_build_once;
mod compose_run_pull;
mod compose_up;
mod config;
mod configs;
mod container_name;
mod env_file;
mod healthcheck;
mod hooks;
mod ipc;
mod logs;
mod look;
mod networks;
mod no_deps;
mod orphans;
mod pause;
mod profiles;
mod providers;
mod ps;
mod pull;
mod recreate_no_deps;
mod restart;
mod scale;
mod secrets;
mod start_stop;
mod up;
mod volumes;
mod watch;
