//! What the suite reports of a run: its JUnit file, read case by case.
//!
//! A case that failed has no `<failure>` element, only a `status` attribute: the status is what counts. And a case in
//! which one thing passed and another was skipped calls itself passed: the file's head, where the suite counts each
//! thing, must agree.
//!
//! A file alone proves nothing: the suite may have crashed beside it, or have asked another registry.

use roxmltree::{Document, Node};

use crate::program::Ended;

/// What every case's name begins with.
pub(crate) const PREFIX: &str = "OCI Conformance Test/";
/// What a case says when the configuration has switched off what it asks for.
const OFF: &str = "is disabled in the configuration";

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// The suite found that the registry does not do this.
    Skipped,
    /// The configuration says, and may, that it is not to be asked.
    Off,
}

/// A case: what the suite does in one place, one or a few requests.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) group: String,
    name: String,
    pub(crate) outcome: Outcome,
    said: String,
}

/// The suite's own count: of things asked, of which some cases hold two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    pub(crate) off: usize,
}

/// A run's report.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) cases: Vec<Case>,
    pub(crate) head: Head,
    /// The keys of the options that were off.
    off: Vec<String>,
    /// What is wrong with the run as a whole.
    wrong: Vec<String>,
}

impl Report {
    /// Reads what a run against `registry` (`host:port`) left; unless an API `may_be_off`, what is off counts as skipped.
    pub(crate) fn of(run: &Ended, registry: &str, may_be_off: bool) -> Result<Report, String> {
        let document =
            Document::parse(&run.report).map_err(|error| format!("the report is no XML: {error}"))?;
        let find = |tag: &str| document.descendants().find(|node| node.has_tag_name(tag));
        let suite = find("testsuite").ok_or("the report has no <testsuite>")?;
        let property = find("property").filter(|property| property.attribute("name") == Some("Config"));
        let configuration = property.and_then(|property| property.attribute("value"));
        let options = options(configuration.ok_or("the report tells no configuration")?);
        let asked = options.iter().find(|(key, _)| key == "registry").map_or("none", |(_, value)| *value);
        let mut wrong = Vec::new();
        if run.code != 0 {
            wrong.push(format!("the suite ended with {}", run.code));
        }
        if asked != registry {
            wrong.push(format!("the suite asked the registry {asked}; expected: {registry}"));
        }
        Ok(Report {
            cases: suite
                .children()
                .filter(|node| node.has_tag_name("testcase"))
                .map(|node| case(node, may_be_off))
                .collect(),
            head: head(suite)?,
            off: options.into_iter().filter(|(_, value)| *value == "false").map(|(key, _)| key).collect(),
            wrong,
        })
    }

    /// How many cases, of one group or of all, ended so.
    pub(crate) fn count(&self, group: Option<&str>, outcome: Outcome) -> usize {
        let is_of = |case: &&Case| group.is_none_or(|group| case.group == group);
        self.cases.iter().filter(is_of).filter(|case| case.outcome == outcome).count()
    }

    /// Everything but "passed", with what the suite says of it, and what is wrong with the whole; `off` are the options
    /// that may be off, and must.
    pub(crate) fn faults(&self, off: &[&str]) -> Vec<String> {
        let is_wrong = |case: &&Case| matches!(case.outcome, Outcome::Failed | Outcome::Skipped);
        let mut faults: Vec<_> = self.cases.iter().filter(is_wrong).map(Case::words).collect();
        let Head { failed, skipped, off: not_asked, .. } = self.head;
        if faults.is_empty() && (failed, skipped, not_asked) != (0, 0, self.count(None, Outcome::Off)) {
            let counts = format!("{failed} failed, {skipped} skipped, {not_asked} disabled");
            faults.push(format!("the suite counts {counts}, and the cases do not show it"));
        }
        if sorted(self.off.iter().map(String::as_str)) != sorted(off.iter().copied()) {
            faults.push(format!("these options were off: {:?}; expected: {off:?}", self.off));
        }
        faults.extend_from_slice(&self.wrong);
        faults
    }
}

/// Reports of parts, as one.
impl FromIterator<Report> for Report {
    fn from_iter<I: IntoIterator<Item = Report>>(parts: I) -> Report {
        let mut whole = Report {
            cases: Vec::new(),
            head: Head { passed: 0, failed: 0, skipped: 0, off: 0 },
            off: Vec::new(),
            wrong: Vec::new(),
        };
        for part in parts {
            whole.cases.extend(part.cases);
            whole.head.passed += part.head.passed;
            whole.head.failed += part.head.failed;
            whole.head.skipped += part.head.skipped;
            whole.head.off += part.head.off;
            whole.off.extend(part.off);
            whole.wrong.extend(part.wrong);
        }
        whole.off.sort_unstable();
        whole.off.dedup();
        whole
    }
}

impl Case {
    /// What is wrong with one that did not pass.
    fn words(&self) -> String {
        let outcome = if self.outcome == Outcome::Skipped { "SKIPPED" } else { "FAILED" };
        format!("{outcome} {}{}\n  {}", self.group, self.name, self.said.trim().replace('\n', "\n  "))
    }
}

fn case(node: Node<'_, '_>, may_be_off: bool) -> Case {
    let text = |tag: &str| {
        let child = node.children().find(|child| child.has_tag_name(tag));
        child.and_then(|child| child.text()).unwrap_or_default()
    };
    // What was wrong, and all that was sent and received; of a case that was skipped, why.
    let (errors, log) = (text("system-out"), text("system-err"));
    let outcome = match node.attribute("status") {
        Some("passed") => Outcome::Passed,
        Some("skipped") if may_be_off && errors.is_empty() && log.contains(OFF) => Outcome::Off,
        Some("skipped") => Outcome::Skipped,
        _ => Outcome::Failed,
    };
    let name = node.attribute("name").unwrap_or_default();
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    let (group, name) = name.split_at(name.find('/').unwrap_or(name.len()));
    let said = if errors.is_empty() { log } else { errors };
    Case { group: group.to_owned(), name: name.to_owned(), outcome, said: said.to_owned() }
}

fn head(suite: Node<'_, '_>) -> Result<Head, String> {
    // Those that are 0 may be left out.
    let number = |name: &str| match suite.attribute(name).unwrap_or("0").parse::<usize>() {
        Ok(number) => Ok(number),
        Err(error) => Err(format!("the report's head: {name}: {error}")),
    };
    let failed = number("failures")? + number("errors")?;
    let (skipped, off) = (number("skipped")?, number("disabled")?);
    let passed = number("tests")?.checked_sub(failed + skipped + off);
    Ok(Head { passed: passed.ok_or("the report's head counts more than all")?, failed, skipped, off })
}

/// The suite's configuration, each value behind its path: YAML, mappings of mappings by two blanks.
fn options(configuration: &str) -> Vec<(String, &str)> {
    let mut path: Vec<&str> = Vec::new();
    let mut options = Vec::new();
    for line in configuration.lines() {
        let key = line.trim_start();
        let depth = (line.len() - key.len()) / 2;
        let Some((key, value)) = key.split_once(':') else { continue };
        path.truncate(depth);
        path.push(key);
        options.push((path.join("."), value.trim()));
    }
    options
}

fn sorted<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests;
