use super::{Ended, Head, Outcome, Report};

const PASSED: &str = r#"<testcase name="OCI Conformance Test/ping" classname="" status="passed"></testcase>"#;
const BLOB: &str = "OCI Conformance Test/sha256 blobs/post only/blob-get";

const REGISTRY: &str = "127.0.0.1:5000";

/// A report as the suite writes it, of a run in which nothing may be off; `head` are the attributes that count.
fn report(head: &str, configuration: &str, cases: &str) -> Report {
    read(file(head, configuration, cases), false).unwrap()
}

/// Reads what a run left that ended well.
fn read(report: String, may_be_off: bool) -> Result<Report, String> {
    Report::of(&Ended { code: 0, report }, REGISTRY, may_be_off)
}

fn file(head: &str, configuration: &str, cases: &str) -> String {
    let configuration = format!("registry: {REGISTRY}\n{configuration}").replace('\n', "&#xA;");
    format!(
        r#"<testsuites {head}><testsuite name="OCI Conformance Test" {head}><properties>
        <property name="Config" value="{configuration}"></property></properties>{cases}</testsuite></testsuites>"#
    )
}

/// One that passed, and one with this status.
fn with_case(status: &str, errors: &str, log: &str, head: &str) -> Report {
    let case = format!(
        r#"<testcase name="{BLOB}" classname="" {status}><system-out>{errors}</system-out><system-err>{log}</system-err></testcase>"#
    );
    report(head, "", &format!("{PASSED}{case}"))
}

fn outcomes(report: &Report) -> [usize; 4] {
    [Outcome::Passed, Outcome::Failed, Outcome::Skipped, Outcome::Off]
        .map(|outcome| report.count(None, outcome))
}

#[test]
fn passed_cases_are_no_fault() {
    let report = report(r#"tests="2""#, "", PASSED);
    assert_eq!(outcomes(&report), [1, 0, 0, 0]);
    assert_eq!(report.head, Head { passed: 2, failed: 0, skipped: 0, off: 0 });
    assert_eq!(report.faults(&[]), Vec::<String>::new());
}

#[test]
fn a_status_that_is_not_passed_is_a_failure_without_any_failure_element() {
    for status in [r#"status="failure""#, r#"status="error""#, r#"status="surprise""#, r#"status="""#, ""] {
        let report = with_case(status, "expected status 200, received 500", "", r#"tests="2" failures="1""#);
        assert_eq!(outcomes(&report), [1, 1, 0, 0], "{status}");
        let faults = report.faults(&[]);
        assert_eq!(
            faults,
            ["FAILED sha256 blobs/post only/blob-get\n  expected status 200, received 500"],
            "{status}"
        );
    }
}

#[test]
fn a_skipped_case_is_a_fault() {
    let report =
        with_case(r#"status="skipped""#, "range request unsupported", "", r#"tests="2" skipped="1""#);
    assert_eq!(outcomes(&report), [1, 0, 1, 0]);
    assert_eq!(report.faults(&[]), ["SKIPPED sha256 blobs/post only/blob-get\n  range request unsupported"]);
}

#[test]
fn a_disabled_case_counts_as_skipped_unless_an_api_may_be_off() {
    let case = |errors: &str| {
        let log = "skipping test:\n  api Blob push is disabled in the configuration";
        format!(
            r#"<testcase name="{BLOB}" status="skipped"><system-out>{errors}</system-out><system-err>{log}</system-err></testcase>"#
        )
    };
    let text = file(r#"tests="2" disabled="1""#, "apis:\n  push: false\n", &format!("{PASSED}{}", case("")));
    let strict = read(text.clone(), false).unwrap();
    assert_eq!(outcomes(&strict), [1, 0, 1, 0]);
    assert!(strict.faults(&["apis.push"])[0].starts_with("SKIPPED sha256 blobs/post only/blob-get\n"));
    let lenient = read(text, true).unwrap();
    assert_eq!(outcomes(&lenient), [1, 0, 0, 1]);
    assert_eq!(lenient.faults(&["apis.push"]), Vec::<String>::new());

    // The suite found something wrong as well: that is no case of the configuration's.
    let text = file(r#"tests="1" skipped="1""#, "apis:\n  push: false\n", &case("unsupported"));
    assert_eq!(outcomes(&read(text, true).unwrap()), [0, 0, 1, 0]);
}

#[test]
fn what_the_head_counts_and_no_case_shows_is_a_fault() {
    for (head, counts) in [
        (r#"tests="3" skipped="1""#, "0 failed, 1 skipped, 0 disabled"),
        (r#"tests="3" errors="1""#, "1 failed, 0 skipped, 0 disabled"),
        (r#"tests="3" disabled="1""#, "0 failed, 0 skipped, 1 disabled"),
    ] {
        let words = format!("the suite counts {counts}, and the cases do not show it");
        assert_eq!(report(head, "", PASSED).faults(&[]), [words]);
    }
}

#[test]
fn an_option_that_is_off_unawares_is_a_fault() {
    let configuration =
        "apis:\n  pull: true\n  blobs:\n    delete: true\n  tags:\n    list: false\ndata:\n  sparse: false\n";
    let report = report(r#"tests="1""#, configuration, PASSED);
    assert_eq!(report.faults(&["data.sparse", "apis.tags.list"]), Vec::<String>::new());
    let faults = report.faults(&["data.sparse"]);
    assert_eq!(
        faults,
        [r#"these options were off: ["apis.tags.list", "data.sparse"]; expected: ["data.sparse"]"#]
    );
    // And one that is on although the run means to leave it off.
    assert_eq!(report.faults(&["data.sparse", "apis.tags.list", "apis.push"]).len(), 1);
}

#[test]
fn a_run_that_did_not_end_with_0_is_a_fault_whatever_its_report_says() {
    for code in [1, 2, 139, -1] {
        let run = Ended { code, report: file(r#"tests="1""#, "", PASSED) };
        let report = Report::of(&run, REGISTRY, false).unwrap();
        assert_eq!(report.faults(&[]), [format!("the suite ended with {code}")]);
    }
}

#[test]
fn a_report_of_another_registry_is_a_fault() {
    let report = file(r#"tests="1""#, "", PASSED);
    let run = Ended { code: 0, report: report.replace(REGISTRY, "127.0.0.1:5001") };
    let faults = Report::of(&run, REGISTRY, false).unwrap().faults(&[]);
    assert_eq!(faults, ["the suite asked the registry 127.0.0.1:5001; expected: 127.0.0.1:5000"]);
    let run = Ended { code: 0, report: report.replace("registry: ", "registries: ") };
    let faults = Report::of(&run, REGISTRY, false).unwrap().faults(&[]);
    assert_eq!(faults, ["the suite asked the registry none; expected: 127.0.0.1:5000"]);
}

#[test]
fn cases_are_counted_by_group() {
    let case = format!(r#"<testcase name="{BLOB}" status="passed"></testcase>"#);
    let report = report(r#"tests="3""#, "", &format!("{PASSED}{case}{case}"));
    let count = |group| report.count(Some(group), Outcome::Passed);
    assert_eq!((count("ping"), count("sha256 blobs"), count("index")), (1, 2, 0));
}

#[test]
fn parts_make_one_report_that_forgets_nothing() {
    let part = || with_case(r#"status="failure""#, "wrong", "", r#"tests="5" failures="1" skipped="2""#);
    let off = report(r#"tests="1""#, "data:\n  sparse: false\n", PASSED);
    let whole: Report = [part(), off, part()].into_iter().collect();
    assert_eq!(outcomes(&whole), [3, 2, 0, 0]);
    assert_eq!(whole.head, Head { passed: 5, failed: 2, skipped: 4, off: 0 });
    assert_eq!(whole.faults(&["data.sparse"]).len(), 2, "the two that failed");
    assert_eq!(whole.faults(&[]).len(), 3, "and what was off");
    let crashed = Ended { code: 139, report: file(r#"tests="1""#, "", PASSED) };
    let crashed = Report::of(&crashed, REGISTRY, false).unwrap();
    let whole: Report = [report(r#"tests="1""#, "", PASSED), crashed].into_iter().collect();
    assert_eq!(whole.faults(&[]), ["the suite ended with 139"]);
}

#[test]
fn a_file_that_is_no_report_is_an_error() {
    for text in
        ["", "<testsuites></testsuites>", "<testsuites><testsuite tests='1'></testsuite></testsuites>", "{}"]
    {
        assert!(read(text.to_owned(), false).is_err(), "{text}");
    }
}
