//! Several installations at once, and ones that are killed.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use opml_toolchain::progress::Silent;
use opml_toolchain::provision::{Lock, Options, ensure_tools};

use super::support::{GOOD_DOWNLOAD, Member, World, deb};

/// Where the process of [`installing_process`] finds its world.
const WORLD: &str = "OPML_TEST_WORLD";

#[test]
#[ignore = "the body of the processes that the other tests start"]
fn installing_process() {
    let world = std::path::PathBuf::from(std::env::var_os(WORLD).expect("started by another test"));
    let lock = Lock::parse(&fs::read_to_string(world.join("lock")).unwrap()).unwrap();
    let mut search_path = world.join("bin").into_os_string();
    search_path.push(":/usr/bin:/bin");
    let options = Options {
        cache_dir: Some(world.join("cache")),
        search_path: Some(search_path),
        ..Options::default()
    };
    ensure_tools(&lock, &options, &Silent).unwrap();
}

fn start(world: &World) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::installing_process", "--ignored"])
        .env(WORLD, world.dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn world() -> World {
    let mut world = World::new();
    world.add("alpha", deb(&[Member::File("usr/alpha", b"a")]));
    world.add("beta", deb(&[Member::File("usr/beta", b"b")]));
    fs::write(world.path("lock"), world.lock_text("")).unwrap();
    world
}

#[test]
fn two_at_once_install_once() {
    let world = world();
    world.apt_get("exit 0", &format!("sleep 0.3; {GOOD_DOWNLOAD}"));
    let children = [start(&world), start(&world)];
    thread::scope(|scope| {
        let threads = [scope.spawn(|| world.install()), scope.spawn(|| world.install())];
        for thread in threads {
            let root = thread.join().unwrap().unwrap().root;
            assert_eq!(fs::read(root.join("usr/beta")).unwrap(), b"b");
        }
    });
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(world.log(), ["update", "download alpha=1 beta=1"]);
}

#[test]
fn a_killed_download_is_continued() {
    let world = world();
    // Brings the first package whole, half of the second, and hangs.
    let hang = "cp \"$repo\"/alpha_*.deb .; head -c 100 \"$repo\"/beta_*.deb > \"$(basename \"$repo\"/beta_*.deb)\"\n\
                touch \"$repo/../hanging\"; sleep 5";
    world.apt_get("exit 0", hang);
    let mut child = start(&world);
    wait_for(|| world.path("hanging").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(world.cached("toolchains"), Vec::<String>::new());

    world.apt_get("exit 0", GOOD_DOWNLOAD);
    let root = world.install().unwrap().root;
    assert_eq!(fs::read(root.join("usr/alpha")).unwrap(), b"a");
    assert_eq!(fs::read(root.join("usr/beta")).unwrap(), b"b");
    assert_eq!(world.log().last().unwrap(), "download beta=1");
    // Whole, and nothing of the killed process.
    assert_eq!(world.cached("downloads"), World::kept(&world.lock(""), [0, 1]));
}

#[test]
fn a_half_unpacked_folder_is_never_used() {
    let world = world();
    let id = world.lock("").id().to_owned();
    // What a process leaves that is killed while it unpacks.
    let half = world.path(&format!("cache/toolchains/{id}.partial-1"));
    fs::create_dir_all(half.join("usr")).unwrap();
    fs::write(half.join("usr/alpha"), b"").unwrap();
    let root = world.install().unwrap().root;
    assert_eq!(fs::read(root.join("usr/alpha")).unwrap(), b"a");
    assert_eq!(world.cached("toolchains"), [id]);
}

#[test]
fn a_lock_that_a_dying_package_manager_holds_is_waited_for() {
    let world = world();
    let once = "if [ -e \"$repo/tried\" ]; then exit 0; fi; touch \"$repo/tried\"\n\
                echo 'E: Could not get lock lists/lock. It is held by process 1'; exit 100";
    world.apt_get(once, GOOD_DOWNLOAD);
    world.install().unwrap();
    assert_eq!(world.log(), ["update", "update", "download alpha=1 beta=1"]);
}

fn wait_for(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never happened");
        thread::sleep(Duration::from_millis(10));
    }
}
