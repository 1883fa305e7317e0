//! `healthcheck`.

use super::combinators::{record, some};
use super::command::test;
use super::scalar::{duration, flag, number_as_unsigned};
use crate::compose::model::Healthcheck;

record! {
    /// `healthcheck` of a service.
    pub(super) fn healthcheck -> Healthcheck = Healthcheck::default();
    extensions extensions;
    require [];
    "test" => test: test,
    "timeout" => timeout: some(duration),
    "interval" => interval: some(duration),
    "retries" => retries: some(number_as_unsigned),
    "start_period" => start_period: some(duration),
    "start_interval" => start_interval: some(duration),
    "disable" => disable: flag,
}
