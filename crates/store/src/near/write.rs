//! Writing a version out: what is not in the log yet comes to its end, and what it replaces is in use no more.
use super::kept::Unit;
use super::record;
use super::segment::{Appender, Place};
use super::tree::{Branch, Child, Tree};
use crate::StoreError;
use std::sync::Arc;

pub(super) struct Writing<'a> {
    /// Whose records are in the log.
    pub(super) tree: &'a Tree,
    pub(super) appender: Appender<'a>,
    /// Segments that everything is moved out of.
    pub(super) victims: Vec<u32>,
    /// Units that were not in the log before.
    pub(super) fresh: Vec<(Place, Unit)>,
    /// Units that are not in the version.
    pub(super) freed: Vec<Place>,
}

impl Writing<'_> {
    /// Writes what is now under a path; `before`: what of it is in the log.
    pub(super) fn child(&mut self, before: &Child, after: &Child) -> Result<Child, StoreError> {
        match after {
            Child::Empty => {
                self.free(before);
                Ok(Child::Empty)
            }
            Child::Unit(place) => Ok(Child::Unit(self.moved(*place)?)),
            Child::Fresh(record) => {
                self.free(before);
                let place = self.appender.append(false, record)?;
                self.fresh.push((place, record.clone()));
                Ok(Child::Unit(place))
            }
            Child::Branch(branch) => self.branch(before, branch),
        }
    }

    /// Counts all records under a path as in use no more.
    fn free(&mut self, child: &Child) {
        child.visit(&mut |place| {
            self.appender.log.free(place);
            self.freed.push(place);
        });
    }

    /// Copies a unit that did not change, if its segment is to be freed.
    fn moved(&mut self, place: Place) -> Result<Place, StoreError> {
        if !self.victims.contains(&place.segment()) {
            return Ok(place);
        }
        let tree = self.tree;
        self.appender.log.free(place);
        self.appender.append(false, tree.segments.read(place)?)
    }

    fn branch(&mut self, before: &Child, after: &Arc<Branch>) -> Result<Child, StoreError> {
        let written = after.place != Place::NOWHERE;
        if written && self.victims.is_empty() {
            return Ok(Child::Branch(after.clone()));
        }
        let nothing: [Child; 16] = Default::default();
        let old = match before {
            Child::Branch(branch) => &branch.children,
            _ => &nothing,
        };
        let mut children: [Child; 16] = Default::default();
        for (at, child) in children.iter_mut().enumerate() {
            *child = self.child(&old[at], &after.children[at])?;
        }
        let same = |(one, other): (&Child, &Child)| one.place() == other.place();
        let stays = written && !self.victims.contains(&after.place.segment());
        if stays && children.iter().zip(&after.children).all(same) {
            return Ok(Child::Branch(after.clone()));
        }
        self.appender.log.free(before.place());
        let record = record::branch(
            after.node.as_deref(),
            &children.each_ref().map(Child::place),
        );
        Ok(Child::Branch(Arc::new(Branch {
            place: self.appender.append(true, &record)?,
            node: after.node.clone(),
            children,
        })))
    }
}
