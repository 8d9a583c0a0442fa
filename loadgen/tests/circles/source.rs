//! A crate's files as modules: what each declares, imports, hands on and mentions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::tokens::{Token, tokens};

/// A module's place in its crate: `[]` is the root, `["api", "chat"]` is `crate::api::chat`.
pub(crate) type Place = Vec<String>;

/// The modules of a crate that have a file, tests left out.
pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<Place, Module>,
}

/// A module with a file of its own.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Below the crate's folder.
    pub(crate) file: String,
    /// What its `use` declarations name.
    pub(crate) uses: Vec<Use>,
    /// Paths in the rest of its code, two names long or longer.
    pub(crate) paths: Vec<Vec<String>>,
    /// All names in the rest of its code.
    pub(crate) names: BTreeSet<String>,
    /// Modules that it declares.
    children: BTreeSet<String>,
}

/// One name of a `use` declaration.
#[derive(Debug)]
pub(crate) struct Use {
    /// As written, `*` for all names.
    pub(crate) path: Vec<String>,
    /// What it is called here.
    pub(crate) alias: String,
    /// Whether it is handed on.
    pub(crate) is_public: bool,
}

impl Crate {
    /// Reads the crate in `folder`.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![folder.join("src")];
        while let Some(next) = folders.pop() {
            for entry in next.read_dir().expect("a folder of sources can be read") {
                let path = entry.expect("its entries can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a source can be read");
                    let name = path.strip_prefix(folder).expect("it is in the crate's folder");
                    files.push((name.to_str().expect("its name is text").to_owned(), text));
                }
            }
        }
        Self::of(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// The crate of these files, each with its name and its text.
    pub(crate) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let modules = files.into_iter().map(|(name, text)| (place(name), Module::parse(name, text)));
        let mut modules: BTreeMap<_, _> = modules.collect();
        // A file that only tests declare is a test.
        let declared: BTreeSet<Place> = modules
            .iter()
            .flat_map(|(place, module)| {
                module.children.iter().map(|child| [parent_of_children(place), std::slice::from_ref(child)].concat())
            })
            .collect();
        let is_root = |place: &Place| place.is_empty() || *place == ["main"];
        modules.retain(|place, _| is_root(place) || (1..=place.len()).all(|depth| declared.contains(&place[..depth])));
        Crate { modules }
    }
}

/// Where the modules live that `place` declares: those of `main.rs` beside it.
fn parent_of_children(place: &Place) -> &[String] {
    if *place == ["main"] { &[] } else { place }
}

fn place(file: &str) -> Place {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

impl Module {
    fn parse(file: &str, text: &str) -> Self {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let tokens = tokens(text);
        let mut is_public = false;
        let mut rest = &tokens[..];
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            if token.is("use") {
                let end = rest.iter().position(|token| *token == Token::Sign(';')).unwrap_or(rest.len());
                let (mut tree, after) = rest.split_at(end);
                let from = module.uses.len();
                read_tree(&mut tree, &[], &mut module.uses);
                module.uses[from..].iter_mut().for_each(|import| import.is_public = is_public);
                rest = after;
            } else if let (true, [Token::Name(child), Token::Sign(';'), ..]) = (token.is("mod"), rest) {
                module.children.insert(child.clone());
                rest = &rest[1..];
            } else if token.name().is_some() {
                rest = module.read_path(token, rest);
            }
            is_public = token.is("pub") || (is_public && in_visibility(token));
        }
        module
    }

    /// Reads the rest of a path that begins with `first`.
    fn read_path<'a>(&mut self, first: &Token, mut rest: &'a [Token]) -> &'a [Token] {
        let mut path: Vec<_> = first.name().map(str::to_owned).into_iter().collect();
        while let [Token::PathSeparator, Token::Name(next), after @ ..] = rest {
            path.push(next.clone());
            rest = after;
        }
        self.names.insert(path[0].clone());
        if path.len() > 1 {
            self.paths.push(path);
        }
        rest
    }
}

/// `(crate)` after `pub`.
fn in_visibility(token: &Token) -> bool {
    matches!(token, Token::Sign('(' | ')')) || ["crate", "super", "self", "in"].iter().any(|name| token.is(name))
}

/// Reads one tree of a `use` declaration, whose path so far is `prefix`.
fn read_tree(rest: &mut &[Token], prefix: &[String], into: &mut Vec<Use>) {
    let mut path = prefix.to_vec();
    while let [token, after @ ..] = *rest {
        match token {
            Token::Name(name) if name == "as" => break,
            Token::Name(name) => path.push(name.clone()),
            Token::Sign('*') => path.push("*".into()),
            Token::PathSeparator => {}
            Token::Sign('{') => {
                *rest = after;
                while !matches!(rest.first(), None | Some(Token::Sign('}'))) {
                    read_tree(rest, &path, into);
                    if let [Token::Sign(','), after @ ..] = *rest {
                        *rest = after;
                    }
                }
                *rest = rest.get(1..).unwrap_or_default();
                return;
            }
            Token::Sign(_) => break,
        }
        *rest = after;
    }
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let mut alias = path.last().cloned().unwrap_or_default();
    if let [Token::Name(word), Token::Name(name), after @ ..] = *rest
        && word == "as"
    {
        alias.clone_from(name);
        *rest = after;
    }
    into.push(Use { path, alias, is_public: false });
}
