//! The management interface of the original system, as its own clients speak it.

pub(crate) mod signature;
