//! Environment variables that set flags.

use clap::{Arg, Command};

/// Gives every flag of `command` and its subcommands an environment variable, named after the program and the flag:
/// `FIXED_SERVER_MAX_IN_FLIGHT` for `--max-in-flight` of `fixed-server`.
#[must_use]
pub fn with_variables(command: Command) -> Command {
    let prefix = screaming(command.get_name());
    for_every_flag(command, &prefix)
}

fn for_every_flag(command: Command, prefix: &str) -> Command {
    let name = |arg: Arg| {
        let variable = arg.get_long().map(|flag| format!("{prefix}_{}", screaming(flag)));
        match variable {
            Some(variable) => arg.env(variable),
            None => arg,
        }
    };
    command.mut_args(name).mut_subcommands(|subcommand| for_every_flag(subcommand, prefix))
}

fn screaming(kebab: &str) -> String {
    kebab.to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_a_variable_named_after_the_program() {
        let command = Command::new("fixed-server")
            .arg(Arg::new("limit").long("max-in-flight"))
            .arg(Arg::new("positional"))
            .subcommand(Command::new("key").arg(Arg::new("url").long("database-url")));
        let command = with_variables(command);
        let variables: Vec<_> =
            command.get_arguments().map(|arg| arg.get_env().and_then(|name| name.to_str())).collect();
        assert_eq!(variables, [Some("FIXED_SERVER_MAX_IN_FLIGHT"), None]);
        let key = command.find_subcommand("key").unwrap();
        let variables: Vec<_> = key.get_arguments().filter_map(Arg::get_env).collect();
        assert_eq!(variables, ["FIXED_SERVER_DATABASE_URL"]);
    }
}
