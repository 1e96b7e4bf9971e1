//! An image's page: its tabs, and what its forms do. Whoever may pull it sees its tags and the guide; who manages it, all.

use auth::{Action, Category, Denied, Description, DetailsChange, Permit, Repository};
use maud::{Markup, html};
use oci::RepositoryName;

use super::forms::{Asked, ended, gone};
use super::images::{ALL, address, visibility};
use super::page::{Answer, Field, Place, form_token, go, part};
use super::problem::{Problem, Wrong, wrong};
use super::text::Texts;
use super::visitor::{At, Form, Visitor};
use super::{guide, image_settings, manifest, permissions, sharing, tags, usage};

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Tags,
    Guide,
    Description,
    Sharing,
    Permissions,
    Usage,
    Settings,
}

impl Tab {
    fn word(self) -> &'static str {
        match self {
            Tab::Tags => "tags",
            Tab::Guide => "guide",
            Tab::Description => "description",
            Tab::Sharing => "sharing",
            Tab::Permissions => "permissions",
            Tab::Usage => "usage",
            Tab::Settings => "settings",
        }
    }
}

/// An image as the visitor sees it.
pub(super) struct Seen {
    pub(super) repository: Repository,
    pub(super) permit: Permit,
    /// Whether it is of the visitor's account.
    pub(super) own: bool,
    pub(super) pushes: bool,
    pub(super) manages: bool,
}

impl Seen {
    /// # Errors
    /// [`Problem::NotFound`] for one that the visitor may not pull, too.
    async fn find(visitor: &Visitor, name: &str) -> Result<Seen, Problem> {
        let name = RepositoryName::parse(name).map_err(|_| Problem::NotFound)?;
        let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
        let permit = match auth.authorize(p, &name, Action::Pull, now).await {
            Err(Denied::Forbidden | Denied::Vacant) => return Err(Problem::NotFound),
            permit => permit?,
        };
        let repository = auth.show_repository(p, &name, now).await?;
        let own = p.account() == Some(permit.owner());
        let manages = own && auth.authorize(p, &name, Action::Manage, now).await.is_ok();
        Ok(Seen { repository, own, pushes: permit.allows_push(), manages, permit })
    }

    pub(super) fn address(&self) -> String {
        address(self.repository.name.as_str())
    }

    fn tabs(&self) -> Vec<Tab> {
        let mut tabs = vec![Tab::Tags, Tab::Guide];
        if self.own {
            tabs.push(Tab::Description);
        }
        if self.manages {
            tabs.extend([Tab::Sharing, Tab::Permissions, Tab::Usage, Tab::Settings]);
        }
        tabs
    }

    /// The page around a part of it.
    pub(super) fn page(&self, visitor: &Visitor, tab: Tab, content: &Markup) -> Answer {
        self.page_about(visitor, tab, None, content)
    }

    /// The same, which is about `what` of that part.
    fn page_about(&self, visitor: &Visitor, tab: Tab, what: Option<&str>, content: &Markup) -> Answer {
        let t = visitor.t;
        let name = self.repository.name.as_str();
        let place = if self.own { Place::OwnImages } else { Place::SharedByOthers };
        let text = |tab| match tab {
            Tab::Tags => t.tags,
            Tab::Guide => t.guide,
            Tab::Description => t.description,
            Tab::Sharing => t.sharing,
            Tab::Permissions => t.permissions,
            Tab::Usage => t.usage,
            Tab::Settings => t.settings,
        };
        let content = html! {
            dl.facts {
                dt { (t.owner) } dd { (self.repository.account) }
                dt { (t.visibility) } dd { (visibility(visitor, self.repository.visibility)) }
                @if self.own { dt { (t.category) } dd { (category_text(t, self.repository.category)) } }
            }
            nav aria-label=(name) {
                ul.tabs {
                    @for one in self.tabs() {
                        li {
                            a href=(format!("{}?tab={}", self.address(), one.word())) aria-current=[(one == tab).then_some("page")] {
                                (text(one))
                            }
                        }
                    }
                }
            }
            (content)
        };
        let title = format!("{} · {name}", what.unwrap_or_else(|| text(tab)));
        part(visitor, place, name, &title, &content)
    }
}

/// `GET /console/images/…`.
pub(super) async fn show(visitor: Visitor, At(name): At) -> Answer {
    match Seen::find(&visitor, &name).await {
        // Nobody can go back to the question of an image that is gone.
        Err(Problem::NotFound) if visitor.query.get("do") == Some("delete") => gone(ALL),
        Err(problem) => problem.answer(visitor.language),
        Ok(seen) => ended(&visitor, shown(&visitor, seen).await),
    }
}

async fn shown(visitor: &Visitor, seen: Seen) -> Result<Answer, Problem> {
    let wanted = visitor.query.get("tab").unwrap_or("tags");
    let tab = seen.tabs().into_iter().find(|tab| tab.word() == wanted).ok_or(Problem::NotFound)?;
    Ok(match tab {
        Tab::Tags => match visitor.query.get("reference") {
            Some(reference) => {
                let content = manifest::show(visitor, &seen, reference).await?;
                seen.page_about(visitor, tab, Some(reference), &content)
            }
            None => match tags::list(visitor, &seen).await {
                Err(Problem::NotFound) if seen.pushes && visitor.query.get("delete").is_some() => {
                    gone(&format!("{}?tab=tags", seen.address()))
                }
                content => seen.page(visitor, tab, &content?),
            },
        },
        Tab::Guide => {
            let tag = tags::first(visitor, &seen).await?.unwrap_or_else(|| "TAG".to_owned());
            let content = guide::of_image(visitor, &seen.repository.name, &tag, seen.pushes);
            seen.page(visitor, tab, &content)
        }
        Tab::Description => {
            let (text, category) = (seen.repository.description.to_string(), seen.repository.category);
            seen.page(visitor, tab, &description(visitor, &seen, (&text, category), None))
        }
        Tab::Sharing => sharing::show(visitor, &seen).await?,
        Tab::Usage => seen.page(visitor, tab, &usage::show(visitor, &seen).await?),
        Tab::Settings => seen.page(visitor, tab, &image_settings::show(visitor, &seen)?),
        Tab::Permissions => {
            let asked = Asked::First(&visitor.query);
            match permissions::of_image(visitor, &seen, asked).await {
                Err(Problem::NotFound) if asked.what() == "remove-permission" => {
                    gone(&format!("{}?tab=permissions", seen.address()))
                }
                content => seen.page(visitor, tab, &content?),
            }
        }
    })
}

/// `POST /console/images/…`: what the button that was pressed says.
pub(super) async fn act(visitor: Visitor, At(name): At, form: Form) -> Answer {
    ended(&visitor, acted(&visitor, &name, &form).await)
}

async fn acted(visitor: &Visitor, name: &str, form: &Form) -> Result<Answer, Problem> {
    let seen = match Seen::find(visitor, name).await {
        Err(Problem::NotFound) => return Ok(gone(ALL)),
        seen => seen?,
    };
    match form.get("action") {
        "describe" => describe(visitor, &seen, form).await,
        "delete-tag" => tags::delete(visitor, &seen, form).await,
        "set-permission" | "remove-permission" => permissions::act_on_image(visitor, &seen, form).await,
        action => match image_settings::act(visitor, &seen, form).await? {
            Some(answer) => Ok(answer),
            None => sharing::act(visitor, &seen, action, form).await,
        },
    }
}

fn description(
    visitor: &Visitor,
    seen: &Seen,
    (text, category): (&str, Category),
    error: Option<&Wrong>,
) -> Markup {
    let t = visitor.t;
    if !seen.manages {
        return if text.is_empty() {
            html! { p { (t.not_described) } }
        } else {
            html! { p { (text) } }
        };
    }
    html! {
        form method="post" action=(seen.address()) {
            (form_token(&visitor.form_token))
            (description_field(visitor, text, error.map(|wrong| wrong.text.as_str())))
            (Field { name: "category", label: t.category, hint: Some(t.category_hint.to_owned()), error: None }
                .select(&Category::ALL.map(|one| (one.as_str(), category_text(t, one))), category.as_str()))
            button type="submit" name="action" value="describe" { (t.save) }
        }
    }
}

fn category_text(t: &'static Texts, category: Category) -> &'static str {
    match category {
        Category::AppServer => t.category_app_server,
        Category::Linux => t.category_linux,
        Category::FrameworkApp => t.category_framework_app,
        Category::Database => t.category_database,
        Category::Lang => t.category_lang,
        Category::Windows => t.category_windows,
        Category::Arm => t.category_arm,
        Category::Other => t.category_other,
    }
}

/// A text of at most 1000 characters, with a counter.
pub(super) fn description_field(visitor: &Visitor, text: &str, error: Option<&str>) -> Markup {
    let t = visitor.t;
    let hint = Some(t.description_hint.to_owned());
    Field { name: "description", label: t.description, hint, error }.around(|ties| {
        html! {
            textarea id="description" name="description" rows="4" aria-describedby=[ties.described] aria-invalid=[ties.invalid]
                data-characters=(auth::DESCRIPTION_CHARACTERS_MAX) data-counter="description-counter" { (text) }
            p.hint.counter id="description-counter" hidden data-one=(t.character_left)
                data-unit=(t.characters_left) {}
        }
    })
}

async fn describe(visitor: &Visitor, seen: &Seen, form: &Form) -> Result<Answer, Problem> {
    let text = form.text("description");
    let category = match form.get("category") {
        "" => seen.repository.category,
        word => Category::parse(word)?,
    };
    let set = async {
        let change =
            DetailsChange { description: Some(Description::parse(&text)?), category: Some(category) };
        let (auth, p) = (&visitor.app.auth, &visitor.principal);
        auth.change_details(p, &seen.repository.name, &change, visitor.now).await
    };
    match set.await {
        Ok(_) => Ok(go(&format!("{}?tab=description&done=saved", seen.address()))),
        Err(error) => {
            let wrong = wrong(error, visitor.t)?;
            Ok(seen.page(
                visitor,
                Tab::Description,
                &description(visitor, seen, (&text, category), Some(&wrong)),
            ))
        }
    }
}
