DROP TABLE salrs_identity, salrs_oidc_login;
