//! Volumes, binds, tmpfs and the files of configs and secrets.

use std::str::FromStr;

use bollard::models::{
    Mount as EngineMount, MountBindOptions, MountBindOptionsPropagationEnum, MountImageOptions,
    MountTmpfsOptions, MountType as EngineType, MountVolumeOptions,
};
use indexmap::IndexMap;

use super::super::error::PlanError;
use super::super::observed::ApiVersion;
use super::super::{inject, names};
use super::Part;
use super::config::map;
use crate::compose::Diagnostic;
use crate::compose::model::{BindOptions, Mount, MountType, VolumeOptions};

/// From this version on a mount can create its source.
const CREATE_MOUNTPOINT: ApiVersion = ApiVersion::v1(42);

/// The two ways in which the engine takes file systems.
pub(super) struct Mounts {
    /// `source:target:options`.
    pub(super) binds: Vec<String>,
    pub(super) mounts: Vec<EngineMount>,
}

/// One entry per path in the container: what the replaced container hands over, then the
/// service's volumes, which win, then secrets and configs, which yield to both.
pub(super) fn mounts(part: &Part<'_>) -> Result<Mounts, PlanError> {
    let mut by_target: IndexMap<String, Source<'_>> = IndexMap::new();
    for inherited in &part.create.inherited {
        by_target.insert(inherited.target.clone(), Source::Inherited(inherited));
    }
    for mount in &part.service.volumes {
        let target = mount.target.clone().unwrap_or_default();
        let taken_over = mount.source.is_none() && by_target.contains_key(&target);
        if !taken_over {
            by_target.insert(target, Source::Volume(mount));
        }
    }
    let files = inject::secret_files(part.project, part.service)
        .into_iter()
        .chain(inject::config_files(part.project, part.service));
    for file in files {
        by_target
            .entry(file.target.clone())
            .or_insert(Source::File(file));
    }
    let mut mounts = Mounts {
        binds: Vec::new(),
        mounts: Vec::new(),
    };
    for (target, source) in by_target {
        mounts.add(part, &target, &source)?;
    }
    Ok(mounts)
}

enum Source<'a> {
    Inherited(&'a super::super::step::InheritedMount),
    Volume(&'a Mount),
    File(inject::BoundFile),
}

impl Mounts {
    fn add(&mut self, part: &Part<'_>, target: &str, source: &Source<'_>) -> Result<(), PlanError> {
        match source {
            Source::Inherited(mount) => self.mounts.push(EngineMount {
                typ: EngineType::from_str(&mount.kind).ok(),
                source: Some(mount.source.clone()),
                target: Some(target.to_owned()),
                read_only: Some(mount.read_only),
                ..EngineMount::default()
            }),
            Source::File(file) => self.mounts.push(EngineMount {
                typ: Some(EngineType::BIND),
                source: Some(file.source.clone()),
                target: Some(target.to_owned()),
                read_only: Some(true),
                bind_options: file.is_secret.then(MountBindOptions::default),
                ..EngineMount::default()
            }),
            Source::Volume(mount) => self.add_volume(part, mount)?,
        }
        Ok(())
    }

    /// The short form is kept where it can express the mount: it alone creates missing host
    /// folders on every engine, and containers look as docker compose makes them.
    fn add_volume(&mut self, part: &Part<'_>, mount: &Mount) -> Result<(), PlanError> {
        let source = engine_source(part, mount);
        let short = match mount.kind {
            MountType::Bind => bind_is_simple(part, mount.bind.as_ref()),
            MountType::Volume => {
                is_project_volume(part, mount) && volume_is_simple(mount.volume.as_ref())
            }
            _ => false,
        };
        if short {
            self.binds
                .push(bind_text(&source.unwrap_or_default(), mount));
        } else {
            self.mounts.push(engine_mount(part, mount, source)?);
        }
        Ok(())
    }
}

fn is_project_volume(part: &Part<'_>, mount: &Mount) -> bool {
    mount
        .source
        .as_ref()
        .is_some_and(|key| part.project.volumes.contains_key(key))
}

/// The mount's source on the engine: a volume's name instead of its key.
fn engine_source(part: &Part<'_>, mount: &Mount) -> Option<String> {
    let source = mount.source.as_ref()?;
    let volume = part
        .project
        .volumes
        .get(source)
        .filter(|_| mount.kind == MountType::Volume);
    Some(volume.map_or_else(
        || source.clone(),
        |volume| names::volume(&part.project.name, source, volume),
    ))
}

fn bind_is_simple(part: &Part<'_>, bind: Option<&BindOptions>) -> bool {
    let Some(bind) = bind else {
        return true;
    };
    let needs_mount = bind.recursive.is_some()
        || (bind.propagation.is_some() && part.settings.api >= CREATE_MOUNTPOINT);
    bind.create_host_path && !needs_mount
}

fn volume_is_simple(volume: Option<&VolumeOptions>) -> bool {
    volume
        .is_none_or(|volume| volume.labels.is_empty() && volume.subpath.is_none() && !volume.nocopy)
}

fn bind_text(source: &str, mount: &Mount) -> String {
    let mut options = vec![if mount.read_only { "ro" } else { "rw" }];
    if let Some(bind) = &mount.bind {
        options.extend(bind.selinux.as_deref());
        options.extend(bind.propagation.as_deref());
    }
    let target = mount.target.as_deref().unwrap_or_default();
    format!("{source}:{target}:{}", options.join(","))
}

fn engine_mount(
    part: &Part<'_>,
    mount: &Mount,
    source: Option<String>,
) -> Result<EngineMount, PlanError> {
    let mut result = EngineMount {
        typ: Some(engine_type(mount.kind)),
        source,
        target: mount.target.clone(),
        read_only: Some(mount.read_only),
        consistency: mount.consistency.clone(),
        ..EngineMount::default()
    };
    match mount.kind {
        MountType::Bind => {
            result.bind_options = mount
                .bind
                .as_ref()
                .map(|bind| bind_options(part, bind))
                .transpose()?;
        }
        MountType::Volume => {
            result.volume_options = mount.volume.as_ref().map(|volume| MountVolumeOptions {
                no_copy: Some(volume.nocopy),
                labels: map(&volume.labels),
                driver_config: None,
                subpath: volume.subpath.clone(),
            });
        }
        MountType::Tmpfs => {
            result.tmpfs_options = mount.tmpfs.as_ref().map(|tmpfs| MountTmpfsOptions {
                size_bytes: tmpfs.size.map(|size| size.0),
                mode: tmpfs.mode.map(i64::from),
                options: None,
            });
        }
        MountType::Image => {
            result.image_options = mount.image.as_ref().map(|image| MountImageOptions {
                subpath: image.subpath.clone(),
            });
        }
        MountType::NamedPipe | MountType::Cluster => {}
    }
    Ok(result)
}

fn engine_type(kind: MountType) -> EngineType {
    match kind {
        MountType::Bind => EngineType::BIND,
        MountType::Volume => EngineType::VOLUME,
        MountType::Tmpfs => EngineType::TMPFS,
        MountType::NamedPipe => EngineType::NPIPE,
        MountType::Cluster => EngineType::CLUSTER,
        MountType::Image => EngineType::IMAGE,
    }
}

fn bind_options(part: &Part<'_>, bind: &BindOptions) -> Result<MountBindOptions, PlanError> {
    let propagation = bind
        .propagation
        .as_deref()
        .map(|text| propagation(part, text))
        .transpose()?;
    let recursive = bind.recursive.as_deref().unwrap_or_default();
    let when = |value: &str| (recursive == value).then_some(true);
    Ok(MountBindOptions {
        propagation,
        create_mountpoint: bind.create_host_path.then_some(true),
        non_recursive: when("disabled"),
        read_only_non_recursive: when("writable"),
        read_only_force_recursive: when("readonly"),
    })
}

fn propagation(part: &Part<'_>, text: &str) -> Result<MountBindOptionsPropagationEnum, PlanError> {
    MountBindOptionsPropagationEnum::from_str(text).map_err(|_| {
        let service = &part.service.name;
        Diagnostic::error(format!(
            "service \"{service}\" has an unknown bind propagation \"{text}\""
        ))
        .at(part.project.span_of(&["services", service, "volumes"]))
        .help("use private, rprivate, shared, rshared, slave or rslave")
        .into()
    })
}
