"""Makes in a fresh moto what the test looks at, switches its authentication on, and prints key and endpoints."""
import json
import sys
import urllib.request

import boto3

url = sys.argv[1]
how = {
    "endpoint_url": url,
    "region_name": "us-west-2",
    "aws_access_key_id": "setup",
    "aws_secret_access_key": "setup",
}
iam, rds, ec2 = (boto3.client(service, **how) for service in ("iam", "rds", "ec2"))


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


iam.create_user(UserName="admin")
key = iam.create_access_key(UserName="admin")["AccessKey"]
policy = iam.create_policy(PolicyName="all", PolicyDocument=document(Action="*", Resource="*"))
iam.attach_user_policy(UserName="admin", PolicyArn=policy["Policy"]["Arn"])
trust = document(Principal={"Service": "ecs-tasks.amazonaws.com"}, Action="sts:AssumeRole")
iam.create_role(RoleName="sal-task", AssumeRolePolicyDocument=trust)
rds.create_db_instance(
    DBInstanceIdentifier="sal-sandbox",
    Engine="postgres",
    EngineVersion="15.5",
    DBInstanceClass="db.t4g.micro",
    AllocatedStorage=20,
    MasterUsername="postgres",
    MasterUserPassword="a long enough one",
)
rds.create_db_cluster(
    DBClusterIdentifier="sal-aurora",
    Engine="aurora-postgresql",
    EngineVersion="15.5",
    MasterUsername="postgres",
    MasterUserPassword="a long enough one",
    EnableIAMDatabaseAuthentication=True,
)
rds.create_db_instance(
    DBInstanceIdentifier="sal-aurora-1",
    DBClusterIdentifier="sal-aurora",
    Engine="aurora-postgresql",
    DBInstanceClass="db.r6g.large",
)
rds.create_db_proxy(
    DBProxyName="sal-proxy",
    EngineFamily="POSTGRESQL",
    Auth=[{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:x"}],
    RoleArn="arn:aws:iam::123456789012:role/sal-task",
    VpcSubnetIds=[subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2],
)
cluster = rds.describe_db_clusters()["DBClusters"][0]
switch = urllib.request.Request(
    f"{url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, method="POST"
)
urllib.request.urlopen(switch)
print(json.dumps({
    "id": key["AccessKeyId"],
    "secret": key["SecretAccessKey"],
    "writer": cluster["Endpoint"],
    "reader": cluster["ReaderEndpoint"],
}))
