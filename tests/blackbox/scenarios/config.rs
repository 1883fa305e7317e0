//! `config`.

use crate::support::project::Project;

/// What `config` with these options prints.
fn config(options: &[&str]) -> String {
    let project = Project::new(
        "config",
        "services: {test: {image: test, ports: ['${PORT:-8080}:80']}}",
    );
    let config = [&["config"], options].concat();
    project.rcompose(&config).success().stdout
}

#[test]
fn ports_are_written_out() {
    let port = "    ports:\n      - mode: ingress\n        target: 80\n        published: \"8080\"\n        protocol: tcp\n";
    let yaml = config(&[]);
    assert!(yaml.contains(port), "{yaml}");
    let json = config(&["--format", "json"]);
    assert!(json.contains("\"published\": \"8080\""), "{json}");
    let raw = config(&["--no-interpolate"]);
    assert!(raw.contains("- ${PORT:-8080}:80"), "{raw}");
}

#[test]
fn variables_are_listed_with_what_is_known_of_them() {
    let json = config(&["--variables", "--format", "json"]);
    let variable = "{\n    \"PORT\": {\n        \"Name\": \"PORT\",\n        \"DefaultValue\": \"8080\",\n        \"PresenceValue\": \"\",\n        \"Required\": false\n    }\n}";
    assert!(json.contains(variable), "{json}");
    let yaml = config(&["--variables", "--format", "yaml"]);
    let variable = "PORT:\n    name: PORT\n    defaultvalue: \"8080\"\n    presencevalue: \"\"\n    required: false\n";
    assert!(yaml.contains(variable), "{yaml}");
}
