use super::*;
use crate::base::ContainerId;
use crate::model::{ContainerState, NetworkFound, VolumeFound};
use crate::plan::{lint, text};

fn container(name: &str, depends_on: &str, running: bool) -> Container {
    Container {
        id: ContainerId::from(format!("id-{name}")),
        name: format!("p-{name}-1"),
        service: name.into(),
        number: 1,
        oneoff: false,
        state: if running {
            ContainerState::Running
        } else {
            ContainerState::Exited {
                code: 0,
                oom_killed: false,
            }
        },
        health: None,
        image: "sha256:i".into(),
        image_ref: String::new(),
        labels: [(labels::DEPENDS_ON.to_owned(), depends_on.to_owned())].into(),
        addresses: BTreeMap::new(),
        ports: vec![],
        volumes: Vec::new(),
        command: String::new(),
        created: 0,
        status: String::new(),
    }
}

fn observed() -> Observed {
    let labelled: BTreeMap<String, String> = [(labels::PROJECT.to_owned(), "p".to_owned())].into();
    Observed {
        containers: vec![
            container("db", "", true),
            container("mid", "db:service_healthy:false", false),
            container("web", "mid:service_started:false", true),
        ],
        networks: vec![NetworkFound {
            id: "n1".into(),
            name: "p_default".into(),
            driver: "bridge".into(),
            labels: labelled.clone(),
        }],
        volumes: vec![
            VolumeFound {
                name: "p_data".into(),
                driver: "local".into(),
                labels: labelled,
                ..VolumeFound::default()
            },
            VolumeFound {
                name: "foreign".into(),
                driver: "local".into(),
                ..VolumeFound::default()
            },
        ],
        ..Observed::default()
    }
}

#[test]
fn without_a_stack_the_labels_give_the_order_and_volumes_stay() {
    let plan = plan_down(None, &observed(), &DownOptions::default());
    assert!(lint::lint(&plan).is_empty());
    insta::assert_snapshot!(text::plan(&plan), @r"
    #0  stop container p-web-1 — the project is taken down
    #1  remove container p-web-1 — the project is taken down; after #0
    #2  remove container p-mid-1 — the project is taken down
    #3  stop container p-db-1 — the project is taken down; after #0
    #4  remove container p-db-1 — the project is taken down; after #3
    #5  remove network p_default — the project is taken down; after #1 #2 #4
    ");
}

#[test]
fn volumes_go_only_when_asked_and_only_ours() {
    let options = DownOptions {
        volumes: true,
        ..DownOptions::default()
    };
    let printed = text::plan(&plan_down(None, &observed(), &options));
    assert!(printed.contains("remove volume p_data and all that is in it"));
    assert!(!printed.contains("foreign"));
}

#[test]
fn one_service_leaves_the_rest_and_the_network() {
    let options = DownOptions {
        services: vec!["web".into()],
        ..DownOptions::default()
    };
    insta::assert_snapshot!(text::plan(&plan_down(None, &observed(), &options)), @r"
    #0  stop container p-web-1 — the project is taken down
    #1  remove container p-web-1 — the project is taken down; after #0
    ");
}
