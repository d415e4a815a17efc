//! A Grafana dashboard, as far as it can be drawn in a terminal.

/// A dashboard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Board {
    /// Its title.
    pub title: String,
    /// The file it was read from.
    pub file: String,
    /// Its panels, in order.
    pub panels: Vec<Panel>,
}

/// A panel of a dashboard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// What is said of it.
    pub description: String,
    /// What a panel of type `text` says: Markdown or HTML.
    pub text: String,
    /// Grafana's type: `timeseries`, `stat`, `gauge`, `table`, `bargauge`, `text`, …
    pub kind: String,
    /// Grafana's unit: `reqps`, `percentunit`, `s`, `bytes`, `short`, …; empty where none is set.
    pub unit: String,
    /// What it asks a Prometheus.
    pub queries: Vec<Query>,
    /// Fixed bounds of the value axis.
    pub min: Option<f64>,
    /// See `min`.
    pub max: Option<f64>,
    /// Thresholds in ascending order: value and Grafana's colour.
    pub thresholds: Vec<(f64, String)>,
}

/// A query of a panel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Its letter.
    pub letter: String,
    /// `PromQL`, variables filled in.
    pub expression: String,
    /// `legendFormat`: `{{label}}` stands for a label's value; empty for all labels.
    pub legend: String,
    /// Whether only the newest value is asked for.
    pub instant: bool,
}
