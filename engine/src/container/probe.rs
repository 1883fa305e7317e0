//! Running health checks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::handle::{Handle, Live};
use super::health::{CheckResult, Command, LONGEST_OUTPUT, Plan, Verdict};
use super::record::Status;
use super::{exec, migration, start, tell};
use crate::engine::Engine;
use crate::shim::{AttachRequest, Link, Request};
use crate::{Result, time};

/// Checks a run's health in the background until the run ends.
pub(super) fn spawn(engine: &Arc<Engine>, handle: &Arc<Handle>, run: u64) {
    let record = handle.record();
    let Some(plan) = record.config.healthcheck.as_ref().and_then(Plan::new) else {
        return;
    };
    let age = start::since(&record.state.started_at);
    let (engine, handle) = (engine.clone(), handle.clone());
    tokio::spawn(async move {
        let has_ended = |live: &Live| live.run != run || !live.record.state.is_up();
        tokio::select! {
            _ = handle.until(has_ended) => {}
            () = checks(&engine, &handle, &plan, age) => {}
        }
    });
}

/// `age`: how long ago the container was started, where an earlier daemon did it.
async fn checks(engine: &Arc<Engine>, handle: &Arc<Handle>, plan: &Plan, age: Duration) {
    let began = Instant::now();
    let mut last = began;
    // Clients that count on Docker's rhythm can have it.
    let early = std::env::var_os("RCOMPOSE_COMPAT").is_none_or(|value| value != "strict");
    loop {
        let age = began.elapsed() + age;
        let live = handle.live();
        let Some(health) = live.health else { return };
        let next = health.next(plan, age, last.elapsed(), early);
        let due = Instant::now() + next.after;
        tokio::time::sleep(next.after.saturating_sub(migration::LEAD)).await;
        if next.early {
            migration::prepare();
        }
        tokio::time::sleep_until(due).await;
        if handle.record().state.status == Status::Paused {
            handle
                .until(|live| live.record.state.status != Status::Paused)
                .await;
        }
        let result = check(engine, handle, plan).await;
        if !next.early {
            last = Instant::now();
        }
        let mut changed = None;
        handle.change_live(|live| {
            if let Some(health) = &mut live.health {
                changed = health.take(plan, result, next.early, age);
                if next.early && changed.is_some() {
                    last = Instant::now();
                }
            }
        });
        if let Some(verdict) = changed {
            told(engine, handle, verdict);
            // For the next daemon, should this one end.
            handle.change(|record| record.state.health = Some(verdict));
            if let Err(error) = engine.containers.save(handle).await {
                tracing::error!("{error}");
            }
        }
    }
}

fn told(engine: &Engine, handle: &Handle, verdict: Verdict) {
    let action = format!("health_status: {}", verdict.as_str());
    tell(engine, &handle.record(), &action, &[]);
}

async fn check(engine: &Arc<Engine>, handle: &Arc<Handle>, plan: &Plan) -> CheckResult {
    let begin = time::now();
    let (code, output) = match execute(engine, handle, plan).await {
        Ok(found) => found,
        Err(error) => (-1, error.message),
    };
    CheckResult {
        start: begin,
        end: time::now(),
        code,
        output,
    }
}

async fn execute(engine: &Arc<Engine>, handle: &Arc<Handle>, plan: &Plan) -> Result<(i64, String)> {
    let record = handle.record();
    let words = match &plan.command {
        Command::Words(words) => words.clone(),
        Command::Shell(text) => {
            let shell = record
                .config
                .shell
                .clone()
                .filter(|shell| !shell.is_empty());
            let shell = shell.unwrap_or_else(|| vec!["/bin/sh".to_owned(), "-c".to_owned()]);
            shell.into_iter().chain([text.clone()]).collect()
        }
    };
    let streams = AttachRequest {
        stdin: false,
        stdout: true,
        stderr: true,
    };
    let request = exec::request_for_words(engine, handle, words, streams)?;
    let id = request.id.clone();
    let process = request.process.clone();
    let run = engine.layout.container_run(&handle.id);
    let asked = Link::ask(&run, &Request::Exec(request)).await;
    let _ = std::fs::remove_file(process);
    let mut session = asked?.session();
    let mut output = Vec::new();
    let reading = async {
        while let Some(frame) = session.output.next().await? {
            if let Some(code) = frame.exit_code() {
                return Ok(code);
            }
            let room = LONGEST_OUTPUT.saturating_sub(output.len());
            output.extend_from_slice(&frame.bytes[..frame.bytes.len().min(room)]);
        }
        Ok(-1)
    };
    if let Ok(code) = timeout(plan.timeout, reading).await {
        return Ok((code?, String::from_utf8_lossy(&output).into_owned()));
    }
    let signal = 9;
    let exec = Some(id);
    let _ = Link::ask(&run, &Request::Signal { exec, signal }).await;
    let text = format!("Health check exceeded timeout ({:?})", plan.timeout);
    Ok((-1, text))
}
