//! Addresses: which are refused, and what is said when nobody answers at one.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::shell::{Done, Shell};
use crate::harness::process::{self, Process};

const TLS: &str = "asks for TLS, which is not supported yet; use http:// in a network that is trusted";

fn with_variable(shell: &Shell, variable: &str, value: &str, arguments: &[&str]) -> Done {
    shell.finish(shell.command(arguments).env(variable, value), "")
}

#[test]
fn an_address_that_asks_for_tls_is_refused_wherever_it_comes_from() {
    let shell = Shell::without_server();
    let list = ["list", "countries"];
    shell
        .run(&[&list[..], &["--server", "https://127.0.0.1:9"]].concat())
        .exits(2)
        .complains("'--server <URL>'")
        .complains(TLS);
    with_variable(&shell, "PARTNERCTL_SERVER", "https://127.0.0.1:9", &list)
        .exits(2)
        .complains("'PARTNERCTL_SERVER'")
        .complains(TLS);
    shell.run(&["config", "set", "a", "--server", "https://127.0.0.1:9"]).exits(2).complains(TLS);
    shell.write("config.toml", "current = 'a'\n[contexts.a]\nserver = 'https://127.0.0.1:9'\n");
    let by_context = |arguments: &[&str]| shell.finish(shell.command(arguments).env_remove("PARTNERCTL_SERVER"), "");
    by_context(&list).exits(2).complains("error: the server of the context, \"https://127.0.0.1:9\": ").complains(TLS);
    for other in ["ftp://127.0.0.1:9", "unix:///run/registry", "two words"] {
        shell.run(&[&list[..], &["--server", other]].concat()).exits(2).complains("'--server <URL>'");
    }
    shell
        .run(&["--server", "127.0.0.1:9", "list", "countries"])
        .exits(6)
        .complains("http://127.0.0.1:9: connection refused");
}

#[test]
fn a_wrong_value_of_a_variable_is_told_by_its_name() {
    let shell = Shell::without_server();
    let timeout = with_variable(&shell, "PARTNERCTL_TIMEOUT", "abc", &["list", "countries"]).exits(2);
    timeout.complains("invalid value 'abc' for 'PARTNERCTL_TIMEOUT': must look like 500ms");
    shell.run(&["list", "countries", "--timeout", "abc"]).exits(2).complains("for '--timeout <TIME>'");
    // The option wins.
    with_variable(&shell, "PARTNERCTL_TIMEOUT", "abc", &["list", "countries", "--timeout", "1s"]).exits(6);
    with_variable(&shell, "PARTNERCTL_TIMEOUT", "abc", &["--timeout", "1s", "list", "countries"]).exits(6);
}

#[test]
fn who_does_not_answer_is_named() {
    let shell = Shell::without_server();
    let told = "error: http://127.0.0.1:9: connection refused
  is the server running? its address comes from --server, PARTNERCTL_SERVER or `partnerctl config`
";
    for command in [&["list", "countries"][..], &["delete", "countries/kr"], &["watch"], &["export"]] {
        assert_eq!(shell.run(&[&["--timeout", "1s"], command].concat()).exits(6).err, told, "{command:?}");
    }
}

#[test]
fn a_write_without_an_answer_may_have_happened_and_a_read_may_not() {
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let shell = Shell { server: silent.local_addr().unwrap().to_string(), ..Shell::without_server() };
    shell.write("kr.json", super::KOREA);
    let history =
        "the change may have been made all the same; this shows whether it was: partnerctl history countries/kr";
    for command in [
        &["delete", "countries/kr"][..],
        &["undelete", "countries/kr"],
        &["create", "-f", "kr.json"],
        &["update", "-f", "kr.json"],
        &["apply", "-f", "kr.json"],
    ] {
        let done = shell.run(&[&["--timeout", "300ms"], command].concat()).exits(6);
        done.complains(": no response ").complains(history);
    }
    let nameless = ["--timeout", "300ms", "create", "countries", "--set", "display_name=X"];
    shell.run(&nameless).exits(6).complains("partnerctl list countries --order-by 'create_time desc'");
    for command in
        [&["get", "countries/kr"][..], &["delete", "countries/kr", "--dry-run"], &["history", "countries/kr"]]
    {
        let done = shell.run(&[&["--timeout", "300ms"], command].concat()).exits(6);
        assert!(done.err.contains("no response") && !done.err.contains("may have been made"), "{}", done.err);
    }
}

#[test]
fn a_watch_tells_once_of_a_lost_and_of_a_regained_connection() {
    let data = TempDir::new().unwrap();
    let process = Process::start(data.path());
    let address = process.address;
    let shell = Shell { server: format!("http://{address}"), ..Shell::without_server() };
    shell.run_with(&["create", "-f", "-"], super::KOREA).exits(0);
    let mut child =
        shell.command(&["watch", "--after", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut changes = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(changes.next().unwrap().unwrap().contains("countries/kr"));
    process.kill();
    let lost = told.next().unwrap().unwrap();
    assert!(lost.starts_with(&format!("http://{address}: the connection was lost: ")), "{lost}");
    assert!(lost.ends_with("; connecting again"), "{lost}");
    let mut server = Command::new(process::server_binary());
    server.arg("--data").arg(data.path()).args(["--listen", &format!("localhost:{}", address.port())]);
    let server = server.stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(told.next().unwrap().unwrap(), "connected again; nothing was missed");
    shell.run(&["update", "countries/kr", "--set", "capital=Seoul"]).exits(0);
    assert!(changes.next().unwrap().unwrap().starts_with("UPDATE     countries/kr"));
    for mut child in [child, server] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn the_server_names_its_variables_that_are_wrong_and_a_name_that_nobody_knows() {
    let data = TempDir::new().unwrap();
    let server = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = Command::new(process::server_binary());
        command.arg("--data").arg(data.path()).args(arguments).envs(variables.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = server(&[("PARTNERSHIP_LISTEN", "nowhere.invalid:1")], &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("error: cannot listen on nowhere.invalid:1: "), "{told}");
    let (code, told) =
        server(&[("PARTNERSHIP_LISTEN", "here"), ("PARTNERSHIP_DEMO", "maybe")], &["--streams-max", "0"]);
    assert_eq!(code, Some(64), "{told}");
    for part in [
        "'here' for 'PARTNERSHIP_LISTEN': must be an address and a port",
        "'maybe' for 'PARTNERSHIP_DEMO'",
        "'0' for '--streams-max <COUNT>'",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
