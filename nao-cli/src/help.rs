//! Help texts with the names that there are: what the texts of the arguments leave open is filled in from the tables.

use clap::{Arg, Command, CommandFactory};
use nao_space::OP_SET_NAMES;

use crate::args::Args;
use crate::registries::{Registries, in_runs, in_tables};

/// The command line, with the names of what can be named.
pub fn command(known: &Registries) -> Command {
    let tables = [
        ("<strategies>", known.strategies.known(in_runs)),
        ("<rivals>", known.strategies.known(in_tables)),
        ("<operation sets>", OP_SET_NAMES.join(", ")),
        ("<spaces>", known.spaces.names()),
        ("<recipes>", known.recipe_names().join(", ")),
        ("<recipes for text>", known.language_recipe_names().join(", ")),
    ];
    let lists = [("search", list(known, in_runs)), ("bench", list(known, in_tables))];
    let command = filled(Args::command(), &tables);
    let command = command
        .mut_subcommand("space", |command| command.after_help(format!("Spaces:\n{}", list_of_spaces(known))));
    lists.into_iter().fold(command, |command, (name, list)| {
        command.mut_subcommand(name, |command| command.after_help(format!("Strategies:\n{list}")))
    })
}

/// The command and all below it with their texts filled in.
fn filled(command: Command, tables: &[(&str, String)]) -> Command {
    let command = command.mut_args(|arg| filled_argument(arg, tables));
    command.mut_subcommands(|command| filled(command, tables))
}

fn filled_argument(arg: Arg, tables: &[(&str, String)]) -> Arg {
    let Some(text) = arg.get_help().map(ToString::to_string) else { return arg };
    let filled = tables.iter().fold(text.clone(), |text, (place, names)| text.replace(place, names));
    if filled == text { arg } else { arg.help(filled) }
}

/// Every strategy of these kinds with what it does.
fn list(known: &Registries, allowed: fn(nao_controller::registry::SearchKind) -> bool) -> String {
    let entries = || known.strategies.entries().filter(|entry| allowed(entry.kind));
    let width = entries().map(|entry| entry.name.len()).max().unwrap_or(0);
    entries().map(|entry| format!("  {:width$}  {}\n", entry.name, entry.about)).collect()
}

/// Every space with what its architectures are.
fn list_of_spaces(known: &Registries) -> String {
    let width = known.spaces.entries().iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    known.spaces.entries().iter().map(|entry| format!("  {:width$}  {}\n", entry.name, entry.about)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_left_open() {
        fn check(command: &Command) {
            for arg in command.get_arguments() {
                for help in [arg.get_help(), arg.get_long_help()].into_iter().flatten() {
                    let help = help.to_string();
                    assert!(!help.contains('<'), "{} {}: {help}", command.get_name(), arg.get_id());
                }
            }
            command.get_subcommands().for_each(check);
        }
        check(&command(&Registries::default()));
    }
}
