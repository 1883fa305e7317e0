//! `develop`.

use super::Context;
use super::combinators::{list, non_empty, record, text_or_list};
use super::hook::hook;
use super::scalar::{one_of, strict_flag, text};
use crate::compose::model::{Develop, WatchAction, WatchTrigger};
use crate::compose::node::Node;

record! {
    /// `develop` of a service.
    pub(super) fn develop -> Develop = Develop::default();
    extensions extensions;
    require [];
    "watch" => watch: list(trigger),
}

record! {
    fn trigger -> WatchTrigger = WatchTrigger::default();
    extensions extensions;
    require ["path", "action"];
    "path" => path: path,
    "action" => action: action,
    "target" => target: non_empty(text),
    "exec" => exec: hook,
    "include" => include: text_or_list,
    "ignore" => ignore: text_or_list,
    "initial_sync" => initial_sync: strict_flag,
}

fn path<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<String> {
    let path = text(node, cx)?;
    if path.is_empty() {
        return cx.unreadable(node, "must not be empty", "name the path to watch");
    }
    Some(path)
}

fn action<'a>(node: &'a Node, cx: &mut Context<'a>) -> Option<WatchAction> {
    let action = one_of(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])(node, cx)?;
    Some(match action.as_str() {
        "rebuild" => WatchAction::Rebuild,
        "restart" => WatchAction::Restart,
        "sync+restart" => WatchAction::SyncRestart,
        "sync+exec" => WatchAction::SyncExec,
        _ => WatchAction::Sync,
    })
}
