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
    let mut table = empty();
    table.set_header(header).add_rows(rows);
    table.column_iter_mut().skip(1).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
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
