//! Every form of the grammar by example, near misses, and a property: no text makes it panic.

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;

const FORMS: &[(&str, &str, EndpointKind, Partition)] = &[
    (
        "sal.abcdefg12345.us-east-1.rds.amazonaws.com",
        "us-east-1",
        EndpointKind::Instance,
        Partition::Aws,
    ),
    (
        "SAL.ABCDEFG12345.US-EAST-1.RDS.amazonaws.COM.",
        "us-east-1",
        EndpointKind::Instance,
        Partition::Aws,
    ),
    (
        "sal.abcdefg12345.us-east-1.rds-fips.amazonaws.com",
        "us-east-1",
        EndpointKind::Instance,
        Partition::Aws,
    ),
    (
        "sal.cluster-abcdefg12345.eu-west-1.rds.amazonaws.com",
        "eu-west-1",
        EndpointKind::Cluster,
        Partition::Aws,
    ),
    (
        "sal.cluster-ro-abcdefg12345.eu-west-1.rds.amazonaws.com",
        "eu-west-1",
        EndpointKind::Reader,
        Partition::Aws,
    ),
    (
        "any.cluster-custom-abc123.ap-southeast-7.rds.amazonaws.com",
        "ap-southeast-7",
        EndpointKind::Custom,
        Partition::Aws,
    ),
    (
        "sal.proxy-abcdefg12345.eu-west-1.rds.amazonaws.com",
        "eu-west-1",
        EndpointKind::Proxy,
        Partition::Aws,
    ),
    (
        "ro.endpoint.proxy-abcdefg12345.eu-west-1.rds.amazonaws.com",
        "eu-west-1",
        EndpointKind::ProxyEndpoint,
        Partition::Aws,
    ),
    (
        "big.shardgrp-abcdefg12345.us-east-2.rds.amazonaws.com",
        "us-east-2",
        EndpointKind::ShardGroup,
        Partition::Aws,
    ),
    (
        "sal.abcdefg12345.rds.cn-north-1.amazonaws.com.cn",
        "cn-north-1",
        EndpointKind::Instance,
        Partition::China,
    ),
    (
        "sal.abcdefg12345.cn-northwest-1.rds.amazonaws.com.cn",
        "cn-northwest-1",
        EndpointKind::Instance,
        Partition::China,
    ),
    (
        "sal.cluster-abc123.rds.us-gov-west-1.amazonaws.com",
        "us-gov-west-1",
        EndpointKind::Cluster,
        Partition::UsGov,
    ),
    (
        "sal.abcdefg12345.us-gov-east-1.rds.amazonaws.com",
        "us-gov-east-1",
        EndpointKind::Instance,
        Partition::UsGov,
    ),
    (
        "sal.abcdefg12345.rds.us-iso-east-1.c2s.ic.gov",
        "us-iso-east-1",
        EndpointKind::Instance,
        Partition::Iso,
    ),
    (
        "sal.abcdefg12345.us-iso-east-1.rds.c2s.ic.gov",
        "us-iso-east-1",
        EndpointKind::Instance,
        Partition::Iso,
    ),
    (
        "sal.abcdefg12345.rds.us-isob-east-1.sc2s.sgov.gov",
        "us-isob-east-1",
        EndpointKind::Instance,
        Partition::IsoB,
    ),
    (
        "sal.abcdefg12345.eusc-de-east-1.rds.amazonaws.eu",
        "eusc-de-east-1",
        EndpointKind::Instance,
        Partition::EuropeanSovereign,
    ),
    (
        "abcdefghijklmnopqrst.dsql.us-east-1.on.aws",
        "us-east-1",
        EndpointKind::Dsql,
        Partition::Aws,
    ),
    (
        "sal.cluster-abc123.us-isob-east-1.rds.sc2s.sgov.gov",
        "us-isob-east-1",
        EndpointKind::Cluster,
        Partition::IsoB,
    ),
    (
        "sal.abcdefg12345.rds.us-isof-south-1.csp.hci.ic.gov",
        "us-isof-south-1",
        EndpointKind::Instance,
        Partition::IsoF,
    ),
    (
        "sal.abcdefg12345.eu-isoe-west-1.rds.cloud.adc-e.uk",
        "eu-isoe-west-1",
        EndpointKind::Instance,
        Partition::IsoE,
    ),
    (
        "sal.cluster-ro-abc123.rds.cn-north-1.amazonaws.com.cn",
        "cn-north-1",
        EndpointKind::Reader,
        Partition::China,
    ),
    (
        "sal.cluster-abc123.cn-northwest-1.rds.amazonaws.com.cn",
        "cn-northwest-1",
        EndpointKind::Cluster,
        Partition::China,
    ),
    (
        "any.cluster-custom-abc123.rds.cn-north-1.amazonaws.com.cn",
        "cn-north-1",
        EndpointKind::Custom,
        Partition::China,
    ),
    (
        "sal.proxy-abc123.rds.cn-north-1.amazonaws.com.cn",
        "cn-north-1",
        EndpointKind::Proxy,
        Partition::China,
    ),
    (
        "vpc.endpoint.proxy-abc123.us-gov-west-1.rds.amazonaws.com",
        "us-gov-west-1",
        EndpointKind::ProxyEndpoint,
        Partition::UsGov,
    ),
    (
        "sal-instance-1.abcdefg12345.eu-central-1.rds.amazonaws.com",
        "eu-central-1",
        EndpointKind::Instance,
        Partition::Aws,
    ),
    (
        "abcdefghijklmnopqrst.dsql-fnh4.eu-west-2.on.aws",
        "eu-west-2",
        EndpointKind::Dsql,
        Partition::Aws,
    ),
];

#[test]
fn every_form_of_the_grammar_is_read() {
    for (host, region, kind, partition) in FORMS {
        let endpoint = RdsEndpoint::parse(host).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(endpoint.region.as_deref(), Some(*region), "{host}");
        assert_eq!(
            (endpoint.kind, endpoint.partition),
            (*kind, *partition),
            "{host}"
        );
        assert_eq!(endpoint.name, canonical(host));
    }
}

#[test]
fn a_global_writer_has_no_region() {
    let endpoint = RdsEndpoint::parse("sal.global-abc123.global.rds.amazonaws.com").unwrap();
    assert_eq!(
        (endpoint.region, endpoint.kind),
        (None, EndpointKind::GlobalWriter)
    );
}

#[test]
fn both_sides_of_a_blue_green_deployment_are_told_apart() {
    let side = |host: &str| RdsEndpoint::parse(host).unwrap().deployment;
    assert_eq!(
        side("sal-green-ab12cd.abc.us-east-1.rds.amazonaws.com"),
        Deployment::Green
    );
    assert_eq!(
        side("sal-old1.abc.us-east-1.rds.amazonaws.com"),
        Deployment::Old
    );
    assert_eq!(
        side("sal-greenish.abc.us-east-1.rds.amazonaws.com"),
        Deployment::Plain
    );
}

#[test]
fn the_other_names_of_a_database_follow_from_its_own() {
    let of = |host: &str| RdsEndpoint::parse(host).unwrap();
    let domain = "abc123.us-west-2.rds.amazonaws.com";
    let reader = of(&format!("Sal.cluster-ro-{domain}."));
    assert_eq!(reader.identifier(), "sal");
    assert_eq!(
        reader.writer(),
        Some(format!("sal.cluster-{domain}")),
        "Aurora and Multi-AZ clusters alike"
    );
    let chinese = of("sal.cluster-ro-abc.rds.cn-north-1.amazonaws.com.cn");
    assert_eq!(
        chinese.writer().as_deref(),
        Some("sal.cluster-abc.rds.cn-north-1.amazonaws.com.cn")
    );
    assert_eq!(of(&format!("sal.cluster-{domain}")).writer(), None);
    for side in ["sal-green-ab12cd", "sal-old1", "sal-old12"] {
        for kind in ["", "cluster-"] {
            let name = of(&format!("{side}.{kind}{domain}")).in_production();
            assert_eq!(name, Some(format!("sal.{kind}{domain}")));
        }
    }
    assert_eq!(of(&format!("sal.{domain}")).in_production(), None);
    assert!(of(&format!("x.endpoint.proxy-{domain}")).is_proxy());
    assert!(!of(&format!("proxy.{domain}")).is_proxy());
}

#[test]
fn every_partition_has_its_own_name_and_domain() {
    for (region, name, domain) in [
        ("us-west-2", "aws", "amazonaws.com"),
        ("mx-central-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-east-1", "aws-us-gov", "amazonaws.com"),
        ("us-iso-west-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
    ] {
        let partition = Partition::of_region(region);
        assert_eq!((partition.arn_name(), partition.domain()), (name, domain));
    }
}

#[test]
fn near_misses_are_refused() {
    for host in [
        "",
        ".",
        "localhost",
        "10.0.0.7",
        "db.example.com",
        "rds.amazonaws.com",
        "us-east-1.rds.amazonaws.com",
        "sal.us-east-1.rds.amazonaws.com",
        "a.b.sal.abc.us-east-1.rds.amazonaws.com",
        "sal.abc.useast1.rds.amazonaws.com",
        "sal.abc.us-east-1.rds.amazonaws.com.evil.example",
        "sal.abc.us-east-1.rds.amazonaws.com:5432",
        "https://sal.abc.us-east-1.rds.amazonaws.com",
        "sal_x.abc.us-east-1.rds.amazonaws.com",
        "sal.abc.us-east-1.rds.evilamazonaws.com",
        "sal.abc.global.rds.amazonaws.com",
        "sal.global-abc.us-east-1.rds.amazonaws.com",
        "sal.endpoint.cluster-abc.us-east-1.rds.amazonaws.com",
        "ec2-1-2-3-4.compute-1.amazonaws.com",
        "sal..us-east-1.rds.amazonaws.com",
        "sal.abc.us-east-1.rds.amazonaws.com..",
    ] {
        assert!(RdsEndpoint::parse(host).is_err(), "{host:?} was accepted");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_grammar_panic(text in any::<String>()) {
        let _ = RdsEndpoint::parse(&text);
    }

    #[test]
    fn what_is_accepted_is_canonical_and_carries_its_region(
        name in "[a-zA-Z][a-zA-Z0-9-]{0,8}[a-z0-9]",
        prefix in "(cluster-|cluster-ro-|cluster-custom-|proxy-|shardgrp-|)",
        hash in "[a-z0-9]{1,12}",
        region in "(us|eu|ap|cn|mx)-(east|south|central)-[1-9]",
        dot in "\\.?",
    ) {
        let host = format!("{name}.{prefix}{hash}.{region}.rds.amazonaws.com{dot}");
        let endpoint = RdsEndpoint::parse(&host).unwrap();
        prop_assert_eq!(endpoint.region.as_deref(), Some(region.as_str()));
        prop_assert!(!endpoint.name.ends_with('.'));
        prop_assert_eq!(RdsEndpoint::parse(&endpoint.name).unwrap(), endpoint);
    }
}
