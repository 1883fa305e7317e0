//! A stack as people wrote them in 2014.

use super::migrated;

const GITLAB: &str = r#"# GitLab with its database and its queue.
# Start: fig up -d

# PostgreSQL keeps everything but the repositories
postgresql:
  image: sameersbn/postgresql:9.4
  environment:
    - DB_NAME=gitlabhq_production   # the name that GitLab wants
    - DB_USER=gitlab
    - 'DB_PASS=p4ssw0rd'
  volumes:
    - /srv/docker/gitlab/postgresql:/var/lib/postgresql
    - pgbackup:/backup

redis:
  image: sameersbn/redis:latest
  volumes:
    - /srv/docker/gitlab/redis:/var/lib/redis

# The application itself
gitlab:
  build: ./gitlab
  dockerfile: Dockerfile.7.14
  links:
    - redis:redisio       # the cache
    - postgresql
  ports:
    - "10080:80"
    - "10022:22"
  environment:
    - DEBUG=false
    - TZ=Asia/Kolkata

    - DB_HOST=postgresql
    - REDIS_HOST=redisio
  volumes_from:
    - certificates:ro
  log_driver: syslog
  log_opt:
    syslog-address: "tcp://192.168.0.42:123"
  restart: always
  # - "10443:443"

mailer:
  image: mailer
  net: "container:gitlab"
"#;

#[test]
fn the_gitlab_stack() {
    insta::assert_snapshot!(migrated(GITLAB));
}

#[test]
fn line_breaks_of_windows_stay() {
    let text = GITLAB.replace('\n', "\r\n");
    let shown = migrated(&text);
    let (text, _) = shown.split_once("----").unwrap();
    let unix = migrated(GITLAB);
    let (unix, _) = unix.split_once("----").unwrap();
    assert_eq!(text.replace("\r\n", "\n"), unix);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}
