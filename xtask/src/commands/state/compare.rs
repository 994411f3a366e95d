//! Two states.

use opml_state::{Field, FieldDiff, PAGE_SIZE, PageDiff, StateDiff};
use serde_json::{Value as Json, json};

use super::{Loaded, View, field_key, field_name};
use crate::ui::{self, table};

pub fn text(sides: [&Loaded; 2], diff: &StateDiff<'_>, view: &View) -> String {
    let side = |(letter, side): (_, &Loaded)| {
        let state = format!("step {}, state hash {}", ui::count(side.state.step), side.state_hash());
        [(letter, side.path.display().to_string()), ("", state)]
    };
    let mut text = table::pairs(["A", "B"].into_iter().zip(sides).flat_map(side));
    if diff.is_empty() {
        return text + "\n the states are equal\n";
    }
    if sides[0].state_hash() == sides[1].state_hash() {
        text += "\n the state hash is the same: pages of zeros and the last hint are no part of it\n";
    }
    if !diff.fields.is_empty() {
        text += "\n";
        text += &table::columns(&["field", "A", "B"], &field_rows(diff, view), |_| false);
    }
    if !diff.pages.is_empty() {
        let rows: Vec<_> = diff.pages.iter().take(view.limit).map(|page| page_row(page, view)).collect();
        text += "\n";
        text += &table::columns(&["page", "", "bytes", "first", ""], &rows, |column| column == 2);
    }
    if diff.pages.len() > view.limit {
        let more = ui::count((diff.pages.len() - view.limit) as u64);
        text += &format!("\n and {more} more pages (--all lists them)\n");
    }
    text + "\n " + &counts(diff) + "\n"
}

/// How much differs in all.
fn counts(diff: &StateDiff<'_>) -> String {
    let bytes: u64 = diff.pages.iter().map(|page| u64::from(page.bytes)).sum();
    let registers = diff.fields.iter().filter(|d| matches!(d.field, Field::Register(_))).count();
    format!(
        "in all: registers {registers}, other fields {}, pages {}, bytes {}",
        diff.fields.len() - registers,
        ui::count(diff.pages.len() as u64),
        ui::count(bytes)
    )
}

fn field_rows(diff: &StateDiff<'_>, view: &View) -> Vec<Vec<String>> {
    let row = |d: &FieldDiff<'_>| {
        let [left, right] = [d.left, d.right].map(|value| view.value(d.field, value));
        vec![field_name(d.field), left, right]
    };
    diff.fields.iter().map(row).collect()
}

fn page_row(page: &PageDiff, view: &View) -> Vec<String> {
    let what = match (page.in_left, page.in_right, page.bytes) {
        (true, true, _) => "differs",
        (true, false, 0) => "only in A, zeros",
        (true, false, _) => "only in A",
        (_, _, 0) => "only in B, zeros",
        _ => "only in B",
    };
    let first = page.first.map_or("-".to_owned(), |address| format!("{address:#010x}"));
    let place = place(page.first.unwrap_or(start(page)), view);
    vec![format!("{:#010x}", start(page)), what.to_owned(), ui::count(page.bytes.into()), first, place]
}

fn start(page: &PageDiff) -> u32 {
    page.index * PAGE_SIZE as u32
}

/// Section and symbol, else the part of the memory map.
fn place(address: u32, view: &View) -> String {
    let section = view.places.section(address).unwrap_or(view.region(address));
    let symbol = view.places.symbol(address).map(|symbol| format!("  {symbol}"));
    section.to_owned() + &symbol.unwrap_or_default()
}

pub fn json(sides: [&Loaded; 2], diff: &StateDiff<'_>, view: &View) -> Json {
    let side = |side: &Loaded| {
        json!({
            "step": side.state.step,
            "state_hash": side.state_hash(),
            "memory_root": side.memory_root(),
        })
    };
    let field = |d: &FieldDiff<'_>| json!({ "field": field_key(d.field), "left": d.left, "right": d.right });
    let page = |page: &PageDiff| {
        json!({
            "address": format!("{:#010x}", start(page)),
            "region": view.region(start(page)),
            "in_left": page.in_left,
            "in_right": page.in_right,
            "bytes": page.bytes,
            "first": page.first.map(|address| format!("{address:#010x}")),
            "section": page.first.and_then(|address| view.places.section(address)),
            "symbol": page.first.and_then(|address| view.places.symbol(address)).map(|symbol| symbol.to_string()),
        })
    };
    json!({
        "equal": diff.is_empty(),
        "left": side(sides[0]),
        "right": side(sides[1]),
        "fields": diff.fields.iter().map(field).collect::<Vec<_>>(),
        "pages": diff.pages.iter().take(view.limit).map(page).collect::<Vec<_>>(),
        "more_pages": diff.pages.len().saturating_sub(view.limit),
    })
}
