//! What a service asks for is what the engine is asked for.

use serde_json::{Value, json};

use crate::support::project::Project;

const SERVICE: &str = r"
services:
  web:
    image: IMAGE
    command: demo sleep
    cap_add: [NET_ADMIN]
    cap_drop: [MKNOD]
    cpu_shares: 512
    cpus: 0.5
    devices: ['/dev/null:/dev/nothing:rw']
    dns: [10.1.1.1]
    dns_search: [example.org]
    entrypoint: [sh, -c, 'exec demo sleep', shell]
    environment: [A=1, B]
    expose: ['9000']
    group_add: ['1000']
    init: true
    ipc: private
    labels: {a.b: c}
    logging: {driver: json-file, options: {max-size: 1m}}
    mem_limit: 64m
    mem_reservation: 32m
    oom_score_adj: 100
    pids_limit: 50
    privileged: false
    read_only: true
    restart: on-failure:3
    security_opt: [no-new-privileges]
    shm_size: 32m
    stdin_open: true
    stop_grace_period: 1m30s
    stop_signal: SIGTERM
    sysctls: {net.ipv4.ip_forward: 1}
    tty: true
    ulimits: {nofile: {soft: 100, hard: 200}, nproc: 50}
    user: '1000:1000'
    userns_mode: host
    working_dir: /tmp
    healthcheck: {test: [CMD, 'true'], interval: 1m, timeout: 2s, retries: 4, start_period: 3s}
";

#[test]
fn of_a_container() {
    let mut project = Project::new("attributes", SERVICE);
    project.set("B", "from outside");
    project.rcompose(&["up", "--detach"]).success();
    let container = project.engine().inspect(&project.container("web", 1));
    let host = &container["HostConfig"];
    let config = &container["Config"];
    let megabyte = 1_048_576;
    for (what, got, wanted) in [
        ("cap_add", &host["CapAdd"], json!(["CAP_NET_ADMIN"])),
        ("cap_drop", &host["CapDrop"], json!(["CAP_MKNOD"])),
        ("cpu_shares", &host["CpuShares"], json!(512)),
        ("cpus", &host["NanoCpus"], json!(500_000_000)),
        (
            "devices",
            &host["Devices"][0]["PathInContainer"],
            json!("/dev/nothing"),
        ),
        ("dns", &host["Dns"], json!(["10.1.1.1"])),
        ("dns_search", &host["DnsSearch"], json!(["example.org"])),
        (
            "entrypoint",
            &config["Entrypoint"],
            json!(["sh", "-c", "exec demo sleep", "shell"]),
        ),
        ("group_add", &host["GroupAdd"], json!(["1000"])),
        ("init", &host["Init"], json!(true)),
        ("ipc", &host["IpcMode"], json!("private")),
        ("labels", &config["Labels"]["a.b"], json!("c")),
        (
            "logging",
            &host["LogConfig"],
            json!({"Type": "json-file", "Config": {"max-size": "1m"}}),
        ),
        ("mem_limit", &host["Memory"], json!(64 * megabyte)),
        (
            "mem_reservation",
            &host["MemoryReservation"],
            json!(32 * megabyte),
        ),
        ("oom_score_adj", &host["OomScoreAdj"], json!(100)),
        ("pids_limit", &host["PidsLimit"], json!(50)),
        ("read_only", &host["ReadonlyRootfs"], json!(true)),
        (
            "restart",
            &host["RestartPolicy"],
            json!({"Name": "on-failure", "MaximumRetryCount": 3}),
        ),
        (
            "security_opt",
            &host["SecurityOpt"],
            json!(["no-new-privileges"]),
        ),
        ("shm_size", &host["ShmSize"], json!(32 * megabyte)),
        ("stdin_open", &config["OpenStdin"], json!(true)),
        ("stop_grace_period", &config["StopTimeout"], json!(90)),
        ("stop_signal", &config["StopSignal"], json!("SIGTERM")),
        (
            "sysctls",
            &host["Sysctls"],
            json!({"net.ipv4.ip_forward": "1"}),
        ),
        ("tty", &config["Tty"], json!(true)),
        ("user", &config["User"], json!("1000:1000")),
        ("userns_mode", &host["UsernsMode"], json!("host")),
        ("working_dir", &config["WorkingDir"], json!("/tmp")),
        ("healthcheck", &config["Healthcheck"], healthcheck()),
    ] {
        assert_eq!(*got, wanted, "{what}");
    }
    let environment = config["Env"].to_string();
    assert!(
        environment.contains("\"A=1\"") && environment.contains("\"B=from outside\""),
        "{environment}"
    );
    assert!(
        config["ExposedPorts"].to_string().contains("\"9000"),
        "{config}"
    );
    let limits = host["Ulimits"].as_array().expect("a list");
    let files = json!({ "Name": "nofile", "Hard": 200, "Soft": 100 });
    assert!(limits.contains(&files), "{limits:?}");
    project.down();
}

fn healthcheck() -> Value {
    let second = 1_000_000_000_u64;
    json!({
        "Test": ["CMD", "true"],
        "Interval": 60 * second,
        "Timeout": 2 * second,
        "StartPeriod": 3 * second,
        "Retries": 4
    })
}

#[test]
fn a_published_port_of_each_form() {
    let project = Project::new(
        "ports",
        r"
services:
  web:
    image: IMAGE
    command: demo sleep
    ports:
      - '8080'
      - '21901:81'
      - '127.0.0.1:21902:82/udp'
      - '21910-21911:90-91'
      - {target: 83, published: '21903', host_ip: 127.0.0.1, protocol: tcp}
",
    );
    project.rcompose(&["up", "--detach"]).success();
    let container = project.engine().inspect(&project.container("web", 1));
    let ports = &container["HostConfig"]["PortBindings"];
    for (port, host_ip, published) in [
        ("81/tcp", "", "21901"),
        ("82/udp", "127.0.0.1", "21902"),
        ("83/tcp", "127.0.0.1", "21903"),
        ("90/tcp", "", "21910"),
        ("91/tcp", "", "21911"),
    ] {
        assert_eq!(
            ports[port][0],
            json!({"HostIp": host_ip, "HostPort": published}),
            "{port}"
        );
    }
    assert!(container["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"].is_string());
    project.down();
}
