//! One state.

use opml_isa::Register;
use opml_state::{Field, PAGE_SIZE, Run, State};
use opml_targets::AddressRange;
use opml_toolchain::Places;
use serde_json::{Map, Value as Json, json};

use super::{Loaded, View, field_key, field_name};
use crate::ui::{self, table};

/// A run of pages, with what lies in it.
struct Span {
    region: &'static str,
    range: AddressRange,
    run: Run,
}

pub fn text(loaded: &Loaded, view: &View) -> String {
    let state = &loaded.state;
    let spans = spans(state, view);
    let mut rows = vec![("status".to_owned(), state.status().to_string())];
    for (field, value) in state.fields() {
        if !matches!(field, Field::Register(_) | Field::Exited) {
            rows.push((field_name(field), view.value(field, value)));
        }
        if field == Field::Pc {
            rows.push(("instruction".to_owned(), instruction(state)));
        }
    }
    rows.push(("memory root".to_owned(), loaded.memory_root().to_string()));
    rows.push(("state hash".to_owned(), loaded.state_hash().to_string()));
    let mut text = format!("{}\n\n{}\n{}\n", loaded.path.display(), table::pairs(rows), registers(state));
    let cells = |span: &Span| {
        vec![
            span.region.to_owned(),
            span.range.to_string(),
            ui::count(span.run.pages.len() as u64),
            ui::count(span.run.non_zero_bytes),
            holds(span.range, &view.places),
        ]
    };
    let rows: Vec<_> = spans.iter().take(view.limit).map(cells).collect();
    text +=
        &table::columns(&["memory", "addresses", "pages", "bytes not 0", ""], &rows, |c| [2, 3].contains(&c));
    if spans.len() > view.limit {
        text += &format!(
            "\n and {} more runs of pages (--all lists them)\n",
            ui::count((spans.len() - view.limit) as u64)
        );
    }
    let non_zero = state.memory.non_zero_page_count() as u64;
    let pages = state.memory.page_count() as u64;
    text +=
        &format!("\n {} pages are there, {} of them not all zeros\n", ui::count(pages), ui::count(non_zero));
    text
}

pub fn json(loaded: &Loaded, view: &View) -> Json {
    let state = &loaded.state;
    let spans = spans(state, view);
    let (mut fields, mut registers) = (Map::new(), Map::new());
    for (field, value) in state.fields() {
        let map = if matches!(field, Field::Register(_)) { &mut registers } else { &mut fields };
        map.insert(field_key(field), json!(value));
    }
    let memory = spans.iter().take(view.limit).map(|span| {
        json!({
            "region": span.region,
            "start": hex(span.range.start),
            "end": hex(span.range.end),
            "pages": span.run.pages.len(),
            "non_zero_bytes": span.run.non_zero_bytes,
            "sections": view.places.sections_in(span.range),
            "symbols": view.places.symbols_in(span.range).len(),
        })
    });
    json!({
        "state_hash": loaded.state_hash(),
        "memory_root": loaded.memory_root(),
        "status": state.status().to_string(),
        "symbol": view.places.symbol(state.pc).map(|symbol| symbol.to_string()),
        "instruction": instruction(state),
        "fields": fields,
        "registers": registers,
        "pages": state.memory.page_count(),
        "non_zero_pages": state.memory.non_zero_page_count(),
        "memory": memory.collect::<Vec<_>>(),
        "more_memory": spans.len().saturating_sub(view.limit),
    })
}

fn hex(address: u64) -> String {
    format!("{address:#010x}")
}

/// The present pages by region of the memory map.
fn spans(state: &State, view: &View) -> Vec<Span> {
    let address = |page: u32| u64::from(page) * PAGE_SIZE as u64;
    let runs = state.memory.runs(|page| view.region(page * PAGE_SIZE as u32));
    let span = |(region, run): (_, Run)| {
        let range = AddressRange { start: address(run.pages.start), end: address(run.pages.end) };
        Span { region, range, run }
    };
    runs.into_iter().map(span).collect()
}

/// What the names say of a range: its sections, else its symbols.
fn holds(range: AddressRange, places: &Places) -> String {
    let sections = places.sections_in(range);
    match places.symbols_in(range) {
        [first, .., last] if sections.is_empty() => format!("{} … {}", first.name, last.name),
        [only] if sections.is_empty() => only.name.clone(),
        _ => sections.join(" "),
    }
}

/// The instruction at pc, or where it would be.
fn instruction(state: &State) -> String {
    let mut word = [0; 4];
    match state.memory.read(state.pc, &mut word) {
        Ok(()) => opml_isa::decode(u32::from_be_bytes(word)).at(state.pc).to_string(),
        Err(error) => error.to_string(),
    }
}

/// All registers, four in a line.
fn registers(state: &State) -> String {
    let names: Vec<_> = Register::all().zip(state.registers).collect();
    let cell = |(name, value): &(Register, u32)| format!("{:>6} {value:#010x}", name.to_string());
    names
        .chunks(4)
        .map(|line| format!(" {}\n", line.iter().map(cell).collect::<Vec<_>>().join(" ")))
        .collect()
}
