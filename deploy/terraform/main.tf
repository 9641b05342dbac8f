# What Sal needs of AWS to log in to a database that exists already: a role that may do exactly that. The database is
# read, never changed: a plan of this module cannot touch your data. `sal iam apply --aws` switches IAM on and makes the
# user; or set iam_database_authentication_enabled = true where the database is declared.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

data "aws_db_instance" "sal" {
  count                  = var.db_instance_identifier == null ? 0 : 1
  db_instance_identifier = var.db_instance_identifier
}

data "aws_rds_cluster" "sal" {
  count              = var.db_cluster_identifier == null ? 0 : 1
  cluster_identifier = var.db_cluster_identifier
}

locals {
  is_cluster = var.db_cluster_identifier != null
  database = local.is_cluster ? {
    host        = one(data.aws_rds_cluster.sal[*].endpoint)
    port        = one(data.aws_rds_cluster.sal[*].port)
    resource_id = one(data.aws_rds_cluster.sal[*].cluster_resource_id)
    iam         = one(data.aws_rds_cluster.sal[*].iam_database_authentication_enabled)
    } : {
    host        = one(data.aws_db_instance.sal[*].address)
    port        = one(data.aws_db_instance.sal[*].port)
    resource_id = one(data.aws_db_instance.sal[*].resource_id)
    # The data source of an instance does not say; the check below asks only where it can be known.
    iam = null
  }
  region = data.aws_region.current.name
  # The resource id, not the identifier: an ARN with the identifier lets nobody in.
  connect_arn = join(":", [
    "arn", data.aws_partition.current.partition, "rds-db", local.region,
    data.aws_caller_identity.current.account_id, "dbuser",
    # Without a database there is none; the policy's precondition says so.
    "${coalesce(local.database.resource_id, "none")}/${var.db_user}",
  ])
}

# What `sal iam policy --for server` prints.
data "aws_iam_policy_document" "connect" {
  statement {
    sid       = "ConnectWithIam"
    effect    = "Allow"
    actions   = ["rds-db:connect"]
    resources = [local.connect_arn]
  }
}

resource "aws_iam_policy" "connect" {
  name        = "${var.name}-rds-iam"
  path        = var.path
  description = "Log in to the database of Sal, as its user"
  policy      = data.aws_iam_policy_document.connect.json
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = (var.db_instance_identifier == null) != (var.db_cluster_identifier == null)
      error_message = "Name one database: db_instance_identifier or db_cluster_identifier."
    }
    precondition {
      condition     = local.database.iam != false
      error_message = "IAM authentication of the cluster is off: set iam_database_authentication_enabled = true where it is declared, or run `sal iam apply --aws`."
    }
  }
}

resource "aws_iam_role" "sal" {
  name                 = var.name
  path                 = var.path
  description          = "What Sal runs as"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = !local.uses_irsa || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/.+", var.oidc_provider_arn))
      error_message = "eks-irsa needs oidc_provider_arn, such as arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/…"
    }
  }
}

resource "aws_iam_role_policy_attachment" "connect" {
  role       = aws_iam_role.sal.name
  policy_arn = aws_iam_policy.connect.arn
}
