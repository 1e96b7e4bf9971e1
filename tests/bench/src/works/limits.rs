//! What the machine does without a server: how fast its disk takes a file, and what SHA-256 costs.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::Instant;

use tokio::process::Command;

use crate::bench::{Bench, Place};
use crate::gauge::{Used, cpu_seconds_of_ended_children};
use crate::scale::GIB;

use super::{Measured, Trouble, gib, gigabytes, push, sample};

/// Writes the large blob's bytes from memory to the disk with `dd conv=fsync`: bytes each second.
pub(super) async fn disk(bench: &mut Bench) -> Measured {
    let blob = &bench.stock.large;
    let (from, to) = (bench.folder(Place::Memory).join("dd"), bench.folder(Place::Disk).join("dd"));
    let written = File::create(&from)
        .and_then(|mut file| blob.parts().iter().try_for_each(|part| file.write_all(part)));
    written.map_err(|error| format!("cannot write {}: {error}", from.display()))?;
    push::settle();
    let cpu_before = cpu_seconds_of_ended_children();
    let mut dd = Command::new("dd");
    dd.arg(format!("if={}", from.display())).arg(format!("of={}", to.display()));
    dd.args(["bs=1M", "conv=fsync", "status=none"]).kill_on_drop(true);
    let begun = Instant::now();
    let status = dd.status().await.map_err(|error| format!("cannot run dd: {error}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = Used { cpu_seconds: cpu_seconds_of_ended_children() - cpu_before, ..Used::default() };
    let bytes = fs::metadata(&to).map(|file| file.len());
    for file in [&from, &to] {
        fs::remove_file(file).map_err(|error| format!("cannot remove {}: {error}", file.display()))?;
    }
    match bytes {
        Ok(bytes) if status.success() && bytes == blob.len() => {
            Ok(sample(gigabytes(bytes) / seconds, seconds, gib(bytes), used))
        }
        other => Err(format!("dd ended with {status} and {other:?} bytes").into()),
    }
}

/// `openssl speed sha256`: bytes in each second of processor time.
pub(super) async fn hash(bench: &mut Bench) -> Measured {
    let seconds = bench.scale.counting.as_secs().max(1);
    let mut openssl = Command::new("openssl");
    openssl.args(["speed", "-seconds", &seconds.to_string(), "-bytes", "65536", "sha256"]).kill_on_drop(true);
    let output = openssl.output().await.map_err(|error| format!("cannot run openssl: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let speed = bytes_per_second(&text).filter(|_| output.status.success());
    let speed = speed.ok_or_else(|| Trouble::Failed(format!("openssl told no speed: {text}")))?;
    let used = Used { cpu_seconds: GIB as f64 / speed, ..Used::default() };
    Ok(sample(speed / 1e9, used.cpu_seconds, 1.0, used))
}

/// The figure at the end, which is told in thousands: `sha256   1580425.22k`.
fn bytes_per_second(text: &str) -> Option<f64> {
    let line = text.lines().rfind(|line| line.starts_with("sha256"))?;
    let thousands = line.split_whitespace().last()?.strip_suffix('k')?;
    thousands.parse::<f64>().ok().filter(|speed| *speed > 0.0).map(|speed| speed * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::bytes_per_second;

    #[test]
    fn openssl_tells_thousands_of_bytes_each_second() {
        let text = "The 'numbers' are in 1000s of bytes per second processed.\n\
                    type          65536 bytes\nsha256       1580425.22k\n";
        assert_eq!(bytes_per_second(text), Some(1_580_425_220.0));
        assert_eq!(bytes_per_second("sha256 nothing"), None);
    }
}
