//! A market maker of constant product whose fee a network sets for each trade, from its size and what the price did lately.
//! Amounts are integers, and none is lost; floats say nothing but the fee.
#![no_std]
#![no_main]

extern crate alloc;

mod pool;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use pool::Pool;

/// Takes what the pool has of its two tokens, and trades one after the other: `n` gives the pool as much of the first token, `-n` of
/// the second. Gives what each trader is paid, in the other token, the fees in basis points, and what the pool has then.
#[opml_runtime::entry]
fn main(reserves: [i64; 2], trades: Vec<i64>) -> Result<(Vec<i64>, Vec<i32>, [i64; 2]), String> {
    let mut pool =
        Pool::new(reserves).ok_or_else(|| format!("a pool of {reserves:?}: each has to be above 0"))?;
    let (mut paid, mut fees) = (Vec::new(), Vec::new());
    for (index, &trade) in trades.iter().enumerate() {
        let swap = pool
            .swap(trade)
            .ok_or_else(|| format!("trade {index} of {trade} is more than the pool can hold"))?;
        paid.push(swap.paid);
        fees.push(swap.fee);
    }
    Ok((paid, fees, pool.reserves()))
}
