//! Flows become endpoints: whose side is ours, which names are the other side's.
