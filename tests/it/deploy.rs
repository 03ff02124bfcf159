//! The example environments hold only variables that the services know.

use std::path::Path;
use std::process::Command;

use tests::process::binary;

#[test]
fn example_environments_name_variables_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/env");
    let mut examples = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let service = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let help = Command::new(binary(&format!("kez-{service}"))).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let variables =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        for (variable, _) in variables {
            assert!(help.contains(variable), "kez-{service} does not know {variable}");
        }
        examples += 1;
    }
    assert_eq!(examples, 6, "one for each service");
}
