"""What an agent does with boto3, told an address and a token. Prints what came of each step as JSON."""

import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, token = sys.argv[1], os.environ["TOKEN"]


def client(service, name):
    return boto3.client(
        service,
        region_name="eu-central-1",
        endpoint_url=f"{url}/use/{name}",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        aws_session_token=token,
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required", retries={"max_attempts": 1}),
    )


def refusal(call):
    try:
        call()
    except ClientError as error:
        said = error.response["ResponseMetadata"]
        return [said["HTTPStatusCode"], error.response["Error"]["Code"], said["HTTPHeaders"].get("keyhole-error")]
    return None


s3, things = client("s3", "s3"), client("dynamodb", "dynamodb")
names = ["a b", "ü+~*()'!", "a/b.c", "%25", "x=1&y"]
for name in names:
    s3.put_object(Bucket="bucket", Key=name, Body=f"of {name}".encode(), Metadata={"of": "test"})
things.put_item(TableName="things", Item={"id": {"S": "ü"}, "n": {"N": "1"}})

print(
    json.dumps(
        {
            "objects": {name: s3.get_object(Bucket="bucket", Key=name)["Body"].read().decode() for name in names},
            "listed": sorted(each["Key"] for each in s3.list_objects_v2(Bucket="bucket", MaxKeys=10)["Contents"]),
            "item": things.get_item(TableName="things", Key={"id": {"S": "ü"}})["Item"],
            "target": refusal(lambda: things.delete_table(TableName="things")),
            "bucket": refusal(lambda: s3.get_object(Bucket="other", Key="a")),
            "missing": refusal(lambda: s3.get_object(Bucket="bucket", Key="none")),
            "key": refusal(lambda: client("s3", "wrong-s3").list_objects_v2(Bucket="bucket")),
            "key of a table": refusal(lambda: client("dynamodb", "wrong-dynamodb").get_item(TableName="things", Key={"id": {"S": "ü"}})),
        }
    )
)
