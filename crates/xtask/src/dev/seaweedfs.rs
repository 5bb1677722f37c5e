//! The local origin: SeaweedFS, an S3 server that verifies signatures.

use std::ffi::OsString;
use std::fs::{self, File};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::json;

use super::child::Child;
use super::endpoints::{KeyPair, Origin, OriginKind};
use super::run_folder::{RunFolder, free_ports, tail};
use super::s3::Bucket;
use crate::interrupt;
use crate::tools::Python;

/// A first start on a busy machine takes about 15 seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running SeaweedFS. It needs a few seconds after [`SeaweedFs::start`]; [`SeaweedFs::wait`] sees them through.
pub(crate) struct SeaweedFs {
    pub(crate) child: Child,
    pub(crate) origin: Origin,
    log: std::path::PathBuf,
}

impl SeaweedFs {
    /// Starts it with an empty store, one identity and every port chosen free, so that several can run at once.
    pub(crate) fn start(
        python: &Python,
        run: &RunFolder,
        key: &KeyPair,
        bucket: &str,
        region: &str,
    ) -> anyhow::Result<Self> {
        let identities = json!({ "identities": [{
            "name": "gateway",
            "credentials": [{ "accessKey": key.id, "secretKey": key.secret }],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }] });
        let config = run.path("identities.json");
        fs::write(&config, serde_json::to_vec(&identities)?)?;

        let [
            master,
            master_grpc,
            volume,
            volume_grpc,
            filer,
            filer_grpc,
            s3,
            s3_grpc,
        ] = free_ports()?;
        let arguments: Vec<OsString> = [
            "server".to_owned(),
            format!("-dir={}", run.folder("objects")?.display()),
            "-ip=127.0.0.1".to_owned(),
            "-ip.bind=127.0.0.1".to_owned(),
            "-filer".to_owned(),
            "-s3".to_owned(),
            format!("-s3.config={}", config.display()),
            format!("-master.port={master}"),
            format!("-master.port.grpc={master_grpc}"),
            format!("-volume.port={volume}"),
            format!("-volume.port.grpc={volume_grpc}"),
            format!("-filer.port={filer}"),
            format!("-filer.port.grpc={filer_grpc}"),
            format!("-s3.port={s3}"),
            format!("-s3.port.grpc={s3_grpc}"),
            // 0 turns these two off; their fixed default ports would allow one instance per machine.
            "-s3.port.iceberg=0".to_owned(),
            "-s3.port.lance=0".to_owned(),
            "-master.telemetry=false".to_owned(),
            "-master.volumeSizeLimitMB=1024".to_owned(),
            "-volume.max=0".to_owned(),
        ]
        .map(OsString::from)
        .into();
        let log = run.path("seaweedfs.log");
        let output = File::create(&log)?;
        let child = Child::start(
            "SeaweedFS",
            python.program("weed"),
            &arguments,
            &run.folder("tmp")?,
            output.try_clone()?.into(),
            output.into(),
        )?;
        let origin = Origin {
            kind: OriginKind::Seaweedfs,
            url: format!("http://127.0.0.1:{s3}"),
            region: region.to_owned(),
            bucket: bucket.to_owned(),
            access_key_id: key.id.clone(),
            secret_access_key: key.secret.clone(),
        };
        Ok(Self { child, origin, log })
    }

    /// Waits until it stores objects: creates the bucket, and writes and removes one object.
    ///
    /// # Errors
    /// It ended, or does not answer in time.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let bucket = Bucket::new(&self.origin)?;
        loop {
            let attempt = bucket
                .create()
                .and_then(|()| bucket.put("is-it-up", b"yes"))
                .and_then(|()| bucket.delete("is-it-up"));
            let Err(error) = attempt else { return Ok(()) };
            interrupt::check()?;
            if let Some(status) = self.child.ended()? {
                bail!("SeaweedFS ended with {status}:\n  {}", tail(&self.log));
            }
            if Instant::now() > deadline {
                bail!(
                    "SeaweedFS does not answer after {} s ({error:#}):\n  {}",
                    PATIENCE.as_secs(),
                    tail(&self.log)
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}
