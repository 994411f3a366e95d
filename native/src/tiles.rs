//! Sums of products of every row with every lane, tile by tile.

use fearless_simd::Level;
use opml_kernels::dot::Accumulator;
use rayon::prelude::*;

use crate::blocks::{Block, LANES, ROWS};
use crate::bound::Bound;
use crate::vectors::{Columns, Lines, Vectors};

/// Elements that a tile's rows, or its lanes, have at most where that leaves one panel: 2^19 are four megabytes, about what a
/// core has of its own.
const ELEMENTS: usize = 1 << 19;
/// Rows and lanes of the largest tile: so many that to convert an element is little beside what it is multiplied with, and
/// so few that there are tiles for many threads. Multiples of every panel's width.
const TILE_ROWS: usize = 16 * ROWS;
const TILE_LANES: usize = 4 * LANES;

/// The sums of the products of `m` rows with `n` lanes.
pub(crate) struct Sums<'a> {
    pub m: usize,
    pub n: usize,
    /// Products in a sum.
    pub k: usize,
    pub rows: Lines<'a>,
    pub lanes: Vectors<'a>,
    pub biases: Option<Biases<'a>>,
}

/// What to add to the sums: to row r and lane l `values[start + r row + l lane]`.
#[derive(Clone, Copy)]
pub(crate) struct Biases<'a> {
    pub values: &'a [f32],
    pub start: usize,
    pub row: usize,
    pub lane: usize,
}

/// Some neighbouring rows with some neighbouring lanes.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    row: usize,
    rows: usize,
    lane: usize,
    lanes: usize,
}

/// Calls `emit(s, r, l, value)` with the sum of row r and lane l of each of `sums`.
pub(crate) fn run(level: Level, sums: &[Sums], mut emit: impl FnMut(usize, usize, usize, f32)) {
    let tiles: Vec<(usize, Tile)> =
        sums.iter().enumerate().flat_map(|(s, sums)| sums.tiles().map(move |tile| (s, tile))).collect();
    let values: Vec<Vec<f32>> = tiles.par_iter().map(|&(s, tile)| sums[s].tile(level, tile)).collect();
    for ((s, tile), values) in tiles.into_iter().zip(values) {
        for (row, values) in values.chunks(tile.lanes).enumerate() {
            for (lane, &value) in values.iter().enumerate() {
                emit(s, tile.row + row, tile.lane + lane, value);
            }
        }
    }
}

/// `count` numbers in parts of at most `part`: where each begins and how long it is.
fn parts(count: usize, part: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
    (0..count).step_by(part).map(move |first| (first, part.min(count - first)))
}

/// A panel of vectors, element by element, and their norms.
struct Panel<const W: usize> {
    elements: Vec<[f64; W]>,
    norms: [f64; W],
}

impl<const W: usize> Panel<W> {
    /// `count` vectors of `k` elements.
    fn new(k: usize, count: usize, load: impl FnOnce(&mut Columns<W>)) -> Self {
        let mut elements = vec![[0.0; W]; k];
        load(&mut Columns { rows: &mut elements, count });
        let mut squares = [0.0; W];
        for element in &elements {
            squares.iter_mut().zip(element).for_each(|(sum, x)| *sum += x * x);
        }
        Self { elements, norms: squares.map(f64::sqrt) }
    }
}

impl Sums<'_> {
    fn tiles(&self) -> impl Iterator<Item = Tile> {
        let fit = |width: usize, most: usize| (ELEMENTS / self.k.max(1)).clamp(width, most) / width * width;
        let lanes = parts(self.n, fit(LANES, TILE_LANES));
        parts(self.m, fit(ROWS, TILE_ROWS)).flat_map(move |(row, rows)| {
            lanes.clone().map(move |(lane, lanes)| Tile { row, rows, lane, lanes })
        })
    }

    /// The sums of a tile, row by row.
    fn tile(&self, level: Level, tile: Tile) -> Vec<f32> {
        let bound = Bound::new(self.k);
        let lanes: Vec<Panel<LANES>> = parts(tile.lanes, LANES)
            .map(|(lane, count)| Panel::new(self.k, count, |panel| self.lanes.load(tile.lane + lane, panel)))
            .collect();
        let mut out = vec![0.0; tile.rows * tile.lanes];
        for (row, rows) in parts(tile.rows, ROWS) {
            let panel = Panel::new(self.k, rows, |panel| self.rows.load(tile.row + row, panel));
            for ((lane, count), lanes) in parts(tile.lanes, LANES).zip(&lanes) {
                let place = Tile { row: tile.row + row, rows, lane: tile.lane + lane, lanes: count };
                let block = Block {
                    rows: &panel.elements,
                    lanes: &lanes.elements,
                    biases: self.biases(place),
                    row_norms: panel.norms,
                    lane_norms: lanes.norms,
                    bound,
                };
                let results = block.run(level, rows);
                for r in 0..rows {
                    let out = &mut out[(row + r) * tile.lanes + lane..][..count];
                    out.copy_from_slice(&results.values[r][..count]);
                    if results.certain[r][..count].contains(&false) {
                        for (l, out) in out.iter_mut().enumerate().filter(|(l, _)| !results.certain[r][*l]) {
                            *out = self.definition(place.row + r, place.lane + l);
                        }
                    }
                }
            }
        }
        out
    }

    /// The biases of a block.
    fn biases(&self, place: Tile) -> [[f32; LANES]; ROWS] {
        let mut biases = [[0.0; LANES]; ROWS];
        if let Some(from) = self.biases {
            for (r, row) in biases[..place.rows].iter_mut().enumerate() {
                for (l, bias) in row[..place.lanes].iter_mut().enumerate() {
                    *bias = from.at(place.row + r, place.lane + l);
                }
            }
        }
        biases
    }

    /// The sum of a row and a lane, straight from the definition.
    #[cold]
    fn definition(&self, row: usize, lane: usize) -> f32 {
        let mut sum = Accumulator::new();
        self.lanes.for_each_pair(lane, &self.rows.line(row, self.k), |a, b| sum.add(a, b));
        if let Some(biases) = self.biases {
            sum.add_value(biases.at(row, lane));
        }
        sum.round()
    }
}

impl Biases<'_> {
    fn at(&self, row: usize, lane: usize) -> f32 {
        self.values[self.start + row * self.row + lane * self.lane]
    }
}
