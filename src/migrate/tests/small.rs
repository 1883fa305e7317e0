//! One thing at a time.

use super::migrated;

macro_rules! cases {
    ($($(#[$meta:meta])* $name:ident: $text:expr;)*) => {
        $(
            $(#[$meta])*
            #[test]
            fn $name() {
                insta::assert_snapshot!(migrated($text));
            }
        )*
    };
}

cases! {
    modern_files_stay_as_they_are: "# today\nservices:\n  web: {image: a, depends_on: [db]}\n  db: {image: b}\n";

    no_line_break_at_the_end: "web:\n  image: a";

    version_goes_with_its_blank_line: "# head\nversion: '2.1' # old\n\nservices:\n  web:\n    image: a\n";

    version_in_braces: "{version: '3', services: {web: {image: a}}}\n";

    links_without_names: "version: '2'\nservices:\n  web:\n    image: a\n    links: [ db, \"redis\", 'db:db' ] # all\n  db: {image: b}\n  redis: {image: c}\n";

    links_beside_depends_on: "services:\n  web:\n    image: a\n    depends_on:\n      db:\n        condition: service_healthy\n    links:\n      - db\n      - redis # cache\n  api:\n    image: a\n    links:\n    - db\n    depends_on:\n    - redis\n  db: {image: b}\n  redis: {image: c}\n";

    comments_of_links_stay: "services:\n  web:\n    image: a\n    depends_on: [db]\n    links: # which\n      # one\n      - db # the db\n      - redis\n  api:\n    image: a\n    links:\n      - db # x\n      - db:one # y\n  db: {image: b}\n  redis: {image: c}\n";

    links_with_names: "web:\n  image: a\n  links:\n    - db:database\n    - cache:store\n    - db\napi: {image: a, links: [\"cache:memory\", db:database]}\ndb:\n  image: b\ncache: {image: c}\n";

    the_last_service_gets_a_name: "web:\n  image: a\n  links:\n    - db:database\n  depends_on:\n    - web2\nweb2: {image: c}\ndb:\n  image: b";

    names_that_mean_two_services_stay: "web:\n  image: a\n  links:\n    - db1:db\n    - cache\nweb2:\n  image: a\n  links:\n    - db2:db\ndb1: {image: b}\ndb2: {image: b}\ncache: {image: c}\n";

    links_across_networks_stay: "services:\n  web:\n    image: a\n    networks: [front]\n    links:\n      - db:database\n  db: {image: b, networks: [front]}\nnetworks: {front: }\n";

    links_on_the_default_bridge_stay: "web:\n  image: a\n  net: bridge\n  links:\n    - db\ndb:\n  image: b\n  net: bridge\n";

    build_and_logging_in_braces: "web: {build: ., log_opt: {max-size: 1m}, dockerfile: D, log_driver: json-file, links: [db]}\ndb: {image: b}\n";

    logging_apart: "services:\n  web:\n    image: a\n    log_opt:\n      # small\n      max-size: 1m\n    ports: [80]\n    log_driver: json-file # local\n";

    dockerfile_beside_a_long_build: "services:\n  web:\n    build:\n      context: .\n    dockerfile: D # which\n";

    named_volumes_are_declared: "web:\n  image: a\n  volume_driver: flocker\n  volumes:\n    - data:/data\n    - ./conf:/conf:ro\n    - /tmp\n    - ${DIR}/x:/x\n# the end\n";

    volume_driver_without_volumes: "services:\n  web:\n    image: a\n    volume_driver: flocker # why\n    volumes: [/data]\n";

    external_names: "services:\n  web: {image: a}\nvolumes:\n  data:\n    external:\n      name: my-data # kept\n  more: {external: {name: x}}\n  other:\n    external: {name: \"y\"} # flow\n  same:\n    name: z\n    external:\n      name: z\nnetworks:\n  front:\n    external:\n      name: outside\n";

    other_containers: "web:\n  image: a\n  net: container:outside\n  volumes_from:\n    - db\n    - \"backup:ro\"\n  external_links:\n    - legacy:old\ndb: {image: b}\n";

    merge_keys_and_anchors: "base: &base\n  image: a\n  net: host\nweb:\n  <<: *base\n  command: x\nworker:\n  <<: *base\n  links: &links\n    - web\nlast:\n  image: b\n  links: *links\n";

    templates_beside_services: "version: '2.4'\nx-base: &base\n  log_driver: syslog\n\nservices:\n  web:\n    <<: *base\n    image: a\n";

    services_forgotten: "x-base: &base\n  restart: always\n\nweb:\n  <<: *base\n  image: a\n  volumes: [data:/data]\n\n# kept data\nvolumes:\n  data:\n\ndb:\n  image: b\n";

    comments_at_every_place: "# file\n\n# web\nweb: # here\n  # first\n  image: a\t# image\n  #\ta\ttab\n\n  # about links\n  links: # which\n    # one\n    - db # the db\n    # two\n# db\ndb:\n  image: b\n  # tail\n\n# end\n";

    block_texts_move_along: "web:\n    image: a\n    command: |\n        one\n\n          two\n    environment:\n        A: >-\n            x\n            y\n        B: \"p\n\n            q\"\n";

    all_in_braces: "{web: {image: a, links: [db], volumes: ['data:/data']}, db: {image: b}}\n";

    several_documents: "---\nweb:\n  image: a\n---\n# more\nversion: '3'\nservices:\n  db: {image: b}\n";

    dollars: "web:\n  image: a\n  command: echo $HOME\n";

    a_service_named_version: "version:\n  image: a\nvolumes:\n  image: b\n";

    letters_of_any_kind: "wéb:\n  image: 'ü' # ñ\n  net: host # 日本\n  links: ['dß']\ndß:\n  image: b\n";
}

#[test]
fn what_is_no_yaml_is_an_error() {
    assert!(super::migrate("compose.yml", "a: [").is_err());
}

#[test]
fn what_is_no_mapping_stays() {
    for text in ["", "text\n", "- a\n", "# only a comment\n", "null\n"] {
        let migration = super::migrate("compose.yml", text).unwrap();
        assert_eq!(migration.text, text);
        assert!(migration.changes.is_empty());
    }
}
