//! How each attribute is merged.

/// What happens when both files have an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Tables entry by entry, lists one after the other, scalars by the later one.
    Deep,
    /// The later one.
    Replace,
    /// As `KEY=value` tables, whichever form each has.
    KeyValues,
    /// As lists; a single value is a list of one.
    List,
    /// As `name=address` lists.
    Hosts,
    /// As tables of dependencies; a list means `service_started`.
    DependsOn,
    /// As tables; a list means entries without content.
    Names,
    /// A text is a table with the given key.
    Wrapped(&'static str),
    /// Together where both name the same driver or only one names any.
    Logging,
    /// Pools of one subnet entry by entry.
    IpamPools,
}

/// The rule for a path, keys from the top.
pub(super) fn rule(path: &[&str]) -> Rule {
    match path {
        ["services", _, rest @ ..] => service_rule(rest),
        ["networks" | "volumes" | "configs" | "secrets", _, "labels"] => Rule::KeyValues,
        ["networks", _, "ipam", "config"] => Rule::IpamPools,
        _ => Rule::Deep,
    }
}

fn service_rule(path: &[&str]) -> Rule {
    match path {
        ["command" | "entrypoint"] | ["healthcheck", "test"] | ["ulimits", _] => Rule::Replace,
        ["x-platform", "probe" | "reload"] => Rule::Replace,
        ["environment" | "labels" | "annotations" | "sysctls"] => Rule::KeyValues,
        ["build", "args" | "labels" | "additional_contexts"] | ["deploy", "labels"] => Rule::KeyValues,
        ["dns" | "dns_opt" | "dns_search" | "env_file" | "label_file" | "tmpfs"] => Rule::List,
        ["extra_hosts"] | ["build", "extra_hosts"] => Rule::Hosts,
        ["depends_on"] => Rule::DependsOn,
        ["networks" | "models"] => Rule::Names,
        ["build"] => Rule::Wrapped("context"),
        ["extends"] => Rule::Wrapped("service"),
        ["logging"] => Rule::Logging,
        _ => Rule::Deep,
    }
}
