# Who may assume the role. `sal iam policy --format trust --trust PLATFORM` prints the same statements.

locals {
  services = {
    ecs              = "ecs-tasks.amazonaws.com"
    ec2              = "ec2.amazonaws.com"
    eks-pod-identity = "pods.eks.amazonaws.com"
  }
  service_platforms = setintersection(var.platforms, keys(local.services))
  uses_irsa         = contains(var.platforms, "eks-irsa")
  # What follows `oidc-provider/` in the provider's ARN.
  issuer = var.oidc_provider_arn == null ? "" : element(split("oidc-provider/", var.oidc_provider_arn), 1)
}

data "aws_iam_policy_document" "trust" {
  dynamic "statement" {
    for_each = local.service_platforms
    content {
      effect  = "Allow"
      actions = statement.value == "eks-pod-identity" ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"]
      principals {
        type        = "Service"
        identifiers = [local.services[statement.value]]
      }
    }
  }

  dynamic "statement" {
    for_each = local.uses_irsa ? ["irsa"] : []
    content {
      effect  = "Allow"
      actions = ["sts:AssumeRoleWithWebIdentity"]
      principals {
        type        = "Federated"
        identifiers = [coalesce(var.oidc_provider_arn, "oidc_provider_arn is not set")]
      }
      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:sub"
        values   = ["system:serviceaccount:${var.service_account.namespace}:${var.service_account.name}"]
      }
      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:aud"
        values   = ["sts.amazonaws.com"]
      }
    }
  }
}

resource "aws_eks_pod_identity_association" "sal" {
  count           = contains(var.platforms, "eks-pod-identity") && var.eks_cluster_name != null ? 1 : 0
  cluster_name    = var.eks_cluster_name
  namespace       = var.service_account.namespace
  service_account = var.service_account.name
  role_arn        = aws_iam_role.sal.arn
  tags            = var.tags
}

resource "aws_iam_instance_profile" "sal" {
  count = contains(var.platforms, "ec2") ? 1 : 0
  name  = var.name
  path  = var.path
  role  = aws_iam_role.sal.name
  tags  = var.tags
}
