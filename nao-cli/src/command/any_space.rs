//! The commands that take a space, for every space.

use anyhow::Result;
use nao_space::table::TableSchema;

use super::{draw, fit, predict, space, table_check};
use crate::args::{DrawArgs, FitArgs, PredictArgs, SpaceCommand, TableCheckArgs};
use crate::predictor::ReadPredictor;
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

    fn predict(&self, args: PredictArgs, predictor: ReadPredictor) -> Result<()> {
        predict::in_space(self, args, predictor)
    }

    fn check_table(&self, args: &TableCheckArgs, schema: &TableSchema) -> Result<()> {
        table_check::in_space(self, args, schema)
    }
}
