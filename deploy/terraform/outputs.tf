output "role_arn" {
  description = "The role: taskRoleArn on ECS, the annotation eks.amazonaws.com/role-arn with IRSA."
  value       = aws_iam_role.sal.arn
}

output "role_name" {
  description = "For `sal iam apply --aws --role` and `sal iam doctor --role`."
  value       = aws_iam_role.sal.name
}

output "policy_arn" {
  description = "The policy that lets the role log in."
  value       = aws_iam_policy.connect.arn
}

output "instance_profile" {
  description = "For EC2; null without it."
  value       = one(aws_iam_instance_profile.sal[*].name)
}

output "parameter_group" {
  description = "For parameter_group_name of the instance; null without it."
  value       = one(aws_db_parameter_group.sal[*].name)
}

output "resource_id" {
  description = "What the policy names; DatabaseResourceId of deploy/ecs."
  value       = local.database.resource_id
}

output "environment" {
  description = "The variables of the deployment."
  value = merge(
    {
      AWS_IAM        = "true"
      AWS_RDS_REGION = local.region
      DB_HOST        = local.database.host
      DB_PORT        = tostring(local.database.port)
      DB_NAME        = var.db_name
      DB_USER        = var.db_user
    },
    var.expect_role == null ? {} : { SAL_DB_EXPECT_ROLE = var.expect_role },
  )
}
