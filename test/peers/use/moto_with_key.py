"""An AWS that checks every signature: moto, with one user, a bucket and a table. Prints its address and the user's key pair as JSON; ends with its input."""

import json
import sys

import boto3
import moto.settings
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "dynamodb:*"], "Resource": "*"}]}

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
origin = f"http://{host}:{port}"


def client(service):
    return boto3.client(service, region_name=REGION, endpoint_url=origin, aws_access_key_id="setup", aws_secret_access_key="setup")


iam = client("iam")
iam.create_user(UserName="agent")
iam.put_user_policy(UserName="agent", PolicyName="all", PolicyDocument=json.dumps(ALL))
key = iam.create_access_key(UserName="agent")["AccessKey"]
client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
client("dynamodb").create_table(
    TableName="things",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
# From here on nothing is done for whom it does not know.
moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

print(json.dumps({"origin": origin, "id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)
sys.stdin.read()
server.stop()
