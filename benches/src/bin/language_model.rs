//! Trains the published recurrent cell on a folder of text (train, valid and test file) and prints perplexities:
//! `cargo run --release -p nao-benches --bin language_model -- FOLDER HIDDEN EPOCHS [TRAINING WORDS]`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use nao_child::data::text_folder;
use nao_child::language::{
    Dropouts, LanguageRecipe, LanguageTraining, ReadingLayout, evaluate_language_model,
};
use nao_space::{EpochReport, Progress, RnnSpace, Space};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Printed(Instant);

impl Progress for Printed {
    fn epoch(&mut self, report: &EpochReport) {
        let perplexity = report.value.unwrap_or(f64::NAN);
        let seconds = self.0.elapsed().as_secs();
        println!(
            "epoch {:>3}  training loss {:.3}  validation perplexity {perplexity:.1}  {seconds} s",
            report.epoch, report.train_loss
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, hidden, epochs, limit @ ..] = words.as_slice() else {
        return Err("usage: language_model FOLDER HIDDEN EPOCHS [TRAINING WORDS]".into());
    };
    let mut text = text_folder(Path::new(folder))?;
    let limit = limit.first().map_or(Ok(text.train.len()), |words| words.parse::<usize>())?;
    text.train.truncate(limit);
    // For small models and few epochs: less is dropped than in the final training.
    let dropouts = Dropouts { word: 0.0, input: 0.1, x: 0.1, hidden: 0.1, output: 0.1 };
    let (hidden, epochs) = (hidden.parse()?, epochs.parse()?);
    let recipe =
        LanguageRecipe { hidden, epochs, batch: 20, dropouts, ..LanguageRecipe::named("ptb-search")? };
    let arch = RnnSpace::default().parse("0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2")?;
    let text = Arc::new(text);
    let training = LanguageTraining::new(&arch, text.clone(), recipe)?.seed(1);
    println!(
        "{} words to train on, {} different, {} parameters",
        text.train.len(),
        text.vocabulary.len(),
        training.skeleton().cost(&arch)?.params
    );
    let trained = training.run_with(&mut Printed(Instant::now()))?;
    let model = trained.model.valid();
    let test = evaluate_language_model(&model, &arch, &text.test, ReadingLayout { batch: 10, segment: 35 })
        .ok_or("the test text is too short")?;
    println!(
        "validation perplexity {:.1} (epoch {}), test {:.1}",
        trained.perplexity,
        trained.epoch,
        test.perplexity()
    );
    Ok(())
}
