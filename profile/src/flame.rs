//! A flame graph as one SVG file that needs nothing else: each function a bar, as wide as its steps, above its caller.
//!
//! Names come from models and foreign files. They reach the file as escaped text only, and its script reads numbers alone.

use crate::Profile;

/// Sizes in pixels.
const WIDTH: f64 = 1200.0;
const ROW: usize = 17;
const MARGIN: f64 = 10.0;
const HEAD: usize = 48;
/// Width of a letter, about.
const LETTER: f64 = 7.0;
/// Bars that are narrower are left out: they could not be seen, and a run can have very many.
const NARROWEST: f64 = 0.1;
/// Most rows. What is called further in is in the bar below.
const MAX_ROWS: usize = 256;

/// Zooms to the bar that is clicked: it and what is around it get the whole width. In data-x and data-w each bar has its
/// place and its width as parts of the picture, rounded to nine digits: hence the 2e-9.
const SCRIPT: &str = r#"
var bars = Array.from(document.querySelectorAll('g.bar'));
function part(bar, name) { return parseFloat(bar.getAttribute('data-' + name)); }
function zoom(to) {
  var left = part(to, 'x'), width = part(to, 'w'), row = part(to, 'y');
  bars.forEach(function (bar) {
    var x = part(bar, 'x'), w = part(bar, 'w');
    var around = part(bar, 'y') < row && x <= left && x + w >= left + width - 2e-9;
    var from = around ? 0 : (x - left) / width, size = around ? 1 : w / width;
    var seen = around || (x >= left && x + w <= left + width + 2e-9);
    bar.style.display = seen ? '' : 'none';
    var rect = bar.querySelector('rect'), text = bar.querySelector('text');
    rect.setAttribute('x', 10 + from * 1180);
    rect.setAttribute('width', Math.max(size * 1180, 0.1));
    text.setAttribute('x', 13 + from * 1180);
    var letters = Math.floor((size * 1180 - 6) / 7);
    var name = bar.getAttribute('data-name');
    text.textContent = letters < 3 ? '' : name.length <= letters ? name : name.slice(0, letters - 1) + '\u2026';
  });
}
bars.forEach(function (bar) { bar.addEventListener('click', function () { zoom(bar); }); });
"#;

impl Profile {
    /// The flame graph. `title` is written above it.
    pub fn flame_graph(&self, title: &str) -> String {
        let (totals, depths) = (self.stacks.totals(), self.stacks.depths());
        let rows = depths.iter().map(|&depth| depth + 2).max().unwrap_or(1).min(MAX_ROWS);
        let height = HEAD + rows * ROW + MARGIN as usize;
        let mut svg = head(title, height);
        let whole = self.steps.max(1) as f64;
        let mut bars = Bars { svg: &mut svg, whole, height };
        bars.draw("all", 0, 0, self.steps);
        // Where the next stack in each one begins.
        let mut next: Vec<u64> = Vec::with_capacity(totals.len());
        let mut next_outermost = 0;
        for (index, stack) in self.stacks.list().iter().enumerate() {
            let place = match stack.parent {
                Some(parent) => &mut next[parent],
                None => &mut next_outermost,
            };
            let start = *place;
            *place += totals[index];
            next.push(start);
            if depths[index] + 1 < MAX_ROWS {
                bars.draw(&stack.function, depths[index] + 1, start, totals[index]);
            }
        }
        svg + &format!("<script><![CDATA[{SCRIPT}]]></script>\n</svg>\n")
    }
}

fn head(title: &str, height: usize) -> String {
    let title = escaped(title);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\">\n\
         <style>text {{ font: 12px monospace; pointer-events: none }} g.bar {{ cursor: pointer }} \
         g.bar:hover rect {{ stroke: black }}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fffdf5\"/>\n\
         <text x=\"{MARGIN}\" y=\"20\">{title}</text>\n\
         <text x=\"{MARGIN}\" y=\"38\">a bar is a function, as wide as its steps, above its caller; click to zoom, click the lowest to see all</text>\n"
    )
}

struct Bars<'a> {
    svg: &'a mut String,
    whole: f64,
    height: usize,
}

impl Bars<'_> {
    fn draw(&mut self, name: &str, row: usize, start: u64, steps: u64) {
        let (x, w) = (start as f64 / self.whole, steps as f64 / self.whole);
        let (left, width) = (x * (WIDTH - 2.0 * MARGIN) + MARGIN, w * (WIDTH - 2.0 * MARGIN));
        if width < NARROWEST {
            return;
        }
        let top = self.height - MARGIN as usize - (row + 1) * ROW;
        let letters = ((width - 6.0) / LETTER) as usize;
        let shown = if letters < 3 { String::new() } else { cut(name, letters) };
        *self.svg += &format!(
            "<g class=\"bar\" data-x=\"{x:.9}\" data-w=\"{w:.9}\" data-y=\"{row}\" data-name=\"{name}\">\
             <title>{name}: {steps} steps, {share:.2} %</title>\
             <rect x=\"{left:.3}\" y=\"{top}\" width=\"{width:.3}\" height=\"{bar}\" fill=\"{colour}\"/>\
             <text x=\"{text:.3}\" y=\"{base}\">{shown}</text></g>\n",
            name = escaped(name),
            share = 100.0 * w,
            bar = ROW - 1,
            colour = colour(name),
            text = left + 3.0,
            base = top + 12,
            shown = escaped(&shown),
        );
    }
}

/// A name in at most so many letters.
fn cut(name: &str, letters: usize) -> String {
    match name.chars().count() <= letters {
        true => name.to_owned(),
        false => name.chars().take(letters - 1).chain(['\u{2026}']).collect(),
    }
}

/// The same warm colour for the same name.
fn colour(name: &str) -> String {
    // FNV-1a, 32 bits.
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let (green, blue) = (110 + (hash >> 8) % 110, 40 + (hash >> 20) % 60);
    format!("rgb({},{green},{blue})", 225 + hash % 31)
}

/// Text as it can stand in an element or an attribute; what XML has no form for is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
