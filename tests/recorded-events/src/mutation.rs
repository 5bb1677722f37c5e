//! Events gone wrong, by a seeded generator: the same ones in every run.

use fastrand::Rng;
use serde_json::{Value, json};

/// `count` mutations of an event as JSON texts: fields removed, replaced by other types and odd texts,
/// repeated, and the text itself cut.
pub fn mutations(event: &Value, seed: u64, count: usize) -> Vec<String> {
    let mut rng = Rng::with_seed(seed);
    let mutation = |_| {
        let mut mutant = event.clone();
        for _ in 0..rng.usize(1..=2) {
            let steps = rng.usize(1..=9);
            mutate(&mut mutant, steps, &mut rng);
        }
        let mut text = mutant.to_string();
        if rng.u8(..) < 16 {
            let mut at = rng.usize(0..text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.truncate(at);
        }
        text
    };
    (0..count).map(mutation).collect()
}

/// Goes `steps` down a random way and changes what is there.
fn mutate(value: &mut Value, steps: usize, rng: &mut Rng) {
    match value {
        Value::Object(fields) if steps > 0 && !fields.is_empty() => {
            let at = rng.usize(0..fields.len());
            let name = fields.keys().nth(at).unwrap().clone();
            if steps == 1 && rng.bool() {
                let removed = fields.remove(&name);
                if rng.bool() {
                    fields.insert(name.to_ascii_uppercase(), removed.unwrap_or_default());
                }
            } else {
                mutate(&mut fields[&name], steps - 1, rng);
            }
        }
        Value::Array(items) if steps > 0 && !items.is_empty() => {
            let at = rng.usize(0..items.len());
            if steps == 1 {
                let copy = items[at].clone();
                items.push(copy);
            } else {
                mutate(&mut items[at], steps - 1, rng);
            }
        }
        Value::String(text) if rng.bool() && !text.is_empty() => {
            let mut characters: Vec<char> = text.chars().collect();
            let at = rng.usize(0..characters.len());
            match rng.u8(0..4) {
                0 => characters.truncate(at),
                1 => characters[at] = rng.char('\0'..='\u{2fff}'),
                2 => characters.insert(
                    at,
                    *rng.choice(&['%', '/', '.', '\\', '=', '\n', '\u{fffd}']).unwrap(),
                ),
                _ => characters.extend(characters.clone().repeat(40)),
            }
            *text = characters.into_iter().collect();
        }
        other => {
            *other = match rng.u8(0..7) {
                0 => Value::Null,
                1 => json!(""),
                2 => json!(-1),
                3 => json!([]),
                4 => json!({}),
                5 => json!(true),
                _ => json!("x".repeat(rng.usize(1..30_000))),
            };
        }
    }
}
