//! The contract in TypeScript, for the web client: written from the sources of this crate, and stale as soon as they change.
//!
//! `KEZ_WRITE_CONTRACT=1 cargo test -p kez-contract --test typescript` writes it anew.

#![expect(clippy::unwrap_used, reason = "what cannot be read ends its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use kez_contract::endpoint::rights;
use kez_contract::{Code, event, http, problem};
use syn::{Attribute, Expr, Fields, GenericArgument, Item, ItemConst, Lit, PathArguments, Type};

/// The modules that speak of calls and their types, in the order in which a reader meets them.
const MODULES: [&str; 7] = ["config", "problem", "registry", "inbox", "sigchain", "push", "event"];

/// Types that clients meet although no call names them.
const MET_ANYWAY: [&str; 3] = ["ClientConfig", "Problem", "RegistryFact"];

#[test]
fn the_web_client_speaks_this_contract() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/nats/contract.ts");
    let written = written();
    if env::var_os("KEZ_WRITE_CONTRACT").is_some() {
        fs::write(&file, &written).unwrap();
    }
    let stands = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stands == written,
        "web/src/nats/contract.ts is stale; write it anew with \
         KEZ_WRITE_CONTRACT=1 cargo test -p kez-contract --test typescript"
    );
}

fn written() -> String {
    let modules: Vec<_> = MODULES.iter().map(|name| (*name, parse(name))).collect();
    let items: Vec<&Item> = modules.iter().flat_map(|(_, items)| items).collect();
    let mut text = String::from(
        "// Generated from shared/kez-contract by its test `typescript`: do not edit. What can be asked in Kez, as Rust has it.\n\
         import type { Json } from '../crypto/json.ts';\n\n\
         /** A signed or sealed document; it is parsed strictly, so that its JCS is that of the text that was signed. */\n\
         export type Document = Json;\n\n\
         /** A call of a person: `<subject>.<primary>.<device>` (64 hex digits each), its request and its reply. */\n\
         export interface Rpc<Request, Reply> {\n  readonly subject: string;\n  \
         readonly types?: (request: Request) => Reply;\n}\n",
    );
    for (module, items) in &modules {
        let calls: String = items.iter().filter_map(call).collect();
        if !calls.is_empty() {
            let _ = write!(text, "\n// Calls to the {module} service\n{calls}");
        }
    }
    text.push_str(&types(&items));
    text.push_str(&subjects());
    text.push_str(&paths(&parse("http")));
    text.push_str(&limits(&modules));
    text.push_str(&codes());
    text
}

fn parse(module: &str) -> Vec<Item> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{module}.rs"));
    syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap().items
}

/// A constant that is a call of people: its name, request, reply and subject.
fn call(item: &Item) -> Option<String> {
    let Item::Const(constant) = item else { return None };
    let arguments = arguments(&constant.ty, "Rpc")?;
    let [request, reply] = arguments.as_slice() else { return None };
    let Expr::Call(new) = &*constant.expr else { return None };
    let subject = string(new.args.first()?)?;
    let subject = subject.strip_suffix(".*.*")?;
    let (name, request, reply) = (&constant.ident, typescript(request), typescript(reply));
    Some(format!("export const {name}: Rpc<{request}, {reply}> = {{ subject: '{subject}' }};\n"))
}

/// Every type that a call of people names, and those that these name.
fn types(items: &[&Item]) -> String {
    let by_name: BTreeMap<_, _> =
        items.iter().filter_map(|item| type_name(item).map(|name| (name, *item))).collect();
    let mut needed: BTreeSet<_> = MET_ANYWAY.map(str::to_owned).into();
    let mut open: Vec<_> = needed.iter().cloned().collect();
    for item in items.iter().filter(|item| call(item).is_some()) {
        if let Item::Const(constant) = item {
            open.extend(names_in(&constant.ty));
        }
    }
    while let Some(name) = open.pop() {
        let Some(item) = by_name.get(&name) else { continue };
        open.extend(fields(item).flat_map(|field| names_in(&field.ty)).filter(|name| !needed.contains(name)));
        needed.insert(name);
    }
    let wanted = items.iter().filter(|item| type_name(item).is_some_and(|name| needed.contains(&name)));
    wanted.map(|item| declaration(item)).collect()
}

fn type_name(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn fields(item: &Item) -> Box<dyn Iterator<Item = &syn::Field> + '_> {
    match item {
        Item::Struct(item) => Box::new(item.fields.iter()),
        Item::Enum(item) => Box::new(item.variants.iter().flat_map(|variant| &variant.fields)),
        _ => Box::new(std::iter::empty()),
    }
}

fn declaration(item: &Item) -> String {
    match item {
        Item::Struct(item) => {
            let flat: Vec<_> =
                item.fields.iter().filter(|field| serde_says(&field.attrs, "flatten")).collect();
            let parents: Vec<_> = flat.iter().map(|field| typescript(&field.ty)).collect();
            let parents =
                if parents.is_empty() { String::new() } else { format!(" extends {}", parents.join(", ")) };
            let (doc, members) = (doc(&item.attrs, ""), members(&item.fields, "  ", "\n"));
            format!("\n{doc}export interface {}{parents} {{\n{members}}}\n", item.ident)
        }
        Item::Enum(item) => {
            let variants = item.variants.iter().map(|variant| {
                let name = snake_case(&variant.ident.to_string());
                match tag(&item.attrs) {
                    Some(tag) => {
                        format!("\n  | {{ {tag}: '{name}'; {}}}", members(&variant.fields, "", " "))
                    }
                    None => format!("\n{}  | '{name}'", doc(&variant.attrs, "  ")),
                }
            });
            let variants: String = variants.collect();
            format!("\n{}export type {} ={variants};\n", doc(&item.attrs, ""), item.ident)
        }
        _ => String::new(),
    }
}

fn members(fields: &Fields, indent: &str, end: &str) -> String {
    let kept = fields.iter().filter(|field| !serde_says(&field.attrs, "flatten"));
    kept.map(|field| {
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let is_left_out = serde_says(&field.attrs, "skip_serializing_if");
        let optional = if is_left_out || serde_says(&field.attrs, "default") { "?" } else { "" };
        let inner = arguments(&field.ty, "Option").and_then(|arguments| arguments.first().copied());
        let text = match inner {
            Some(inner) if is_left_out => typescript(inner),
            _ => typescript(&field.ty),
        };
        let doc = if indent.is_empty() { String::new() } else { doc(&field.attrs, indent) };
        format!("{doc}{indent}{name}{optional}: {text};{end}")
    })
    .collect()
}

/// A Rust type in TypeScript.
fn typescript(ty: &Type) -> String {
    if let Some(arguments) = arguments(ty, "Option") {
        return format!("{} | null", typescript(arguments[0]));
    }
    if let Some(arguments) = arguments(ty, "Vec") {
        return format!("{}[]", typescript(arguments[0]));
    }
    match last_segment(ty).as_str() {
        "String" => "string".to_owned(),
        "bool" => "boolean".to_owned(),
        "u16" | "u32" | "u64" | "usize" | "i64" => "number".to_owned(),
        name => name.to_owned(),
    }
}

fn last_segment(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
    .unwrap_or_default()
}

/// The type arguments of a type of that name.
fn arguments<'t>(ty: &'t Type, name: &str) -> Option<Vec<&'t Type>> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(types.collect())
}

/// Every name in a type.
fn names_in(ty: &Type) -> Vec<String> {
    let inside = ["Option", "Vec", "Rpc", "Event"].iter().find_map(|name| arguments(ty, name));
    match inside {
        Some(inside) => inside.into_iter().flat_map(names_in).collect(),
        None => vec![last_segment(ty)],
    }
}

/// What is announced and where replies come, as functions of who is meant.
fn subjects() -> String {
    let live = event::LIVE.subject("${primary}");
    let registry = event::REGISTRY_FEED.subject("${primary}");
    let sigchain = event::sigchain_feed("${system}", "${name}");
    let inbox = rights::inbox_prefix("${primary}", "${device}");
    let (feeds, header, auth) = (event::FEED_ALL, problem::PROBLEM_HEADER, http::AUTH_HEADER);
    format!(
        "\n/** What is announced without being asked, and where replies come. Keys are 64 hex digits. */\n\
         export const subjects = {{\n  \
         live: (primary: string) => `{live}`,\n  \
         registryFeed: (primary: string) => `{registry}`,\n  \
         sigchainFeed: (system: string, name: string) => `{sigchain}`,\n  \
         everyFeed: '{feeds}',\n  \
         inboxPrefix: (primary: string, device: string) => `{inbox}`,\n\
         }} as const;\n\n\
         /** The header of a refusal over NATS: a `Problem` as JSON. */\n\
         export const PROBLEM_HEADER = '{header}';\n\n\
         /** The header that signs a request over HTTP (protocol, section 5). */\n\
         export const AUTH_HEADER = '{auth}';\n"
    )
}

/// The paths of the HTTP API; those with a name in them are functions.
fn paths(items: &[Item]) -> String {
    let mut text = String::from("\n/** The paths of the HTTP API. */\nexport const paths = {\n");
    for (constant, path) in constants(items).filter_map(|item| Some((item, string(&item.expr)?))) {
        if !path.starts_with('/') {
            continue;
        }
        let name = camel_case(&constant.ident.to_string());
        let parts: Vec<_> = path.split(['{', '}']).collect();
        let named: Vec<_> = parts.iter().skip(1).step_by(2).map(|name| format!("{name}: string")).collect();
        let _ = if named.is_empty() {
            writeln!(text, "  {name}: '{path}',")
        } else {
            let filled = path.replace('{', "${encodeURIComponent(").replace('}', ")}");
            writeln!(text, "  {name}: ({}) => `{filled}`,", named.join(", "))
        };
    }
    text + "} as const;\n"
}

/// The numbers that a service holds its callers to.
fn limits(modules: &[(&str, Vec<Item>)]) -> String {
    let mut text =
        String::from("\n/** What each service holds its callers to. */\nexport const limits = {\n");
    for (module, items) in modules {
        let numbers: Vec<_> = constants(items).filter_map(|item| Some((item, number(&item.expr)?))).collect();
        if numbers.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  {module}: {{");
        for (constant, value) in numbers {
            let name = camel_case(&constant.ident.to_string());
            let _ = writeln!(text, "{}    {name}: {value},", doc(&constant.attrs, "    "));
        }
        text.push_str("  },\n");
    }
    text + "} as const;\n"
}

fn codes() -> String {
    let mut text = String::from(
        "\n/** Why a call is refused: each code with its HTTP status. */\nexport const codes = {\n",
    );
    for code in Code::ALL {
        let _ = writeln!(text, "  /** {} */\n  {}: {},", code.title(), code.as_str(), code.status());
    }
    text + "} as const;\n\nexport type Code = keyof typeof codes;\n"
}

fn constants(items: &[Item]) -> impl Iterator<Item = &ItemConst> {
    items.iter().filter_map(|item| match item {
        Item::Const(constant) => Some(constant),
        _ => None,
    })
}

fn string(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// A number, or a product of numbers.
fn number(expression: &Expr) -> Option<u64> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        Expr::Binary(product) => Some(number(&product.left)? * number(&product.right)?),
        _ => None,
    }
}

/// Whether one of the `serde` attributes holds that word.
fn serde_says(attributes: &[Attribute], word: &str) -> bool {
    serde_words(attributes)
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|its| its == word)
}

/// The member that tells an enum's variants apart.
fn tag(attributes: &[Attribute]) -> Option<String> {
    let words = serde_words(attributes);
    let (_, after) = words.split_once("tag = \"")?;
    after.split('"').next().map(str::to_owned)
}

fn serde_words(attributes: &[Attribute]) -> String {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("serde"));
    lists.filter_map(|attribute| Some(attribute.meta.require_list().ok()?.tokens.to_string())).collect()
}

/// A doc comment, as TypeScript has it.
fn doc(attributes: &[Attribute], indent: &str) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            match &attribute.meta {
                syn::Meta::NameValue(value) => string(&value.value),
                _ => None,
            }
        });
    let lines = lines.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    // What links to Rust is a name here.
    let text = text.replace("[`", "`").replace("`]", "`");
    if text.is_empty() { text } else { format!("{indent}/** {} */\n", text.trim()) }
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_').map(str::to_lowercase);
    let first = words.next().unwrap_or_default();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}
