"""Makes buckets and keys in a fresh moto, switches its authentication on, and prints the keys as JSON; or, with a bucket and a
name, prints what is there."""
import json
import sys
import urllib.request

import boto3

url, *wanted = sys.argv[1:]
how = {"endpoint_url": url, "region_name": "us-west-2"}


def switch(number):
    request = urllib.request.Request(
        f"{url}/moto-api/reset-auth", data=number, headers={"Content-Type": "text/plain"}, method="POST"
    )
    urllib.request.urlopen(request)


def client(service):
    return boto3.client(service, aws_access_key_id="setup", aws_secret_access_key="setup", **how)


def key_of(user, *actions):
    iam = client("iam")
    iam.create_user(UserName=user)
    if actions:
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


if wanted:
    switch(b"inf")
    bucket, name = wanted
    there = client("s3").get_object(Bucket=bucket, Key=name)
    print(json.dumps({"type": there["ContentType"], "body": there["Body"].read().decode()}))
    switch(b"0")
else:
    where = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    client("s3").create_bucket(Bucket="dumps.example", **where)
    keys = {"writer": key_of("writer", "s3:*"), "stranger": key_of("stranger")}
    switch(b"0")
    print(json.dumps(keys))
