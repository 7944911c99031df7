//! Reads the command line. A wrong value of an environment variable is told by the name of the variable.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error};
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser as _};

use crate::args::Cli;

/// Reads the command line of this process.
pub(crate) fn read() -> Result<Cli, Error> {
    let line: Vec<OsString> = std::env::args_os().collect();
    Cli::try_parse_from(&line).or_else(|error| without_variable(error, &line))
}

/// clap tells a wrong value by its option, also where it stands in the variable of the option; and it looks at the variable
/// also where the option overrules it.
fn without_variable(mut error: Error, line: &[OsString]) -> Result<Cli, Error> {
    let command = Cli::command();
    let Some(name) = option_of(&error) else { return Err(error) };
    let Some(option) = command.get_arguments().find(|option| option.get_long() == Some(&name)) else {
        return Err(error);
    };
    let (id, Some(variable)) = (option.get_id(), option.get_env()) else { return Err(error) };
    let without = Cli::command().mut_arg(id, |option| option.env(None::<&str>)).try_get_matches_from(line);
    match without {
        Ok(matches) if matches.value_source(id.as_str()) == Some(ValueSource::CommandLine) => {
            return Cli::from_arg_matches(&matches);
        }
        // The option is wrong.
        Err(again) if option_of(&again).as_ref() == Some(&name) => {}
        Ok(_) | Err(_) => {
            let variable = variable.to_string_lossy().into_owned();
            error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
        }
    }
    Err(error)
}

/// The long name of the option whose value is wrong.
fn option_of(error: &Error) -> Option<String> {
    let Some(ContextValue::String(usage)) = error.get(ContextKind::InvalidArg) else { return None };
    Some(usage.split_whitespace().next()?.strip_prefix("--")?.to_owned())
}
