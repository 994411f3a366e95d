//! Plain tables: aligned columns without lines.

use comfy_table::{CellAlignment, Table, presets};

/// A table of two columns: what, and how much or where.
pub fn pairs<K: ToString, V: ToString>(rows: impl IntoIterator<Item = (K, V)>) -> String {
    let mut table = empty();
    table.add_rows(rows.into_iter().map(|(key, value)| [key.to_string(), value.to_string()]));
    text(&table)
}

/// A table with a header; all columns but the first are numbers, aligned right.
pub fn figures(header: &[&str], rows: &[Vec<String>]) -> String {
    columns(header, rows, |column| column > 0)
}

/// A table with a header; the columns for which `is_number` holds are aligned right.
pub fn columns(header: &[&str], rows: &[Vec<String>], is_number: impl Fn(usize) -> bool) -> String {
    let mut table = empty();
    table.set_header(header).add_rows(rows);
    let numbers = table.column_iter_mut().enumerate().filter(|(index, _)| is_number(*index));
    numbers.for_each(|(_, column)| column.set_cell_alignment(CellAlignment::Right));
    text(&table)
}

fn empty() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn text(table: &Table) -> String {
    table.lines().map(|line| format!(" {}\n", line.trim_end())).collect()
}
