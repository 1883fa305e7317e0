//! Rules on small projects.

use super::testing::lint_text;

#[test]
fn a_tidy_project_has_no_findings() {
    let text = "services: {web: {image: 'nginx:1.27', environment: {A: b}}}";
    assert_eq!(
        super::testing::Folder::new(&[("compose.yaml", text)]).lint(&[]),
        [""; 0]
    );
    assert_eq!(
        lint_text("floating-tag", "services: {web: {image: nginx}}").len(),
        1
    );
}
