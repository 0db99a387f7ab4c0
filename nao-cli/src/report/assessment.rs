//! How well a predictor ranks, as a table.

use nao_controller::Assessment;

use super::table::plain_table;

/// With fewer unseen architectures a table says that it says little.
const FEW: usize = 10;

/// The assessments of a predictor: with and without a cheap label where there is one, whose column is given. Below are
/// the reasons of figures that are missing.
pub fn assessment_table(assessments: &[Assessment], cheap: Option<&str>, without: &[Assessment]) -> String {
    let mut header = vec![
        "labels",
        "unseen",
        "splits",
        "Kendall tau",
        "+-",
        "pairs in order",
        "inside 50 %",
        "inside 90 %",
        "kernel",
    ];
    let mut rows: Vec<Vec<String>> = assessments.iter().map(row).collect();
    if let Some(column) = cheap {
        header.push("cheap label");
        for (row, assessment) in rows.iter_mut().zip(assessments) {
            let slope = assessment.cheap_slope.map_or("-".to_owned(), |slope| format!("{slope:.2}"));
            row.push(format!("{column}, worth {slope}"));
        }
        rows.extend(without.iter().map(|assessment| {
            let mut row = row(assessment);
            row.push("without".to_owned());
            row
        }));
    }
    let all: Vec<&Assessment> = assessments.iter().chain(without).collect();
    let mut lines = vec![plain_table(&header, &[0, 1, 2, 3, 4, 5, 6, 7], rows)];
    lines.extend(reasons(&all));
    lines.join("\n")
}

fn row(assessment: &Assessment) -> Vec<String> {
    let kernels = assessment.kernels.iter().map(|(form, count)| format!("{} x{count}", form.name()));
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    let percent =
        |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{:.1} %", 100.0 * value));
    vec![
        assessment.labels.to_string(),
        assessment.unseen.to_string(),
        assessment.splits.to_string(),
        figure(assessment.kendall_tau),
        figure(assessment.kendall_tau_error),
        percent(assessment.pairwise_accuracy),
        percent(assessment.inside_50),
        percent(assessment.inside_90),
        kernels.collect::<Vec<_>>().join(", "),
    ]
}

/// Why figures are missing, or say little.
fn reasons(assessments: &[&Assessment]) -> Vec<String> {
    let any = |test: &dyn Fn(&Assessment) -> bool| assessments.iter().any(|assessment| test(assessment));
    let mut lines = Vec::new();
    if any(&|assessment| assessment.unranked_splits > 0) {
        let most = assessments.iter().map(|assessment| assessment.unranked_splits).max().unwrap_or(0);
        lines.push(format!(
            "tau and pairs are undefined in up to {most} of the splits: all predictions, or all unseen scores, are equal"
        ));
    }
    if any(&|assessment| assessment.kendall_tau.is_some() && assessment.kendall_tau_error.is_none()) {
        lines.push("+- needs at least two splits with a tau: --splits 2 or more".to_owned());
    }
    if any(&|assessment| assessment.inside_50.is_none()) {
        lines.push("no intervals: all scores learned from are equal".to_owned());
    }
    if any(&|assessment| assessment.unseen < FEW) {
        lines.push(format!("tau of fewer than {FEW} unseen architectures says little"));
    }
    if let Some(basis) = assessments.iter().find_map(|assessment| assessment.basis) {
        let exact = nao_controller::gaussian_process::EXACT;
        lines.push(format!(
            "with more than {exact} labels the predictor learns from all of them by way of {basis}, drawn at random"
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use nao_controller::gaussian_process::KernelForm;

    use super::*;

    #[test]
    fn figures_that_are_undefined_are_dashes_with_a_reason() {
        let whole = Assessment {
            labels: 40,
            unseen: 20,
            splits: 5,
            unranked_splits: 0,
            basis: None,
            kendall_tau: Some(0.5),
            kendall_tau_error: Some(0.01),
            pairwise_accuracy: Some(0.75),
            inside_50: Some(0.5),
            inside_90: Some(0.9),
            kernels: vec![(KernelForm::Choices, 5)],
            cheap_slope: None,
        };
        let text = assessment_table(std::slice::from_ref(&whole), None, &[]);
        assert!(text.contains("0.010") && text.contains("75.0 %"), "{text}");
        assert!(reasons(&[&whole]).is_empty(), "nothing to explain: {text}");
        let one = Assessment { splits: 1, kendall_tau_error: None, ..whole.clone() };
        let text = assessment_table(&[one], None, &[]);
        assert!(!text.contains("0.000") && text.contains("at least two splits"), "{text}");
        let none = Assessment {
            unranked_splits: 5,
            kendall_tau: None,
            kendall_tau_error: None,
            pairwise_accuracy: None,
            inside_50: None,
            inside_90: None,
            unseen: 2,
            ..whole
        };
        let text = assessment_table(&[none], None, &[]);
        for part in ["up to 5 of the splits", "no intervals", "fewer than 10 unseen"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(!text.contains("at least two"), "{text}");
    }
}
