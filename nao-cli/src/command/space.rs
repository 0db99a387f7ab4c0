//! `nao space`.

use anyhow::{Context, Result, anyhow};
use nao_child::Recipe;
use nao_space::seed::rng_for;
use nao_space::{CellRole, CnnSpace, Describe, Space, State, Token};
use serde_json::json;

use super::{print_each, print_json, print_text};
use crate::arch_argument::{NamedArch, read_arch};
use crate::arch_text::read_of_space;
use crate::args::SpaceCommand;
use crate::cells::CellSpace;
use crate::registries::Registries;
use crate::report::plain_table;
use crate::space_argument::AnySpace;

pub fn run(command: SpaceCommand, known: &Registries) -> Result<()> {
    let options = match &command {
        SpaceCommand::Describe { space, .. }
        | SpaceCommand::Sample { space, .. }
        | SpaceCommand::Encode { space, .. }
        | SpaceCommand::Explain { space, .. }
        | SpaceCommand::Decode { space, .. }
        | SpaceCommand::Check { space, .. } => space.clone(),
    };
    // Image cells have their own page. A published cell is shown in the space that the flags name, if any.
    let named_space = options.given().iter().any(|(_, given)| *given);
    let usual = match &command {
        SpaceCommand::Encode { arch, .. } | SpaceCommand::Check { arch, .. } if arch.starts_with('@') => {
            options.usual().filter(|_| !named_space)
        }
        _ => options.usual(),
    };
    match (&command, usual) {
        (SpaceCommand::Describe { json, .. }, Some(usual)) => describe(&CnnSpace::of_options(&usual)?, *json),
        (SpaceCommand::Encode { arch, json, .. }, Some(usual)) => {
            let named = read_arch::<Recipe>(arch, &usual)?;
            let tokens = named.space.encode(&named.arch);
            if *json { print_json(&tokens) } else { print_text(&numbers(&tokens)) }
        }
        (SpaceCommand::Check { arch, json, .. }, Some(usual)) => {
            let named = read_arch::<Recipe>(arch, &usual)?;
            check(&named, *json)
        }
        _ => options.make(&known.spaces)?.look_into(&command),
    }
}

/// A command in a space of whatever kind.
pub fn in_space<S: AnySpace>(space: &S, command: &SpaceCommand) -> Result<()> {
    let read = |text: &str| read_of_space(space, text);
    match command {
        SpaceCommand::Describe { json: true, .. } => print_json(&json!({
            "name": space.name(),
            "sequence_length": space.sequence_len(),
            "tokens_per_step": space.tokens_per_step(),
            "vocabulary": space.vocabulary().names(),
            "size": space.size().to_string(),
        })),
        SpaceCommand::Describe { .. } => print_text(&nao_space::describe(space)),
        SpaceCommand::Sample { count, seed, json, .. } => sample(space, *count, *seed, *json),
        SpaceCommand::Encode { arch, json, .. } => {
            let tokens = space.encode(&read(arch)?);
            if *json { print_json(&tokens) } else { print_text(&numbers(&tokens)) }
        }
        SpaceCommand::Explain { tokens, .. } => {
            print_text(&nao_space::explain(space, &token_numbers(tokens)?))
        }
        SpaceCommand::Decode { tokens, json, .. } => decode(space, tokens, *json),
        SpaceCommand::Check { arch, json, .. } => {
            let arch = read(arch)?;
            let (text, canonical) = (space.format(&arch), space.key(&arch).0);
            if *json {
                let name = space.name();
                return print_json(&json!({ "space": name, "architecture": text, "canonical": canonical }));
            }
            print_text(&format!("valid in {}\ncanonical   {canonical}\n", space.name()))
        }
    }
}

fn describe(space: &CnnSpace, json: bool) -> Result<()> {
    let (size, names) = (space.size(), space.vocabulary().names());
    if json {
        let ops: Vec<_> = space
            .ops()
            .ops()
            .map(|op| {
                json!({ "name": op.name(), "label": op.label(), "id": space.ops().id(op), "kind": op.kind() })
            })
            .collect();
        return print_json(&json!({
            "name": space.name(),
            "nodes": space.nodes(),
            "operations": ops,
            "sequence_length": space.sequence_len(),
            "tokens_per_step": space.tokens_per_step(),
            "vocabulary": names,
            "size": size.to_string(),
        }));
    }
    let digits = size.to_string();
    let mut text = format!(
        "{}: a normal and a reduction cell of {} nodes; every node adds two operations on earlier states\n\
         {} sequences of {} tokens (about {}.{}e{}); spellings of one cell count each\n\n",
        space.name(),
        space.nodes(),
        digits,
        space.sequence_len(),
        &digits[..1],
        digits.get(1..2).unwrap_or("0"),
        digits.len() - 1,
    );
    let rows = space.ops().ops().enumerate().map(|(position, op)| {
        let id = space.ops().id(op).map_or("-".into(), |id| id.0.to_string());
        let token = space.vocabulary().len() - space.ops().len() + position;
        vec![id, token.to_string(), op.name(), op.label()]
    });
    text.push_str(&plain_table(&["id", "token", "operation", "in drawings"], &[0, 1], rows.collect()));
    text.push_str(&format!(
        "\nA string has four numbers per node: input, operation id, input, operation id. Inputs 0 and 1 are the\n\
         outputs of the two previous cells (older, newer); node k (from 0) may read states 0 to k+1.\n\
         Tokens 1 to {} are the states; token 0 starts a sequence for the decoder.\n\
         Any operation may appear in a final cell.\n",
        space.nodes() + 1,
    ));
    print_text(&text)
}

fn sample<S: Space>(space: &S, count: u64, seed: u64, json: bool) -> Result<()> {
    let drawn = (0..count).map(|index| space.sample(&mut rng_for(seed, "sample", index)));
    print_each(drawn.map(|arch| space.format(&arch)), json)
}

fn decode<S: AnySpace>(space: &S, text: &str, json: bool) -> Result<()> {
    let tokens = token_numbers(text)?;
    let arch = space.decode(&tokens).with_context(|| format!("not a sequence of {}", space.name()))?;
    print_text(&if json { space.to_json(&arch) } else { space.format(&arch) })
}

fn token_numbers(text: &str) -> Result<Vec<Token>> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let tokens = words.enumerate().map(|(position, word)| {
        let number = word.parse().map(Token);
        number.map_err(|_| anyhow!("position {position}: `{word}` is not a token number"))
    });
    tokens.collect()
}

fn check(NamedArch { space, arch, published, network, .. }: &NamedArch<Recipe>, json: bool) -> Result<()> {
    let canonical = space.key(arch).0;
    let ends = arch.cells().map(|(role, cell)| (role, cell.loose_ends()));
    let outputs = published.map_or_else(|| network.outputs(), |entry| entry.outputs.clone());
    let mut concatenated = Vec::with_capacity(2);
    for (role, cell) in arch.cells() {
        // Published cells and those of other code bases may concatenate more than what no node reads, or less.
        let states = match role {
            CellRole::Normal => outputs.normal.states(role, cell)?,
            CellRole::Reduction => outputs.reduction.states(role, cell)?,
        };
        concatenated.push((role, states));
    }
    if json {
        let by_role = |states: &[(CellRole, Vec<State>)]| -> serde_json::Map<_, _> {
            states.iter().map(|(role, states)| (role.to_string(), json!(states))).collect()
        };
        return print_json(&json!({
            "space": space.name(),
            "architecture": space.format(arch),
            "canonical": canonical,
            "loose_ends": by_role(&ends),
            "concatenates": by_role(&concatenated),
        }));
    }
    let mut text = format!("valid in {}\ncanonical   {canonical}\n", space.name());
    for (role, states) in concatenated {
        let states: Vec<String> = states.iter().map(ToString::to_string).collect();
        text.push_str(&format!("{role:<9}   concatenates states {}\n", states.join(", ")));
    }
    print_text(&text)
}

fn numbers(tokens: &[Token]) -> String {
    let numbers: Vec<String> = tokens.iter().map(|token| token.0.to_string()).collect();
    numbers.join(" ")
}
