//! Instructions that change the configuration.

use super::*;

#[test]
fn configuration_is_changed() {
    let mut config = ImageConfig::default();
    let changes = [
        "ENV a=1 b=\"two words\"",
        "ENV old has spaces",
        "LABEL x=y",
        "WORKDIR /a",
        "WORKDIR b/../c",
        "USER 5",
        "EXPOSE 80 90-91/udp",
        "VOLUME [\"/v\"]",
        "ENTRYPOINT [\"/x\"]",
        "CMD echo hi",
        "STOPSIGNAL SIGINT",
        "HEALTHCHECK --interval=2s --retries=3 CMD true",
    ];
    configure::changes(&mut config, &changes.map(str::to_owned)).unwrap();
    assert_eq!(
        config.env.unwrap(),
        ["a=1", "b=two words", "old=has spaces"]
    );
    assert_eq!(config.working_dir.unwrap(), "/a/c");
    assert_eq!(
        config.exposed_ports.unwrap(),
        ["80/tcp", "90/udp", "91/udp"]
    );
    assert_eq!(config.cmd.unwrap(), ["/bin/sh", "-c", "echo hi"]);
    let health = config.healthcheck.unwrap();
    assert_eq!(health.test.unwrap(), ["CMD-SHELL", "true"]);
    assert_eq!(
        (health.interval, health.retries),
        (Some(2_000_000_000), Some(3))
    );
    let error =
        configure::changes(&mut ImageConfig::default(), &["RUN ls".to_owned()]).unwrap_err();
    assert_eq!(error.message, "RUN is not a valid change command");
}
