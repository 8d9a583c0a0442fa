//! Colours and line styles. An arm is told by colour and by dashes, so that nobody needs to see colours.

use std::fmt::Write as _;

use super::scheme::Scheme;

/// Names of colours, in the light and in the dark scheme. Text has a contrast of 4.5 : 1 and more on the paper.
const COLOURS: [(&str, &str, &str); 20] = [
    ("paper", "#ffffff", "#0d1117"),
    ("ink", "#1f2328", "#e6edf3"),
    ("muted", "#57606a", "#9da7b3"),
    ("grid", "#d0d7de", "#30363d"),
    ("band", "#eef1f5", "#1a212b"),
    ("broken-0", "#c4161c", "#ff7b72"),
    ("broken-1", "#a04a00", "#f0a93f"),
    ("broken-2", "#8b2aa0", "#e29bf5"),
    ("broken-3", "#7a3b1e", "#dca58a"),
    ("control-0", "#5b6470", "#a3adb8"),
    ("control-1", "#3b444d", "#c9d1d9"),
    ("fixed-0", "#00737f", "#39c5cf"),
    ("fixed-1", "#0a58ca", "#79b8ff"),
    ("fixed-2", "#15702f", "#56d364"),
    ("target-0", "#0a58ca", "#79b8ff"),
    ("target-1", "#8b2aa0", "#e29bf5"),
    ("probe-0", "#c4161c", "#ff7b72"),
    ("probe-1", "#00737f", "#39c5cf"),
    ("probe-2", "#8b2aa0", "#e29bf5"),
    ("probe-3", "#0a58ca", "#79b8ff"),
];

/// The dashes of each line; none if it is solid.
const DASHES: [(&str, &str); 15] = [
    ("broken-0", "9 4"),
    ("broken-1", "3 3"),
    ("broken-2", "14 3 3 3"),
    ("broken-3", "5 2"),
    ("control-0", "2 4"),
    ("control-1", "6 6"),
    ("fixed-0", "none"),
    ("fixed-1", "16 3"),
    ("fixed-2", "8 2 2 2"),
    ("target-0", "none"),
    ("target-1", "9 4"),
    ("probe-0", "none"),
    ("probe-1", "9 4"),
    ("probe-2", "3 3"),
    ("probe-3", "14 3 3 3"),
];

/// How everything but the arms looks, in the unit of the picture.
const RULES: &str = "\
.chart{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:18px}
.chart tspan{fill:var(--chart-ink)}
.chart .muted{fill:var(--chart-muted)}
.chart .small{font-size:16.5px}
.chart .strong{font-weight:700}
.chart .paper{fill:var(--chart-paper)}
.chart .band{fill:var(--chart-band)}
.chart .halo{paint-order:stroke;stroke:var(--chart-paper);stroke-width:5px;stroke-linejoin:round}
.chart path{fill:none;stroke-width:1.25}
.chart .grid{stroke:var(--chart-grid)}
.chart .axis{stroke:var(--chart-muted)}
.chart .key{stroke:var(--chart-ink);stroke-width:2.5}
.chart .arm{stroke-width:3;stroke-linejoin:round}
.chart .mark{stroke-width:2.5}
.chart .moment{stroke-width:2}
";

/// The number of different lines for arms whose class begins like this.
pub(super) fn lines(kind: &str) -> usize {
    DASHES.iter().filter(|(class, _)| class.starts_with(kind)).count()
}

/// The style of charts within a page: variables for both schemes, and the rules that use them.
#[must_use]
pub fn page_style() -> String {
    let variables = |scheme| -> String {
        let of = |(name, light, dark): &(&str, &str, &str)| format!("--chart-{name}:{};", pick(scheme, light, dark));
        COLOURS.iter().map(of).collect()
    };
    let (light, dark) = (variables(Scheme::Light), variables(Scheme::Dark));
    format!(
        ":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n\
         .chart{{display:block;width:100%;height:auto}}\n{}",
        rules()
    )
}

/// The style of a chart that stands alone; `None` if it takes that of its page.
pub(super) fn own_style(scheme: Scheme) -> Option<String> {
    if scheme == Scheme::Page {
        return None;
    }
    let mut rules = rules();
    // Not every program that shows pictures knows variables.
    for (name, light, dark) in COLOURS {
        rules = rules.replace(&format!("var(--chart-{name})"), pick(scheme, light, dark));
    }
    Some(rules)
}

fn pick<'a>(scheme: Scheme, light: &'a str, dark: &'a str) -> &'a str {
    if scheme == Scheme::Dark { dark } else { light }
}

fn rules() -> String {
    let mut rules = RULES.to_owned();
    for (class, dashes) in DASHES {
        // Writing to a string does not fail.
        let _ = write!(
            rules,
            ".chart path.{class}{{stroke:var(--chart-{class})}}\n\
             .chart .{class}.arm{{stroke-dasharray:{dashes}}}\n\
             .chart circle.{class},.chart tspan.{class}{{fill:var(--chart-{class})}}\n"
        );
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour, by WCAG.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let share = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if share <= 0.03928 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn everything_can_be_read_on_paper_and_on_a_phase() {
        let colour = |name: &str| COLOURS.iter().find(|(known, ..)| *known == name).unwrap();
        for (name, light, dark) in COLOURS.iter().filter(|(name, ..)| !["paper", "grid", "band"].contains(name)) {
            for ground in ["paper", "band"].map(colour) {
                let (light, dark) = (contrast(light, ground.1), contrast(dark, ground.2));
                assert!(light >= 4.5 && dark >= 4.5, "{name} on {}: {light:.1} and {dark:.1}", ground.0);
            }
        }
    }

    #[test]
    fn every_line_has_a_colour_and_differs_from_the_others_of_its_kind() {
        for (class, dashes) in DASHES {
            assert!(COLOURS.iter().any(|(name, ..)| *name == class), "{class}");
            let kind = class.split('-').next().unwrap();
            let same = DASHES.iter().filter(|(other, there)| other.starts_with(kind) && *there == dashes);
            assert_eq!(same.count(), 1, "{class}");
        }
        assert_eq!((lines("broken"), lines("fixed"), lines("nothing")), (4, 3, 0));
    }

    #[test]
    fn a_picture_needs_no_variables_and_a_page_has_all_of_them() {
        for scheme in [Scheme::Light, Scheme::Dark] {
            assert!(!own_style(scheme).unwrap().contains("var("), "{scheme:?}");
        }
        let page = page_style();
        let used = page.split("var(--chart-").skip(1).map(|rest| rest.split(')').next().unwrap());
        for name in used {
            assert_eq!(page.matches(&format!("--chart-{name}:")).count(), 2, "{name}");
        }
        assert_eq!(own_style(Scheme::Page), None);
    }
}
