// SPDX-License-Identifier: Apache-2.0
//
// Converts test scripts: reads pairs of lines "INPUT.wast" and "OUTPUT_FOLDER" from standard input
// and writes OUTPUT_FOLDER/<stem>.json with the modules beside it. A script that cannot be
// converted is named on standard error; the exit status is 1 then.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead};
use std::path::Path;
use std::process::ExitCode;

use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};

fn convert(input: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(input)?;
    let name = input.file_name().ok_or("no file name")?.to_string_lossy();
    let stem = input.file_stem().ok_or("no file name")?.to_string_lossy();
    // Names in the suite hold every code point, also those that look like others.
    let mut lexer = Lexer::new(&text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let script = parser::parse::<wast::Wast>(&buffer)?;
    let converted = json_from_wast::Wast::from_ast(&name, &text, script)?;
    fs::create_dir_all(folder)?;
    for (file, bytes) in &converted.wasms {
        fs::write(folder.join(file), bytes)?;
    }
    let json = fs::File::create(folder.join(format!("{stem}.json")))?;
    serde_json::to_writer(io::BufWriter::new(json), &converted)?;
    Ok(())
}

fn main() -> ExitCode {
    let lines: Vec<String> = io::stdin().lock().lines().map_while(Result::ok).collect();
    let mut failed = false;
    for pair in lines.chunks_exact(2) {
        if let Err(error) = convert(Path::new(&pair[0]), Path::new(&pair[1])) {
            eprintln!("{}: {error}", pair[0]);
            failed = true;
        }
    }
    ExitCode::from(u8::from(failed))
}
