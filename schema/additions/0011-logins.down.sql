DROP TABLE IF EXISTS salrs_login_key, salrs_oidc_used;
