//! Labels on what we create: Compose's own, so that docker compose and every tool that
//! reads them sees our projects, and ours for what Compose has no word for.

/// The project that a container, network or volume belongs to.
pub const PROJECT: &str = "com.docker.compose.project";
/// The service that a container belongs to.
pub const SERVICE: &str = "com.docker.compose.service";
/// The container's number within its service, from 1.
pub const NUMBER: &str = "com.docker.compose.container-number";
/// `True` on a container that `run` made.
pub const ONEOFF: &str = "com.docker.compose.oneoff";
/// The id that a container of `run` has its name from.
pub const SLUG: &str = "com.docker.compose.slug";
/// Compose's hash of the service definition.
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
/// The stack files, absolute, separated by commas.
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
/// The project's folder, absolute.
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
/// The environment files, absolute, separated by commas.
pub const ENV_FILES: &str = "com.docker.compose.project.environment_file";
/// `name:condition:restart` of each dependency, separated by commas.
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
/// The id of the image that the container was made from.
pub const IMAGE: &str = "com.docker.compose.image";
/// The version of what made the container.
pub const VERSION: &str = "com.docker.compose.version";
/// The key of a network in the stack file.
pub const NETWORK: &str = "com.docker.compose.network";
/// The key of a volume in the stack file.
pub const VOLUME: &str = "com.docker.compose.volume";
/// On a container made to replace another: the replaced container's name.
pub const REPLACE: &str = "com.docker.compose.replace";

/// The resolved service definition as JSON (see [`super::render`]); what plans compare with.
pub const SPEC: &str = "dev.platform.spec";
/// The id of the run that created the object.
pub const RUN: &str = "dev.platform.run";
/// On an image: where it came from, in one line.
pub const IMAGE_SOURCE: &str = "dev.platform.image.source";
/// On an image: its version in one line, empty where its maker did not know.
pub const IMAGE_VERSION: &str = "dev.platform.image.version";
/// On an image made by a recipe: the hash of the recipe's inputs.
pub const RECIPE_HASH: &str = "dev.platform.recipe";
/// On an image that only stands in for another, in tests.
pub const STAND_IN: &str = "dev.platform.stand-in";
