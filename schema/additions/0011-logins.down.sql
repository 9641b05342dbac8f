DROP TABLE salrs_login_key, salrs_oidc_used;
