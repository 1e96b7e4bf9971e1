//! Every layer, every precedence, and everything that is refused.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{Config, ConfigError, Flag, Loaded, Origin, load};

/// A server's surroundings.
#[derive(Default)]
struct Given {
    file: Option<&'static str>,
    environment: Vec<(&'static str, &'static str)>,
    flags: Vec<(&'static str, &'static str, &'static str)>,
}

impl Given {
    fn load(self) -> Result<(Loaded, PathBuf), ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gangplank.toml");
        if let Some(text) = self.file {
            std::fs::write(&path, text).unwrap();
        }
        let environment = self.environment.into_iter().map(|(name, value)| (name.into(), value.into()));
        let flags: Vec<_> = self
            .flags
            .into_iter()
            .map(|(flag, key, value)| Flag {
                flag: flag.to_owned(),
                key: key.to_owned(),
                value: value.to_owned(),
            })
            .collect();
        load(self.file.map(|_| path.as_path()), environment, &flags).map(|loaded| (loaded, path))
    }

    /// The one error's text.
    fn refused(self) -> String {
        let error = self.load().unwrap_err();
        assert_eq!(error.problems.len(), 1, "{error}");
        error.to_string()
    }
}

#[test]
fn nothing_given_is_the_defaults() {
    let (loaded, _) = Given::default().load().unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.config.server.listen.to_string(), "127.0.0.1:5000");
    assert_eq!(loaded.origin("server.listen"), &Origin::Default);
    assert_eq!(loaded.config.impossible(), []);
}

#[test]
fn a_flag_wins_over_the_environment_which_wins_over_the_file() {
    const FILE: &str = "[server]\nlisten = \"10.0.0.1:1\"\n";
    const VARIABLE: (&str, &str) = ("GANGPLANK_SERVER__LISTEN", "10.0.0.2:2");
    const FLAG: (&str, &str, &str) = ("--listen", "server.listen", "10.0.0.3:3");
    for (file, variable, flag, listen) in [
        (false, false, false, "127.0.0.1:5000"),
        (true, false, false, "10.0.0.1:1"),
        (false, true, false, "10.0.0.2:2"),
        (false, false, true, "10.0.0.3:3"),
        (true, true, false, "10.0.0.2:2"),
        (true, false, true, "10.0.0.3:3"),
        (false, true, true, "10.0.0.3:3"),
        (true, true, true, "10.0.0.3:3"),
    ] {
        let given = Given {
            file: file.then_some(FILE),
            environment: if variable { vec![VARIABLE] } else { vec![] },
            flags: if flag { vec![FLAG] } else { vec![] },
        };
        let (loaded, path) = given.load().unwrap();
        assert_eq!(
            loaded.config.server.listen.to_string(),
            listen,
            "file {file}, variable {variable}, flag {flag}"
        );
        let origin = match (file, variable, flag) {
            (_, _, true) => Origin::Flag("--listen".to_owned()),
            (_, true, _) => Origin::Environment("GANGPLANK_SERVER__LISTEN".to_owned()),
            (true, ..) => Origin::File(path),
            _ => Origin::Default,
        };
        assert_eq!(loaded.origin("server.listen"), &origin);
    }
}

#[test]
fn each_layer_keeps_what_the_others_do_not_set() {
    let given = Given {
        file: Some("[storage]\nupload_ttl = \"2h\"\nsparse_images = true\n\n[log]\n"),
        environment: vec![("GANGPLANK_STORAGE__BLOB_BYTES_MAX", "1073741824")],
        flags: vec![("--data", "storage.data", "/srv/gangplank")],
    };
    let (Loaded { config, .. }, _) = given.load().unwrap();
    assert_eq!(config.storage.upload_ttl, Duration::from_secs(7200));
    assert!(config.storage.sparse_images);
    assert_eq!(config.storage.blob_bytes_max, 1 << 30);
    assert_eq!(config.storage.data, PathBuf::from("/srv/gangplank"));
}

#[test]
fn a_section_in_a_section_is_layered_like_any() {
    let given = Given {
        file: Some("[server.tls]\ncertificate = \"file.crt\"\nkey = \"file.key\"\n"),
        environment: vec![("GANGPLANK_SERVER__TLS__KEY", "variable.key")],
        flags: vec![("--set", "server.tls.reload_interval", "1m")],
    };
    let (loaded, path) = given.load().unwrap();
    let tls = &loaded.config.server.tls;
    assert_eq!(tls.certificate, Some(PathBuf::from("file.crt")));
    assert_eq!(tls.key, Some(PathBuf::from("variable.key")));
    assert_eq!(tls.reload_interval, Duration::from_secs(60));
    assert_eq!(loaded.origin("server.tls.certificate"), &Origin::File(path));
    let variable = Origin::Environment("GANGPLANK_SERVER__TLS__KEY".to_owned());
    assert_eq!(loaded.origin("server.tls.key"), &variable);
}

#[test]
fn text_becomes_what_the_setting_is() {
    let given = Given {
        environment: vec![
            ("GANGPLANK_SERVER__TRUSTED_PROXIES", "[\"10.0.0.1\", \"::1\"]"),
            ("GANGPLANK_SERVER__REGION", "1"),
            ("GANGPLANK_STORAGE__SPARSE_IMAGES", "true"),
            ("GANGPLANK_STORAGE__DATA", "42"),
            ("GANGPLANK_LOG__FORMAT", "json"),
        ],
        ..Given::default()
    };
    let (Loaded { config, .. }, _) = given.load().unwrap();
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.server.region.as_str(), "1");
    assert!(config.storage.sparse_images);
    assert_eq!(config.storage.data, PathBuf::from("42"));
    assert_eq!(config.log.format, super::LogFormat::Json);
}

#[test]
fn an_unknown_key_is_refused_by_its_full_name_and_origin() {
    for (file, key) in [
        ("[server]\nlissten = \"127.0.0.1:1\"", "server.lissten"),
        ("[sever]\nlisten = \"127.0.0.1:1\"", "sever.listen"),
        ("[sever]", "sever"),
        ("listen = \"127.0.0.1:1\"", "listen"),
        ("[server]\nlisten.port = 1", "server.listen"),
        ("[server.tls]\ncert = \"tls.crt\"", "server.tls.cert"),
        ("[server]\ntls = \"tls.crt\"", "server.tls"),
        ("[server.tsl]\ncertificate = \"tls.crt\"", "server.tsl"),
        ("admin_password = \"hunter22\"", "admin_password"),
        ("[[server]]\nlisten = \"127.0.0.1:1\"", "server"),
    ] {
        let refused = Given { file: Some(file), ..Given::default() }.refused();
        assert!(refused.contains(&format!("{key}: ")) && refused.contains("gangplank.toml)"), "{refused}");
        assert!(!refused.contains("hunter22"), "{refused}");
    }
    for (variable, key) in [
        ("GANGPLANK_SERVER__LISSTEN", "server.lissten"),
        ("GANGPLANK_SERVER__LISTEN__PORT", "server.listen.port"),
        ("GANGPLANK_SERVER__TLS", "server.tls"),
        ("GANGPLANK_SERVER__TLS__CERT", "server.tls.cert"),
        ("GANGPLANK_SEVER__LISTEN", "sever.listen"),
        ("GANGPLANK_SERVER_LISTEN", "server_listen"),
        ("GANGPLANK_LISTEN", "listen"),
        ("GANGPLANK_", ""),
        ("GANGPLANK___LISTEN", ".listen"),
    ] {
        let given = Given { environment: vec![(variable, "127.0.0.1:1")], ..Given::default() };
        let refused = given.refused();
        assert!(
            refused.contains(key) && refused.contains(&format!("environment variable {variable}")),
            "{refused}"
        );
    }
    let refused = Given { flags: vec![("--set", "log.colour", "red")], ..Given::default() }.refused();
    assert!(refused.contains("log.colour: ") && refused.contains("(flag --set)"), "{refused}");
}

#[test]
fn an_impossible_value_is_refused_by_its_key_and_origin() {
    for (key, value) in [
        ("server.listen", "localhost"),
        ("server.listen", "127.0.0.1:70000"),
        ("server.region", "North"),
        ("server.region", ""),
        ("server.external_url", "registry.example"),
        ("server.external_url", "https://registry.example/path"),
        ("server.trusted_proxies", "[\"proxy\"]"),
        ("server.connections_max", "0"),
        ("server.requests_max", "-1"),
        ("server.head_timeout", "30"),
        ("server.head_timeout", "0s"),
        ("server.shutdown_timeout", "1ms"),
        ("server.tls.certificate", "tls.crt"),
        ("server.tls.key", "tls.key"),
        ("server.tls.reload_interval", "5"),
        ("server.tls.reload_interval", "100ms"),
        ("server.tls.reload_interval", "2d"),
        ("storage.data", ""),
        ("storage.upload_ttl", "soon"),
        ("storage.upload_ttl", "1s"),
        ("storage.link_grace", "10 years"),
        ("storage.manifest_bytes_max", "1024"),
        ("storage.manifest_bytes_max", "4MiB"),
        ("storage.manifest_bytes_max", "1e9"),
        ("storage.blob_bytes_max", "0"),
        ("storage.segments_per_upload_max", "0"),
        ("storage.segment_bytes_min", "1099511627776"),
        ("storage.sparse_images", "yes"),
        ("storage.tags_per_push_max", "1"),
        ("auth.service", ""),
        ("auth.service", "a\"b"),
        ("auth.access_token_ttl", "0s"),
        ("auth.access_token_ttl", "91d"),
        ("auth.personal_token_ttl_max", "500 years"),
        ("auth.password_memory_kib", "1"),
        ("auth.password_hashes_per_address_max", "0"),
        ("auth.share_grantees_max", "99999999999999999999"),
        ("upkeep.interval", "0s"),
        ("upkeep.events_kept", "1h"),
        ("upkeep.usage_kept", "1h"),
        ("upkeep.batch_entries_max", "0"),
        ("log.filter", "storage=loud"),
        ("log.format", "xml"),
    ] {
        let refused = Given { flags: vec![("--set", key, value)], ..Given::default() }.refused();
        assert!(
            refused.contains(&format!("{key}: ")) && refused.contains("(flag --set)"),
            "{key} = {value}: {refused}"
        );
    }
}

#[test]
fn a_bad_value_is_refused_even_under_a_good_one() {
    let given = Given {
        file: Some("[server]\nlisten = 5000\n"),
        flags: vec![("--listen", "server.listen", "127.0.0.1:1")],
        ..Given::default()
    };
    let refused = given.refused();
    assert!(refused.contains("server.listen: ") && refused.contains("gangplank.toml)"), "{refused}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let given = Given {
        file: Some("[server]\nlissten = 1\nhead_timeout = \"0s\"\n"),
        environment: vec![("GANGPLANK_LOG__FORMAT", "xml")],
        ..Given::default()
    };
    let error = given.load().unwrap_err();
    let keys: Vec<_> = error.problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["server.lissten", "log.format", "server.head_timeout"]);
}

#[test]
fn a_file_that_is_none_is_refused_with_its_place() {
    let refused = Given { file: Some("[server]\nlisten = \n"), ..Given::default() }.refused();
    assert!(refused.contains("gangplank.toml: ") && refused.contains("line 2"), "{refused}");

    let missing = load(Some("/nonexistent/gangplank.toml".as_ref()), [], &[]).unwrap_err().to_string();
    assert!(missing.contains("/nonexistent/gangplank.toml: cannot be read"), "{missing}");
}

#[test]
fn a_list_that_is_none_is_told_how_to_be_written() {
    let variable =
        |value| Given { environment: vec![("GANGPLANK_SERVER__TRUSTED_PROXIES", value)], ..Given::default() };
    for (value, list) in [("127.0.0.1", r#"["127.0.0.1"]"#), ("127.0.0.1, ::1", r#"["127.0.0.1", "::1"]"#)] {
        let refused = variable(value).refused();
        assert!(refused.contains(&format!("a list is written as {list} (environment")), "{refused}");
        assert!(variable(list).load().is_ok(), "{list}");
    }
    let in_file = "[server]\ntrusted_proxies = \"127.0.0.1\"\n";
    let refused = Given { file: Some(in_file), ..Given::default() }.refused();
    assert!(refused.contains(r#"a list is written as ["127.0.0.1"] (file"#), "{refused}");
    let of_another_kind = variable(r#"["x"]"#).refused();
    assert!(!of_another_kind.contains("a list is written"), "{of_another_kind}");
}

#[test]
fn the_environment_may_name_the_file_unless_a_flag_does() {
    let folder = tempfile::tempdir().unwrap();
    let [by_variable, by_flag] = ["variable.toml", "flag.toml"].map(|name| folder.path().join(name));
    std::fs::write(&by_variable, "[server]\nregion = \"variable\"").unwrap();
    std::fs::write(&by_flag, "[server]\nregion = \"flag\"").unwrap();
    let variable = || [(OsString::from("GANGPLANK_CONFIG"), by_variable.clone().into_os_string())];
    assert_eq!(load(None, variable(), &[]).unwrap().config.server.region.as_str(), "variable");
    assert_eq!(load(Some(&by_flag), variable(), &[]).unwrap().config.server.region.as_str(), "flag");
}

#[test]
fn the_administrators_password_is_no_setting_and_is_never_shown() {
    let given = Given {
        environment: vec![("GANGPLANK_ADMIN_PASSWORD", "correct horse battery")],
        ..Given::default()
    };
    let (loaded, _) = given.load().unwrap();
    let password = loaded.config.admin_password.given.as_ref().unwrap();
    assert_eq!(password.reveal(), "correct horse battery");
    assert!(!format!("{loaded:?}").contains("horse"));
    assert!(!toml::to_string(&loaded.config).unwrap().contains("horse"));
}

#[test]
fn only_what_kubernetes_sets_for_a_service_of_our_name_is_passed_over() {
    let given = Given {
        environment: vec![
            ("GANGPLANK_SERVICE_HOST", "10.96.0.7"),
            ("GANGPLANK_SERVICE_PORT", "5000"),
            ("GANGPLANK_SERVICE_PORT_HTTP", "5000"),
            ("GANGPLANK_PORT", "tcp://10.96.0.7:5000"),
            ("GANGPLANK_PORT_5000_TCP_ADDR", "10.96.0.7"),
            ("PATH", "/bin"),
            ("GANGPLANKS__X", "1"),
        ],
        ..Given::default()
    };
    assert_eq!(given.load().unwrap().0.config, Config::default());
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let variable = (OsString::from("GANGPLANK_SERVER__REGION"), OsString::from_vec(vec![0xff]));
    let refused = load(None, [variable], &[]).unwrap_err().to_string();
    assert!(
        refused.contains("environment variable GANGPLANK_SERVER__REGION: its value is not UTF-8"),
        "{refused}"
    );
}
