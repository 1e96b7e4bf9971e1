//! The pull/push guide: the lines to type, for each client, with this image in them.

use maud::{Markup, html};
use oci::RepositoryName;

use super::credentials;
use super::page::command;
use super::visitor::Visitor;

/// Of an image; with the lines that push for who may.
pub(super) fn of_image(visitor: &Visitor, name: &RepositoryName, tag: &str, pushes: bool) -> Markup {
    let (t, host, login) = (visitor.t, &visitor.host, visitor.principal.name());
    let image = format!("{host}/{name}:{tag}");
    // No tag that there is: whoever copies the line would move it.
    let pushed = format!("{host}/{name}:TAG");
    let secret = format!(
        "kubectl create secret docker-registry gangplank --docker-server={host} --docker-username='{login}' \
         --docker-password='PASSWORD'"
    );
    html! {
        p { (t.guide_login_hint) " " a href=(credentials::ALL) { (t.credentials) } }
        @for (client, program) in [(t.guide_docker, "docker"), (t.guide_podman, "podman")] {
            section.panel {
                h2 { (client) }
                h3 { (t.guide_sign_in) }
                (command(t, &format!("{program} login --username '{login}' {host}")))
                h3 { (t.guide_pull) }
                (command(t, &format!("{program} pull {image}")))
                @if pushes {
                    h3 { (t.guide_push) }
                    (command(t, &format!("{program} tag IMAGE {pushed}")))
                    (command(t, &format!("{program} push {pushed}")))
                }
            }
        }
        section.panel {
            h2 { (t.guide_containerd) }
            h3 { (t.guide_pull) }
            (command(t, &format!("ctr images pull --user '{login}:PASSWORD' {image}")))
            @if pushes {
                h3 { (t.guide_push) }
                (command(t, &format!("ctr images push --user '{login}:PASSWORD' {pushed}")))
            }
        }
        section.panel {
            h2 { (t.guide_skopeo) }
            h3 { (t.guide_sign_in) }
            (command(t, &format!("skopeo login --username '{login}' {host}")))
            h3 { (t.guide_pull) }
            (command(t, &format!("skopeo copy docker://{image} dir:image")))
            @if pushes {
                h3 { (t.guide_push) }
                (command(t, &format!("skopeo copy dir:image docker://{pushed}")))
            }
        }
        section.panel { h2 { (t.guide_kubernetes) } (command(t, &secret)) }
    }
}

/// The lines that push the first image of a name.
pub(super) fn push_of_new(visitor: &Visitor, name: &str) -> Markup {
    let (t, host, login) = (visitor.t, &visitor.host, visitor.principal.name());
    html! {
        (command(t, &format!("docker login --username '{login}' {host}")))
        (command(t, &format!("docker push {host}/{name}:TAG")))
    }
}
