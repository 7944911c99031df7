//! Contexts: servers under short names, in a configuration file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::args::{ConfigArgs, ConfigCommand, Globals};
use crate::draft::Draft;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
use crate::table::{Column, Cut};

/// The file.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The context that is used if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// All contexts by name.
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

/// A server, and the actor there.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    /// The actor of what is done there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
}

impl Config {
    /// Reads the file; if there is none, there are no contexts.
    pub(crate) fn load() -> Result<Self, Failure> {
        match path() {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    /// The context that is used if none is named.
    pub(crate) fn current_context(self) -> Context {
        self.current.clone().and_then(|name| self.contexts.get(&name).cloned()).unwrap_or_default()
    }

    /// The context of a name.
    pub(crate) fn named(self, name: &str) -> Result<Context, Failure> {
        self.contexts.get(name).cloned().ok_or_else(|| Failure::usage(format!("there is no context {name:?}")))
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", path.display()));
        match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map_err(|error| wrong(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(wrong(&error)),
        }
    }

    /// Writes the file whole or not at all.
    fn write(&self, path: &Path) -> Result<(), Failure> {
        let wrong = |error: io::Error| Failure::Local(format!("{}: {error}", path.display()));
        let text = toml::to_string(self).map_err(|error| Failure::Local(error.to_string()))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(wrong)?;
        }
        let draft = Draft::new(path).map_err(wrong)?;
        draft.file().write_all(text.as_bytes()).map_err(wrong)?;
        draft.finish().map_err(wrong)
    }

    /// Makes a change; returns the name of the context, and what was done.
    fn change(&mut self, command: ConfigCommand, globals: &Globals) -> Result<(String, String), Failure> {
        let unknown = |name: &str| Failure::usage(format!("there is no context {name:?}"));
        match command {
            ConfigCommand::Set { name } => {
                let context = self.contexts.entry(name.clone()).or_default();
                if let Some(server) = &globals.server {
                    context.server = Some(server.clone());
                }
                if let Some(actor) = &globals.actor {
                    context.actor = Some(actor.clone());
                }
                if context.server.is_none() {
                    return Err(Failure::usage("a new context needs --server"));
                }
                self.current.get_or_insert_with(|| name.clone());
                let done = format!("context {name} set");
                Ok((name, done))
            }
            ConfigCommand::Use { name } => {
                if !self.contexts.contains_key(&name) {
                    return Err(unknown(&name));
                }
                self.current = Some(name.clone());
                let done = format!("context {name} is now the current one");
                Ok((name, done))
            }
            ConfigCommand::Delete { name } => {
                self.contexts.remove(&name).ok_or_else(|| unknown(&name))?;
                self.current = self.current.take().filter(|current| *current != name);
                let done = format!("context {name} deleted");
                Ok((name, done))
            }
            ConfigCommand::List => Ok((String::new(), String::new())),
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(name, context): (&String, &Context)| {
            let current = if self.current.as_ref() == Some(name) { "yes" } else { "" };
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            vec![name.clone(), current.to_owned(), text(&context.server), text(&context.actor)]
        };
        self.contexts.iter().map(row).collect()
    }
}

/// `partnerctl config …`.
pub(crate) fn config(globals: &Globals, args: ConfigArgs) -> Result<Exit, Failure> {
    let mut config = Config::load()?;
    if matches!(args.command, ConfigCommand::List) {
        let columns = ["NAME", "CURRENT", "SERVER", "ACTOR"].map(|title| Column::kept(title, Cut::Text)).to_vec();
        output::print_rows(globals.output, columns, &config.rows(), "NAME")?;
        return Ok(Exit::Success);
    }
    let path =
        path().ok_or_else(|| Failure::usage("there is no home folder; set PARTNERCTL_CONFIG to the path of a file"))?;
    let (name, done) = config.change(args.command, globals)?;
    config.write(&path)?;
    output::line(if globals.output == Format::Name { &name } else { &done })?;
    Ok(Exit::Success)
}

/// Where the file is: `PARTNERCTL_CONFIG`, or `partnerctl/config.toml` in the user's folder for configuration.
fn path() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = variable("PARTNERCTL_CONFIG") {
        return Some(file);
    }
    let folder = variable("XDG_CONFIG_HOME")
        .or_else(|| variable("APPDATA"))
        .or_else(|| variable("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("partnerctl").join("config.toml"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    fn run(config: &mut Config, line: &str) -> Result<(String, String), Failure> {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Config(args) = cli.command else { return Err(Failure::usage("no config command")) };
        config.change(args.command, &cli.globals)
    }

    #[test]
    fn contexts_are_set_used_and_deleted() {
        let mut config = Config::default();
        assert!(run(&mut config, "partnerctl config set test --actor me").is_err(), "no server");
        config.contexts.clear();
        run(&mut config, "partnerctl config set test --server localhost:1").unwrap();
        run(&mut config, "partnerctl config set prod --server http://p --actor jane").unwrap();
        assert_eq!(config.current.as_deref(), Some("test"), "the first is used");
        run(&mut config, "partnerctl config use prod").unwrap();
        assert!(run(&mut config, "partnerctl config use nowhere").is_err());
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), config);
        run(&mut config, "partnerctl config delete prod").unwrap();
        assert_eq!((config.current, config.contexts.len()), (None, 1));
    }

    #[test]
    fn a_file_with_an_unknown_setting_is_refused() {
        assert!(toml::from_str::<Config>("curent = 'x'").is_err());
        assert_eq!(toml::from_str::<Config>("").unwrap(), Config::default());
    }
}
