//! How many files this process may have open (`RLIMIT_NOFILE`), and what fits into that.
//!
//! A server that runs out of them cannot accept, serve or write its metadata. So the limit is raised as far as the
//! system lets us, and what may be open at once is bounded to fit: what the server has open for itself (the metadata's
//! tables, what its lanes wait with), a socket for each connection, a blob for each request, and a reserve for everything
//! else.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::Server;

/// Logs of the metadata, keys, listeners, what upkeep and the commands of a request open for a moment.
const RESERVE: u64 = 128;
/// With fewer connections, or requests at once, it is no server.
const EACH_LEAST: u64 = 16;

/// The limit is too small to serve at all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooFew {
    /// The least that would do.
    pub(crate) needed: u64,
}

/// Raises this process's limit as far as the system lets it, and answers what it is then.
pub(crate) fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => return limit.maximum.unwrap_or(u64::MAX),
            Err(error) => tracing::debug!(%error, "cannot raise the limit on open files"),
        }
    }
    limit.current.unwrap_or(u64::MAX)
}

/// Bounds the connections and requests of `server` to what `limit` has room for beside what it has open for itself, and
/// says so in the log.
pub(crate) fn fit(server: &mut Server, limit: u64, itself: u64) -> Result<(), TooFew> {
    let Fitting { connections_max, requests_max } =
        fitting(server.connections_max, server.requests_max, limit, itself)?;
    if (connections_max, requests_max) != (server.connections_max, server.requests_max) {
        tracing::warn!(
            open_files_max = limit,
            connections_max,
            connections_max_configured = server.connections_max,
            requests_max,
            requests_max_configured = server.requests_max,
            "the limit on open files is too small for server.connections_max and server.requests_max, so fewer are let \
             in at once; raise it with ulimit -n, or LimitNOFILE= in a systemd unit"
        );
        server.connections_max = connections_max;
        server.requests_max = requests_max;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Fitting {
    connections_max: usize,
    requests_max: usize,
}

fn fitting(connections: usize, requests: usize, limit: u64, itself: u64) -> Result<Fitting, TooFew> {
    let taken = RESERVE + itself;
    let room = limit.saturating_sub(taken);
    if connections as u64 + requests as u64 <= room {
        return Ok(Fitting { connections_max: connections, requests_max: requests });
    }
    let each = room / 2;
    if each < EACH_LEAST {
        return Err(TooFew { needed: taken + 2 * EACH_LEAST });
    }
    let each = usize::try_from(each).unwrap_or(usize::MAX);
    Ok(Fitting { connections_max: connections.min(each), requests_max: requests.min(each) })
}

#[cfg(test)]
mod tests {
    use super::{Fitting, TooFew, fitting};

    #[test]
    fn what_fits_stays_as_it_is_configured() {
        for (connections, requests, limit) in
            [(4096, 4096, 8832), (4096, 4096, u64::MAX), (100, 284, 1024), (1, 1, 642), (4, 4, 650)]
        {
            let unchanged = Fitting { connections_max: connections, requests_max: requests };
            assert_eq!(fitting(connections, requests, limit, 512), Ok(unchanged), "{limit}");
        }
    }

    #[test]
    fn what_does_not_fit_is_bounded_to_its_half_of_the_room() {
        for (connections, requests, limit, tables, fits) in [
            (4096, 4096, 8831, 512, (4095, 4095)),
            (4096, 4096, 1024, 512, (192, 192)),
            (4096, 100, 1024, 512, (192, 100)),
            (100, 4096, 1024, 512, (100, 192)),
            (4096, 4096, 1024, 96, (400, 400)),
            (4096, 4096, 672, 512, (16, 16)),
        ] {
            let fits = Fitting { connections_max: fits.0, requests_max: fits.1 };
            assert_eq!(fitting(connections, requests, limit, tables), Ok(fits), "{limit}");
        }
    }

    #[test]
    fn a_limit_for_too_few_is_refused_with_what_would_do() {
        for limit in [0, 64, 512, 640, 671] {
            assert_eq!(fitting(4096, 4096, limit, 512), Err(TooFew { needed: 672 }), "{limit}");
        }
    }
}
