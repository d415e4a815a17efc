//! Arguments to settings to one file a command.
