use super::{Findings, read};

fn of(text: &str) -> Findings {
    read(text).unwrap()
}

fn environment(text: &str) -> Vec<String> {
    let found = of(text).environment;
    let line =
        |(variable, found): (_, super::translate::Found)| format!("{variable}={}", found.value);
    found.into_iter().map(line).collect()
}

fn not_understood(text: &str) -> Vec<(String, usize)> {
    let notes = of(text).not_understood;
    notes
        .into_iter()
        .map(|note| (note.name, note.line))
        .collect()
}

#[test]
fn strings_of_every_kind_are_read() {
    for (written, name) in [
        ("'Macs'", "Macs"),
        ("\"Macs\"", "Macs"),
        ("'''Macs'''", "Macs"),
        ("\"\"\"Macs\"\"\"", "Macs"),
        ("u'Macs'", "Macs"),
        ("r'C:\\Macs'", "C:\\Macs"),
        ("R\"Macs\"", "Macs"),
        ("f'Macs'", "Macs"),
        ("'It\\'s Macs'", "It's Macs"),
        ("\"Say \\\"Macs\\\"\"", "Say \"Macs\""),
        ("'M\\x61cs'", "Macs"),
        ("'M\\141cs'", "Macs"),
        ("'M\\u0061cs \\U0001F34E'", "Macs 🍎"),
        ("'M\\acs'.strip()", ""),
        ("'Ma' 'cs'", "Macs"),
        ("'Ma' + \"cs\"", "Macs"),
        ("('Ma'\n    'cs')", "Macs"),
        ("'Ma' \\\n  'cs'", "Macs"),
        ("'Ma\\\ncs'", "Macs"),
        ("'Zoë’s Macs'  # a remark 'x'", "Zoë’s Macs"),
        ("'# no remark'", "# no remark"),
        ("'\\d'", "\\d"),
    ] {
        let text = format!("DISPLAY_NAME = {written}\n");
        let expected: Vec<String> = match name {
            "" => Vec::new(),
            name => vec![format!("DOCKER_SAL_DISPLAY_NAME={name}")],
        };
        assert_eq!(environment(&text), expected, "{written}");
        assert_eq!(
            not_understood(&text).is_empty(),
            !name.is_empty(),
            "{written}"
        );
    }
}

/// Assignments and the line that becomes of each.
const LITERALS: &[(&str, &str)] = &[
    (
        "HISTORICAL_FACTS = ['a', \"b\"]",
        "SAL_HISTORICAL_FACTS=a,b",
    ),
    ("HISTORICAL_FACTS = ('a', 'b',)", "SAL_HISTORICAL_FACTS=a,b"),
    ("HISTORICAL_FACTS = 'a', 'b'", "SAL_HISTORICAL_FACTS=a,b"),
    ("HISTORICAL_FACTS = {'a', 'b'}", "SAL_HISTORICAL_FACTS=a,b"),
    ("HISTORICAL_FACTS = []", "SAL_HISTORICAL_FACTS="),
    (
        "HISTORICAL_FACTS = ['a'] + ['b']",
        "SAL_HISTORICAL_FACTS=a,b",
    ),
    (
        "HISTORICAL_FACTS = ['a']\nHISTORICAL_FACTS += ['b']",
        "SAL_HISTORICAL_FACTS=a,b",
    ),
    (
        "HISTORICAL_FACTS: list = [  # one\n  'a',\n\n  # two\n  'b'\n]",
        "SAL_HISTORICAL_FACTS=a,b",
    ),
    ("IGNORE_FACTS = [r'^ssh.*=;']", "SAL_IGNORE_FACTS=^ssh.*=;"),
    (
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT = {'Uptime': ['1', 2], 'Sip': [3]}",
        "SAL_HIDE_PLUGIN_FROM_BUSINESS_UNIT=Uptime=1,2; Sip=3",
    ),
    (
        "HIDE_PLUGIN_FROM_MACHINE_GROUP = {\n # 'DiskSpace':['1']\n}",
        "SAL_HIDE_PLUGIN_FROM_MACHINE_GROUP=",
    ),
    (
        "INACTIVE_UNDEPLOYED = 30",
        "DOCKER_SAL_INACTIVE_UNDEPLOYED=30",
    ),
    (
        "DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024",
        "SAL_BODY_LIMIT=10485760",
    ),
    (
        "DATA_UPLOAD_MAX_MEMORY_SIZE = 0xA0_0000",
        "SAL_BODY_LIMIT=10485760",
    ),
    ("BASIC_AUTH = False", "DOCKER_SAL_BASIC_AUTH=false"),
    ("ADD_NEW_MACHINES = 0", "SAL_ADD_NEW_MACHINES=false"),
    ("DEBUG=True;x=1", "DOCKER_SAL_DEBUG=true"),
    (
        "TIME_ZONE = X = 'Europe/Berlin'",
        "DOCKER_SAL_TZ=Europe/Berlin",
    ),
    (
        "TIME_ZONE = 'Europe/London'\r\nTIME_ZONE = 'Europe/Berlin'\r\n",
        "DOCKER_SAL_TZ=Europe/Berlin",
    ),
    (
        "\u{feff}# -*- coding: utf-8 -*-\nTIME_ZONE = 'UTC'",
        "DOCKER_SAL_TZ=UTC",
    ),
    (
        "CSRF_TRUSTED_ORIGINS = ['https://sal.example.org']",
        "DOCKER_SAL_CSRF_TRUSTED_ORIGINS=https://sal.example.org",
    ),
];

#[test]
fn lists_tuples_sets_dictionaries_numbers_and_flags_are_read() {
    for (text, line) in LITERALS {
        assert_eq!(environment(text), [*line], "{text}");
        assert_eq!(not_understood(text), [], "{text}");
    }
}

/// Files with something that only Python could say: its name and its line.
const DYNAMIC: &[(&str, &str, usize)] = &[
    (
        "import os\nDISPLAY_NAME = os.environ['X']",
        "DISPLAY_NAME",
        2,
    ),
    ("DISPLAY_NAME = f'{company} Macs'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = 'Macs of %s' % 'us'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = 'Macs'.upper()", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = 'a' if x else 'b'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = ['a', 'b'][0]", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = b'Macs'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = '\\N{APPLE}'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = lambda x: 'Macs'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME, TIME_ZONE = 'Macs', 'UTC'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME -= 'Macs'", "DISPLAY_NAME", 1),
    ("DISPLAY_NAME = 'two\\nlines'", "DISPLAY_NAME", 1),
    (
        "HISTORICAL_FACTS = [\n'a',\nname,\n'b']",
        "HISTORICAL_FACTS",
        3,
    ),
    (
        "HISTORICAL_FACTS = [x for x in 'ab']",
        "HISTORICAL_FACTS",
        1,
    ),
    (
        "HISTORICAL_FACTS = ['a' for x in 'ab']",
        "HISTORICAL_FACTS",
        1,
    ),
    ("HISTORICAL_FACTS = [*OTHERS, 'a']", "HISTORICAL_FACTS", 1),
    ("HISTORICAL_FACTS = 'a,b'.split(',')", "HISTORICAL_FACTS", 1),
    ("HISTORICAL_FACTS = ['a,b']", "HISTORICAL_FACTS", 1),
    ("HISTORICAL_FACTS += ['a']", "HISTORICAL_FACTS", 1),
    ("HISTORICAL_FACTS.append('a')", "HISTORICAL_FACTS.append", 1),
    (
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT = {'Uptime': ['x']}",
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT",
        1,
    ),
    (
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT = {**other}",
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT",
        1,
    ),
    (
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT = dict(Uptime=['1'])",
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT",
        1,
    ),
    ("INACTIVE_UNDEPLOYED = '30'", "INACTIVE_UNDEPLOYED", 1),
    ("INACTIVE_UNDEPLOYED = -1", "INACTIVE_UNDEPLOYED", 1),
    (
        "INACTIVE_UNDEPLOYED = 99999999999999999999999999999999999999999999",
        "INACTIVE_UNDEPLOYED",
        1,
    ),
    ("DEBUG = 'false'", "DEBUG", 1),
    ("\nif x:\n    DEBUG = True", "DEBUG", 3),
    ("if x: DEBUG = True", "DEBUG", 1),
    (
        "try:\n  from local import *\nexcept ImportError: pass",
        "from local import *",
        2,
    ),
    (
        "from .local_settings import *",
        "from .local_settings import *",
        1,
    ),
    ("exec(open('/etc/sal.py').read())", "exec", 1),
    ("with x:\n\tglobals().update(y)", "globals", 2),
    ("do_something()", "do_something", 1),
    ("DATABASES['default']['HOST'] = host", "DATABASES", 1),
];

#[test]
fn whatever_is_dynamic_is_told_with_its_line_and_never_guessed() {
    for (text, name, line) in DYNAMIC {
        let told = not_understood(text);
        assert_eq!(told.first(), Some(&((*name).to_owned(), *line)), "{text}");
        assert!(
            environment(text)
                .iter()
                .all(|line| !line.contains("DISPLAY")),
            "{text}"
        );
    }
}

#[test]
fn what_functions_and_classes_do_sets_nothing() {
    let text = "def f():\n    DEBUG = True\n    return 1\n\n@decorated\nclass C:\n    TIME_ZONE = 'x'\n\n\"\"\"DEBUG = True\"\"\"\ndel x\nDISPLAY_NAME = 'Macs'\n";
    assert_eq!(environment(text), ["DOCKER_SAL_DISPLAY_NAME=Macs"]);
    assert_eq!(not_understood(text), []);
}

#[test]
fn a_database_becomes_its_variables_and_no_secret_is_in_any_of_it() {
    let text = "SECRET_KEY = 'hunter2-key'
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql_psycopg2',
        'NAME': 'sal', 'USER': 'saldbadmin', 'PASSWORD': 'hunter2',
        'HOST': 'db.example.org', 'PORT': 5433, 'CONN_MAX_AGE': 60,
        'OPTIONS': {'sslmode': 'require'},
    },
}
DATABASES['default']['HOST'] = 'other.example.org'
EMAIL_HOST_PASSWORD = 'hunter2-mail'
AUTH_LDAP_BIND_PASSWORD = 'hunter2-ldap'
OWN_TOKEN = 'hunter2-own'
";
    let found = of(text);
    assert_eq!(
        environment(text),
        [
            "DB_HOST=other.example.org",
            "DB_NAME=sal",
            "DB_PORT=5433",
            "DB_SSLMODE=require",
            "DB_USER=saldbadmin"
        ]
    );
    assert_eq!(found.yourself.len(), 1);
    assert_eq!(found.yourself[0].name, "DB_PASS");
    let names: Vec<_> = found
        .no_equivalent
        .iter()
        .map(|note| note.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "EMAIL_HOST_PASSWORD",
            "AUTH_LDAP_BIND_PASSWORD",
            "OWN_TOKEN"
        ]
    );
    assert!(found.nothing.contains("SECRET_KEY"));
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[test]
fn iam_sqlite_and_other_databases_are_told_apart() {
    let with = |engine: &str, rest: &str| {
        of(&format!(
            "DATABASES = {{'default': {{'ENGINE': '{engine}', {rest}}}}}"
        ))
    };
    let iam = with(
        "django_iam_dbauth.aws.postgresql",
        "'USER': 'salawsiam', 'OPTIONS': {'region_name': 'us-west-2', 'use_iam_auth': True}",
    );
    assert_eq!(iam.environment["AWS_IAM"].value, "true");
    assert_eq!(iam.environment["AWS_RDS_REGION"].value, "us-west-2");
    assert!(iam.yourself.is_empty());
    let sqlite = with("django.db.backends.sqlite3", "'NAME': '/x/sal.db'");
    assert!(sqlite.no_equivalent[0].why.contains("SQLite"), "{sqlite:?}");
    assert!(sqlite.environment.is_empty());
    let mysql = with("django.db.backends.mysql", "'NAME': 'sal'");
    assert!(mysql.no_equivalent[0].why.contains("Postgres"), "{mysql:?}");
    let hidden = with(
        "django.db.backends.postgresql",
        "'HOST': 'postgres://u:hunter2@h/x'",
    );
    assert!(!format!("{hidden:?}").contains("hunter2"), "{hidden:?}");
}

/// The shape of the file in Sal's image: SQLite first, then what the environment says, then SAML.
const OF_THE_IMAGE: &str = "from sal.system_settings import *
from sal.settings_import import *
from os import path
DATABASES = {
    \"default\": {\"ENGINE\": \"django.db.backends.sqlite3\", \"NAME\": os.path.join(PROJECT_DIR, \"db/sal.db\")}
}
if \"MEMCACHED_PORT_11211_TCP_ADDR\" in os.environ:
    addr = os.environ[\"MEMCACHED_PORT_11211_TCP_ADDR\"]
    CACHES = {\"default\": {\"LOCATION\": [f\"{addr}:1\", \"11211\"]}}
host = None
if \"DB_USER\" in os.environ:
    if \"DB_HOST\" in os.environ:
        host = os.environ.get(\"DB_HOST\")
    elif \"X\" in os.environ:
        host = \"x\"
    else:
        host = \"db\"
if host and port:
    DATABASES = {
        \"default\": {
            \"ENGINE\": \"django.db.backends.postgresql_psycopg2\",
            \"NAME\": os.environ[\"DB_NAME\"],
            \"HOST\": host,
        }
    }
if \"AWS_IAM\" in os.environ:
    import requests
    response = requests.get(\"https://example.org\")
    if response.status_code == 200:
        with open(path, \"wb\") as file:
            file.write(response.content)
        print(
            f\"saved to {path}\"
        )
if USE_SAML:
    import saml2
    SAML_USE_NAME_ID_AS_USERNAME = True
    logging_config[\"loggers\"][\"x\"] = {\"a\": 1}
    update_sal_logging_config(logging_config)
    INSTALLED_APPS += (\"djangosaml2\",)
    SAML_CONFIG = {\"service\": {\"sp\": {\"x\": [(\"https://sal.example.com\", saml2.BINDING)]}}}
";

#[test]
fn the_file_of_sals_image_asks_for_nothing_but_a_word_on_saml() {
    let found = of(OF_THE_IMAGE);
    assert!(found.environment.is_empty(), "{found:?}");
    assert_eq!(found.not_understood, []);
    let names: Vec<_> = found
        .no_equivalent
        .iter()
        .map(|note| note.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["CACHES", "SAML_USE_NAME_ID_AS_USERNAME", "SAML_CONFIG"]
    );
}

#[test]
fn what_is_not_python_is_a_fault_with_its_line() {
    for (text, line, words) in [
        ("\nDEBUG = 'x", 2, "string begins here"),
        ("X = 1\nDEBUG = \"\"\"x\n\n", 2, "string begins here"),
        ("DEBUG = [1,\n2", 1, "never closed"),
        ("DEBUG = 1]", 1, "not open"),
        ("DEBUG = (1]", 1, "not open"),
        ("a\n$x", 2, "character"),
        ("\0", 1, "NUL"),
        ("<?xml version='1.0'?>", 1, "character"),
    ] {
        let fault = read(text).unwrap_err();
        assert_eq!(fault.line, line, "{text}");
        assert!(fault.why.contains(words), "{text}: {fault}");
    }
}

#[test]
fn hostile_files_end_soon_and_in_order() {
    let deep = 200_000;
    let nested = format!("DEBUG = {}{}", "[".repeat(deep), "]".repeat(deep));
    assert_eq!(not_understood(&nested), [("DEBUG".to_owned(), 1)]);
    let sums = format!("DISPLAY_NAME = {}'x'{}", "(".repeat(30), "+'b')".repeat(30));
    assert_eq!(environment(&sums).len(), 1);
    let holes = format!(
        "DISPLAY_NAME = {}x{}",
        "(".repeat(5_000),
        "+'b')".repeat(5_000)
    );
    assert_eq!(not_understood(&holes).len(), 1);
    let signs = format!("INACTIVE_UNDEPLOYED = {}1", "-".repeat(500_000));
    assert_eq!(environment(&signs).len(), 1);
    let quotes = "X = 'a' ".repeat(100_000);
    assert!(read(&quotes).is_ok());
    let name = format!("{} = 1", "X".repeat(500_000));
    assert!(of(&name).no_equivalent[0].name.len() < 100);
    for text in [
        "",
        "\n\n",
        "#",
        "\\\n",
        "=",
        "= =",
        "from",
        "if",
        "if:",
        ":",
        ";;",
        "a.b.c = 1",
        "x[",
        "\\",
    ] {
        // No panic; some of it is no Python.
        let _either = read(text);
    }
}
