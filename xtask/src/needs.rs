//! What a machine must have, and how it gets it: on Debian and Ubuntu by apt, elsewhere by being told.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{attended, find, is_root, output};

/// One package, and why it is wanted.
struct Need {
    package: &'static str,
    because: &'static str,
    is_there: fn() -> bool,
}

const BUILD: &[Need] = &[
    Need {
        package: "clang",
        because: "compiles RocksDB, the metadata store, a fifth faster than gcc",
        is_there: || find("clang").is_some() && find("clang++").is_some(),
    },
    Need {
        package: "libclang-dev",
        because: "reads RocksDB's C header to make Rust's side of it",
        is_there: has_libclang,
    },
    Need {
        package: "ccache",
        because: "keeps what was compiled, so that the next build of RocksDB takes seconds",
        is_there: || find("ccache").is_some(),
    },
];

const TESTS: &[Need] = &[
    Need {
        package: "docker.io",
        because: "the engine that pushes, pulls and runs images in the tests",
        is_there: || find("dockerd").is_some() && find("docker").is_some() && find("runc").is_some(),
    },
    Need {
        package: "apparmor",
        because: "this kernel has it switched on, and the engine cannot start a container without its parser",
        is_there: || !kernel_has_apparmor() || find("apparmor_parser").is_some(),
    },
    Need {
        package: "skopeo",
        because: "the second client that the tests push and pull with",
        is_there: || find("skopeo").is_some(),
    },
    Need {
        package: "containerd",
        because: "the engine beneath docker's, with the client of its own that the tests push and pull with",
        is_there: || find("containerd").is_some() && find("ctr").is_some(),
    },
    Need {
        package: "nginx-light",
        because: "the proxy that the tests put before the server",
        is_there: || find("nginx").is_some(),
    },
    Need {
        package: "chromium",
        because: "the browser that the tests use the console with",
        is_there: || find("chromium").is_some(),
    },
    Need {
        package: "chromium-driver",
        because: "lets the tests drive that browser",
        is_there: || find("chromedriver").is_some(),
    },
    Need {
        package: "fonts-noto-cjk",
        because: "Chinese letters, for the pictures that are taken of the console",
        is_there: || Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").is_file(),
    },
    Need {
        package: "busybox-static",
        because: "the programs in the images that the tests build",
        is_there: has_static_busybox,
    },
];

const CLIENTS: &[Need] = &[
    Need { package: "podman", because: "a client of the matrix", is_there: || find("podman").is_some() },
    Need { package: "buildah", because: "a client of the matrix", is_there: || find("buildah").is_some() },
    Need {
        package: "python3-venv",
        because: "holds the Python clients, of the matrix and of the tests",
        is_there: || output("python3", &["-c", "import ensurepip, venv"]).is_some(),
    },
];

const BENCH: &[Need] = &[Need {
    package: "openssl",
    because: "shows what hashing costs on this machine",
    is_there: || find("openssl").is_some(),
}];

/// Of what the tests need, what the comparison with other servers needs, too.
const BENCH_AND_TESTS: [&str; 3] = ["docker.io", "apparmor", "nginx-light"];

/// Installs what the build lacks.
pub(crate) fn for_the_build() -> Result<(), String> {
    install(BUILD.iter().collect())
}

/// Installs what the build and the tests lack.
pub(crate) fn for_the_tests() -> Result<(), String> {
    install(BUILD.iter().chain(TESTS).chain(CLIENTS).collect())
}

/// Installs what the clients lack, of those packages that are wanted.
pub(crate) fn for_the_clients(wanted: impl Fn(&str) -> bool) -> Result<(), String> {
    install(TESTS.iter().chain(CLIENTS).filter(|need| wanted(need.package)).collect())
}

/// Installs what the comparison with other servers lacks.
pub(crate) fn for_the_bench() -> Result<(), String> {
    install(TESTS.iter().filter(|need| BENCH_AND_TESTS.contains(&need.package)).chain(BENCH).collect())
}

/// Adds rustup's components that the checks use.
pub(crate) fn for_the_checks() -> Result<(), String> {
    for_the_build()?;
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if output("cargo", &[subcommand, "--version"]).is_some() {
            continue;
        }
        eprintln!("xtask: the checks need {component}");
        if find("rustup").is_none() {
            return Err(format!("install {component} for this toolchain, then run this again"));
        }
        attended(Command::new("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

fn install(needs: Vec<&Need>) -> Result<(), String> {
    let lacking: Vec<_> = needs.into_iter().filter(|need| !(need.is_there)()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let mut list = String::new();
    for need in &lacking {
        let _ = write!(list, "\n  {:<15} {}", need.package, need.because);
    }
    if find("apt-get").is_none() {
        return Err(format!(
            "this machine lacks the following (Debian's names); install them and run this again:{list}"
        ));
    }
    eprintln!("xtask: this machine lacks, and apt will install:{list}");
    if !is_root() && find("sudo").is_none() {
        return Err("neither root nor sudo: install them as root and run this again".to_owned());
    }
    let packages: Vec<_> = lacking.iter().map(|need| need.package).collect();
    attended(apt().arg("update").arg("--quiet=2"))?;
    attended(apt().args(["install", "--yes", "--no-install-recommends", "--quiet=2"]).args(&packages))?;
    match lacking.iter().find(|need| !(need.is_there)()) {
        None => Ok(()),
        Some(need) => Err(format!("{} was installed, and what it is for is still not found", need.package)),
    }
}

fn apt() -> Command {
    // `env` rather than our own environment: sudo would not hand it on.
    let mut command = Command::new(if is_root() { "env" } else { "sudo" });
    if !is_root() {
        command.arg("env");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

/// Whether bindgen will find libclang: where it is told to look, and where distributions put it.
fn has_libclang() -> bool {
    let mut folders: Vec<_> = std::env::var_os("LIBCLANG_PATH").into_iter().map(Into::into).collect();
    for (parent, below) in [("/usr/lib", "lib"), ("/usr/lib", ""), ("/usr", "lib64"), ("/usr/local", "lib")] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            folders.push(if below.is_empty() { entry.path() } else { entry.path().join(below) });
        }
        folders.push(Path::new(parent).join(below));
    }
    folders.iter().any(|folder| {
        fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libclang.so") || (name.starts_with("libclang-") && name.contains(".so"))
        })
    })
}

fn kernel_has_apparmor() -> bool {
    fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.trim() == "Y")
}

/// Whether busybox runs in an image that holds nothing else.
fn has_static_busybox() -> bool {
    find("busybox").is_some_and(|file| {
        let libraries = Command::new("ldd").arg(file).output();
        libraries.is_ok_and(|output| !String::from_utf8_lossy(&output.stdout).contains("=>"))
    })
}
