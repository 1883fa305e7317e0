use serde_json::json;

use super::*;

fn row() -> Row {
    let fields = json!({
        "Name": "p-web-1",
        "ID": "0123456789ab",
        "Ports": "0.0.0.0:80->80/tcp",
        "ExitCode": 0,
        "Publishers": [
            {"URL": "0.0.0.0", "TargetPort": 80, "PublishedPort": 8080, "Protocol": "tcp"},
            {"URL": "::", "TargetPort": 80, "PublishedPort": 8080, "Protocol": "tcp"},
        ],
        "Networks": "a,b",
    });
    let Value::Object(fields) = fields else {
        return Row::default();
    };
    Row {
        fields,
        labels: [("com.docker.compose.service".to_owned(), "web".to_owned())].into(),
    }
}

fn show(format: &str) -> String {
    match Template::new(format).and_then(|template| template.render(&row())) {
        Ok(text) => text,
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn fields_text_and_escapes() {
    assert_eq!(show("{{.Name}}\\t{{ .ID }}!"), "p-web-1\t0123456789ab!");
    assert_eq!(show("no action"), "no action");
    assert_eq!(show("{{.ExitCode}}"), "0");
    assert_eq!(show("{{\"a\\n\"}}{{`b`}}"), "a\nb");
}

#[test]
fn labels() {
    assert_eq!(show("{{.Label \"com.docker.compose.service\"}}"), "web");
    assert_eq!(show("{{.Label \"missing\"}}"), "");
    assert_eq!(show("{{\"com.docker.compose.service\" | .Label}}"), "web");
}

#[test]
fn json_escapes_html_in_whole_rows_only() {
    assert_eq!(show("{{json .Ports}}"), "\"0.0.0.0:80->80/tcp\"");
    assert_eq!(show("{{.Name | json}}"), "\"p-web-1\"");
    assert!(show("{{json .}}").starts_with("{\"Name\":\"p-web-1\","));
    assert!(show("{{json .}}").contains("0.0.0.0:80-\\u003e80/tcp"));
}

#[test]
fn functions_and_pipes() {
    assert_eq!(show("{{upper .Name}}{{.Name | title}}"), "P-WEB-1P-web-1");
    assert_eq!(
        show("{{truncate .ID 4}}{{pad .Name 1 2}}|"),
        "0123 p-web-1  |"
    );
    assert_eq!(show("{{join (split .Networks \",\") \" + \"}}"), "a + b");
    assert_eq!(show("{{printf \"%-9s|%d\" .Name 5}}"), "p-web-1  |5");
    assert_eq!(show("{{len .Publishers}}"), "2");
    assert_eq!(show("{{(index .Publishers 1).URL}}"), "::");
}

#[test]
fn conditions_and_loops() {
    assert_eq!(show("{{if .ExitCode}}bad{{else}}good{{end}}"), "good");
    assert_eq!(
        show("{{if eq .Name \"x\"}}x{{else if eq .Name \"p-web-1\"}}web{{end}}"),
        "web"
    );
    assert_eq!(
        show("{{range .Publishers}}{{.URL}}:{{.PublishedPort}} {{end}}"),
        "0.0.0.0:8080 :::8080 "
    );
    assert_eq!(
        show("{{range .Publishers}}{{$.Name}} {{end}}"),
        "p-web-1 p-web-1 "
    );
    assert_eq!(show("{{with .Name}}{{.}}{{end}}"), "p-web-1");
    assert_eq!(show("a {{- \" b \" -}} c{{/* nothing */}}"), "a b c");
}

#[test]
fn what_is_not_known_is_named() {
    assert_eq!(
        show("{{.Nmae}}"),
        "error: unknown field \".Nmae\" in the format (did you mean \".Name\"?)"
    );
    assert!(
        show("{{.Zebra}}")
            .starts_with("error: unknown field \".Zebra\" in the format (known: .Name")
    );
    assert_eq!(
        show("{{shout .Name}}"),
        "error: unknown function \"shout\" in the format"
    );
    assert!(show("{{$x := .Name}}").contains("not supported"));
    assert!(show("{{.Name").contains("without"));
    assert!(show("{{if .Name}}").contains("{{end}}"));
    assert!(show("{{end}}").contains("{{end}}"));
    assert!(show("{{}}").contains("empty"));
    assert!(show("{{template \"x\"}}").contains("not supported"));
}

#[test]
fn headers_ignore_functions() {
    let header = Row {
        fields: [("Name".to_owned(), json!("NAME"))].into_iter().collect(),
        ..Row::default()
    };
    let text = |format: &str| {
        Template::new(format)
            .and_then(|template| template.render_header(&header))
            .unwrap_or_else(|error| error.to_string())
    };
    assert_eq!(text("{{lower .Name}}\t{{json .Names}}"), "NAME\t<nil>");
    assert_eq!(text("{{.Missing}}"), "<no value>");
    assert_eq!(text("{{.Label \"a.b-c\"}}"), "b c");
}
