//! The commands that take a space, for every space.

use anyhow::Result;
use nao_controller::PredictorFile;
use nao_space::table::TableSchema;

use super::{benchmark, draw, fit, predict, space};
use crate::args::{BenchmarkCheckArgs, DrawArgs, FitArgs, PredictArgs, SpaceCommand};
use crate::space_argument::{AnySpace, SpaceCommands};

impl<S: AnySpace> SpaceCommands for S {
    fn look_into(&self, command: &SpaceCommand) -> Result<()> {
        space::in_space(self, command)
    }

    fn draw(&self, args: &DrawArgs) -> Result<()> {
        draw::in_space(self, args)
    }

    fn fit(&self, args: FitArgs) -> Result<()> {
        fit::in_space(self, args)
    }

    fn predict(&self, args: PredictArgs, predictor: PredictorFile) -> Result<()> {
        predict::in_space(self, args, predictor)
    }

    fn check_table(&self, args: &BenchmarkCheckArgs, schema: &TableSchema) -> Result<()> {
        benchmark::in_space(self, args, schema)
    }
}
