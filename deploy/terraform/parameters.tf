# A parameter group for the instance. Made, not attached: give its name to `parameter_group_name` where the database is
# declared. rds.force_ssl is on by default since version 15 only.

resource "aws_db_parameter_group" "sal" {
  count       = var.parameter_group_family == null ? 0 : 1
  name_prefix = "${var.name}-"
  family      = var.parameter_group_family
  description = "Postgres for Sal"
  tags        = var.tags

  # Passwords and data in the clear are refused; IAM users need TLS anyway.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Check-ins change few columns of many rows: vacuum the largest tables before a fifth of them is dead.
  parameter {
    name  = "autovacuum_vacuum_scale_factor"
    value = "0.05"
  }

  parameter {
    name  = "autovacuum_analyze_scale_factor"
    value = "0.02"
  }

  # A lost client must not hold locks: the server sets limits of its own, everybody else gets these.
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }

  lifecycle {
    create_before_destroy = true
  }
}
