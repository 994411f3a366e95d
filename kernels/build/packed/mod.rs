//! The loops of `src/packed/`, (F) to (N).

mod dense;
mod fill;
mod finish;
mod lists;
mod totals;

/// All routines.
pub fn routines() -> String {
    let mut text = String::new();
    for rows in [8, 4, 2, 1] {
        text += &dense::dense(rows, rows, 1);
        text += &lists::sparse(rows);
        text += &lists::correct(rows);
    }
    // Eight rows and two columns do not fit into the registers: two times four rows.
    for (rows, stride) in [(4, 8), (4, 4), (2, 2), (1, 1)] {
        text += &dense::dense(rows, stride, 2);
    }
    text + &finish::finish() + &fill::fill(false) + &fill::fill(true)
}
