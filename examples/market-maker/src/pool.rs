//! The pool: what it has, what it remembers, and the trade.

/// The fee's bounds, in basis points.
const LEAST: f32 = 5.0;
const MOST: f32 = 100.0;

/// All of a trade in basis points.
const WHOLE: u128 = 10_000;

/// A trade counts for an eighth in the running means, as in the training.
const MEMORY: f32 = 8.0;

/// Two tokens, and what is remembered of the trades so far.
pub struct Pool {
    /// Units of each token, more than 0.
    reserves: [i64; 2],
    /// Running mean of how much the price changed with a trade, in percent, up or down.
    volatility: f32,
    /// The same with its sign.
    trend: f32,
}

/// What became of a trade.
pub struct Swap {
    /// Units of the other token that the trader gets.
    pub paid: i64,
    /// Basis points of the trade that are the pool's.
    pub fee: i32,
}

impl Pool {
    /// A pool without a past; none if one of its sides is empty.
    pub fn new(reserves: [i64; 2]) -> Option<Self> {
        let filled = reserves.iter().all(|&units| units > 0);
        filled.then_some(Self { reserves, volatility: 0.0, trend: 0.0 })
    }

    /// Units of each token.
    pub fn reserves(&self) -> [i64; 2] {
        self.reserves
    }

    /// Makes a trade: `n` gives units of the first token, `-n` of the second. None if they are more than a reserve can become.
    pub fn swap(&mut self, trade: i64) -> Option<Swap> {
        let given = usize::from(trade < 0);
        let [mut inside, mut outside] = [self.reserves[given], self.reserves[1 - given]];
        let amount = trade.checked_abs()?;
        let fee = self.fee(amount, inside, given);

        // Divisions round down, in favour of the pool: it never has less of the product than before.
        let counted = amount as u128 * (WHOLE - fee as u128) / WHOLE;
        let paid = (outside as u128 * counted / (inside as u128 + counted)) as i64;

        let before = self.price();
        inside = inside.checked_add(amount)?;
        outside -= paid;
        self.reserves = if given == 0 { [inside, outside] } else { [outside, inside] };
        self.remember(self.price() / before);
        Some(Swap { paid, fee })
    }

    /// The network's word, in whole basis points and within the bounds.
    fn fee(&self, amount: i64, inside: i64, given: usize) -> i32 {
        let size = 100.0 * amount as f32 / inside as f32;
        // To give the first token lowers its price.
        let onward = if given == 0 { -self.trend } else { self.trend };
        let [fee] = fees::infer(&[size, self.volatility, onward]);
        (fee.clamp(LEAST, MOST) + 0.5) as i32
    }

    /// The first token's price in the second.
    fn price(&self) -> f32 {
        self.reserves[1] as f32 / self.reserves[0] as f32
    }

    /// Brings the running means up to date with the factor by which the price changed.
    fn remember(&mut self, factor: f32) {
        let change = 100.0 * (factor - 1.0);
        self.volatility += (change.abs() - self.volatility) / MEMORY;
        self.trend += (change - self.trend) / MEMORY;
    }
}
