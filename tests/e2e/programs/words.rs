// SPDX-License-Identifier: Apache-2.0
//
// Counts words of standard input and of the files named, sorted by count and name. `panic` as first
// argument: panics, which aborts in WebAssembly.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, Read};
use std::process;

fn count(text: &str, counts: &mut HashMap<String, usize>) {
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("panic") {
        panic!("as it was asked to");
    }
    let mut counts = HashMap::new();
    let mut input = String::new();
    io::stdin().read_to_string(&mut input).expect("text on standard input");
    count(&input, &mut counts);
    let mut missing = 0;
    for name in &arguments {
        match fs::read_to_string(name) {
            Ok(text) => count(&text, &mut counts),
            Err(error) => {
                eprintln!("{}: {:?}", name, error.kind());
                missing += 1;
            }
        }
    }
    let mut rows: Vec<(String, usize)> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    for (word, count) in rows {
        println!("{:6} {}", count, word);
    }
    process::exit(missing);
}
