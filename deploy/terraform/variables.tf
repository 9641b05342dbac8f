variable "name" {
  description = "What everything that is made is called, and begins with."
  type        = string
  default     = "sal"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.name))
    error_message = "Lower-case letters, digits and hyphens, beginning with a letter, 32 at most."
  }
}

variable "db_instance_identifier" {
  description = "Identifier of the RDS instance that exists already; null for a cluster."
  type        = string
  default     = null
}

variable "db_cluster_identifier" {
  description = "Identifier of the Aurora or Multi-AZ cluster that exists already; null for an instance."
  type        = string
  default     = null
}

variable "db_name" {
  description = "Name of the database."
  type        = string
  default     = "sal"
}

variable "db_user" {
  description = "The Postgres user who logs in with IAM; `sal iam apply` makes it."
  type        = string
  default     = "salawsiam"
  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_.-]*$", var.db_user)) && var.db_user != "rdsadmin"
    error_message = "A name without wildcards: `*` in a policy would let the role in as everybody."
  }
}

variable "expect_role" {
  description = "The owner of Sal's tables, as the line SAL_DB_EXPECT_ROLE of `sal iam env` says; null where db_user owns them itself."
  type        = string
  default     = "sal"
}

variable "platforms" {
  description = "Who may assume the role: any of ecs, eks-irsa, eks-pod-identity, ec2."
  type        = set(string)
  default     = ["ecs"]
  validation {
    condition     = length(var.platforms) > 0 && length(setsubtract(var.platforms, ["ecs", "eks-irsa", "eks-pod-identity", "ec2"])) == 0
    error_message = "One or more of ecs, eks-irsa, eks-pod-identity, ec2."
  }
}

variable "oidc_provider_arn" {
  description = "For eks-irsa: ARN of the cluster's OIDC provider."
  type        = string
  default     = null
}

variable "eks_cluster_name" {
  description = "For eks-pod-identity: name of the cluster; the association is made in it."
  type        = string
  default     = null
}

variable "service_account" {
  description = "For EKS: namespace and name of the service account."
  type = object({
    namespace = string
    name      = string
  })
  default = {
    namespace = "sal"
    name      = "sal"
  }
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the role; null for none."
  type        = string
  default     = null
}

variable "path" {
  description = "Path of role and policy."
  type        = string
  default     = "/"
}

variable "parameter_group_family" {
  description = "Family of the parameter group to make for the instance, such as postgres16; null for none."
  type        = string
  default     = null
  validation {
    condition     = var.parameter_group_family == null || can(regex("^postgres1[3-9]$", var.parameter_group_family))
    error_message = "Such as postgres16. The group is for instances; a cluster's parameters are its own."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
