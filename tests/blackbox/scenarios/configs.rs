//! Configs of each source in a one-off.

use crate::support::project::Project;

#[test]
fn of_a_file_of_the_environment_and_of_text() {
    let mut project = Project::new(
        "cfgrun",
        r"
services:
  from_file: {image: IMAGE, configs: [from_file], command: cat /from_file}
  from_env: {image: IMAGE, configs: [from_env], command: cat /from_env}
  inlined: {image: IMAGE, configs: [inlined], command: cat /inlined}
  target: {image: IMAGE, configs: [{source: inlined, target: /elsewhere}], command: cat /elsewhere}
configs:
  from_env: {environment: SETTING}
  from_file: {file: config.txt}
  inlined: {content: this is my $SETTING}
",
    );
    project.file("config.txt", "this is my file\n");
    project.set("SETTING", "setting");
    for (service, said) in [
        ("from_file", "this is my file\n"),
        ("from_env", "setting"),
        ("inlined", "this is my setting"),
        ("target", "this is my setting"),
    ] {
        let run = ["run", "--rm", "-T", service];
        assert_eq!(project.rcompose(&run).success().stdout, said, "{service}");
    }
    project.down();
}
