//! The ways in which a server is reached over TLS: through nginx, as `deploy/nginx.conf` sets it up, and by itself. With
//! real clients, by name and by address.

mod addresses;
mod limits;
mod own_tls;
mod transfers;

use tests::{Blob, Containerd, Docker, Image, Nginx, Person, Registry, ServerProcess};

const MIB: usize = 1 << 20;
/// What docker and containerd say of a certificate from an authority that they were not told of.
const UNKNOWN_AUTHORITY: &[&str] = &["certificate signed by unknown authority"];

/// A server that believes the nginx before it, and acme, which owns the namespace `team-a`.
struct Stage {
    server: ServerProcess,
    nginx: Nginx,
    acme: Person,
}

impl Stage {
    async fn set() -> Stage {
        Stage::set_with(&[]).await
    }

    /// With changes to nginx's configuration.
    async fn set_with(changes: &[(&str, &str)]) -> Stage {
        let server =
            ServerProcess::start_with(&[("GANGPLANK_SERVER__TRUSTED_PROXIES", "[\"127.0.0.1\"]")]).await;
        let nginx = Nginx::before_with(&server, changes).await;
        let acme = server.owner("acme", "team-a").await;
        Stage { server, nginx, acme }
    }
}

/// The large layers of these tests are much larger than what nginx holds of a body.
const LARGE: usize = 50 * MIB;

/// What docker pushes by the name that `registry` has, containerd pulls by it; and the other way round.
async fn docker_and_containerd_exchange(registry: &Registry, acme: &Person, layer_bytes: usize) {
    let containerd = Containerd::start().await;
    containerd.trusts(registry);
    Docker::engine_trusts(registry);
    let docker = Docker::of(acme, registry).await;

    let by_docker = format!("{}/team-a/by-docker:1", registry.host());
    docker.builds(&by_docker, &[("file", &Blob::random(layer_bytes).bytes)]).await;
    docker.pushes(&by_docker).await.succeeds();
    containerd.pulls(&by_docker, acme).await.succeeds();
    assert_eq!(containerd.digest_of(&by_docker).await, docker.digest_of(&by_docker).await);
    docker.forgets(&[&by_docker]).await;

    let image = Image::of_file(&Blob::random(layer_bytes).bytes).await;
    let by_containerd = format!("{}/team-a/by-containerd:1", registry.host());
    containerd.stores(&by_containerd, &image).await;
    containerd.pushes(&by_containerd, acme).await.succeeds();
    docker.pulls(&by_containerd).await.succeeds();
    assert_eq!(docker.digest_of(&by_containerd).await, image.digest);
    docker.forgets(&[&by_containerd]).await;
}
