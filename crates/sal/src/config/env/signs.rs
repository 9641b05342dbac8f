//! What the environment says beside the table: where this process runs, and names that do nothing.

/// Signs of the platform that the process runs on; their values are not used.
pub(crate) struct Signs {
    pub(crate) fargate: bool,
    pub(crate) ecs: bool,
    pub(crate) kubernetes: bool,
    pub(crate) metadata_off: bool,
    /// The user of the operating system, for the journal.
    pub(crate) user: String,
    #[cfg(feature = "rehearsal")]
    pub(crate) path: Option<std::ffi::OsString>,
    #[cfg(feature = "rehearsal")]
    pub(crate) runtime_folder: Option<std::path::PathBuf>,
}

impl Signs {
    /// Looks at the process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub(crate) fn read() -> Self {
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        let has = |name: &str| std::env::var_os(name).is_some();
        let user = ["SUDO_USER", "USER", "LOGNAME"]
            .iter()
            .map(|name| text(name));
        Self {
            fargate: text("AWS_EXECUTION_ENV").contains("FARGATE"),
            ecs: has("ECS_CONTAINER_METADATA_URI_V4") || text("AWS_EXECUTION_ENV").contains("ECS"),
            kubernetes: has("KUBERNETES_SERVICE_HOST"),
            metadata_off: text("AWS_EC2_METADATA_DISABLED").eq_ignore_ascii_case("true"),
            user: user
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default(),
            #[cfg(feature = "rehearsal")]
            path: std::env::var_os("PATH"),
            #[cfg(feature = "rehearsal")]
            runtime_folder: std::env::var_os("XDG_RUNTIME_DIR").map(std::path::PathBuf::from),
        }
    }
}
