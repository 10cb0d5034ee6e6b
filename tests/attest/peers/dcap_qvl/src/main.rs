// SPDX-License-Identifier: Apache-2.0
//
// The crate dcap-qvl as a verifier for tests/attest/agree.py, which says what comes in and goes out.
use std::io::{self, Read, Write};

use anyhow::{Context, Result};
use dcap_qvl::{verify::QuoteVerifier, QuoteCollateralV3};

fn read_frame(input: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut size = [0u8; 4];
    match input.read_exact(&mut size) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut bytes = vec![0u8; u32::from_le_bytes(size) as usize];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let path = arguments.get(1).context("usage: COLLATERAL SECONDS [ROOT]")?;
    let now: u64 = arguments.get(2).context("no time")?.parse()?;
    let collateral: QuoteCollateralV3 = serde_json::from_slice(&std::fs::read(path)?)?;
    let verifier = match arguments.get(3) {
        Some(root) => QuoteVerifier::new(std::fs::read(root)?),
        None => QuoteVerifier::new_prod(),
    };
    let mut input = io::BufReader::new(io::stdin().lock());
    let mut output = io::BufWriter::new(io::stdout().lock());
    while let Some(quote) = read_frame(&mut input)? {
        match verifier.verify(&quote, &collateral, now) {
            Ok(report) => writeln!(output, "{}", report.status)?,
            Err(error) => writeln!(output, "refused {}", format!("{error:#}").replace('\n', " "))?,
        }
    }
    Ok(output.flush()?)
}
