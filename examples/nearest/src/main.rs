//! Names an iris by the known ones that are most like it. All of it is integers, so no rounding decides.
#![no_std]
#![no_main]

mod flowers;

use flowers::{FLOWERS, Flower, SPECIES};

/// How many of the nearest flowers have a vote.
const NEIGHBOURS: usize = 5;

#[opml_runtime::entry]
fn main(flower: Flower) -> &'static str {
    let mut votes = [0; SPECIES.len()];
    for index in nearest(&flower) {
        votes[FLOWERS[index].1] += 1;
    }
    // Of species with equally many votes the first wins, as in scikit-learn.
    let most = *votes.iter().max().expect("there are species");
    let winner = votes.iter().position(|&votes| votes == most).expect("one of them has the most");
    SPECIES[winner]
}

/// The flowers that are nearest to this one, by their places in the table. Of equally far ones, the first in the table are.
fn nearest(flower: &Flower) -> [usize; NEIGHBOURS] {
    // The nearest so far, from near to far.
    let mut nearest = [(u32::MAX, 0); NEIGHBOURS];
    for (index, (other, _)) in FLOWERS.iter().enumerate() {
        let found = (distance(flower, other), index);
        let place = nearest.partition_point(|known| *known < found);
        if place < NEIGHBOURS {
            nearest[place..].rotate_right(1);
            nearest[place] = found;
        }
    }
    nearest.map(|(_, index)| index)
}

/// The square of the Euclidean distance: it has the same order, and needs no root.
fn distance(a: &Flower, b: &Flower) -> u32 {
    a.iter().zip(b).map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}
