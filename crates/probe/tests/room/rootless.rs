//! The same tests as an ordinary user, who may be refused `/dev/net/tun` here: so it is given, in a mount
//! namespace of this test alone.

use nix::unistd::geteuid;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Makes a device that everyone may open, puts it in place, and goes on as nobody with the rest.
const SCRIPT: &str = "mknod $0/tun c 10 200 && chmod 0666 $0/tun && mount --bind $0/tun /dev/net/tun || exit; \
    exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \"$@\"";

#[test]
fn an_ordinary_user_has_rooms_too() {
    if !geteuid().is_root() {
        return eprintln!("skipped: we are an ordinary user already");
    }
    let folder = tempfile::tempdir().expect("a folder");
    // Where the program was built nobody else may be let in.
    let copy = folder.path().join("tests");
    fs::copy(std::env::current_exe().expect("we are a file"), &copy).expect("it can be copied");
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
    let ran = Command::new("unshare")
        .args(["-m", "sh", "-c", SCRIPT])
        .arg(folder.path())
        .arg(&copy)
        .args(["--nocapture", "--test-threads=2"])
        .env_remove("TMPDIR")
        .current_dir("/")
        .output();
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => return eprintln!("skipped: unshare: {error}"),
    };
    let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    // Tests that failed end with this code, everything before them with others.
    if !ran.status.success() && ran.status.code() != Some(101) {
        return eprintln!("skipped: nobody cannot be given a device here: {text}");
    }
    assert!(ran.status.success(), "{text}");
    let user_namespaces = fs::read_to_string("/proc/sys/user/max_user_namespaces").unwrap_or_default();
    let allowed = user_namespaces.trim() != "0" && !text.contains("held back");
    assert!(!allowed || !text.contains("skipped: /dev/net/tun"), "{text}");
    eprintln!("{text}");
}
