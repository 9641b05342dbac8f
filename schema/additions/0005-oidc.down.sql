DROP TABLE IF EXISTS salrs_identity, salrs_oidc_login;
