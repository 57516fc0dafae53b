//! A study on a real Slurm of one node: an array of shards, one requeued in the middle, and the merge that
//! waits for them. Needs root, munge, slurmctld, slurmd and sbatch; skips with a message without them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::pipeline::{STUDY, assert_same_bytes, bytes_below, prunephase, succeed};

const PROGRAMS: [&str; 4] = ["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch"];

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Why there can be no Slurm here.
fn missing() -> Option<String> {
    if let Some(program) = PROGRAMS.iter().find(|program| !Path::new(program).is_file()) {
        return Some(format!("{program} is not installed (packages munge, slurmctld, slurmd, slurm-client)"));
    }
    (output("id", &["-u"]) != "0").then(|| "it needs root".to_owned())
}

/// The daemons of a cluster of one node in a folder of its own; they end with it.
struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    fn start() -> Self {
        // munge wants a folder that its user owns and nobody else can write, all the way up.
        let folder = tempfile::Builder::new().prefix("slurm-").tempdir_in("/var/lib").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["munge", "state", "spool"] {
            fs::create_dir(at(name)).unwrap();
        }
        let id = |flag| output("id", &[flag, "munge"]).parse().unwrap();
        let (user, group) = (Some(id("-u")), Some(id("-g")));
        fs::write(at("munge/key"), [7u8; 64]).unwrap();
        fs::set_permissions(at("munge/key"), fs::Permissions::from_mode(0o400)).unwrap();
        chown(at("munge/key"), user, group).unwrap();
        chown(at("munge"), user, group).unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (host, root) = (output("hostname", &["-s"]), folder.path().display().to_string());
        let text = format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={root}/munge/socket\nCredType=cred/munge\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSwitchType=switch/none\n\
             JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nMpiDefault=none\nReturnToService=2\n\
             StateSaveLocation={root}/state\nSlurmdSpoolDir={root}/spool\n\
             SlurmctldPidFile={root}/slurmctld.pid\nSlurmdPidFile={root}/slurmd.pid\n\
             SlurmctldLogFile={root}/slurmctld.log\nSlurmdLogFile={root}/slurmd.log\n\
             SlurmctldPort={}\nSlurmdPort={}\nSchedulerParameters=batch_sched_delay=0,sched_interval=1\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs={} State=UNKNOWN\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
            free(),
            free(),
            std::thread::available_parallelism().unwrap()
        );
        fs::write(at("slurm.conf"), text).unwrap();
        let mut cluster = Self { folder, daemons: Vec::new() };
        let munge = |name: &str| format!("--{name}={root}/munge/{name}").replace("munge/key-file", "munge/key");
        let mut munged = Command::new("runuser");
        munged.args(["-u", "munge", "--", PROGRAMS[0], "--foreground", "--force"]);
        munged.args(["key-file", "socket", "pid-file", "log-file", "seed-file"].map(munge));
        cluster.daemons.push(quiet(&mut munged).spawn().unwrap());
        cluster.wait("munge", || Path::new(&format!("{root}/munge/socket")).exists());
        for daemon in &PROGRAMS[1..3] {
            let mut command = cluster.command(daemon);
            cluster.daemons.push(quiet(command.arg("-D")).spawn().unwrap());
        }
        cluster.wait("an idle node", || cluster.says("sinfo", &["-h", "-o", "%T"]) == "idle");
        cluster
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.folder.path().join("slurm.conf"));
        command
    }

    fn says(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            let log = || fs::read_to_string(self.folder.path().join("slurmctld.log")).unwrap_or_default();
            assert!(start.elapsed() < Duration::from_secs(240), "no {what} after 240 s\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.says("scancel", &["--user=root"]);
        for daemon in self.daemons.iter_mut().rev() {
            // Asked to end, so that runuser ends what it runs.
            Command::new("kill").arg(daemon.id().to_string()).status().unwrap();
            daemon.wait().unwrap();
        }
    }
}

#[test]
fn an_array_with_a_requeued_shard_and_its_merge_give_the_bytes_of_one_run() {
    if let Some(missing) = missing() {
        eprintln!("skipped: no Slurm here: {missing}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("eight.toml");
    // Eight tasks, long enough to be met while they run.
    let text = STUDY.replace("replicates = 3", "replicates = 4").replace("epochs = 1\n", "epochs = 12\n");
    fs::write(&study, text).unwrap();
    let at = |name: &str| folder.path().join(name);
    succeed(prunephase().arg("run").arg(&study).arg("--out").arg(at("whole")));

    let cluster = Cluster::start();
    let mut submit = cluster.command(assert_cmd::cargo::cargo_bin!("prunephase").to_str().unwrap());
    submit.arg("slurm").arg(&study).arg("--out").arg(at("out")).args([
        "--submit",
        "--time",
        "10",
        "--array-limit",
        "4",
    ]);
    let said = String::from_utf8_lossy(&succeed(&mut submit).stdout).into_owned();
    assert!(said.contains("of 8 shards"), "{said}");
    let array = said.split_whitespace().nth(2).unwrap().to_owned();

    // Once it has a level, shard 2 is taken off its node and put back into the queue.
    let started = || {
        let tables: PathBuf = at("out/shards/2/tables/tasks");
        tables.is_dir() && bytes_below(&tables).keys().any(|name| name.ends_with("levels.csv"))
    };
    cluster.wait("level of shard 2", started);
    let requeued = cluster.command("scontrol").args(["requeue", &format!("{array}_2")]).status().unwrap();
    assert!(requeued.success(), "shard 2 was done before it could be requeued");
    let status = succeed(prunephase().arg("status").arg(at("out")).arg("--json"));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["tasks"].as_array().unwrap().len(), 8);
    assert_eq!(status["finished"], false);

    // A requeued job may not start for two minutes after it was taken off; released, it may at once.
    let release = || {
        cluster.says("scontrol", &["update", &format!("jobid={array}_2"), "starttime=now"]);
        cluster.says("squeue", &["-h"]).is_empty()
    };
    cluster.wait("end of all jobs", release);
    let logs: String = fs::read_dir(at("out/slurm"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default())
        .collect();
    assert!(at("out/manifest.json").is_file(), "{logs}");
    assert_eq!(logs.matches("is done; with the others").count(), 8, "{logs}");
    for folder in ["shards", "slurm"] {
        fs::remove_dir_all(at("out").join(folder)).unwrap();
    }
    assert_same_bytes(&at("whole"), &at("out"));
}
