//! What happens while an image is obtained, as typed facts; a view words them.

/// A fact about one image on its way.
///
/// [`Pulling`](Self::Pulling), [`Step`](Self::Step) and [`Packing`](Self::Packing) are samples:
/// the newest of each image replaces the one before. The others are told once each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageProgress {
    /// The image that is concerned: the one asked for, or a base image on its way to it.
    pub image: String,
    /// What happened.
    pub activity: Activity,
}

/// What happens to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// It is being pulled.
    Pulling {
        /// Layers that are complete.
        layers_done: usize,
        /// Layers known so far.
        layers: usize,
        /// Bytes of all layers so far.
        bytes: u64,
        /// Bytes in all, as far as known; 0 where unknown.
        total: u64,
    },
    /// A pull broke or stalled and is tried again.
    Retrying {
        /// Of how many in all, from 2.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// The build context is being packed.
    Packing {
        /// Bytes so far.
        bytes: u64,
    },
    /// A build began.
    Building,
    /// A step of a build began (`[2/5] RUN …`).
    Step(String),
    /// A recipe began.
    Bootstrapping {
        /// Its title.
        title: String,
    },
    /// A tool that a recipe needs is missing and is being installed.
    Installing {
        /// The packages.
        packages: Vec<String>,
    },
    /// A line that a build, a recipe or an installation wrote.
    Output(String),
    /// Something worth knowing (a source that did not work and what is done instead).
    Note(String),
    /// A base image is there.
    BaseReady {
        /// Where it came from and which version it has, in one line.
        line: String,
    },
}

impl ImageProgress {
    /// Whether a newer one of the same image makes this one worthless.
    pub fn is_sample(&self) -> bool {
        matches!(
            self.activity,
            Activity::Pulling { .. } | Activity::Step(_) | Activity::Packing { .. }
        )
    }
}

/// Where progress goes. Called often and from several tasks; must not block.
pub type ProgressSink<'a> = &'a (dyn Fn(ImageProgress) + Send + Sync);

/// Progress of one image.
#[derive(Clone, Copy)]
pub(crate) struct Reporter<'a> {
    pub(crate) image: &'a str,
    pub(crate) sink: ProgressSink<'a>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(image: &'a str, sink: ProgressSink<'a>) -> Self {
        Self { image, sink }
    }

    pub(crate) fn tell(&self, activity: Activity) {
        (self.sink)(ImageProgress {
            image: self.image.to_owned(),
            activity,
        });
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        self.tell(Activity::Note(text.into()));
    }
}
