//! Variables: `$VAR` and `${VAR…}` in every value of a tree (Compose Specification, 12-interpolation).

mod template;
mod uses;
mod walk;

pub use template::{TemplateError, substitute};
pub use uses::{VariableUse, expressions, names_in, used_variables};
pub use walk::interpolate;

use std::collections::HashMap;

/// The variables that values are taken from.
pub type Variables = HashMap<String, String>;
