//! The compose files that are measured.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::engine::IMAGE;

const COMMON: &str = "\
x-logging: &logging
  driver: json-file
  options: {max-size: 10m, max-file: '3'}
x-common: &common
  restart: unless-stopped
  logging: *logging
  networks: [front, back]
networks:
  front: {}
  back: {driver: bridge, internal: true}
services:
";

/// `count` services as people write them: merge keys, variables, ports, volumes, health checks,
/// limits and dependencies.
pub(crate) fn realistic(folder: &Path, count: usize) -> Result<PathBuf, Error> {
    let mut text = COMMON.to_owned();
    for index in 0..count {
        write_service(&mut text, index)?;
    }
    text.push_str("volumes:\n");
    for index in 0..count {
        writeln!(text, "  data{index}: {{}}")?;
    }
    save(folder, &format!("config{count}"), &text)
}

fn write_service(text: &mut String, index: usize) -> Result<(), Error> {
    let port = 10_000 + index;
    write!(
        text,
        "  service{index}:
    <<: *common
    image: example/service{index}:${{TAG:-1.{index}}}
    command: [serve, --port, '8080', --name, service{index}]
    environment:
      LOG_LEVEL: ${{LOG_LEVEL:-info}}
      DATABASE_URL: postgres://user:secret@db{index}/app
      WORKERS: 4
      FEATURE_X: 'true'
    ports: ['{port}:8080']
    volumes: ['data{index}:/var/lib/app', './conf:/etc/app:ro']
    healthcheck:
      test: [CMD, curl, -f, 'http://localhost:8080/health']
      interval: 10s
      timeout: 3s
      retries: 5
    deploy:
      resources: {{limits: {{cpus: '0.50', memory: 256M}}}}
    labels: {{com.example.index: '{index}', com.example.tier: backend}}
"
    )?;
    if !index.is_multiple_of(10) {
        let before = index - 1;
        writeln!(
            text,
            "    depends_on: {{service{before}: {{condition: service_healthy}}}}"
        )?;
    }
    Ok(())
}

/// `count` independent services. Each round has a project of its own.
pub(crate) fn plain(folder: &Path, count: usize, round: usize) -> Result<PathBuf, Error> {
    let mut text = String::from("services:\n");
    for index in 0..count {
        writeln!(
            text,
            "  s{index}: {{image: '{IMAGE}', command: [/bench], stop_signal: SIGKILL}}"
        )?;
    }
    save(folder, &format!("plain{count}-{round}"), &text)
}

/// `count` services, each waiting until the one before it is healthy; probed every second.
pub(crate) fn chain(folder: &Path, count: usize, round: usize) -> Result<PathBuf, Error> {
    let mut text = String::from("services:\n");
    for index in 0..count {
        write!(
            text,
            "  s{index}:
    image: '{IMAGE}'
    command: [/bench]
    stop_signal: SIGKILL
    healthcheck: {{test: [CMD, /bench, probe], interval: 1s, retries: 30}}
"
        )?;
        if index > 0 {
            let before = index - 1;
            writeln!(
                text,
                "    depends_on: {{s{before}: {{condition: service_healthy}}}}"
            )?;
        }
    }
    save(folder, &format!("chain{count}-{round}"), &text)
}

fn save(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = folder.join(format!("{name}.yaml"));
    fs::write(&path, text)?;
    Ok(path)
}
