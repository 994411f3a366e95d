//! Judges by nine marks of a web site whether it fishes for passwords: a random forest that scikit-learn trained.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::string::String;

/// What is asked about a site, in the order of the model's input. The answers are 0, 0.5 and 1, as in the data (docs/examples.md).
const MARKS: [&str; 9] = [
    "empty_server_form_handler",
    "popup_window",
    "https",
    "request_from_other_domain",
    "anchor_from_other_domain",
    "is_popular",
    "long_url",
    "age_of_domain",
    "ip_in_url",
];

/// Takes the lines `MARK = ANSWER`, and gives the verdict and the share of the trees' votes for phishing.
#[opml_runtime::entry]
fn main(site: String) -> Result<String, String> {
    let (_, [_, score]) = phishing::infer(&marks(&site)?);
    let verdict = if score > 0.5 { "phishing" } else { "legitimate" };
    let percent = (score * 100.0 + 0.5) as u32;
    Ok(format!("{verdict}, {percent} %\n"))
}

/// The answers, each of which has to be there once.
fn marks(site: &str) -> Result<[f32; MARKS.len()], String> {
    let mut answers = [None; MARKS.len()];
    for line in site.lines() {
        let (name, answer) = line.split_once('=').ok_or_else(|| format!("`{line}` is not MARK = ANSWER"))?;
        let place = MARKS.iter().position(|mark| *mark == name.trim());
        let place =
            place.ok_or_else(|| format!("`{}` is none of the marks: {}", name.trim(), MARKS.join(", ")))?;
        let answer = match answer.trim() {
            "0" => 0.0,
            "0.5" => 0.5,
            "1" => 1.0,
            other => return Err(format!("{}: expected 0, 0.5 or 1, got `{other}`", MARKS[place])),
        };
        if answers[place].replace(answer).is_some() {
            return Err(format!("{} is given twice", MARKS[place]));
        }
    }
    let mut marks = [0.0; MARKS.len()];
    for ((mark, answer), name) in marks.iter_mut().zip(answers).zip(MARKS) {
        *mark = answer.ok_or_else(|| format!("{name} is missing"))?;
    }
    Ok(marks)
}
