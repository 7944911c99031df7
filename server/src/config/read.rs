//! Reading flags and variables so that all wrong values are told at once. clap by itself stops at the first.

use std::ffi::OsString;

use clap::builder::OsStringValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory as _, FromArgMatches as _};

use super::Config;

impl Config {
    /// Reads flags and variables. The error prints itself, and is of all values that are wrong; what asks for `--help`
    /// or `--version` is an error too, as clap has it.
    pub fn read() -> Result<Self, clap::Error> {
        read(&std::env::args_os().collect::<Vec<_>>())
    }
}

/// Reads a command line. Each flag with a wrong value is noted, and the line read again without looking at that value,
/// until nothing else is wrong, or something of which clap does not say which flag it belongs to.
fn read(arguments: &[OsString]) -> Result<Config, clap::Error> {
    let mut flags: Vec<String> = Vec::new();
    let mut errors: Vec<clap::Error> = Vec::new();
    loop {
        let command = flags.iter().fold(Config::command(), |command, flag| command.mut_arg(flag, without_check));
        match command.try_get_matches_from(arguments) {
            Ok(matches) => {
                return match errors.pop() {
                    None => Config::from_arg_matches(&matches),
                    Some(last) => Err(together(&errors, last)),
                };
            }
            // Whoever asks for help gets it, whatever is wrong.
            Err(help) if !help.use_stderr() => return Err(help),
            Err(error) => match flag_of(&error).filter(|flag| !flags.contains(flag)) {
                None => return Err(together(&errors, error)),
                Some(flag) => {
                    errors.push(with_variable(error, &flag, &flags, arguments));
                    flags.push(flag);
                }
            },
        }
    }
}

/// The flag whose value is wrong, if that is what is wrong.
fn flag_of(error: &clap::Error) -> Option<String> {
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        return None;
    }
    let Some(ContextValue::String(usage)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = usage.split_whitespace().next()?.strip_prefix("--")?;
    let command = Config::command();
    command.get_arguments().find(|known| known.get_long() == Some(flag)).map(|known| known.get_id().to_string())
}

/// clap tells a wrong value by its flag, also where it stands in the variable of the flag.
fn with_variable(mut error: clap::Error, flag: &str, before: &[String], arguments: &[OsString]) -> clap::Error {
    let command = before.iter().fold(Config::command(), |command, flag| command.mut_arg(flag, without_check));
    let variable = command.get_arguments().find(|known| known.get_id() == flag).and_then(Arg::get_env);
    let variable = variable.map(|variable| variable.to_string_lossy().into_owned());
    let without = command.mut_arg(flag, |flag| flag.env(None::<&str>)).try_get_matches_from(arguments);
    let of_line = without.err().and_then(|error| flag_of(&error)).as_deref() == Some(flag);
    if let (Some(variable), false) = (variable, of_line) {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

fn without_check(flag: Arg) -> Arg {
    if flag.get_action().takes_values() {
        flag.value_parser(OsStringValueParser::new())
    } else {
        // Only its variable can be wrong.
        flag.env(None::<&str>)
    }
}

/// One error that tells of all.
fn together(earlier: &[clap::Error], last: clap::Error) -> clap::Error {
    if earlier.is_empty() {
        return last;
    }
    let all: Vec<String> = earlier.iter().chain([&last]).map(message).collect();
    Config::command().error(ErrorKind::ValueValidation, all.join("\nerror: "))
}

/// What an error says, without its title and the hints that stand below it.
fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(flags: &str) -> Result<Config, clap::Error> {
        let line = ["partnership-server"].into_iter().chain(flags.split_whitespace());
        read(&line.map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_flags_are_what_clap_takes() {
        Config::command().debug_assert();
    }

    #[test]
    fn a_good_line_is_read() {
        let config = read_line("--listen [::1]:7 --segment-mib 2 --drain-grace 0 --log debug,h2=warn").unwrap();
        assert_eq!(config.serving.listen.to_string(), "[::1]:7");
        assert_eq!(config.serving.drain_grace.as_secs(), 0);
        assert_eq!(config.registry().store.segment_bytes_max, 2 << 20);
        assert_eq!(config.log.filter().to_string(), "h2=warn,debug");
    }

    #[test]
    fn all_wrong_values_are_told_at_once() {
        let flags = "--listen here --segment-mib 0 --log-format xml --streams-max many --log a=b=c";
        let error = read_line(flags).unwrap_err().to_string();
        for (flag, value) in [
            ("--listen <ADDRESS>", "here"),
            ("--segment-mib <MIB>", "0"),
            ("--log-format <FORMAT>", "xml"),
            ("--streams-max <COUNT>", "many"),
            ("--log <FILTER>", "a=b=c"),
        ] {
            assert!(error.contains(&format!("error: invalid value '{value}' for '{flag}'")), "{flag}: {error}");
        }
        assert_eq!(error.matches("Usage:").count(), 1, "{error}");
    }

    #[test]
    fn what_is_no_value_is_told_with_the_values_found_before() {
        let error = read_line("--listen here --nonsense").unwrap_err().to_string();
        assert!(error.contains("--nonsense"), "{error}");
    }

    #[test]
    fn one_mistake_is_told_by_clap_and_help_whatever_is_wrong() {
        let error = read_line("--log-format xml").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(error.to_string().contains("[possible values: text, json]"), "{error}");
        let help = read_line("--segment-mib 0 --help").unwrap_err();
        assert_eq!((help.kind(), help.use_stderr()), (ErrorKind::DisplayHelp, false));
    }
}
