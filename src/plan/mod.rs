//! What to do: a pure function of what is wanted, what is there and the options.
