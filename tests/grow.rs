//! The guides of ARCHITECTURE.md, such as `Add a kind`, followed to the letter in a copy of the repository: what
//! they lead to builds, and passes what they say that it passes.
//!
//! A step of a guide is a numbered item with one block of code. Its text says what to do with the code: "In `FILE`, after
//! `LINE`", "At the end of `FILE`", "Create `FILE`"; a block of `sh` is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::process::Process;

/// The guides, in the order in which they are followed: a later one may build on an earlier one.
const GUIDES: &[&str] = &["Add a kind", "Add a verb"];

/// What a step does.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Writes a new file.
    Create { file: String, text: String },
    /// Adds lines after a line of a file, of which there is one.
    Add { file: String, after: String, text: String },
    /// Adds lines at the end of a file.
    Append { file: String, text: String },
    /// Runs commands in the repository.
    Run { script: String },
    /// Runs commands while the server runs.
    Try { script: String },
}

/// A numbered item of a guide.
#[derive(Default)]
struct Item {
    text: String,
    code: Vec<Block>,
}

/// A block of code.
#[derive(Default)]
struct Block {
    language: String,
    text: String,
}

/// The steps of a section of a document.
fn steps(document: &str, heading: &str) -> Vec<Step> {
    let heading = format!("## {heading}");
    let section = document.lines().skip_while(|line| **line != heading).skip(1);
    let mut items: Vec<Item> = Vec::new();
    let mut open: Option<Block> = None;
    for line in section.take_while(|line| !line.starts_with("## ")) {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (Some(_), Some("")) => items.last_mut().expect("code stands in a step").code.extend(open.take()),
            // Code is indented as far as the text of its step.
            (Some(block), _) => block.text.extend([line.strip_prefix("   ").unwrap_or(line), "\n"]),
            (None, Some(language)) => open = Some(Block { language: language.to_owned(), ..Block::default() }),
            (None, None) => match (line.split_once(". "), items.last_mut()) {
                (Some((number, text)), _) if number.parse::<u32>().is_ok() => {
                    items.push(Item { text: text.to_owned(), ..Item::default() });
                }
                (_, Some(item)) => item.text.extend([" ", line.trim()]),
                (_, None) => {}
            },
        }
    }
    items.into_iter().map(step).collect()
}

fn step(Item { text, mut code }: Item) -> Step {
    let (Some(Block { language, text: code }), true) = (code.pop(), code.is_empty()) else {
        panic!("a step has one block of code: {text}")
    };
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    match (language.as_str(), named.as_slice()) {
        ("sh", _) if text.contains("with the server running") => Step::Try { script: code },
        ("sh", _) => Step::Run { script: code },
        (_, [file, after, ..]) if text.starts_with("In `") && text.contains("`, after `") => {
            Step::Add { file: (*file).to_owned(), after: (*after).to_owned(), text: code }
        }
        (_, [file, ..]) if text.starts_with("At the end of `") => Step::Append { file: (*file).to_owned(), text: code },
        (_, [file, ..]) if text.starts_with("Create `") => Step::Create { file: (*file).to_owned(), text: code },
        _ => panic!("a step says what to do: {text}"),
    }
}

/// A copy of the repository.
struct Copy {
    root: PathBuf,
    dir: TempDir,
}

impl Copy {
    fn of(repository: &Path) -> Copy {
        let dir = TempDir::new().unwrap();
        let root = dir.path().join("repository");
        copy(repository, &root);
        // By its version cargo tells the copy from the repository, in the directory in which it builds both.
        let manifest = root.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let version = |version: &str| format!("version = \"{version}\"\nedition");
        assert!(text.contains(&version(env!("CARGO_PKG_VERSION"))), "the manifest of the workspace has its version");
        fs::write(manifest, text.replacen(&version(env!("CARGO_PKG_VERSION")), &version("0.0.0-grow"), 1)).unwrap();
        Copy { root, dir }
    }

    fn follow(&self, step: &Step) {
        match step {
            Step::Create { file, text } => {
                let path = self.root.join(file);
                assert!(!path.exists(), "{file} is there already");
                fs::write(path, text).unwrap();
            }
            Step::Add { file, after, text } => {
                let path = self.root.join(file);
                let old = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
                let line = format!("{after}\n");
                assert_eq!(old.matches(&line).count(), 1, "{file} has one line {after:?}");
                fs::write(path, old.replace(&line, &format!("{line}{text}"))).unwrap();
            }
            Step::Append { file, text } => {
                let path = self.root.join(file);
                let old = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
                fs::write(path, old + text).unwrap();
            }
            Step::Run { script } => self.run(script, &[]),
            Step::Try { script } => {
                let binaries = self.build();
                let data = TempDir::new().unwrap();
                let server = Process::start_binary(&binaries.join("partnership-server"), data.path());
                let path = std::env::var("PATH").unwrap();
                let address = format!("http://{}", server.address);
                let path = format!("{}:{path}", binaries.display());
                self.run(script, &[("PATH", &path), ("PARTNERCTL_SERVER", &address)]);
            }
        }
    }

    fn run(&self, script: &str, variables: &[(&str, &str)]) {
        let mut command = Command::new("sh");
        command.args(["-euxc", script]).current_dir(&self.root).envs(variables.iter().copied());
        self.share(&mut command);
        let status = command.status().expect("sh runs");
        assert!(status.success(), "{status}: {script}");
    }

    /// Builds the binaries, and answers where they are.
    fn build(&self) -> PathBuf {
        let mut command = Command::new("cargo");
        // With a test among the targets, features are those of the tests, and what they share is built once.
        command.args(["build", "--quiet", "--bin", "partnership-server", "--bin", "partnerctl", "--test", "registry"]);
        self.share(command.current_dir(&self.root));
        assert!(command.status().expect("cargo runs").success(), "the copy does not build");
        self.target().join("debug")
    }

    /// The binaries of the copy.
    fn target(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    /// What this test was built with is not built again for the copy; what the copy leads to is kept apart.
    fn share(&self, command: &mut Command) {
        let test = std::env::current_exe().expect("this test is a file");
        // {target directory}/{profile}/deps/{test}
        let shared = test.ancestors().nth(3).expect("a test lies three directories deep");
        command.env("CARGO_TARGET_DIR", self.target()).env("CARGO_BUILD_BUILD_DIR", shared);
        // What cargo tells this test about its own package is not true of the copy.
        let of_cargo = |(name, _): &(std::ffi::OsString, _)| {
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        };
        for (name, _) in std::env::vars_os().filter(of_cargo) {
            command.env_remove(name);
        }
    }
}

/// Copies a folder, without what is built and what git keeps.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_name().to_str() {
            Some("target" | ".git" | "data" | "node_modules") => {}
            _ if entry.file_type().unwrap().is_dir() => copy(&entry.path(), &target),
            _ => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
#[ignore = "it builds a copy of the repository; .ci/run runs it"]
fn the_guides_are_right_to_the_letter() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(repository.join("ARCHITECTURE.md")).unwrap();
    let copy = Copy::of(repository);
    for guide in GUIDES {
        let steps = steps(&document, guide);
        assert!(!steps.is_empty(), "there is no section {guide:?}");
        for step in &steps {
            println!("== {guide}: {step:?}");
            copy.follow(step);
        }
    }
}

#[test]
fn each_step_says_what_to_do() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    for guide in GUIDES {
        assert!(steps(&document, guide).len() > 1, "{guide}");
    }
    let document = "## Add\n\nText.\n\n1. In `a.rs`, after `fn a() {`, say\n   more:\n\n   ```rust\n       b\n\n   c\n   ```\n\n\
                    2. Create `b.rs`:\n\n   ```\n   x\n   ```\n3. Run:\n   ```sh\n   y\n   ```\n\n\
                    4. At the end of `a.rs`, add:\n\n   ```\n   z\n   ```\n\n## Next\n5. Z\n";
    let text = |text: &str| text.to_owned();
    assert_eq!(
        steps(document, "Add"),
        [
            Step::Add { file: text("a.rs"), after: text("fn a() {"), text: text("    b\n\nc\n") },
            Step::Create { file: text("b.rs"), text: text("x\n") },
            Step::Run { script: text("y\n") },
            Step::Append { file: text("a.rs"), text: text("z\n") },
        ]
    );
}
