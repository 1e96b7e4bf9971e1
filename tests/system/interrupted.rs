//! Work that is interrupted, with real clients: what they do then is read from what passed over the network.

mod containerd;
mod docker;

use tests::{Blob, Direction, Exchange, Image, Installation, Person, Ran, Relay, ServerProcess};

const MIB: usize = 1 << 20;
/// In how large pieces regctl is told to upload.
const CHUNK_BYTES: usize = MIB;
const BLOB_BYTES: usize = 8 * MIB;
const UPLOADS: &str = "/v2/team-a/web/blobs/uploads/";

/// A server, acme, who owns `team-a`, and the network between the two.
struct Stage {
    server: ServerProcess,
    acme: Person,
    relay: Relay,
}

impl Stage {
    async fn set() -> Stage {
        Stage::of(ServerProcess::start().await).await
    }

    async fn of(server: ServerProcess) -> Stage {
        let acme = server.owner("acme", "team-a").await;
        let relay = Relay::to(&server).await;
        Stage { server, acme, relay }
    }

    /// acme's regctl, signed in through the relay.
    async fn regctl(&self) -> Installation {
        let regctl = Installation::of("regctl", self.relay.registry());
        let (host, chunk) = (regctl.host(), format!("--blob-chunk={CHUNK_BYTES}"));
        regctl.runs(&["registry", "set", "--skip-check", "--tls=disabled", &chunk, host]).await.succeeds();
        let login = ["registry", "login", host, "--user", self.acme.login(), "--pass-stdin"];
        regctl.runs_with(&login, self.acme.password()).await.succeeds();
        regctl
    }

    /// acme's crane, signed in through the relay.
    async fn crane(&self) -> Installation {
        let crane = Installation::of("crane", self.relay.registry());
        let login = ["auth", "login", crane.host(), "--username", self.acme.login(), "--password-stdin"];
        crane.runs_with(&login, self.acme.password()).await.succeeds();
        crane
    }

    /// The uploads that were begun, and their pieces.
    fn pieces(&self) -> Vec<Exchange> {
        let begun = self.relay.requests("POST", UPLOADS);
        assert_eq!(begun.iter().filter(|post| post.got(202)).count(), 1, "begun anew: {begun:#?}");
        self.relay.requests("PATCH", UPLOADS)
    }

    /// The registry holds every byte of it.
    async fn holds(&self, blob: &Blob) {
        let answer = self.acme.get(&format!("/v2/team-a/web/blobs/{}", blob.digest)).send().await.expect(200);
        assert!(answer.body == blob.bytes, "another blob than was pushed");
    }
}

/// `regctl blob put`.
async fn regctl_puts(regctl: &Installation, blob: &Blob) -> Ran {
    regctl.runs_with(&["blob", "put", &format!("{}/team-a/web", regctl.host())], &blob.bytes).await
}

/// `crane append`: an image of one layer.
async fn crane_pushes(crane: &Installation, layer: &Blob) -> Ran {
    let file = crane.path("layer.tar.gz");
    std::fs::write(&file, &layer.bytes).expect("a file");
    let image = format!("{}/team-a/web:1", crane.host());
    crane.runs(&["append", "--new_layer", &file.to_string_lossy(), "--new_tag", &image]).await
}

/// A layer that clients take as it is: compressed, and of random bytes.
async fn layer() -> Blob {
    Blob::archive(&Blob::random(BLOB_BYTES).bytes).await
}

/// The first and the last byte that a piece says to carry.
fn range(piece: &Exchange) -> (u64, u64) {
    let range = piece.header("content-range");
    let (first, last) = range.split_once('-').unwrap_or_else(|| panic!("no range: {piece:#?}"));
    (first.parse().expect("a number"), last.parse().expect("a number"))
}

/// These pieces were taken, and lie end to end from one byte to before another.
fn lie_end_to_end(pieces: &[Exchange], from: u64, to: u64) {
    let mut next = from;
    for piece in pieces {
        let (first, last) = range(piece);
        assert_eq!((first, piece.sent_bytes), (next, last + 1 - first), "{pieces:#?}");
        next = last + 1;
    }
    assert_eq!(next, to, "{pieces:#?}");
}

#[tokio::test]
async fn regctl_goes_on_from_what_the_server_has_when_a_push_is_cut_within_a_chunk() {
    let stage = Stage::set().await;
    let (regctl, blob) = (stage.regctl().await, Blob::random(BLOB_BYTES));
    stage.relay.cuts_after(Direction::Up, (3 * CHUNK_BYTES + CHUNK_BYTES / 2) as u64);
    regctl_puts(&regctl, &blob).await.succeeds();
    stage.holds(&blob).await;

    let pieces = stage.pieces();
    let cut = pieces.iter().position(|piece| piece.status.is_none()).expect("one that is cut");
    let (before, after) = (&pieces[..cut], &pieces[cut + 2..]);
    // regctl sends the same chunk once more, and hears from where on the server wants it.
    let (cut, again) = (&pieces[cut], &pieces[cut + 1]);
    assert!(again.got(416) && range(again) == range(cut), "{pieces:#?}");
    let begin = range(cut).0;
    let had = begin + cut.sent_bytes;
    assert_eq!(again.answer_header("range"), format!("0-{}", had - 1), "{pieces:#?}");
    assert!(had > begin, "nothing of the chunk had come: {pieces:#?}");
    assert!(before.iter().chain(after).all(|piece| piece.got(202)), "{pieces:#?}");
    lie_end_to_end(before, 0, begin);
    lie_end_to_end(after, had, BLOB_BYTES as u64);
}

/// regctl pushes a blob; before the fourth chunk reaches the server, `happens`. It sends that chunk again, and no other.
async fn only_the_fourth_chunk_is_sent_again(
    stage: &mut Stage,
    happens: impl AsyncFnOnce(&mut ServerProcess, &Relay),
) {
    let (regctl, blob) = (stage.regctl().await, Blob::random(BLOB_BYTES));
    stage.relay.holds_back("PATCH", 4);
    let (relay, server) = (&stage.relay, &mut stage.server);
    let push = async { regctl_puts(&regctl, &blob).await.succeeds() };
    let interruption = async {
        relay.until(|all| all.iter().filter(|it| it.is("PATCH", UPLOADS)).count() == 4).await;
        happens(server, relay).await;
        relay.lets_go();
    };
    tokio::join!(push, interruption);
    stage.holds(&blob).await;

    let pieces = stage.pieces();
    assert!(pieces[3].status.is_none(), "it was not interrupted: {pieces:#?}");
    let taken = [&pieces[..3], &pieces[4..]].concat();
    assert!(taken.iter().all(|piece| piece.got(202)), "{pieces:#?}");
    lie_end_to_end(&taken, 0, BLOB_BYTES as u64);
}

#[tokio::test]
async fn regctl_goes_on_from_the_offset_when_the_connection_is_cut_between_two_chunks() {
    let mut stage = Stage::set().await;
    only_the_fourth_chunk_is_sent_again(&mut stage, async |_, relay| relay.cut()).await;
}

#[tokio::test]
async fn regctl_goes_on_from_the_offset_when_the_server_is_killed_between_two_chunks() {
    let mut stage = Stage::set().await;
    only_the_fourth_chunk_is_sent_again(&mut stage, async |server, _| server.kill_and_restart().await).await;
}

#[tokio::test]
async fn regctl_goes_on_with_a_range_when_a_pull_is_cut() {
    let stage = Stage::set().await;
    let (regctl, image) = (stage.regctl().await, Image::of(vec![Blob::random(BLOB_BYTES)]));
    stage.acme.pushes("team-a/web", "1", &image).await;
    stage.relay.cuts_after(Direction::Down, (BLOB_BYTES / 2) as u64);
    let (source, folder) = (format!("{}/team-a/web:1", regctl.host()), regctl.empty_folder("pulled"));
    regctl.runs(&["image", "copy", &source, &format!("ocidir://{}:1", folder.display())]).await.succeeds();
    let layer = &image.layers[0];
    let pulled = std::fs::read(folder.join("blobs").join(layer.digest.replace(':', "/"))).expect("a layer");
    assert!(pulled == layer.bytes, "another blob than is held");
    goes_on_with_a_range(&stage.relay, &format!("/v2/team-a/web/blobs/{}", layer.digest), BLOB_BYTES);
}

/// One answer was cut, and one more brought exactly what was missing.
fn goes_on_with_a_range(relay: &Relay, path: &str, bytes: usize) {
    let gets = relay.requests("GET", path);
    let gets: Vec<_> = gets.iter().filter(|get| get.received_bytes > 0 && !get.got(401)).collect();
    let [cut, rest] = gets[..] else { panic!("one that is cut and one that goes on: {gets:#?}") };
    assert!(cut.got(200) && cut.header("range").is_empty(), "{cut:#?}");
    assert!(rest.got(206), "{rest:#?}");
    let from: u64 = rest
        .header("range")
        .strip_prefix("bytes=")
        .and_then(|range| range.split('-').next())
        .and_then(|first| first.parse().ok())
        .expect("a range");
    let (last, whole) = (bytes - 1, bytes);
    assert_eq!(rest.answer_header("content-range"), format!("bytes {from}-{last}/{whole}"), "{rest:#?}");
    assert_eq!(from + rest.received_bytes, whole as u64, "{rest:#?}");
    assert!(from > 0 && from <= cut.received_bytes, "{gets:#?}");
    // All that comes twice is what the client had not yet written down when the line went dead.
    assert!(cut.received_bytes - from <= 2 * MIB as u64, "{gets:#?}");
}

#[tokio::test]
async fn crane_begins_anew_when_a_push_is_cut() {
    let stage = Stage::set().await;
    let (crane, layer) = (stage.crane().await, layer().await);
    stage.relay.cuts_after(Direction::Up, (layer.bytes.len() / 2) as u64);
    crane_pushes(&crane, &layer).await.succeeds();
    stage.holds(&layer).await;
    stage.acme.tries_to_pull("team-a/web", "1").await.expect(200);

    let pieces = stage.relay.requests("PATCH", UPLOADS);
    // The configuration, which is small, goes at the same time.
    let large: Vec<_> = pieces.iter().filter(|piece| piece.sent_bytes > MIB as u64).collect();
    let [cut, whole] = large[..] else { panic!("one that is cut and one that is whole: {pieces:#?}") };
    assert!(cut.status.is_none() && cut.sent_bytes < layer.bytes.len() as u64, "{pieces:#?}");
    assert!(whole.got(202) && whole.sent_bytes == layer.bytes.len() as u64, "{pieces:#?}");
    assert_ne!(cut.path, whole.path, "the same upload: {pieces:#?}");
}

#[tokio::test]
async fn a_push_that_is_slower_than_its_token_lives_ends_well() {
    let life = [("GANGPLANK_AUTH__ACCESS_TOKEN_TTL", "2s")];
    let stage = Stage::of(ServerProcess::start_with(&life).await).await;
    let (crane, layer) = (stage.crane().await, layer().await);
    stage.relay.goes_slowly((layer.bytes.len() / 6) as u64);
    crane_pushes(&crane, &layer).await.succeeds();
    stage.holds(&layer).await;

    let all = stage.relay.exchanges();
    let slow = all.iter().find(|it| it.sent_bytes == layer.bytes.len() as u64).expect("the layer's upload");
    assert!(slow.got(202), "{slow:#?}");
    // The old token is good for the upload that was begun with it, and for nothing else.
    let answers = |path: &str| -> Vec<_> {
        let requests = stage.relay.requests("PUT", path).into_iter();
        requests.map(|it| (it.status, it.header("authorization") == slow.header("authorization"))).collect()
    };
    assert_eq!(answers(&layer.digest.replace(':', "%3A")), [(Some(201), true)], "{all:#?}");
    let manifest = answers("/v2/team-a/web/manifests/1");
    assert_eq!(manifest, [(Some(401), true), (Some(201), false)], "{all:#?}");
}
