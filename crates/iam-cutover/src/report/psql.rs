//! The database's part of a plan as a script for psql, guard included.

use super::headline;
use crate::{
    inventory::RDS_IAM,
    plan::Plan,
    script::Script,
    sql::literal,
    steps::{Action, By},
};

/// The database's part as a psql script, guard included.
#[must_use]
pub fn plan_sql(plan: &Plan) -> String {
    let mut script = Script::new();
    script.comment(&headline(plan));
    script.comment(
        "For psql, as the administrator. Every step is a transaction; the first error stops it.",
    );
    for finding in &plan.refusals {
        script.comment(&format!(
            "REFUSED ({}): {} {}",
            finding.code, finding.what, finding.next
        ));
        script.quit();
    }
    begin_session(&mut script);
    let mut connected = plan.wish.databases.first().cloned().unwrap_or_default();
    for step in &plan.steps {
        script.empty_line();
        script.comment(&format!("{} [{}]", step.what, step.id));
        script.comment(&format!("why: {}", step.why));
        script.comment(&format!("undo: {}", step.undo.join("; ")));
        match &step.action {
            Action::Sql {
                statements,
                by: By::NewUser,
                ..
            } => script.comment(&format!(
                "as {} itself (`sal iam psql`): SET ROLE NONE; {}",
                plan.wish.new_user,
                statements.join("; ")
            )),
            Action::Sql {
                database,
                statements,
                by: By::Admin,
            } => {
                if *database != connected {
                    script.connect(database);
                    begin_session(&mut script);
                    connected.clone_from(database);
                }
                transaction(statements, plan, &mut script);
            }
            Action::Aws(call) => script.comment(&format!("in AWS: {}", call.cli())),
        }
    }
    script.finish()
}

/// The database belongs to somebody else than whoever runs this: nothing of it is looked for by its bare name.
fn begin_session(script: &mut Script) {
    script.statement("SET search_path = pg_catalog, pg_temp");
    script.statement("SET standard_conforming_strings = on");
    script.statement("SET ROLE NONE");
}

fn transaction(statements: &[String], plan: &Plan, script: &mut Script) {
    script.statement("BEGIN");
    script.statement("SET LOCAL lock_timeout = '5s'");
    for statement in statements {
        script.statement(statement);
    }
    script.block(&guard(plan));
    script.statement("COMMIT");
}

/// What `run::guard` does, for a script: it knows no "before", so it looks at the two that matter.
fn guard(plan: &Plan) -> String {
    let (old, new) = (literal(&plan.wish.old_user), literal(&plan.wish.new_user));
    format!(
        " BEGIN
  IF EXISTS (
    WITH RECURSIVE above (member, role) AS (
      SELECT r.oid, m.roleid FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE r.rolname IN (session_user, {old})
      UNION SELECT a.member, m.roleid FROM pg_catalog.pg_auth_members m JOIN above a ON m.member = a.role)
    SELECT FROM above a JOIN pg_catalog.pg_roles r ON r.oid = a.role WHERE r.rolname = {new})
  THEN RAISE EXCEPTION 'lock-out guard: the administrator or the old user became a member of the new user and with it of {RDS_IAM}';
  END IF;
END "
    )
}
