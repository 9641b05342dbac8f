//! The embedded roots, one by one: a change of the bundle must be a change of this list.

use jiff::Timestamp;

use super::*;

/// Fingerprint and year of the end of every root that is trusted.
const EXPECTED: &[(&str, &str, i16)] = &[
    (
        "Amazon RDS af-south-1 Root CA ECC384 G1",
        "3f080199196980898679820cdaef05641ab38d7da88b5a8a4b43f516047a4670",
        2121,
    ),
    (
        "Amazon RDS af-south-1 Root CA RSA2048 G1",
        "93e1ba1b78cc87bd5418456a356dab93868592d2676591be88dfdddce9f0e7a1",
        2061,
    ),
    (
        "Amazon RDS af-south-1 Root CA RSA4096 G1",
        "3c82c0d1b0fab07a7a30abccc30725f0426f2a7c011f369896b86427bf983a1b",
        2121,
    ),
    (
        "Amazon RDS ap-east-1 Root CA ECC384 G1",
        "d3b2fb714fae16dbb0b2bc48884885570188e594cd227afd481372bc4f21d163",
        2121,
    ),
    (
        "Amazon RDS ap-east-1 Root CA RSA2048 G1",
        "f847fd24500e9f8e64e9171c864c8260d121b2f2829fa7fc8c5c1cf8178bc0c8",
        2061,
    ),
    (
        "Amazon RDS ap-east-1 Root CA RSA4096 G1",
        "bf81762487be91062cdc35cd7dd519870e5d767d23488d13c6a66b7f77e114bd",
        2121,
    ),
    (
        "Amazon RDS ap-northeast-1 Root CA ECC384 G1",
        "1cb5dcfb2e4db29fdb966e31c5da9f620bf06a10f5880205131a0e6a5bdf80d7",
        2121,
    ),
    (
        "Amazon RDS ap-northeast-1 Root CA RSA2048 G1",
        "08544470dfa4c9dc25c481a8908d2958f90b9c1d23f275696f341d71f2f1539e",
        2061,
    ),
    (
        "Amazon RDS ap-northeast-1 Root CA RSA4096 G1",
        "dc4bd074909909f9e5288408f2a148261aa506711307ae0a6561df152e07e04c",
        2121,
    ),
    (
        "Amazon RDS ap-northeast-2 Root CA ECC384 G1",
        "f47a584f42f3d9fd1e0f8908ae65a67ec7cc50340a616871563bde5d889a9cc0",
        2121,
    ),
    (
        "Amazon RDS ap-northeast-2 Root CA RSA2048 G1",
        "e8de13bf9665ba1a2967008028ffe4f9b4f0a6def6e3caf76e0d496cd6facffc",
        2061,
    ),
    (
        "Amazon RDS ap-northeast-2 Root CA RSA4096 G1",
        "00ff49c08b7d5dc53328784986580948d06ee9b2f0f1e6b6eae70ccdedf5f757",
        2121,
    ),
    (
        "Amazon RDS ap-northeast-3 Root CA ECC384 G1",
        "ef0179e8f0f069eaaac6d3cb1b4ea4ad12c0db139dc24dd88892d884be348da6",
        2121,
    ),
    (
        "Amazon RDS ap-northeast-3 Root CA RSA2048 G1",
        "43551a53a5197322e6aa5e120e2c59e308b8371af74ce8367769820ad00908c8",
        2061,
    ),
    (
        "Amazon RDS ap-northeast-3 Root CA RSA4096 G1",
        "22c209007e2f6c000e7661563393132370933159e78ff1ecaa2b761014e2f80b",
        2121,
    ),
    (
        "Amazon RDS ap-south-1 Root CA ECC384 G1",
        "333de57f904b25d90b1ea19730ab91c495adbaf1480b0f2bbaf17d2e21af52bf",
        2121,
    ),
    (
        "Amazon RDS ap-south-1 Root CA RSA2048 G1",
        "ff6a599c9e966b146a57725e1d9a19c72f5f08407f0a2d3350aa9ae9212339b8",
        2061,
    ),
    (
        "Amazon RDS ap-south-1 Root CA RSA4096 G1",
        "27111555461f373d983c7911a3406cf532e0b5d3929b9175a54e400e442ef557",
        2121,
    ),
    (
        "Amazon RDS ap-south-2 Root CA ECC384 G1",
        "dbfe752e9b5bd14c968f1655a34570505d2476f5b6151523ca70d792c2a79c14",
        2122,
    ),
    (
        "Amazon RDS ap-south-2 Root CA RSA2048 G1",
        "3a730d2458c61f7211ac674aaf798eaae0c65edd8f5b0f410d0d4c5223482bf9",
        2062,
    ),
    (
        "Amazon RDS ap-south-2 Root CA RSA4096 G1",
        "e841e076fcd83fdf6daea1bfcfb553c99a4197988cb35ebfaf71993e49a92ede",
        2122,
    ),
    (
        "Amazon RDS ap-southeast-1 Root CA ECC384 G1",
        "712a2eaa456b3d16cb6fb20a786b5958d91270e100430c091264d7f456f2a0e3",
        2121,
    ),
    (
        "Amazon RDS ap-southeast-1 Root CA RSA2048 G1",
        "2994dd350da7fc30a1c9a95303773f3f381ba92af9805e4947d6f9963b770b80",
        2061,
    ),
    (
        "Amazon RDS ap-southeast-1 Root CA RSA4096 G1",
        "579e3ea1325bfc49cfdf6a934b3f8f1228e1e0d4b8e6ae34e7d22dda2c2b7bbd",
        2121,
    ),
    (
        "Amazon RDS ap-southeast-2 Root CA ECC384 G1",
        "02a28548ccc140000e50911afa4677850ac93635e20ad76f822d91f50324e853",
        2121,
    ),
    (
        "Amazon RDS ap-southeast-2 Root CA RSA2048 G1",
        "742db53f2f8970ec4c7801784763c519d5485b197023ec4bb55526125469654a",
        2061,
    ),
    (
        "Amazon RDS ap-southeast-2 Root CA RSA4096 G1",
        "8bde3d208554fb7409da40771c9c6684881daacce02c2d40be75d28de45c5231",
        2121,
    ),
    (
        "Amazon RDS ap-southeast-3 Root CA ECC384 G1",
        "cba9effcc625b81c17084e7ab3bc8ad10ac3cf2c370a062dc2b759cc4c5cb4c6",
        2121,
    ),
    (
        "Amazon RDS ap-southeast-3 Root CA RSA2048 G1",
        "533849068049dbb282750393e71646cef9e20256fe2ed59211bfe4b79edf91e8",
        2061,
    ),
    (
        "Amazon RDS ap-southeast-3 Root CA RSA4096 G1",
        "11bedbb33c2d1dfc28b75029441e8f6c845330a40372b117b7cdc0946f5c748d",
        2121,
    ),
    (
        "Amazon RDS ap-southeast-4 Root CA ECC384 G1",
        "53e0148366019592ecca4fcf8098f7619e94279120080fa3df0847bf261c65d3",
        2122,
    ),
    (
        "Amazon RDS ap-southeast-4 Root CA RSA2048 G1",
        "8876f8a284859d9048d41b0cf8b1724bf4a8a7fe4ecf7e9cbb28481c28698741",
        2062,
    ),
    (
        "Amazon RDS ap-southeast-4 Root CA RSA4096 G1",
        "ed0b9b254182e524aa4091d41e94d7a6ecaec07811c8c7ac914e942591cedad9",
        2122,
    ),
    (
        "Amazon RDS ap-southeast-5 Root CA ECC384 G1",
        "2a9df2f7fbdb5d6d2437b21088354cd9129107939ffbf38311f76c60f42e064c",
        2124,
    ),
    (
        "Amazon RDS ap-southeast-5 Root CA RSA2048 G1",
        "4f8f74669b3a73ea788bbbca16ca5a20c573cd7e4a9515eb46b85ee70d3ff78b",
        2064,
    ),
    (
        "Amazon RDS ap-southeast-5 Root CA RSA4096 G1",
        "48f84bdb4e595659e203ea6ab6502c3860a63eda5d879e14131633abc2d7d34d",
        2124,
    ),
    (
        "Amazon RDS ap-southeast-7 Root CA ECC384 G1",
        "feb47d55c0044354022b2c82aed428073a3fad54cc6cdd700b52caba2eac8a1c",
        2124,
    ),
    (
        "Amazon RDS ap-southeast-7 Root CA RSA2048 G1",
        "45d6f57f10d069738a46ca26d3ef4fc705963e0f3694506e7a2c1bee66c69dc7",
        2064,
    ),
    (
        "Amazon RDS ap-southeast-7 Root CA RSA4096 G1",
        "4ce1f223eab751a1b7d3765776aaeeda9ddccfb13bf469cb2e09f9eb8453541c",
        2124,
    ),
    (
        "Amazon RDS ca-central-1 Root CA ECC384 G1",
        "d2267e8646f81299adfb79e774447c31fb4ccc6506c4631f5aa40ee195233517",
        2121,
    ),
    (
        "Amazon RDS ca-central-1 Root CA RSA2048 G1",
        "205403dc9e903714227f035610c9918fd3f603d82deb5b3dfc728079c1a2c778",
        2061,
    ),
    (
        "Amazon RDS ca-central-1 Root CA RSA4096 G1",
        "09b798b9d54c2acf8ab964dfb0b97bb9edb39d7a873f9ed532eb08340b5bdb54",
        2121,
    ),
    (
        "Amazon RDS ca-west-1 Root CA ECC384 G1",
        "d14f3c348e093daffecf926be03c83625ae1ce882014a931ba064f522590d7b2",
        2123,
    ),
    (
        "Amazon RDS ca-west-1 Root CA RSA2048 G1",
        "96b9d270ef5c0ae6eae5623663f18fcc25728d0b6d59edafec9b5b9d77bf812c",
        2063,
    ),
    (
        "Amazon RDS ca-west-1 Root CA RSA4096 G1",
        "af67d77f5c3bffb4515f45f751403d00da5b8e83a7119d240aa3b9ce6d8d89d4",
        2123,
    ),
    (
        "Amazon RDS eu-central-1 Root CA ECC384 G1",
        "ae697d082ee1862f711ecae3893c3c613b7315d020f74674051534a5b166d47b",
        2121,
    ),
    (
        "Amazon RDS eu-central-1 Root CA RSA2048 G1",
        "3d8b08a7390c9b10d190a6b349d703ae00bae46583643319c7faccf3e5dc4a8b",
        2061,
    ),
    (
        "Amazon RDS eu-central-1 Root CA RSA4096 G1",
        "3111f322e448c26ea2722c02e29714dace16d5c39336cdf6dfbffbc0368d5332",
        2121,
    ),
    (
        "Amazon RDS eu-central-2 Root CA ECC384 G1",
        "896ef0d9c66ac5ac46e12bcd8f44dc2065b9006983b8b3c3203a4ab951f63368",
        2122,
    ),
    (
        "Amazon RDS eu-central-2 Root CA RSA2048 G1",
        "97477e83609fc31e6312009830b36faeec32ad317f91531a21ace6448b6416c6",
        2062,
    ),
    (
        "Amazon RDS eu-central-2 Root CA RSA4096 G1",
        "969ed937f0f63f9fa703bea5089d2b3ea0164f32d843d26b2edd74f07b44df28",
        2122,
    ),
    (
        "Amazon RDS eu-north-1 Root CA ECC384 G1",
        "7e0f13147f65b845268f62c446f2785040a007f8e92fb0e42987e9b848068da8",
        2121,
    ),
    (
        "Amazon RDS eu-north-1 Root CA RSA2048 G1",
        "4a3e1f8cd4ccfa64383ffd81344defe69d97c661dbde51a70dadc0b1f688561b",
        2061,
    ),
    (
        "Amazon RDS eu-north-1 Root CA RSA4096 G1",
        "a91830f1068b9fedf5a3e13805e0efafdc6dab2c4903eb032f52884fee2110a7",
        2121,
    ),
    (
        "Amazon RDS eu-south-1 Root CA ECC384 G1",
        "b655ee075c71c0cd89bc2c0339e960f6ba9238efbc9b5d1ea8d257cf4fa0a424",
        2121,
    ),
    (
        "Amazon RDS eu-south-1 Root CA RSA2048 G1",
        "8ea634c367d3f18a471da9bb38f833cbec4a408e472b58ad7d69bd47390a6640",
        2061,
    ),
    (
        "Amazon RDS eu-south-1 Root CA RSA4096 G1",
        "5c6ef8941085cb1060a14ab7bc439a3c21d3a704631b702b1393c0ab6cabb47d",
        2121,
    ),
    (
        "Amazon RDS eu-south-2 Root CA ECC384 G1",
        "a74816bc5f13d5653e81c172627428f66f485a34db1e19d0f4925c1c61cd504b",
        2122,
    ),
    (
        "Amazon RDS eu-south-2 Root CA RSA2048 G1",
        "073d43d98b8ca4444b7321ff9887525c7804a76930770b2a202aca582caa234d",
        2062,
    ),
    (
        "Amazon RDS eu-south-2 Root CA RSA4096 G1",
        "cf6fbdc3c0bb45d94c092458d7c867f705423a4a5f16b398b72e3c339b15d5d3",
        2122,
    ),
    (
        "Amazon RDS eu-west-1 Root CA ECC384 G1",
        "88ecf027448f7198f3c1a6762474c4658dab35a18686af6b65de3c4023c6d0b2",
        2121,
    ),
    (
        "Amazon RDS eu-west-1 Root CA RSA2048 G1",
        "6f7e01b62af24058417130b21e5fb9ad9f29b29c775c5107b657419010975886",
        2061,
    ),
    (
        "Amazon RDS eu-west-1 Root CA RSA4096 G1",
        "62e29ef90310947eed5d5546021d636008fad329fab9ea31ba1ae768b734f29a",
        2121,
    ),
    (
        "Amazon RDS eu-west-2 Root CA ECC384 G1",
        "c990ee37225e4ecc989d9e5f81089614d1f6977db650d1d1ea61462812e71b02",
        2121,
    ),
    (
        "Amazon RDS eu-west-2 Root CA RSA2048 G1",
        "3455640af7798b30da9c6179b5e21e23d95dabb7873a12fec70b02092745f04e",
        2061,
    ),
    (
        "Amazon RDS eu-west-2 Root CA RSA4096 G1",
        "147ad44255877d39e1a5d247c3dba006cf4479cd031eea34ae071287553a0215",
        2121,
    ),
    (
        "Amazon RDS eu-west-3 Root CA ECC384 G1",
        "1a8027a4be83ff1e3cde85baa9d09c8b6cac0145ee5cc437389da4d3456d7fd9",
        2121,
    ),
    (
        "Amazon RDS eu-west-3 Root CA RSA2048 G1",
        "1a954c0f6ea17874d55d02c7f1948236bd32c926be5fd28ec5aedffbc036226b",
        2061,
    ),
    (
        "Amazon RDS eu-west-3 Root CA RSA4096 G1",
        "eab48bcff49f906eae57552efce499a4cfa42f9003a4e9549b182062891155cf",
        2121,
    ),
    (
        "Amazon RDS il-central-1 Root CA ECC384 G1",
        "8c8475dccad184f53e92d55dc99293a2aad827cc9c96fb89d667836ae2a3130f",
        2122,
    ),
    (
        "Amazon RDS il-central-1 Root CA RSA2048 G1",
        "a2b73ca650d3e47ba8360a912ff007612f80edc5aff31ddcecf4c0d29071ba16",
        2062,
    ),
    (
        "Amazon RDS il-central-1 Root CA RSA4096 G1",
        "6b8d99b4e5d5cbabd5d9bf02c263b46ca120ddd118655421d3d418b5f5aff9f9",
        2122,
    ),
    (
        "Amazon RDS me-central-1 Root CA ECC384 G1",
        "8056ffc06567b146a5f4649c7d77b20f82d63585bb097467ee281231c2e1bb4b",
        2122,
    ),
    (
        "Amazon RDS me-central-1 Root CA RSA2048 G1",
        "2b2a720f801b251f8cd4080c1cb56520020f0bafa56f90fb206e1b66dfc3d5a2",
        2062,
    ),
    (
        "Amazon RDS me-central-1 Root CA RSA4096 G1",
        "6420fc61de5715c965c04e1071c40ab8d6b42e19842b9228b683eb7f190a4552",
        2122,
    ),
    (
        "Amazon RDS me-south-1 Root CA ECC384 G1",
        "4c9be86992c1231cf519bb58b7277e8d86d88c76eea310bef7a5ec1c6eb9bd6b",
        2121,
    ),
    (
        "Amazon RDS me-south-1 Root CA RSA2048 G1",
        "a42a4e21d76ef9f4b34801a13994f49afa9745573b71fc65dae504732ee3a863",
        2061,
    ),
    (
        "Amazon RDS me-south-1 Root CA RSA4096 G1",
        "6b9dd4a4d86d5b3cd5179355cd1ca157e71ba8470e6fc330245fa1f67febf8e5",
        2121,
    ),
    (
        "Amazon RDS mx-central-1 Root CA ECC384 G1",
        "f8f9c9e6d38d970b9c8cbf464d6f2c71049ad5501ea3a1404af1a01dd7038094",
        2124,
    ),
    (
        "Amazon RDS mx-central-1 Root CA RSA2048 G1",
        "0d43c47961cbd07bc2a37029393847073fb349ba00e6b65311eef33097270002",
        2064,
    ),
    (
        "Amazon RDS mx-central-1 Root CA RSA4096 G1",
        "3ddbeda037eacc4cf3e23027577c282af78a6ff60e69bc1ab608202280984bba",
        2124,
    ),
    (
        "Amazon RDS sa-east-1 Root CA ECC384 G1",
        "80ca8be42d38ea097fc733d79fc73d595f95f3834e04bb4efed15f1be53e8790",
        2121,
    ),
    (
        "Amazon RDS sa-east-1 Root CA RSA2048 G1",
        "376e82dd0d72b3f4234e1dad34f7bc086d51947f8b343a887e3ae122e0fd212b",
        2061,
    ),
    (
        "Amazon RDS sa-east-1 Root CA RSA4096 G1",
        "4d895d0786fd52b513554e73a07c2c0df47138e834a4338866e4d4bdc85778a3",
        2121,
    ),
    (
        "Amazon RDS us-east-1 Root CA ECC384 G1",
        "82d99e9e409703044c3f886f87a0408c96cd74dee2c9ba920e6553a32e372539",
        2121,
    ),
    (
        "Amazon RDS us-east-1 Root CA RSA2048 G1",
        "e4ce41d069f4bdcdb714259058961ee42ed18cf2bf627a3d647aff25437d4b68",
        2061,
    ),
    (
        "Amazon RDS us-east-1 Root CA RSA4096 G1",
        "1c753cf0334ff82a47e0d3205839c8549b7d9a8a3d9a685cccecc80f82fe97e6",
        2121,
    ),
    (
        "Amazon RDS us-east-2 Root CA ECC384 G1",
        "6a026963875a74234cc4deaeed7f31c15ee31127e0755e6a889de9f23946f660",
        2121,
    ),
    (
        "Amazon RDS us-east-2 Root CA RSA2048 G1",
        "68996553f8c736aa4c56de4898e0947c208c81f0c9e2b57dea7bf718ef59512f",
        2061,
    ),
    (
        "Amazon RDS us-east-2 Root CA RSA4096 G1",
        "e48a40eb9ce3f24d9ede8947ccdb60b2970b1b2d75acc0e991e71ef8eac9dbfb",
        2121,
    ),
    (
        "Amazon RDS us-west-1 Root CA ECC384 G1",
        "9634bd929cb698e0327e4a315d6cab4c19b54fcbbf6a4e61f7edbec2139cb309",
        2121,
    ),
    (
        "Amazon RDS us-west-1 Root CA RSA2048 G1",
        "c044a867d2df87500e4f86f5188baf94d8b47497ea7033bad01907b6f2c82be3",
        2061,
    ),
    (
        "Amazon RDS us-west-1 Root CA RSA4096 G1",
        "f0bd8094918f0c8b767c2696b98bd2f44b9e3f67f948552234c955cb4a864e44",
        2121,
    ),
    (
        "Amazon RDS us-west-2 Root CA ECC384 G1",
        "01926d42a0dc63915005f3d2b8d7c07efd9451fc14889142d8c4fa6021a6a95e",
        2121,
    ),
    (
        "Amazon RDS us-west-2 Root CA RSA2048 G1",
        "86e22f41c79b0de5777054189cfadbddf633a8a1dc09ef134db07a756e494abe",
        2061,
    ),
    (
        "Amazon RDS us-west-2 Root CA RSA4096 G1",
        "2888c2f870f2a58ebdeef3a3340b2f9810595b5a3466574f22ba97b778a5edbe",
        2121,
    ),
    (
        "Amazon Root CA 1",
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        2038,
    ),
    (
        "Amazon Root CA 2",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        2040,
    ),
    (
        "Amazon Root CA 3",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        2040,
    ),
    (
        "Amazon Root CA 4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        2040,
    ),
    (
        "Starfield Services Root Certificate Authority - G2",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        2037,
    ),
];

#[test]
fn exactly_the_listed_roots_are_embedded() {
    let details = embedded_details();
    assert_eq!(details.len(), EXPECTED.len());
    for (found, (name, sha256, year)) in details.iter().zip(EXPECTED) {
        assert_eq!(found.sha256, *sha256, "{name}");
        assert!(
            found.subject.contains(name),
            "{} is not {name}",
            found.subject
        );
        assert_eq!(
            found.not_after.to_zoned(jiff::tz::TimeZone::UTC).year(),
            *year,
            "{name}"
        );
    }
}

#[test]
fn every_root_is_self_signed_and_lives_for_ten_years_from_2026() {
    let then = Timestamp::from_second(2_082_758_400).unwrap();
    for root in embedded_details() {
        assert_eq!(root.subject, root.issuer);
        assert!(
            root.not_after > then,
            "{} ends at {}",
            root.subject,
            root.not_after
        );
    }
}

#[test]
fn every_region_of_the_bundle_has_its_three_kinds_of_key() {
    let regions = EXPECTED
        .iter()
        .filter(|(name, ..)| name.starts_with("Amazon RDS"))
        .count();
    assert_eq!(regions, 32 * 3);
    assert_eq!(EXPECTED.len(), regions + 5);
}

#[test]
fn regions_without_roots_are_told_where_to_get_them() {
    let of = |host: &str| missing(&RdsEndpoint::parse(host).unwrap());
    for region in [
        "us-west-2",
        "ca-west-1",
        "il-central-1",
        "mx-central-1",
        "ap-southeast-7",
    ] {
        assert_eq!(
            of(&format!("sal.abc123.{region}.rds.amazonaws.com")),
            None,
            "{region}"
        );
    }
    for (host, part) in [
        (
            "sal.abc123.us-gov-east-1.rds.amazonaws.com",
            "rds.amazonaws.com/us-gov-east-1/us-gov",
        ),
        (
            "sal.abc123.rds.cn-north-1.amazonaws.com.cn",
            "com.cn/cn-north-1/cn-north-1-bundle",
        ),
        (
            "sal.abc123.ap-southeast-9.rds.amazonaws.com",
            "/ap-southeast-9/ap-southeast-9-b",
        ),
        (
            "sal.abc123.us-iso-east-1.rds.c2s.ic.gov",
            "bundle of us-iso-east-1",
        ),
    ] {
        let step = of(host).unwrap().next_step();
        assert!(
            step.contains(part) && step.contains("DB_SSLROOTCERT"),
            "{host}: {step}"
        );
    }
    // These have Amazon's public roots.
    assert_eq!(of("sal.proxy-abc123.us-gov-west-1.rds.amazonaws.com"), None);
    assert_eq!(of("abcdefghijklmnopqrst.dsql.ap-southeast-9.on.aws"), None);
}
