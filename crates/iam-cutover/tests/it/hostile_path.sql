-- The owner of a database decides where its sessions look first: then the very names of pg_catalog can be taken.
SET search_path = pg_catalog, pg_temp;
DO $plant$
DECLARE f record; arguments text;
BEGIN
  FOR f IN
    SELECT p.oid, p.proname, p.proretset, pg_catalog.pg_get_function_identity_arguments(p.oid) AS types,
           p.prorettype::regtype::text AS result, p.pronargs
    FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0 AND NOT p.proretset AND p.prorettype <> 'void'::regtype
      AND p.proname IN ('quote_ident', 'current_setting', 'current_database', 'pg_get_userbyid', 'has_database_privilege',
        'has_table_privilege', 'has_schema_privilege', 'has_sequence_privilege', 'has_function_privilege', 'has_type_privilege',
        'has_any_column_privilege', 'pg_has_role', 'shobj_description', 'pg_backend_pid', 'pg_advisory_lock', 'substr',
        'split_part', 'lower', 'host', 'now', 'to_regclass', 'to_regrole', 'pg_table_is_visible', 'format_type',
        'pg_get_constraintdef', 'pg_get_indexdef', 'pg_advisory_xact_lock', 'pg_is_in_recovery', 'clock_timestamp',
        'pg_get_function_identity_arguments', 'nameeq', 'oideq', 'nameeqtext', 'texteq', 'namenetext')
  LOOP
    SELECT string_agg('$' || n, ', ' ORDER BY n) INTO arguments FROM generate_series(1, f.pronargs) n;
    EXECUTE pg_catalog.format('CREATE OR REPLACE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql SET search_path = pg_catalog AS %L',
      f.proname, f.types, f.result,
      pg_catalog.format('BEGIN PERFORM public.strike(%L); RETURN pg_catalog.%I(%s); END', f.proname, f.proname, COALESCE(arguments, '')));
  END LOOP;
  FOR f IN SELECT unnest(ARRAY['pg_roles', 'pg_database', 'pg_auth_members', 'pg_namespace', 'pg_class', 'pg_proc', 'pg_type',
      'pg_db_role_setting', 'pg_stat_activity', 'pg_shdepend', 'pg_depend', 'pg_locks', 'pg_settings', 'pg_default_acl',
      'pg_policy', 'pg_event_trigger']) AS proname
  LOOP
    EXECUTE pg_catalog.format('CREATE VIEW public.%I AS SELECT * FROM pg_catalog.%I WHERE public.strike(%L)', f.proname, f.proname, 'view ' || f.proname);
    EXECUTE pg_catalog.format('GRANT SELECT ON public.%I TO PUBLIC', f.proname);
  END LOOP;
END $plant$;
RESET search_path;
CREATE OPERATOR public.= (FUNCTION = public.nameeq, LEFTARG = name, RIGHTARG = name);
CREATE OPERATOR public.= (FUNCTION = public.oideq, LEFTARG = oid, RIGHTARG = oid);
CREATE OPERATOR public.= (FUNCTION = public.nameeqtext, LEFTARG = name, RIGHTARG = text);
CREATE OPERATOR public.= (FUNCTION = public.texteq, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR public.<> (FUNCTION = public.namenetext, LEFTARG = name, RIGHTARG = text);
-- A domain in place of a type: whoever casts to it runs its check.
CREATE DOMAIN public.regprocedure AS pg_catalog.regprocedure CHECK (public.strike('domain regprocedure'));
CREATE DOMAIN public.jsonb AS pg_catalog.jsonb CHECK (public.strike('domain jsonb'));
ALTER DATABASE sal SET search_path = public, pg_catalog;
